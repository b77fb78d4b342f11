"""Training: a configuration becomes an environment, an agent, a loop, and a run folder that tells all about it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import NamedTuple

from arena import checkpoint, registry, run_folder
from arena.config import RunConfig
from arena.errors import InvalidValue
from arena.hooks import Hooks, Progress
from arena.trainer import Trainer

__all__ = ["Hooks", "Progress", "Run", "resume", "train"]


class Run(NamedTuple):
    """What a training left behind."""

    folder: Path
    step: int
    episodes: int
    best: float | None
    recent_return: float
    seconds: float
    was_interrupted: bool


def train(config: RunConfig, *, run_dir: Path | None = None, hooks: Hooks | None = None) -> Run:
    """Trains a new agent and returns what came of it.

    Args:
      config: what to train on what; see RunConfig.
      run_dir: the run folder; runs/AGENT-ENV-DATE-SEED when left out.
      hooks: who is told of it.

    Raises:
      ArenaError: the folder exists, or anything in the configuration does not fit.
    """
    reference = registry.resolve(config.agent)
    if not reference.is_learner:
        raise InvalidValue(f"{config.agent} does not learn; it can be evaluated, recorded and entered in tournaments")
    config = config.resolved(reference)
    path = run_dir or run_folder.default_path(config, reference.name)
    run_folder.check_is_new(path)
    with contextlib.closing(Trainer(config, path, hooks or Hooks())) as trainer, run_folder.claimed(path):
        return _run(trainer, path)


def resume(folder: Path, *, steps: int | None = None, hooks: Hooks | None = None) -> Run:
    """Goes on with the run in `folder` from its newest checkpoint, to its own budget or to `steps` in all.

    A run that was killed before its first checkpoint begins again, and says so.
    """
    config = run_folder.load_config(folder)
    with run_folder.claimed(folder):
        return _resume(config, folder, steps, hooks or Hooks())


def _resume(config: RunConfig, folder: Path, steps: int | None, hooks: Hooks) -> Run:
    checkpoints, start = folder / "checkpoints", None
    if checkpoint.exists(checkpoints) or run_folder.has_status(folder):
        start = checkpoint.recover(checkpoints, warn=hooks.warn)
    else:
        hooks.warn(f"{folder} was stopped before its first checkpoint; it begins again")
    if steps is not None:
        if start and steps < (taken := checkpoint.step_of(start)):
            raise InvalidValue(f"{folder} has taken {taken:,} steps; --steps {steps:,} is less")
        config = config.model_copy(update={"steps": steps, "episodes": None, "minutes": None, "until": None})
    with contextlib.closing(Trainer(config, folder, hooks, start)) as trainer:
        return _run(trainer, folder)


def _run(trainer: Trainer, path: Path) -> Run:
    is_finished = trainer.run()
    state, recent = trainer.state, trainer.recent_return
    return Run(path, state.step, state.episodes, state.best, recent, state.seconds, not is_finished)
