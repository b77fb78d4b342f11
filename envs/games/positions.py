"""From an observation back to OpenSpiel's own state of the game, for players that look ahead and people who look on."""

from __future__ import annotations

from typing import Any

import numpy as np

from arena.agent import Spec
from arena.errors import DoesNotFit


def game_of(spec: Spec, who: str) -> Any:
    """Returns the pyspiel.Game that `spec` is of. Raises DoesNotFit, naming who needs it, where it is none."""
    if spec.num_seats == 1 or "game" not in spec.protocol:
        raise DoesNotFit(
            f"{who} plays OpenSpiel's two-player games (connect_four, tic_tac_toe, ...), not {spec.env_id}"
        )
    import pyspiel

    return pyspiel.load_game(spec.protocol["game"])


def moves_of(history: np.ndarray) -> list[int]:
    """Returns the actions in one row's [H] history."""
    moves: list[int] = history[history >= 0].tolist()
    return moves


def position(game: Any, history: np.ndarray) -> Any:
    """Returns the pyspiel.State after one row's [H] history."""
    state = game.new_initial_state()
    for action in moves_of(history):
        state.apply_action(action)
    return state
