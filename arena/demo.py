"""The tour: train five agents on CartPole, let them meet in a tournament, and say where everything is.

python -m arena.demo [DIR]
"""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import Any

from arena import plots, report, terminal
from arena.config import RunConfig
from arena.errors import ArenaError
from arena.reports.tournament import write
from arena.tournaments.file import configure
from arena.tournaments.live import live
from arena.tournaments.tournament import tournament
from arena.training import Hooks, train

ENV = "CartPole-v1"
#: Agent and budget: enough to see it learn, small enough for a tour.
TRAININGS: dict[str, dict[str, Any]] = {
    "random_search": {},
    "q_learning": {"episodes": 300},
    "reinforce": {"steps": 60_000},
    "ppo": {"steps": 60_000},
    "dqn": {"steps": 50_000},
}
EPISODES = 20


def main(out: Path) -> None:
    """Runs the tour; everything it makes is in the folder `out`."""
    runs: list[Path] = []
    for agent, budget in TRAININGS.items():
        with terminal.bar(f"{agent:<14}") as update:
            config = RunConfig.of(agent=agent, env=ENV, **budget)
            run = train(
                config,
                run_dir=out / "runs" / agent,
                hooks=Hooks(on_progress=lambda p: update(p.fraction, terminal.training_text(p))),
            )
        runs.append(run.folder)
    curves = plots.compare({run.name: [run] for run in runs}, out / "learning_curves.png")
    league = configure(agents=["random", *map(str, runs)], envs=[ENV], episodes=EPISODES, seed=0)
    with live(terminal.err) as hooks:
        result = tournament(league, out=out / "tournament", jobs=2, hooks=hooks)
    page = write(result.folder)
    terminal.out.print()
    report.print_standings(terminal.out, result)
    terminal.table(
        ("what", "where"),
        [
            ("report", str(page)),
            ("videos", str(result.folder / "videos")),
            ("curves", str(curves)),
            ("runs", str(out / "runs")),
        ],
    )
    terminal.out.print("\nwhat to run next:")
    for line, what in (
        (f"arena board {out}", "the trainings in TensorBoard"),
        (f"arena eval {runs[-1]} --env {ENV} --episodes 100", "a score with its protocol"),
        (f"arena record {runs[-1]} --env {ENV} --format gif", "a film"),
        ("arena train ppo --env ALE/Pong-v5 --minutes 10", "an Atari game"),
        ("arena agents", "what else there is"),
    ):
        terminal.out.print(f"  .venv/bin/{line:<62} [dim]{what}[/dim]", markup=True)


if __name__ == "__main__":
    folder = (
        Path(sys.argv[1]) if len(sys.argv) > 1 else Path("demo") / datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    )
    try:
        main(folder)
    except ArenaError as error:
        sys.exit(f"arena: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
