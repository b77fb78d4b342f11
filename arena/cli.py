"""The command line. Thin: it parses, calls, and prints; every command's work is done elsewhere.

A user's mistake is one line on standard error and exit code 2; Ctrl-C is exit code 130.
"""

from __future__ import annotations

import signal
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option

from arena.errors import ArenaError
from arena.threads import start_with_one_blas_thread

app = typer.Typer(
    help="Train, play, record and compare reinforcement-learning agents.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Env = Annotated[
    str, Option("--env", metavar="ID", help="Environment id, as CartPole-v1, ALE/Pong-v5 or module:Env-v0.")
]
Ref = Annotated[
    str, Argument(metavar="REF", help="A plugin's name, a run folder, FILE.py:CLASS, MODULE:CLASS or a policy file.")
]
LiteRTFile = Annotated[Path, Argument(metavar="FILE", help="A LiteRT file, a policy of the arena or any other.")]
Json = Annotated[bool, Option("--json", help="Print one JSON object and nothing else.")]
Seed = Annotated[int, Option("--seed", metavar="S", help="Root of all randomness.")]
Mode = Annotated[
    str | None, Option("--mode", metavar="MODE", help="greedy, sample or epsilon=X; the policy's own by default.")
]
Preprocess = Annotated[
    str | None,
    Option("--preprocess", metavar="NAME", help="atari, cookbook-dqn, cookbook-pong, cookbook-grey or none."),
]
EnvSet = Annotated[
    list[str] | None,
    Option("--env-set", metavar="KEY=VALUE", help="A keyword of the environment's maker; may be repeated."),
]


@app.command("envs")
def list_envs(
    pattern: Annotated[
        str | None, Argument(metavar="PATTERN", help="Part of an id, or a pattern with * and ?.")
    ] = None,
    json: Json = False,
) -> None:
    """List environments: spaces, longest game, extra needed."""
    from arena import terminal
    from envs import catalogue

    entries = catalogue.entries(pattern)
    if json:
        from dataclasses import asdict

        return terminal.print_json({"envs": [asdict(entry) for entry in entries]})
    if not entries:
        raise ArenaError(f"no environment matches {pattern!r}; `arena envs` lists them all")
    rows = [
        (
            entry.id,
            terminal.space_text(entry.observation_space),
            terminal.space_text(entry.action_space),
            f"{entry.max_episode_steps:,}",
            _extra_text(entry),
        )
        for entry in entries
    ]
    terminal.table(("id", "observations", "actions", "steps", "extra"), rows, right=(3,))


def _extra_text(entry: Any) -> str:
    if not entry.extra:
        return ""
    return str(entry.extra) if entry.is_installed else f"{entry.extra} (not installed)"


@app.command("agents")
def list_agents(json: Json = False) -> None:
    """List agents and the environments they have presets for."""
    from arena import terminal
    from arena.config import presets_by_name
    from arena.registry import plugins

    rows = [
        {
            "name": name,
            "class": entry.value,
            "package": entry.dist.name if entry.dist else "",
            "presets": [preset for preset in presets_by_name(entry.module, name) if preset != "*"],
        }
        for name, entry in plugins().items()
    ]
    if json:
        return terminal.print_json({"agents": rows})
    shown = [(str(row["name"]), str(row["class"]), ", ".join(row["presets"])) for row in rows]
    terminal.table(("name", "class", "presets"), shown)


