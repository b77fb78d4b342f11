"""Commands that train, and list what was trained."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option

from arena.commands.options import Env, EnvSet, Json, Preprocess, Seed, app
from arena.errors import InvalidValue


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
    folder: Annotated[Path, Argument(metavar="DIR", help="A run or tournament folder.")],
    steps: Annotated[int | None, Option(metavar="N", help="Go on to N environment steps in all.")] = None,
    jobs: Annotated[int, Option(metavar="N", help="Matches of a tournament played at once.")] = 1,
    json: Json = False,
) -> None:
    """Go on with a training, or with a tournament."""
    from arena.evaluation import check_count
    from arena.training import resume as run

    if (folder / "tournament.sqlite").exists():
        from arena.commands.tournaments import play
        from arena.tournaments.tournament import resume as go_on

        if steps is not None:
            raise InvalidValue(f"--steps is for trainings; {folder} is a tournament")
        return play(lambda hooks: go_on(folder, jobs=jobs, hooks=hooks), folder, json)
    if json:
        raise InvalidValue(f"--json is for tournaments; {folder} is none")
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
