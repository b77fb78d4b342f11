"""The environment as the loop sees it: N rows, each begun with a seed of its own, never reset behind its back."""

from __future__ import annotations

import abc
from typing import Any, NamedTuple

import numpy as np

from arena.agent import Spec


class Step(NamedTuple):
    """What one step of every row gave; arrays are [N, ...] and fresh, so callers may keep them."""

    obs: Any  # the true successor; in a game a mapping of arrays (see envs.games)
    reward: np.ndarray  # float64, raw; in a game [N, S], by seat
    terminated: np.ndarray  # bool
    truncated: np.ndarray  # bool


class Rows(abc.ABC):
    """N copies of one environment.

    A row begins with reset() and runs until it is terminated or truncated; then it stands still
    until it is reset again. Stepping a row that stands still is allowed and means nothing.
    """

    spec: Spec
    num_rows: int

    @abc.abstractmethod
    def reset(self, rows: np.ndarray, seeds: np.ndarray) -> Any:
        """Begins new episodes in [K] `rows` with [K] `seeds`; returns their [K, ...] observations."""

    @abc.abstractmethod
    def step(self, actions: np.ndarray) -> Step:
        """Steps every row that is running with its action of [N] or [N, A]."""

    @abc.abstractmethod
    def render(self) -> np.ndarray:
        """Returns the picture of row 0 as [H, W, 3] uint8 RGB; needs `render=True` when made."""

    def close(self) -> None:  # noqa: B027  nothing to free is the common case
        """Frees what the environment holds."""
