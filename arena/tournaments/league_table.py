"""A league's table of one environment: agents ranked by their mean return.

Who forfeited there comes after those who did not. Two share a group's letter where a swap test on the same seeds,
corrected for the number of comparisons, does not tell them apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from arena.statistics import aggregates, groups
from arena.statistics.bootstrap import seed_of
from arena.tournaments.figure import Figure
from arena.tournaments.league_games import Record

_WORK = 1e6  # returns drawn for an agent in an environment


@dataclass(frozen=True)
class LeagueRow:
    """An agent in an environment; figures of raw returns, None without games.

    Attributes:
      env: the environment's label.
      group: letters; agents that share one cannot be told apart. "" for those that forfeited.
      std: the sample standard deviation; None of a single game.
    """

    agent: str
    env: str
    rank: int
    group: str
    games: int
    forfeits: int
    mean: Figure | None = None
    std: float | None = None
    median: float | None = None
    iqm: Figure | None = None
    best: float | None = None
    worst: float | None = None


def table(env: str, records: Mapping[str, Record]) -> list[LeagueRow]:
    """Returns the rows of an environment, the best first; equal means share a rank."""
    returns = {agent: record.returns for agent, record in records.items()}
    key = {
        agent: (record.forfeits > 0, -float(returns[agent].mean()) if record.games else np.inf)
        for agent, record in records.items()
    }
    order = sorted(records, key=lambda agent: (key[agent], agent))
    seed = seed_of(*(returns[agent] for agent in sorted(returns)))
    letters = _letters({agent: records[agent] for agent in order if not records[agent].forfeits}, seed)
    rows = []
    for agent in order:
        rank = 1 + sum(other < key[agent] for other in key.values())
        row = LeagueRow(agent, env, rank, letters.get(agent, ""), len(returns[agent]), records[agent].forfeits)
        rows.append(LeagueRow(**vars(row) | _figures(returns[agent], seed)) if row.games else row)
    return rows


def _figures(returns: np.ndarray, seed: int) -> dict[str, object]:
    many = len(returns) > 1
    resamples = int(np.clip(_WORK / len(returns), 500, 10_000))
    figures = aggregates.aggregate(returns[None], seed=seed, resamples=resamples if many else 1)
    mean, iqm = (Figure.of(figures[name]) if many else Figure(float(returns[0])) for name in ("mean", "iqm"))
    return {
        "mean": mean,
        "std": float(returns.std(ddof=1)) if many else None,
        "median": float(np.median(returns)),
        "iqm": iqm,
        "best": float(returns.max()),
        "worst": float(returns.min()),
    }


def _letters(records: Mapping[str, Record], seed: int) -> dict[str, str]:
    """Returns the group letters of agents, given the best first, from the games that all of them have played."""
    played: Sequence[dict[int, float]] = [{game.number: game.ret for game in r.games} for r in records.values()]
    common = sorted(set.intersection(*(set(games) for games in played))) if played else []
    if not common:
        return {}
    scores = np.array([[games[number] for number in common] for games in played])
    apart = groups.told_apart(groups.swap_test(scores, seed=seed))
    return dict(zip(records, groups.letters(apart), strict=True))