@app.command()
def train(
    agent: Annotated[str, Argument(metavar="AGENT", help="A plugin's name, FILE.py:CLASS or MODULE:CLASS.")],
    env: Env,
    steps: Annotated[
        int | None, Option(metavar="N", help="Budget in environment steps; the preset's by default.")
    ] = None,
    episodes: Annotated[int | None, Option(metavar="N", help="Budget in episodes.")] = None,
    minutes: Annotated[float | None, Option(metavar="M", help="Budget in minutes.")] = None,
    until: Annotated[float | None, Option(metavar="RETURN", help="End once an evaluation's mean reaches it.")] = None,
    num_envs: Annotated[int | None, Option(metavar="N", help="Rows to train on.")] = None,
    seed: Seed = 0,
    seeds: Annotated[int | None, Option(metavar="K", help="Train K runs, with the seeds from --seed on.")] = None,
    start: Annotated[
        str | None, Option("--from", metavar="REF", help="A run folder from whose best weights to start.")
    ] = None,
    assignments: Annotated[
        list[str] | None,
        Option("--set", metavar="KEY=VALUE", help="A setting of the agent, or preset, eval_every, eval_episodes."),
    ] = None,
    preprocess: Preprocess = None,
    env_set: EnvSet = None,
    run_dir: Annotated[
        Path | None, Option(metavar="DIR", help="The run folder; runs/AGENT-ENV-DATE-SEED by default.")
    ] = None,
    record: Annotated[
        str, Option(metavar="WHAT", help="Film training episodes: none, cubic, every=N or best.")
    ] = "none",
    checkpoint_every: Annotated[int | None, Option(metavar="STEPS", help="Every five minutes by default.")] = None,
) -> None:
    """Train an agent."""
    from arena.config import RUN_KEYS, RunConfig, parse_assignments
    from arena.evaluation import check_count

    settings = parse_assignments(assignments or ())
    own = {key: settings.pop(key) for key in RUN_KEYS if key in settings}
    for number in range(check_count("seeds", seeds) if seeds is not None else 1):
        config = RunConfig.of(
            agent=agent,
            env=env,
            seed=seed + number,
            steps=steps,
            episodes=episodes,
            minutes=minutes,
            until=until,
            num_envs=num_envs,
            start=start,
            preprocess=preprocess,
            settings=settings,
            env_settings=parse_assignments(env_set or (), "--env-set"),
            record=record,
            checkpoint_every=checkpoint_every,
            **own,
        )
        folder = run_dir / f"seed-{seed + number}" if run_dir and seeds else run_dir
        _train(f"{agent} on {env}" + (f", seed {seed + number}" if seeds else ""), _trainer(config, folder))


def _trainer(config: Any, folder: Path | None) -> Callable[..., Any]:
    from arena.training import train as run

    return lambda hooks: run(config, run_dir=folder, hooks=hooks)


@app.command()
def resume(
    folder: Annotated[Path, Argument(metavar="DIR", help="A run folder.")],
    steps: Annotated[int | None, Option(metavar="N", help="Go on to N environment steps in all.")] = None,
) -> None:
    """Go on with a training from its newest checkpoint."""
    from arena.evaluation import check_count
    from arena.training import resume as run

    if steps is not None:
        check_count("steps", steps)
    _train(f"resuming {folder}", lambda hooks: run(folder, steps=steps, hooks=hooks))


def _train(title: str, run: Callable[..., Any]) -> None:
    """Runs a training under a progress bar; the first Ctrl-C lets it save, a second one ends it at once."""
    from arena import terminal
    from arena.training import Hooks

    stopped: list[int] = []

    def stop(number: int, _: Any) -> None:
        stopped.append(number)
        terminal.err.print("stopping: a checkpoint is being saved")
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with terminal.bar(title) as update:
            result = run(
                Hooks(
                    on_progress=lambda p: update(p.fraction, terminal.training_text(p)),
                    should_stop=lambda: bool(stopped),
                    warn=lambda line: terminal.err.print(f"arena: warning: {line}"),
                )
            )
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    best = "" if result.best is None else f", best evaluation {result.best:.1f}"
    terminal.out.print(f"{result.step:,} steps, {result.episodes:,} episodes in {result.seconds:.0f} s{best}")
    if result.was_interrupted:
        terminal.out.print(f"interrupted and saved; go on with: arena resume {result.folder}")
        raise typer.Exit(130)
    terminal.out.print(f"the run is in {result.folder}")


@app.command("runs")
def list_runs(
    json: Json = False,
    folder: Annotated[Path, Option("--dir", metavar="DIR", help="Where the runs are.")] = Path("runs"),
) -> None:
    """List runs; seeds of one configuration share a line."""
    from arena import runs, terminal

    groups = runs.grouped(runs.find(folder))
    if json:
        return terminal.print_json({"runs": groups})
    if not groups:
        return terminal.out.print(f"no runs in {folder}; `arena train` makes one")
    rows = [
        (
            g["agent"] or "?",
            g["env"] or "?",
            ", ".join("?" if seed is None else str(seed) for seed in g["seeds"]),
            f"{g['step']:,}",
            _score(g["last_mean"], g["last_std"], len(g["seeds"])),
            _score(g["best_mean"], g["best_std"], len(g["seeds"])),
            g["runs"][-1]["state"] or "",
            g["runs"][-1]["folder"],
        )
        for g in groups
    ]
    headings = ("agent", "env", "seeds", "steps", "last", "best", "state", "folder (newest)")
    terminal.table(headings, rows, right=(3, 4, 5))


def _score(mean: float | None, std: float | None, number: int) -> str:
    if mean is None:
        return "-"
    return f"{mean:.1f}" if number == 1 else f"{mean:.1f} ± {std:.1f}"


