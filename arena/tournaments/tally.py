"""The standings as they move while a tournament is played: sums over the matches that are committed."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from arena.tournaments.file import TournamentConfig
from arena.tournaments.records import PlayedMatch
from arena.tournaments.store import Store

_RESULT_OF = {0.0: 0, 0.5: 1, 1.0: 2}  # of a score; as bradley_terry counts them


class Score(NamedTuple):
    """What an agent has scored so far, in one environment of a league or in all games of two."""

    total: float
    games: int

    @property
    def mean(self) -> float:
        """The mean return, or the share of the points."""
        return self.total / self.games


class Tally:
    """Folds over committed matches; memory does not grow with their number.

    Attributes:
      matches: how many are committed.
      forfeits: how many games or matches were given away, by agent.
      returns: of a league, by agent and index of the environment.
      points: of games of two, by agent.
    """

    def __init__(self, config: TournamentConfig, store: Store) -> None:
        """Begins with what the store holds."""
        self.config = config
        self.matches = store.num_matches()
        self.forfeits: dict[str, int] = defaultdict(int, store.num_forfeits())
        self.returns: dict[tuple[str, int], Score] = {}
        self.points: dict[str, Score] = {}
        self._pairs: dict[tuple[str, str], np.ndarray] = {}
        if config.is_league:
            self.returns = {place: Score(*sums) for place, sums in store.sums_of_returns().items()}
        else:
            for players, scores, number in store.results_of_pairs():
                self._add_pair(players, scores, number)

    def add(self, played: PlayedMatch) -> None:
        """Takes in a match that has been committed."""
        self.matches += 1
        for forfeit in played.forfeits:
            self.forfeits[forfeit.agent] += 1
        match = played.match
        if not match.is_pair:
            before = self.returns.get((match.players[0], match.env), Score(0.0, 0))
            total = before.total + sum(game.returns[0] for game in played.games)
            if games := before.games + len(played.games):
                self.returns[match.players[0], match.env] = Score(total, games)
            return
        first, second = (game.scores[game.players.index(match.players[0])] for game in played.games)
        self._add_pair((match.players[0], match.players[1]), (first, second), 1)

    def ratings(self) -> dict[str, float]:
        """Returns Elo ratings of mean 0, as the report gives them but without intervals."""
        from arena.statistics import bradley_terry  # half a second, when ratings are wanted

        names = sorted({name for players in self._pairs for name in players})
        if not names:
            return {}
        meetings = np.array([[names.index(name) for name in players] for players in self._pairs])
        virtual = (1.0 / np.bincount(meetings.ravel())[meetings]).mean(1)
        tables = np.stack(list(self._pairs.values())) + virtual[:, None, None] / 9.0
        seats = np.concatenate([meetings, meetings[:, ::-1]])
        results = np.concatenate([tables.sum(2), tables.sum(1)[:, ::-1]])
        fit = bradley_terry.fit(len(names), seats, results[None])
        return dict(zip(names, (bradley_terry.ELO * fit.strength[0]).tolist(), strict=True))

    def _add_pair(self, players: tuple[str, str], scores: tuple[float, float], number: int) -> None:
        """Takes in pairs, by what their first player scored in each game."""
        table = self._pairs.setdefault(players, np.zeros((3, 3)))
        table[_RESULT_OF[scores[0]], _RESULT_OF[scores[1]]] += number
        total = sum(scores)
        for name, won in zip(players, (total, 2.0 - total), strict=True):
            before = self.points.get(name, Score(0.0, 0))
            self.points[name] = Score(before.total + number * won, before.games + 2 * number)
