"""Whether an action that came from another process is one: of the right kind and shape, a number, in range, legal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np

from arena.tournaments.records import ForfeitType

_SLACK = 1e-5  # of a box's range: what rounding may add


class Foul(Exception):
    """An action that costs the game."""

    def __init__(self, type: ForfeitType, reason: str) -> None:
        super().__init__(reason)
        self.type = type


def check(action: np.ndarray | None, space: gym.Space[Any], obs: Any, num_rows: int) -> None:
    """Raises Foul unless `action` has one action of `space` for every row, a legal one where `obs` says which are."""
    if action is None:
        raise Foul(ForfeitType.WRONG_SHAPE, "no action")
    if action.dtype.kind == "f" and not np.isfinite(action).all():
        raise Foul(ForfeitType.NOT_A_NUMBER, f"the action {_brief(action)}")
    shape = (num_rows, *(space.shape or ()))
    wanted = np.int64 if np.issubdtype(space.dtype, np.integer) else np.float32
    if action.shape != shape:
        raise Foul(ForfeitType.WRONG_SHAPE, f"actions of shape {action.shape} instead of {shape}")
    if action.dtype != wanted:
        raise Foul(ForfeitType.WRONG_SHAPE, f"actions of type {action.dtype} instead of {wanted.__name__}")
    if isinstance(space, gym.spaces.Discrete):
        _check_discrete(action, int(space.n), obs.get("legal") if isinstance(obs, Mapping) else None)
    elif isinstance(space, gym.spaces.Box):
        slack = _SLACK * (space.high - space.low)
        if (action < space.low - slack).any() or (action > space.high + slack).any():
            raise Foul(ForfeitType.ILLEGAL_ACTION, f"the action {_brief(action)} is outside of {space}")
    elif not all(space.contains(row.astype(space.dtype)) for row in action):
        raise Foul(ForfeitType.ILLEGAL_ACTION, f"the action {_brief(action)} is outside of {space}")


def _check_discrete(action: np.ndarray, num_actions: int, legal: np.ndarray | None) -> None:
    for row, chosen in enumerate(action.tolist()):
        if not 0 <= chosen < num_actions:
            raise Foul(
                ForfeitType.ILLEGAL_ACTION, f"the action {chosen} is none of the {num_actions}, 0 to {num_actions - 1}"
            )
        if legal is not None and not legal[row, chosen]:
            allowed = np.flatnonzero(legal[row]).tolist()
            raise Foul(ForfeitType.ILLEGAL_ACTION, f"the action {chosen} is illegal here; legal: {_brief(allowed)}")


def _brief(value: Any) -> str:
    text = str(value.tolist() if isinstance(value, np.ndarray) else value)
    return text if len(text) <= 100 else text[:99] + "\N{HORIZONTAL ELLIPSIS}"
