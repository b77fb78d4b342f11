"""What an agent sees as it plays, as a set for components to learn from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

import envs
from arena import registry, run_folder
from arena.components.data import Dataset, Split
from arena.errors import DoesNotFit
from arena.loop import run
from arena.seeding import Stream, derived_seed, episode_seed

NUM_EXAMPLES = 20_000
ROWS = 8
_APART = 4  # frames between two that are kept: neighbours are nearly the same


def dataset(
    folder: Path, *, examples: int = NUM_EXAMPLES, on_progress: Callable[[float], None] = lambda fraction: None
) -> Dataset:
    """Returns what the best policy of a run sees; the last tenth, of other games as a rule, is the test part.

    Of stacked frames, [C, H, W], every fourth step's newest one is kept, [H, W] uint8; of vectors, all.

    Args:
      folder: of the run.
      examples: how many.
      on_progress: called with the fraction of them that is there.

    Raises:
      ArenaError: the folder is no run, or it has no policy yet.
      DoesNotFit: observations are neither vectors nor stacked frames.
    """
    config = run_folder.load_config(folder)
    env = envs.make(config.env, ROWS, preprocess=config.preprocess, settings=config.env_settings)
    try:
        dimensions = len(env.spec.observation_space.shape or ())
        if dimensions not in (1, 3):
            raise DoesNotFit(
                f"components see vectors and stacked frames; {config.env} has {env.spec.observation_space}"
            )
        player = registry.resolve(str(folder), config.env).player(env.spec, seed=derived_seed(config.seed, "player"))
        kept: list[np.ndarray] = []
        apart = _APART if dimensions == 3 else 1
        for event in run(env, player, lambda i: episode_seed(config.seed, Stream.CHECK, i)):
            if event.step // ROWS % apart:
                continue
            obs = event.transition.obs
            kept.append(np.array(obs[:, -1] if dimensions == 3 else obs))
            on_progress(min(1.0, len(kept) * ROWS / examples))
            if len(kept) * ROWS >= examples:
                break
    finally:
        env.close()
    seen = np.concatenate(kept)[:examples]
    first_of_test = len(seen) - len(seen) // 10
    return Dataset(folder.name, {"train": Split(seen[:first_of_test]), "test": Split(seen[first_of_test:])})
