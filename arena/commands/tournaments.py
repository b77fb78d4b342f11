"""Commands around tournaments and what they came to."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from arena.commands.options import Json, app
from arena.errors import InvalidValue

if TYPE_CHECKING:
    from arena.tournaments.file import TournamentConfig
    from arena.tournaments.result import Result
    from arena.tournaments.tournament import Hooks

Jobs = Annotated[int | None, Option("--jobs", metavar="N", help="Matches played at once; 1, or all cores for the zoo.")]


@app.command()
def tournament(
    file: Annotated[Path | None, Argument(metavar="FILE", help="A tournament file (TOML).")] = None,
    agent: Annotated[
        list[str] | None, Option(metavar="REF", help="Enter an agent, as REF or NAME=REF; may be repeated.")
    ] = None,
    env: Annotated[list[str] | None, Option(metavar="ID", help="Play an environment; may be repeated.")] = None,
    fmt: Annotated[
        str | None, Option("--format", metavar="NAME", help="league, round-robin, gauntlet, knockout or swiss.")
    ] = None,
    train: Annotated[
        int | None, Option(metavar="STEPS", help="Train learners first, this many steps on each environment.")
    ] = None,
    episodes: Annotated[int | None, Option(metavar="N", help="Games of each agent in each environment.")] = None,
    pairs: Annotated[int | None, Option(metavar="N", help="Pairs of games in each meeting of two agents.")] = None,
    opening_plies: Annotated[int | None, Option(metavar="K", help="Random plies that open each pair's games.")] = None,
    rounds: Annotated[int | None, Option(metavar="N", help="Rounds of a swiss.")] = None,
    start_s: Annotated[float | None, Option(metavar="S", help="Seconds that an isolated agent has to start.")] = None,
    move_s: Annotated[float | None, Option(metavar="S", help="Seconds that it has for a move.")] = None,
    memory_mb: Annotated[int | None, Option(metavar="M", help="Memory that it has, in MiB.")] = None,
    seed: Annotated[int | None, Option(metavar="S", help="Root of all randomness.")] = None,
    jobs: Jobs = None,
    out: Annotated[Path | None, Option(metavar="DIR", help="A new folder; tournaments/NAME-DATE by default.")] = None,
    extend: Annotated[Path | None, Option(metavar="DIR", help="Enter --agent REF into this tournament.")] = None,
    trust: Annotated[bool, Option("--trust", help="Load files that can hold code, each in its own process.")] = False,
    dry_run: Annotated[bool, Option("--dry-run", help="Print the schedule and an estimate of the time.")] = False,
    json: Json = False,
) -> None:
    """Let agents meet; those of the zoo when none is named."""
    from arena.threads import num_cores
    from arena.tournaments import tournament as tournaments
    from arena.tournaments.file import configure

    if jobs is None:
        jobs = 1 if file or agent else num_cores()
    chosen: dict[str, Any] = {"format": fmt, "episodes": episodes, "pairs": pairs, "rounds": rounds}
    chosen["opening_plies"] = opening_plies
    limits = {"start_s": start_s, "move_s": move_s, "memory_mb": memory_mb}
    if extend is not None:
        given = {"FILE": file, "--env": env, "--train": train, "--out": out, "--seed": seed, **chosen, **limits}
        given["--dry-run"] = dry_run
        if wrong := next((name for name, value in given.items() if value), None):
            raise InvalidValue(f"--extend enters newcomers into a tournament as it is; leave {wrong} out")
        if not agent:
            raise InvalidValue("--extend needs the newcomers: name them with --agent REF")
        return play(lambda hooks: tournaments.extend(extend, agent, jobs=jobs, hooks=hooks), extend, json)
    config = configure(file, agents=agent or (), envs=env or (), train=train, seed=seed, limits=limits, **chosen)
    if trust:
        config = config.model_copy(update={"agents": [a.model_copy(update={"trust": True}) for a in config.agents]})
    if dry_run:
        return preview(config, jobs, json)
    folder = out or tournaments.default_folder(config)
    play(lambda hooks: tournaments.tournament(config, out=folder, jobs=jobs, hooks=hooks), folder, json)


@app.command("report")
def write_report(
    folder: Annotated[Path, Argument(metavar="DIR", help="A run or tournament folder.")],
    json: Annotated[bool, Option("--json", help="Print a tournament as one JSON object instead.")] = False,
    csv: Annotated[bool, Option("--csv", help="Print a tournament's games as CSV instead.")] = False,
) -> None:
    """Report on a run or a tournament, or export it."""
    from arena import terminal
    from arena.tournaments.store import FILE

    if not (folder / FILE).exists():
        from arena.reports.run import report

        if json or csv:
            raise InvalidValue(f"--json and --csv are for tournaments; {folder} has no {FILE}")
        return terminal.out.print(str(report(folder)))
    if json and csv:
        raise InvalidValue("--json and --csv exclude each other")
    if json or csv:
        from arena.tournaments.export import write_csv
        from arena.tournaments.result import load

        result = load(folder)
        return terminal.print_json(result.to_json()) if json else write_csv(result, sys.stdout)
    terminal.out.print(str(write_page(folder)))


def write_page(folder: Path) -> Path:
    """Writes a tournament's page and returns its path."""
    from arena import terminal
    from arena.reports.tournament import write

    with terminal.bar(f"report on {folder}") as update:
        return write(folder, on_progress=lambda done, total: update(done / max(total, 1), f"{done} of {total} films"))


def preview(config: TournamentConfig, jobs: int, json: bool) -> None:
    """Prints what a tournament would play, and about how long."""
    from arena import terminal
    from arena.tournaments.checking import check
    from arena.tournaments.dry_run import dry_run
    from arena.tournaments.outline import show

    checked = check(config)
    with terminal.phases() as update:
        run = dry_run(checked, jobs=jobs, on_progress=lambda done, total, text: update("measure", done, total, text))
    if json:
        return terminal.print_json(run.to_json())
    show(run)


def play(run: Callable[[Hooks], Result], folder: Path, json: bool) -> None:
    """Runs the tournament in a folder, given its hooks, and prints what it came to."""
    from arena import report, terminal
    from arena.tournaments.live import live

    try:
        with live(terminal.err) as hooks:
            result: Result = run(hooks)
    except KeyboardInterrupt:
        terminal.err.print(f"what was played is kept; go on with: arena resume {folder}")
        raise
    page = write_page(folder)
    if json:
        return terminal.print_json(result.to_json())
    report.print_standings(terminal.out, result)
    terminal.out.print(f"everything is in {folder}; the report is {page}")
