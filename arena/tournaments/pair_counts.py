"""Counts of the games of two players: all that ratings and tables need, whatever the order of the matches."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from arena.statistics.bootstrap import mean_interval
from arena.statistics.redundancy import redundancy
from arena.tournaments.figure import Figure
from arena.tournaments.records import PlayedMatch

# [3, 3], by the results of a pair as in PairCounts.results: the share of its games that are drawn, and the share of its
# points that went to who began.
DRAWN_SHARE = np.array([[((a == 1) + (b == 1)) / 2 for b in range(3)] for a in range(3)])
BEGINNERS_SHARE = np.array([[(a + 2 - b) / 4 for b in range(3)] for a in range(3)])


class PairCounts:
    """Counts of the pairs of A players, whose names are sorted.

    Attributes:
      results: by (i, j) with i < j: [3, 3] pairs, by what player i did (0 lost, 1 drew, 2 won) in the game that it
        began, and in the other one.
      forfeits: [A] games that were given away.
      points: [A, A] what the row's player scored against the column's. games: [A, A] in how many games.
      records: [A, 3] games lost, drawn and won. pairs: [A, 5] pairs with 0, 0.5, ... 2 points.
      beginner: [3] games that seat 0 lost, drew and won.
    """

    def __init__(self, names: Sequence[str], matches: Sequence[PlayedMatch]) -> None:
        self.names = names
        number = {name: index for index, name in enumerate(names)}
        self.results: dict[tuple[int, int], np.ndarray] = {}
        self.forfeits = np.zeros(len(names), int)
        self.points, self.games = np.zeros((len(names), len(names))), np.zeros((len(names), len(names)), int)
        self.records = np.zeros((len(names), 3), int)
        self.pairs = np.zeros((len(names), 5), int)
        self.beginner = np.zeros(3, int)
        for played in matches:
            for forfeit in played.forfeits:
                self.forfeits[number[forfeit.agent]] += 1
            one, other = sorted(number[name] for name in played.match.players)
            self._add(one, other, played)

    def _add(self, i: int, j: int, played: PlayedMatch) -> None:
        did = {}  # by the seat of player i
        for game in played.games:
            seat = game.players.index(self.names[i])
            did[seat] = round(2 * game.scores[seat])
            self.records[i, did[seat]] += 1
            self.records[j, 2 - did[seat]] += 1
            self.beginner[round(2 * game.scores[0])] += 1
        scored = did[0] + did[1]
        self.results.setdefault((i, j), np.zeros((3, 3), int))[did[0], did[1]] += 1
        self.pairs[i, scored] += 1
        self.pairs[j, 4 - scored] += 1
        self.points[i, j] += scored / 2
        self.points[j, i] += 2 - scored / 2
        self.games[i, j] += 2
        self.games[j, i] += 2

    def meetings(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the players [M, 2] of each meeting, and its results [M, 3, 3]."""
        keys = sorted(self.results)
        return np.array(keys), np.array([self.results[key] for key in keys])

    @property
    def seed(self) -> int:
        """A seed that depends on all results, and on nothing else."""
        meetings, results = self.meetings()
        return zlib.crc32(meetings.astype(np.int64).tobytes() + results.astype(np.int64).tobytes())

    def mean_of_pairs(self, value: np.ndarray) -> Figure:
        """Returns the mean over pairs of a [3, 3] figure of theirs, with its interval."""
        return self._mean(value.ravel(), self.meetings()[1].sum(0).ravel())

    def score(self, player: int) -> Figure | None:
        """Returns the share of its points that a player scored, from its pairs; None without any."""
        return self._mean(np.arange(5) / 4.0, self.pairs[player]) if self.pairs[player].any() else None

    def _mean(self, values: np.ndarray, counts: np.ndarray) -> Figure:
        samples = np.repeat(values, counts)
        if len(samples) == 1:
            return Figure(float(samples[0]))
        resamples = int(np.clip(2e6 / len(samples), 1_000, 10_000))
        return Figure(float(samples.mean()), *mean_interval(samples, self.seed, resamples=resamples))


def repeats(env: str, matches: Sequence[PlayedMatch]) -> list[str]:
    """Returns a line for every meeting whose pairs with different openings are too often the same."""
    found: dict[tuple[str, ...], list[tuple[int, object]]] = {}
    for played in matches:
        players = tuple(sorted(played.match.players))
        pair = sorted((g.players, g.scores, g.length, g.digest, g.actions.tobytes()) for g in played.games)
        found.setdefault(players, []).append((played.games[0].seed, tuple(pair)))
    lines = []
    for players, pairs in sorted(found.items()):
        repeated = redundancy(pairs)
        if repeated.is_suspicious:
            lines.append(f"{' v '.join(players)} on {env}: {repeated.describe('pair')}")
    return lines
