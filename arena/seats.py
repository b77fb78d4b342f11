"""Several players at one game: each is asked about the rows in which it is to move."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from arena.agent import Decision, Player
from arena.decisions import check_decision, check_legal
from arena.errors import BrokenPlugin
from arena.gamelog import SHOWN
from arena.loop import renew_state
from arena.nests import rows_of
from arena.seeding import player_seeds


class Seats(Player):
    """The players of a game, as the one player that the loop asks.

    A player's randomness in a game is a function of the game's seed, of the player's place among `players` and of
    the seat it sits in. The loop's BrokenPlugin names the player at fault, in its `player` too.

    Args:
      players: all that may play; one may sit in several seats of a game.
      seating: gives the indices of an episode's players, by seat.

    Attributes:
      seconds: what each player has spent in its moves.
    """

    def __init__(self, players: Sequence[Player], seating: Callable[[int], tuple[int, ...]]) -> None:
        super().__init__(players[0].spec, seed=0)
        self.players = tuple(players)
        self.seconds = [0.0] * len(players)
        self._seating = seating

    def begin(self, episodes: np.ndarray, seeds: np.ndarray) -> Any:
        idle = (0,) * self.spec.num_seats
        seating = np.array([self._seating(episode) if episode >= 0 else idle for episode in episodes.tolist()])
        states = []
        for index, player in enumerate(self.players):
            seats = (seating == index).argmax(axis=1)
            try:
                states.append(player.begin(episodes, player_seeds(seeds, index, seats)))
            except Exception as error:
                raise BrokenPlugin.during(player, "initial_state", error) from error
        return seating, tuple(states)

    def act(self, obs: Mapping[str, np.ndarray], state: Any) -> Decision:
        seating, states = state
        sitting: list[list[int]] = seating.tolist()
        num_rows = len(sitting)
        to_move: list[list[int]] = [[] for _ in self.players]
        is_on: Any = obs["legal"].any(axis=1).tolist()
        for row, seat in enumerate(obs["seat"].tolist()):
            if is_on[row]:
                to_move[sitting[row][seat]].append(row)
        action = np.zeros(num_rows, np.int64)
        extras: dict[str, np.ndarray] = {}
        for index, player in enumerate(self.players):
            if not to_move[index]:
                continue
            rows = np.array(to_move[index])
            is_all = len(rows) == num_rows
            seen, memory = (obs, states[index]) if is_all else (rows_of(obs, rows), rows_of(states[index], rows))
            decision = self._ask(index, seen, memory)
            action[rows] = decision.action
            renew_state(player, states[index], rows, decision.state)
            for name in SHOWN:
                if name in decision.extras:
                    values = np.asarray(decision.extras[name], np.float32)
                    extras.setdefault(name, np.full((num_rows, *values.shape[1:]), np.nan, np.float32))[rows] = values
        return Decision(action, state, extras)

    def _ask(self, index: int, obs: Mapping[str, np.ndarray], state: Any) -> Decision:
        player, begin = self.players[index], time.perf_counter()
        try:
            decision = player.act(obs, state)
        except Exception as error:
            raise BrokenPlugin.during(player, "act", error) from error
        self.seconds[index] += time.perf_counter() - begin
        check_decision(decision, self.spec, len(obs["seat"]), player)
        check_legal(obs, decision.action, repeat(True), player)
        return decision