@app.command("eval")
def evaluate(
    ref: Ref,
    env: Env,
    episodes: Annotated[int, Option(metavar="N", help="Games to play.")] = 10,
    seed: Seed = 0,
    num_envs: Annotated[int | None, Option(metavar="N", help="Rows to play in; the results are the same.")] = None,
    mode: Mode = None,
    preprocess: Preprocess = None,
    env_set: EnvSet = None,
    json: Json = False,
) -> None:
    """Play games and report their returns."""
    from arena import terminal
    from arena.config import parse_assignments
    from arena.evaluation import evaluate as run

    finished = 0
    with terminal.bar(f"{ref} on {env}") as update:

        def on_event(event: Any) -> None:
            nonlocal finished
            if event.finished:
                finished += len(event.finished)
                update(finished / episodes, f"{finished} of {episodes} games")

        result = run(
            ref,
            env,
            episodes=episodes,
            seed=seed,
            num_envs=num_envs,
            mode=mode,
            preprocess=preprocess,
            env_settings=parse_assignments(env_set or (), "--env-set"),
            on_event=on_event,
        )
    if json:
        return terminal.print_json(result.to_json())
    speed = result.steps / max(result.seconds, 1e-9)
    terminal.out.print(
        f"{result.agent} on {result.env}: {result.mean:.2f} ± {result.std:.2f} over {result.episodes} games"
    )
    terminal.out.print(
        f"from {min(result.returns):g} to {max(result.returns):g}, {result.steps:,} steps, {speed:,.0f} steps/s"
    )
    protocol = terminal.protocol_line(result.protocol)
    terminal.out.print(protocol, style="dim", soft_wrap=not terminal.out.is_terminal)


@app.command()
def watch(
    ref: Ref, env: Env, seed: Seed = 0, mode: Mode = None, preprocess: Preprocess = None, env_set: EnvSet = None
) -> None:
    """Show games in a window; Esc closes it."""
    from arena.config import parse_assignments
    from arena.watch import watch as run

    run(
        ref,
        env,
        seed=seed,
        mode=mode,
        preprocess=preprocess,
        env_settings=parse_assignments(env_set or (), "--env-set"),
    )


@app.command()
def record(
    ref: Ref,
    env: Env,
    episodes: Annotated[int, Option(metavar="N", help="Games to film.")] = 1,
    seed: Seed = 0,
    out: Annotated[Path, Option(metavar="DIR", help="Where the films go.")] = Path("recordings"),
    fmt: Annotated[str, Option("--format", metavar="mp4|gif", help="H.264 MP4 or GIF.")] = "mp4",
    overlay: Annotated[
        bool, Option("--overlay/--no-overlay", help="Show score, action and values beside the game.")
    ] = True,
    mode: Mode = None,
    preprocess: Preprocess = None,
    env_set: EnvSet = None,
    json: Json = False,
) -> None:
    """Film games; the same ones that `arena eval` reports."""
    from arena import terminal
    from arena.config import parse_assignments
    from arena.recording import record as run

    with terminal.bar(f"{ref} on {env}") as update:
        recordings = run(
            ref,
            env,
            episodes=episodes,
            seed=seed,
            out=out,
            fmt=fmt,
            overlay=overlay,
            mode=mode,
            preprocess=preprocess,
            env_settings=parse_assignments(env_set or (), "--env-set"),
            on_progress=lambda p: update(
                (p.filmed + p.frame / max(1, p.num_frames)) / p.episodes, f"{p.filmed} of {p.episodes} games filmed"
            ),
        )
    if json:
        return terminal.print_json({"recordings": [recording.to_json() for recording in recordings]})
    for recording in recordings:
        terminal.out.print(f"{recording.video}  return {recording.game.ret:g}, {recording.game.length:,} steps")


