"""Perfect play in small two-player games: alpha-beta to the game's end, with a transposition table.

Sources: Knuth & Moore (1975), "An analysis of alpha-beta pruning"; for Connect Four, Pons (2019), "Solving Connect 4:
how to build a perfect AI". See agents.parts.alpha_beta and agents.parts.connect_four.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import pydantic

from agents.parts.alpha_beta import UNIT, AlphaBeta, estimated_tree_size
from agents.parts.connect_four import ConnectFour
from arena import agent, seeding
from arena.agent import Decision, Player, Spec
from arena.errors import DoesNotFit
from envs.games.positions import game_of, moves_of, position

_MOST_CELLS = 25  # of a Connect Four board that is solved in seconds
_LARGEST_TREE = 1e10  # nodes, as estimated: with bounds and a table, seconds


class MinimaxSettings(agent.Settings):
    """Settings of the search.

    Attributes:
      max_depth: how many plies to look ahead; what lies beyond counts as a draw. None looks to the end, and is refused
        in a game that is too large for it.
      table_size: how many positions to remember between moves and games. It changes the speed, never the play.
      ties: among moves of equal score, the first (in Connect Four the most central, else the lowest number) or one
        drawn at random.
    """

    max_depth: pydantic.PositiveInt | None = None
    table_size: pydantic.PositiveInt = 1_000_000
    ties: Literal["first", "random"] = "first"


class Minimax(Player):
    """Plays a move of the highest score: one that wins soonest, else draws, else loses last.

    What it shows as "q" is what each move is worth in returns, NaN where it is not legal.

    Raises DoesNotFit where the game is not one of OpenSpiel's for two with zero sum, or too large to be searched
    to its end and `max_depth` is not set.
    """

    Settings = MinimaxSettings

    def __init__(self, spec: Spec, *, seed: int, settings: Mapping[str, Any] | agent.Settings | None = None) -> None:
        super().__init__(spec, seed=seed, settings=settings)
        self.game = game = game_of(spec, "minimax")
        kind, parameters = game.get_type(), game.get_parameters()
        if kind.utility != type(kind).Utility.ZERO_SUM:
            raise DoesNotFit(f"minimax plays games in which one side wins what the other loses, not {spec.env_id}")
        limits = {"table_size": self.settings.table_size, "max_depth": self.settings.max_depth}
        self._board = self._search = None
        if kind.short_name == "connect_four" and parameters["x_in_row"] == 4:
            rows, columns = parameters["rows"], parameters["columns"]
            self._check_size(rows * columns <= _MOST_CELLS, f"boards of up to {_MOST_CELLS} cells, as 5x5")
            self._board = ConnectFour(rows, columns, **limits)
        else:
            if self.settings.max_depth is None:
                self._check_size(estimated_tree_size(game) <= _LARGEST_TREE, "small games, as tic_tac_toe")
            self._search = AlphaBeta(game, **limits)

    def _check_size(self, is_small: bool, what: str) -> None:
        if not is_small and self.settings.max_depth is None:
            game = str(self.game).removesuffix("()")
            raise DoesNotFit(
                f"minimax is exact on {what}; {game} is too large to be searched to its end: set max_depth (6, say), "
                "beyond which it takes every position for a draw"
            )

    @property
    def num_nodes(self) -> int:
        """How many positions it has searched so far."""
        return (self._board or self._search).num_nodes  # type: ignore[union-attr]

    def initial_state(self, seeds: np.ndarray) -> np.ndarray:
        """Returns the rows' [N] keys."""
        return seeding.row_keys(seeds)

    def act(self, obs: Mapping[str, np.ndarray], state: np.ndarray) -> Decision:
        histories = obs["history"]
        action = np.zeros(len(histories), np.int64)
        q = np.full((len(histories), self.spec.num_actions), np.nan, np.float32)
        draw, state = seeding.row_uniform(state)
        for row in np.flatnonzero(obs["legal"].any(axis=1)):
            scores = self.scores(histories[row])
            highest = max(scores.values())
            best = [move for move, score in scores.items() if score == highest]
            action[row] = best[int(draw[row] * len(best)) if self.settings.ties == "random" else 0]
            q[row, list(scores)] = [self._value(score) for score in scores.values()]
        return Decision(action, state, {"q": q})

    def scores(self, history: np.ndarray) -> dict[int, int]:
        """Returns the score of every legal move after one row's [H] history, for the seat to move: higher is better."""
        if self._board is not None:
            return self._board.scores(moves_of(history))
        assert self._search is not None
        return self._search.scores(position(self.game, history))

    def _value(self, score: int) -> float:
        """Returns the return that a score stands for."""
        return float(np.sign(score)) if self._board is not None else round(score / UNIT, 2)
