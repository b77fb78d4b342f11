"""Any Gymnasium environment as rows: N instances, stepped one after the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

from arena.agent import Spec
from arena.errors import BrokenPlugin
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
        self._step_of = [env.step for env in self._envs]
        space, actions = spec.observation_space, spec.action_space
        self._dtype = space.dtype
        self._shape = (num_rows, *(space.shape or ()))
        self._last = np.zeros(self._shape, self._dtype)
        self._running = np.zeros(num_rows, bool)
        self._all_run = False
        self._is_discrete = isinstance(actions, gym.spaces.Discrete)
        self._first_action = int(actions.start) if isinstance(actions, gym.spaces.Discrete) else 0

    def reset(self, rows: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        first = np.empty((len(rows), *self._shape[1:]), self._dtype)
        for k, (row, seed) in enumerate(zip(rows, seeds, strict=True)):
            obs, _ = self._envs[row].reset(seed=int(seed))
            if np.shape(obs) != self._shape[1:]:
                raise BrokenPlugin(
                    f"{self.spec.env_id} gives observations of shape {np.shape(obs)}; "
                    f"its observation space says {self._shape[1:]}"
                )
            first[k] = obs
        self._running[rows] = True
        self._all_run = bool(self._running.all())
        return first

    def step(self, actions: np.ndarray) -> Step:
        choices: Any = actions
        if self._is_discrete:
            choices = (actions + self._first_action if self._first_action else actions).tolist()
        if not self._all_run:
            return self._step_some(choices)
        obs, reward, terminated, truncated, _ = zip(
            *[step(action) for step, action in zip(self._step_of, choices, strict=True)], strict=True
        )
        result = Step(
            np.array(obs, self._dtype), np.array(reward, np.float64), np.array(terminated), np.array(truncated)
        )
        if True in terminated or True in truncated:
            self._end(result)
        return result

    def render(self) -> np.ndarray:
        return np.asarray(self._envs[0].render(), np.uint8)

    def close(self) -> None:
        for env in self._envs:
            env.close()

    def _step_some(self, choices: Any) -> Step:
        """Steps the rows that are running; the others repeat their last observation."""
        obs = self._last.copy()
        reward = np.zeros(self.num_rows)
        terminated = np.zeros(self.num_rows, bool)
        truncated = np.zeros(self.num_rows, bool)
        for row in np.flatnonzero(self._running):
            obs[row], reward[row], terminated[row], truncated[row], _ = self._step_of[row](choices[row])
        result = Step(obs, reward, terminated, truncated)
        self._end(result)
        return result

    def _end(self, result: Step) -> None:
        """Lets the rows stand still whose episode is over."""
        self._running &= ~(result.terminated | result.truncated)
        self._all_run = bool(self._running.all())
        self._last = result.obs
