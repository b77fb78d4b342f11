"""The arena from Python: what the commands do, returning results instead of text.

import arena

run = arena.train("dqn", "CartPole-v1", steps=50_000, seed=1)
result = arena.evaluate(str(run.folder), "CartPole-v1", episodes=100)
drawn = arena.map_states(str(run.folder), "CartPole-v1", points=1_000)
videos = arena.record(str(run.folder), "CartPole-v1")
film = arena.record(grid=["random", str(run.folder)], env="CartPole-v1", fmt="gif")
story = arena.record(story=run.folder)
table = arena.tournament(agents=["random", str(run.folder)], envs=["CartPole-v1"])
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from arena.archive import Recording
    from arena.evaluation import Evaluation
    from arena.montage import Montage
    from arena.state_map import StateMap
    from arena.tournaments.result import Result
    from arena.training import Run

__all__ = ["evaluate", "map_states", "record", "resume", "tournament", "train"]


def train(agent: str, env: str, *, run_dir: str | Path | None = None, **options: Any) -> Run:
    """Trains an agent; `options` are the fields of arena.config.RunConfig (steps, seed, settings, ...)."""
    from arena.config import RunConfig
    from arena.training import train as run

    config = RunConfig.of(agent=agent, env=env, **options)
    return run(config, run_dir=Path(run_dir) if run_dir is not None else None)


def resume(folder: str | Path, *, steps: int | None = None) -> Run:
    """Goes on with a run from its newest checkpoint."""
    from arena.training import resume as run

    return run(Path(folder), steps=steps)


def evaluate(ref: str, env: str, **options: Any) -> Evaluation:
    """Returns the scores of an agent; see arena.evaluation.evaluate."""
    from arena.evaluation import evaluate as run

    return run(ref, env, **options)


def map_states(ref: str, env: str, **options: Any) -> StateMap:
    """Draws the states that an agent visits, by their value; see arena.state_map.map_states."""
    from arena.state_map import map_states as run

    return run(ref, env, **options)


@overload
def record(ref: str, env: str, **options: Any) -> list[Recording]: ...
@overload
def record(*, grid: Sequence[str], env: str, **options: Any) -> Montage: ...
@overload
def record(*, story: str | Path, **options: Any) -> Montage: ...
def record(
    ref: str = "",
    env: str = "",
    *,
    grid: Sequence[str] | None = None,
    story: str | Path | None = None,
    **options: Any,
) -> list[Recording] | Montage:
    """Films games of an agent, of several side by side (`grid`), or of a run's policies (`story`, a run folder).

    See arena.recording.record, arena.grid.record_grid and arena.story.record_story for the options.
    """
    if grid is not None:
        from arena.grid import record_grid

        return record_grid(grid, env, **options)
    if story is not None:
        from arena.story import record_story

        return record_story(story, **options)
    from arena.recording import record as run

    return run(ref, env, **options)


def tournament(
    agents: list[str], envs: list[str], *, out: str | Path | None = None, jobs: int = 1, **options: Any
) -> Result:
    """Holds a tournament; `options` are those of arena.tournaments.file.configure (format, episodes, seed, ...)."""
    from arena.tournaments.file import configure
    from arena.tournaments.tournament import tournament as run

    config = configure(agents=agents, envs=envs, **options)
    return run(config, out=Path(out) if out is not None else None, jobs=jobs)
