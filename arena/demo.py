"""The tour: train an agent for a minute, let it meet the pretrained ones in a tournament, and say where everything is.

python -m arena.demo [DIR]
"""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

from arena import report, terminal
from arena.config import RunConfig
from arena.errors import ArenaError
from arena.reports.tournament import write
from arena.threads import num_cores
from arena.tournaments import showcase
from arena.tournaments.file import configure
from arena.tournaments.live import live
from arena.tournaments.tournament import tournament
from arena.training import Hooks, train

AGENT, ENV = "ppo", "CartPole-v1"


def main(out: Path) -> None:
    """Runs the tour; everything it makes is in the folder `out`."""
    with terminal.bar(f"{AGENT} on {ENV}") as update:
        hooks = Hooks(on_progress=lambda p: update(p.fraction, terminal.training_text(p)))
        run = train(RunConfig.of(agent=AGENT, env=ENV), run_dir=out / "runs" / "newcomer", hooks=hooks)
    envs = showcase.environments()
    config = configure(agents=[*showcase.agents(envs), str(run.folder)], envs=envs, episodes=showcase.EPISODES, seed=0)
    newcomer = config.agents[-1].model_copy(update={"name": "newcomer"})
    config = config.model_copy(update={"agents": [*config.agents[:-1], newcomer]})
    with live(terminal.err) as watched:
        result = tournament(config, out=out / "tournament", jobs=num_cores(), hooks=watched)
    page = write(result.folder)
    terminal.out.print()
    report.print_standings(terminal.out, result)
    terminal.table(
        ("what", "where"),
        [
            ("report", str(page)),
            ("videos", str(result.folder / "videos")),
            ("curve", str(run.folder / "plots" / "learning_curve.png")),
        ],
    )
    terminal.out.print("\nwhat to run next:")
    for line, what in (
        (f"arena board {out}", "the training in TensorBoard"),
        (f"arena record --story {run.folder}", "a film of how it learned"),
        ("arena eval zoo:ppo --env LunarLander-v3 --episodes 100", "a score with its protocol"),
        ("arena train ppo --env ALE/Pong-v5 --minutes 10", "an Atari game"),
        ("arena play ALE/Pong-v5", "play it yourself"),
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
