"""Finds out whether an environment's episodes are functions of their seeds and actions."""

from __future__ import annotations

import copy
import itertools
import time
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np

from arena.agent import Decision, Player
from arena.loop import observation_digest, run
from envs.rows import Rows

_MAX_STEPS, _MAX_S = 50, 0.3


def is_reproducible(env: Rows) -> bool:
    """Plays the beginning of a game twice in an environment of one row; True when both are the same.

    A difference that shows later, or only in another process, is found when a run is resumed.
    """
    end = time.perf_counter() + _MAX_S
    first = list(itertools.takewhile(lambda step: time.perf_counter() < end, _game(env)))
    return all(step == again for step, again in zip(first, _game(env), strict=False))


def _game(env: Rows) -> Iterator[tuple[str, ...]]:
    events = run(env, _Dice(env.spec, seed=0), lambda episode: 0, num_episodes=1)
    for event in itertools.islice(events, _MAX_STEPS):
        obs, _, reward, terminated, truncated, next_obs = (values[0] for values in event.transition[:6])
        yield observation_digest(obs), observation_digest(next_obs), repr((reward, terminated, truncated))


class _Dice(Player):
    """Draws actions, the same ones in every game."""

    def initial_state(self, seeds: np.ndarray) -> Any:
        self._space = copy.deepcopy(self.spec.action_space)
        self._space.seed(0)
        return ()

    def act(self, obs: np.ndarray, state: Any) -> Decision:
        if isinstance(self._space, gym.spaces.Discrete):
            return Decision(np.array([self._space.sample() - self._space.start], np.int64))
        kind = np.int64 if np.issubdtype(self._space.dtype, np.integer) else np.float32
        return Decision(np.asarray(self._space.sample(), kind)[None])
