"""Commands around tournaments and what they came to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from arena.commands.options import Json, app


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
    from arena.tournaments.file import configure
    from arena.tournaments.league import tournament as run

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
