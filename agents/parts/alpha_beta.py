"""Exact values of small two-player games, by alpha-beta on OpenSpiel's states.

Sources: Knuth & Moore (1975), "An analysis of alpha-beta pruning", for the search with bounds of both kinds;
Knuth (1975), "Estimating the efficiency of backtrack programs", for the size of a tree by random descents.

A score is a return of seat 0 in millionths, less one for every ply until the game's end, so that a player who wins
wins soonest, and one who loses loses last. Seats need not take turns: who is to move maximises or minimises.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

UNIT = 1_000_000  # scores to a return of 1

#: Games whose board and seat to move decide all that follows. In others a position is its whole history.
_WITHOUT_MEMORY = frozenset(
    {"breakthrough", "clobber", "connect_four", "dots_and_boxes", "hex", "mnk", "nim", "tic_tac_toe"}
)
_INFINITE = 1 << 62


class AlphaBeta:
    """Scores the moves of positions in one game.

    Args:
      game: a pyspiel.Game of two players and zero sum, with perfect information and without chance.
      table_size: how many positions to remember; beyond it the memory begins anew, and scores are the same.
      max_depth: how many plies to look ahead, of which what lies beyond counts as 0; None for all.
    """

    def __init__(self, game: Any, *, table_size: int = 1_000_000, max_depth: int | None = None) -> None:
        self.num_nodes = 0
        self._game, self._table_size = game, table_size
        self._max_depth = game.max_game_length() if max_depth is None else max_depth
        self._is_limited = max_depth is not None
        self._remembers = game.get_type().short_name in _WITHOUT_MEMORY
        self._table: dict[Any, tuple[int, int]] = {}

    def scores(self, state: Any) -> dict[int, int]:
        """Returns the score of every legal action, from the view of the seat to move, exact for each."""
        sign = 1 if state.current_player() == 0 else -1
        search, depth = self._search, self._max_depth - 1
        return {
            action: sign * _later(search(state.child(action), depth, -_INFINITE, _INFINITE))
            for action in state.legal_actions()
        }

    def _search(self, state: Any, depth: int, alpha: int, beta: int) -> int:
        """Returns the score for seat 0, where it lies between alpha and beta; else a bound on it, fail-soft."""
        self.num_nodes += 1
        if state.is_terminal():
            return round(state.player_return(0) * UNIT)
        if depth <= 0:
            return 0
        low, high = -_INFINITE, _INFINITE
        if self._remembers:
            key = (state.current_player(), str(state), depth if self._is_limited else 0)
            low, high = self._table.get(key, (low, high))
            if low >= beta or low == high:
                return low
            if high <= alpha:
                return high
            alpha, beta = max(alpha, low), min(beta, high)
        best = self._best(state, depth, alpha, beta)
        if self._remembers:
            if len(self._table) >= self._table_size:
                self._table.clear()
            self._table[key] = (best if best > alpha else low, best if best < beta else high)
        return best

    def _best(self, state: Any, depth: int, alpha: int, beta: int) -> int:
        is_maximising = state.current_player() == 0
        best = -_INFINITE if is_maximising else _INFINITE
        for action in state.legal_actions():
            score = _later(self._search(state.child(action), depth - 1, _sooner(alpha), _sooner(beta)))
            if is_maximising:
                best = max(best, score)
                alpha = max(alpha, best)
            else:
                best = min(best, score)
                beta = min(beta, best)
            if alpha >= beta:
                break
        return best


def _later(score: int) -> int:
    """Returns a score as it is seen from one ply before."""
    return score - (score > 0) + (score < 0)


def _sooner(score: int) -> int:
    """Returns the bound that `score` is from one ply later."""
    return score + (score > 0) - (score < 0)


def estimated_tree_size(game: Any, num_descents: int = 64) -> float:
    """Returns about how many nodes the game's tree has, from random descents with a fixed seed; infinite where huge."""
    random = np.random.default_rng(0)
    total = 0
    for _ in range(num_descents):
        state, width = game.new_initial_state(), 1
        while not state.is_terminal():
            actions = state.legal_actions()
            width *= len(actions)
            total += width
            state.apply_action(actions[random.integers(len(actions))])
            if width > 10**30:
                return math.inf
    return total / num_descents
