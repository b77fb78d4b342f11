"""The figures of two-player games: ratings, meetings, seats, draws.

All come from counts of what the pairs ended in, so the order of matches changes nothing, to the last bit. A forfeit is
a lost game here as in the score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arena.statistics import bradley_terry, groups
from arena.tournaments.figure import Figure
from arena.tournaments.outcome import Outcome, Stop
from arena.tournaments.pair_counts import BEGINNERS_SHARE, DRAWN_SHARE, PairCounts, repeats
from arena.tournaments.records import PlayedMatch

ALL = "all environments"


@dataclass(frozen=True)
class GameRow:
    """A player.

    Attributes:
      rank: the format's own where it has places, else by rating; equal ones are shared.
      rating: in Elo; None before it has played a pair.
      group: letters by rating; players that share one cannot be told apart.
      score: the share of its points; None without games.
      pairs: how many of its pairs gave it 0, 0.5, 1, 1.5 and 2 points.
      forfeits: games that it gave away; they count as lost.
      place_by: what puts it ahead of the next place, where the format has places.
    """

    agent: str
    rank: int
    group: str
    rating: Figure | None
    score: Figure | None
    games: int
    wins: int
    draws: int
    losses: int
    pairs: tuple[int, ...]
    forfeits: int
    place_by: str = ""


@dataclass(frozen=True)
class Seats:
    """What it is worth to begin: seat 0's games, and its advantage in Elo by the fit of the ratings."""

    wins: int
    draws: int
    losses: int
    score: Figure
    advantage: Figure


@dataclass(frozen=True)
class Games:
    """What the games of one environment have come to, or those of all of them.

    Attributes:
      env: the environment's label, or "all environments".
      rows: the best first.
      superiority: [A, A] in the order of `rows`: the likelihood that the row's player is stronger (LOS); NaN for
        a player without a pair.
      points: [A, A] what the row's player scored against the column's. games: [A, A] in how many games.
      seats: None before a pair is played.
      draw_rate: the share of games that were drawn. nu: Davidson's parameter of draws.
      prior: what the ratings take for granted, in words.
      resamples: how many the intervals of ratings come from.
      warnings: what a reader must know before believing the figures.
    """

    env: str
    rows: Sequence[GameRow]
    superiority: np.ndarray
    points: np.ndarray
    games: np.ndarray
    seats: Seats | None
    draw_rate: Figure | None
    nu: Figure | None
    prior: str
    resamples: int
    stop: Stop | None
    warnings: Sequence[str]


def games(env: str, agents: Sequence[str], matches: Sequence[PlayedMatch], outcome: Outcome | None = None) -> Games:
    """Returns the figures of pairs, which may come in any order.

    Args:
      agents: names of all that are entered.
      outcome: gives the places of a knockout or a swiss, and how a sequential test stands.
    """
    names = sorted(agents)
    counts = PairCounts(names, matches)
    active = np.flatnonzero(counts.games.sum(1))
    warnings = repeats(env, matches) if env != ALL else []
    ratings = None
    if len(active):
        meetings, results = counts.meetings()
        renumbered = np.searchsorted(active, meetings)
        ratings = bradley_terry.rate(len(active), renumbered, results, seed=counts.seed)
        if not ratings.is_connected:
            warnings.append(f"{env}: not all players are linked by games; ratings compare only within linked groups")
    order, rows = _rows(counts, active, ratings, outcome)
    superiority = np.full(counts.games.shape, np.nan)
    if ratings:
        superiority[np.ix_(active, active)] = ratings.superiority
    index = np.ix_(order, order)
    return Games(
        env=env,
        rows=rows,
        superiority=superiority[index],
        points=counts.points[index],
        games=counts.games[index],
        seats=_seats(counts, ratings) if ratings else None,
        draw_rate=counts.mean_of_pairs(DRAWN_SHARE) if ratings else None,
        nu=Figure.of(ratings.nu) if ratings else None,
        prior=bradley_terry.PRIOR,
        resamples=ratings.resamples if ratings else 0,
        stop=outcome.stop if outcome else None,
        warnings=[*warnings, *(outcome.notes if outcome else ())],
    )


def _rows(
    counts: PairCounts, active: np.ndarray, ratings: bradley_terry.Ratings | None, outcome: Outcome | None
) -> tuple[list[int], list[GameRow]]:
    """Returns the players' numbers, the best first, and their rows."""
    rated: dict[int, Figure] = {}
    letters: dict[int, str] = {}
    if ratings:
        for player, *rating in np.column_stack([active, *ratings.rating]).tolist():
            rated[int(player)] = Figure(*rating)
        by_rating = np.argsort(-ratings.rating.value, kind="stable")
        apart = groups.told_apart(ratings.p_values)[np.ix_(by_rating, by_rating)]
        letters = dict(zip(active[by_rating].tolist(), groups.letters(apart), strict=True))
    places = {place.agent: place for place in outcome.places} if outcome else {}
    last = len(counts.names) + 1

    def strength(player: int) -> float:
        return round(rated[player].value, 6) if player in rated else -np.inf  # a fit's last digits rank nobody

    def key(player: int) -> tuple[float, float]:
        place = places.get(counts.names[player])
        return (place.rank, 0.0) if place else (last, -strength(player))

    order = sorted(range(len(counts.names)), key=lambda player: (key(player), -strength(player)))
    rows = []
    for player in order:
        name = counts.names[player]
        lost, drawn, won = counts.records[player].tolist()
        rows.append(
            GameRow(
                agent=name,
                rank=1 + sum(key(other) < key(player) for other in order),
                group=letters.get(player, ""),
                rating=rated.get(player),
                score=counts.score(player),
                games=lost + drawn + won,
                wins=won,
                draws=drawn,
                losses=lost,
                pairs=tuple(counts.pairs[player].tolist()),
                forfeits=int(counts.forfeits[player]),
                place_by=places[name].by if name in places else "",
            )
        )
    return order, rows


def _seats(counts: PairCounts, ratings: bradley_terry.Ratings) -> Seats:
    lost, drawn, won = counts.beginner.tolist()
    score = counts.mean_of_pairs(BEGINNERS_SHARE)
    return Seats(won, drawn, lost, score, Figure.of(ratings.seat_advantage))
