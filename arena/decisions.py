"""Whether what a player answered can be played."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from arena.agent import Decision, Player, Spec
from arena.errors import BrokenPlugin


def check_decision(decision: Any, spec: Spec, num_rows: int, player: Player) -> None:
    """Raises BrokenPlugin unless `decision` has an action for every row, of the space's kind."""
    name = type(player).__name__
    if not isinstance(decision, Decision):
        raise BrokenPlugin(f"{name}.act() must return a Decision, not {type(decision).__name__}", player)
    space = spec.action_space
    shape = (num_rows, *(space.shape or ()))
    action = decision.action
    if not isinstance(action, np.ndarray) or action.shape != shape:
        given = getattr(action, "shape", type(action).__name__)
        raise BrokenPlugin(f"{name}.act() must give actions of shape {shape}, not {given}", player)
    wanted = np.int64 if np.issubdtype(space.dtype, np.integer) else np.float32
    if action.dtype != wanted:
        raise BrokenPlugin(f"{name}.act() must give {wanted.__name__} actions for {space}, not {action.dtype}", player)


def check_legal(obs: Mapping[str, np.ndarray], action: np.ndarray, live: Iterable[bool], player: Player) -> None:
    """Raises BrokenPlugin, naming player and move, unless the [N] actions of the `live` rows of a game are legal."""
    legal = obs["legal"]
    num_actions = legal.shape[1]
    for row, (move, is_live) in enumerate(zip(action.tolist(), live, strict=False)):
        if is_live and not (0 <= move < num_actions and legal.item(row, move)):
            ply = int((obs["history"][row] >= 0).sum()) + 1
            raise BrokenPlugin(
                f"{type(player).__name__}.act() chose {move}, an illegal move, in seat {obs['seat'][row]} "
                f"at ply {ply}; legal are {np.flatnonzero(legal[row])[:20].tolist()}",
                player,
            )
