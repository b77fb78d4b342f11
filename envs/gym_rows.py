"""Any Gymnasium environment as rows: N instances, stepped one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

from arena.agent import Spec
from envs.rows import Rows, Step


class GymRows(Rows):
    """N instances of one environment, without autoreset.

    Args:
      make: builds one instance.
      spec: what it is, as the agents see it.
      num_rows: how many instances to build.
    """

    def __init__(self, make: Callable[[], gym.Env[Any, Any]], spec: Spec, num_rows: int) -> None:
        self.spec, self.num_rows = spec, num_rows
        self._envs = [make() for _ in range(num_rows)]
        space = self._envs[0].observation_space
        self._shape = (num_rows, *(space.shape or ()))
        self._dtype = space.dtype
        self._last = np.zeros(self._shape, self._dtype)
        self._running = np.zeros(num_rows, bool)
        self._all_run = False
        self._steps = [env.step for env in self._envs]
        action_space = self._envs[0].action_space
        self._start = int(action_space.start) if isinstance(action_space, gym.spaces.Discrete) else 0
        self._is_discrete = isinstance(action_space, gym.spaces.Discrete)

    def reset(self, rows: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        first = np.empty((len(rows), *self._shape[1:]), self._dtype)
        for k, (row, seed) in enumerate(zip(rows, seeds, strict=True)):
            first[k], _ = self._envs[row].reset(seed=int(seed))
        self._running[rows] = True
        self._all_run = bool(self._running.all())
        return first

    def step(self, actions: np.ndarray) -> Step:
        obs = np.empty(self._shape, self._dtype)
        reward = np.zeros(self.num_rows)
        terminated = np.zeros(self.num_rows, bool)
        truncated = np.zeros(self.num_rows, bool)
        choices: Any = actions
        if self._is_discrete:
            choices = (actions + self._start).tolist() if self._start else actions.tolist()
        if self._all_run:
            ends = False
            for row, (step, action) in enumerate(zip(self._steps, choices, strict=True)):
                obs[row], reward[row], over, cut, _ = step(action)
                if over or cut:
                    terminated[row], truncated[row] = over, cut
                    ends = True
        else:
            ends = True
            obs[:] = self._last
            for row in np.flatnonzero(self._running):
                obs[row], reward[row], terminated[row], truncated[row], _ = self._steps[row](choices[row])
        if ends:
            self._running &= ~(terminated | truncated)
            self._all_run = bool(self._running.all())
            self._last = obs
        return Step(obs, reward, terminated, truncated)

    def render(self) -> np.ndarray:
        return np.asarray(self._envs[0].render(), np.uint8)

    def close(self) -> None:
        for env in self._envs:
            env.close()
