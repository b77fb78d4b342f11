"""Plays uniformly at random: the score that every other agent has to beat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np

from arena import agent, seeding
from arena.agent import Decision, Player, Spec
from arena.errors import DoesNotFit


class RandomAgent(Player):
    """Draws uniform actions, in games among the legal ones.

    Every row has a key of its own, so its game depends on its seed alone.

    Raises DoesNotFit where actions are neither discrete nor a box of floats with finite bounds.
    """

    def __init__(self, spec: Spec, *, seed: int, settings: Mapping[str, Any] | agent.Settings | None = None) -> None:
        super().__init__(spec, seed=seed, settings=settings)
        space = spec.action_space
        if isinstance(space, gym.spaces.Box):
            if not (space.is_bounded() and np.issubdtype(space.dtype, np.floating)):
                raise DoesNotFit(f"random needs actions with finite bounds; {spec.env_id} has {space}")
            self._num_actions = None
            self._low = space.low.astype(np.float64)
            self._range = space.high - self._low
        else:
            self._num_actions = spec.num_actions
        self._is_game = spec.num_seats > 1

    def initial_state(self, seeds: np.ndarray) -> np.ndarray:
        """Returns the rows' [N] keys."""
        return seeding.row_keys(seeds)

    def act(self, obs: Any, state: np.ndarray) -> Decision:
        if self._num_actions is not None:
            draw, state = seeding.row_uniform(state)
            if self._is_game:
                return Decision(_pick(obs["legal"], draw), state)
            return Decision((draw * self._num_actions).astype(np.int64), state)
        draws = np.empty((len(state), self._low.size))
        for k in range(self._low.size):
            draws[:, k], state = seeding.row_uniform(state)
        unit = draws.reshape(len(state), *self._low.shape)
        return Decision((self._low + unit * self._range).astype(np.float32), state)


def _pick(legal: np.ndarray, draw: np.ndarray) -> np.ndarray:
    """Returns [N] actions, each one of its row's legal ones in [N, A]; 0 where there is none."""
    rank = (draw * legal.sum(1)).astype(np.int64)  # of the legal ones, from 0
    return (legal.cumsum(1) > rank[:, None]).argmax(1)