@app.command()
def export(
    ref: Ref,
    out: Annotated[Path, Option(metavar="FILE", help="A new .tflite file; .npz for tables and linear features.")],
    quantize: Annotated[
        str, Option(metavar="KIND", help="none, float16, dynamic (8-bit weights) or int8 (8 bits throughout).")
    ] = "none",
    env: Annotated[
        str | None, Option(metavar="ID", help="Where to play; the environment on the policy's card by default.")
    ] = None,
    env_set: EnvSet = None,
    episodes: Annotated[int, Option(metavar="N", help="Games that the file and the agent both play.")] = 20,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Write a policy as one file for an app, and compare them."""
    from arena import device_report, terminal
    from arena.config import parse_assignments
    from arena.export import export as run

    with terminal.phases() as update:
        result = run(
            ref,
            out,
            quantize=quantize,
            env_id=env,
            env_settings=parse_assignments(env_set or (), "--env-set"),
            episodes=episodes,
            seed=seed,
            on_progress=lambda phase, done, total: update(phase, done, total, f"{done} of {total} games"),
        )
    if json:
        return terminal.print_json(result.to_json())
    device_report.print_export(result)


@app.command()
def inspect(file: LiteRTFile, json: Json = False) -> None:
    """Show what is in a LiteRT file."""
    from arena import device_report, terminal
    from arena.inspection import inspect as run

    result = run(file)
    if json:
        return terminal.print_json(result.to_json())
    device_report.print_inspection(result)


@app.command()
def profile(
    file: LiteRTFile,
    threads: Annotated[int, Option(metavar="N", help="Threads of the interpreter.")] = 1,
    runs: Annotated[int, Option(metavar="N", help="Calls that are timed, after the first one.")] = 500,
    json: Json = False,
) -> None:
    """Measure a LiteRT file: latency, operators, memory."""
    from arena import device_report, terminal
    from arena.profiling import profile as run

    with terminal.bar(f"profiling {file}") as update:
        result = run(file, threads=threads, runs=runs, on_progress=update)
    if json:
        return terminal.print_json(result.to_json())
    device_report.print_profile(result)


@app.command()
def tournament(
    file: Annotated[Path | None, Argument(metavar="FILE", help="A tournament file (TOML).")] = None,
    agent: Annotated[list[str] | None, Option(metavar="REF", help="Enter an agent; may be repeated.")] = None,
    env: Annotated[list[str] | None, Option(metavar="ID", help="Play an environment; may be repeated.")] = None,
    train: Annotated[
        int | None, Option(metavar="STEPS", help="Train learners first, this many steps on each environment.")
    ] = None,
    episodes: Annotated[int | None, Option(metavar="N", help="Games of each agent in each environment.")] = None,
    seed: Annotated[int | None, Option(metavar="S", help="Root of all randomness.")] = None,
    jobs: Annotated[int, Option(metavar="N", help="Matches played at once.")] = 1,
    out: Annotated[Path | None, Option(metavar="DIR", help="A new folder; tournaments/NAME-DATE by default.")] = None,
    json: Json = False,
) -> None:
    """Let agents meet the same seeds and rank them."""
    from arena import report, terminal
    from arena.league import tournament as run
    from arena.tournament_file import configure

    config = configure(file, agents=agent or (), envs=env or (), train=train, episodes=episodes, seed=seed)
    with terminal.phases() as update:
        result = run(config, out=out, jobs=jobs, on_progress=lambda p: update(p.phase, p.done, p.total, p.text))
    report.report(result.out)
    if json:
        return terminal.print_json(result.to_json())
    report.print_standings(terminal.out, result)
    terminal.out.print(f"everything is in {result.out}; the report is {result.out / 'report.md'}")


@app.command("report")
def write_report(folder: Annotated[Path, Argument(metavar="DIR", help="A run or tournament folder.")]) -> None:
    """Write the report of a run or a tournament."""
    from arena import terminal
    from arena.report import report

    terminal.out.print(str(report(folder)))


@app.command()
def board(
    folder: Annotated[Path, Argument(metavar="DIR", help="A run folder, or the folder of all runs.")] = Path("runs"),
    port: Annotated[int, Option(metavar="P", help="Port of the server.")] = 6006,
) -> None:
    """Start TensorBoard."""
    from arena.board import serve

    serve(folder, port)


@app.command()
def check(ref: Ref, env: Env) -> None:
    """Tell whether an agent keeps the contract, or what it breaks."""
    from arena import terminal
    from arena.testing import check as run

    findings = run(ref, env)
    for finding in findings:
        terminal.out.print(
            f"{'✓' if finding.is_kept else '✗'} {finding.rule}" + (f": {finding.problem}" if finding.problem else "")
        )
    broken = sum(not finding.is_kept for finding in findings)
    if broken:
        raise ArenaError(f"{ref} breaks {broken} of {len(findings)} rules of the contract")


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; returns its exit code."""
    start_with_one_blas_thread()
    if not (sys.argv[1:] if arguments is None else arguments):
        arguments = ["--help"]
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn  # type: ignore[assignment]
            code = app(args=arguments, prog_name="arena", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        hint = f" See `{context.command_path} --help`." if context else ""
        return _fail(error.format_message() + hint)
    except ArenaError as error:
        return _fail(str(error))
    except BrokenPipeError:
        return 0
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error))
    except (KeyboardInterrupt, typer.Abort):
        print("arena: interrupted", file=sys.stderr)
        return 130


def _warn(message: Warning | str, *_: Any) -> None:
    print(f"arena: warning: {' '.join(str(message).split())}", file=sys.stderr)


def _fail(message: str) -> int:
    print(f"arena: {' '.join(message.split())}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
