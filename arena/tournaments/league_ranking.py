"""A league's figures: environment by environment, and over all of them.

Over environments agents are ranked by the interquartile mean of normalised scores if every environment has a known
scale (see arena.statistics.human_scores), and by their mean rank otherwise: different scales are never mixed. An agent
that forfeited, or is not entered everywhere, comes after the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from arena.statistics import aggregates, groups, improvement, profiles
from arena.statistics.bootstrap import Estimate, seed_of
from arena.statistics.human_scores import Scale, scale_of
from arena.tournaments.figure import Figure
from arena.tournaments.file import EnvEntry
from arena.tournaments.league_games import Records, complete, gather, repeats
from arena.tournaments.league_table import LeagueRow, table
from arena.tournaments.records import PlayedMatch

_IQM = aggregates.NAMES.index("iqm")
_CURVE_WORK = 1e6  # scores drawn for a curve, or for an agent of the matrix


@dataclass(frozen=True)
class OverallRow:
    """An agent over all environments.

    Attributes:
      group: letters, as in an environment; "" where it is not ranked by scores.
      mean_rank: of its ranks in the environments that it played; num_envs, how many those are.
      figures: mean, median, iqm and optimality_gap of normalised scores over the environments that have a scale; None
        for an agent that forfeited, or has no games, in one of them.
    """

    agent: str
    rank: int
    group: str
    mean_rank: float
    num_envs: int
    forfeits: int
    figures: Mapping[str, Figure] | None


@dataclass(frozen=True)
class Profile:
    """The share of an agent's scores above each of [T] thresholds; by agent, with bands."""

    thresholds: np.ndarray
    curves: Mapping[str, Estimate]


@dataclass(frozen=True)
class League:
    """What a league has come to.

    Attributes:
      rows: by environment in the tournament's order, the best first.
      overall: the best first; empty with a single environment.
      ranked_by: what `overall` is ranked by: "iqm" or "mean rank".
      scales: of the environments that have one, by label.
      unscaled: labels of those that have none; the figures over environments leave them out.
      improvement_agents: rows and columns of `improvement`: who played everywhere and never forfeited.
      improvement: [A, A] probabilities that the row's agent improves on the column's, over all environments; None for
        fewer than two agents.
      profiles: of raw returns by environment's label; under "" of normalised scores over those that have a scale.
      warnings: what a reader must know before believing the figures.
    """

    rows: Sequence[LeagueRow]
    overall: Sequence[OverallRow]
    ranked_by: str
    scales: Mapping[str, Scale]
    unscaled: Sequence[str]
    improvement_agents: Sequence[str]
    improvement: Estimate | None
    profiles: Mapping[str, Profile]
    warnings: Sequence[str]


def league(envs: Sequence[EnvEntry], agents: Sequence[str], matches: Sequence[PlayedMatch]) -> League:
    """Returns the figures of a league's matches, which may come in any order."""
    records = gather([env.label for env in envs], agents, matches)
    known = {env.label: scale for env in envs if (scale := scale_of(env.id, env.settings))}
    scales = {env: known[env] for env in records if env in known}
    rows = [row for env, of_env in records.items() for row in table(env, of_env)]
    scores = _normalised(records, scales, agents)
    everywhere = complete(records, agents)
    by_score = len(scales) == len(records)
    return League(
        rows=rows,
        overall=_overall(rows, agents, scores, by_score=by_score) if len(records) > 1 else [],
        ranked_by="iqm" if by_score else "mean rank",
        scales=scales,
        unscaled=[env for env in records if env not in scales],
        improvement_agents=list(everywhere) if len(everywhere) > 1 else [],
        improvement=_improvement(everywhere),
        profiles=_profiles(records, scores if len(scales) > 1 else {}),
        warnings=repeats(records),
    )


def _normalised(records: Records, scales: Mapping[str, Scale], agents: Sequence[str]) -> dict[str, np.ndarray]:
    """Returns [E, N] normalised scores over the environments with a scale, of who played all of them."""
    found = complete({env: records[env] for env in scales}, agents)
    return {
        agent: np.stack([scale.normalised(line) for scale, line in zip(scales.values(), returns, strict=True)])
        for agent, returns in found.items()
    }


def _overall(
    rows: Sequence[LeagueRow], agents: Sequence[str], scores: Mapping[str, np.ndarray], *, by_score: bool
) -> list[OverallRow]:
    draws = _draws(scores)
    num_envs = len({row.env for row in rows})
    found = []
    for agent in agents:
        mine = [row for row in rows if row.agent == agent]
        if not mine:
            continue
        figures = None
        if agent in draws:
            summary = aggregates.summary(scores[agent], draws[agent])
            figures = {name: Figure.of(figure) for name, figure in summary.items()}
        mean_rank = float(np.mean([row.rank for row in mine]))
        forfeits = sum(row.forfeits for row in mine)
        level = -figures["iqm"].value if by_score and figures else mean_rank
        key = (len(mine) < num_envs or forfeits > 0, by_score and figures is None, level)
        found.append((key, OverallRow(agent, 0, "", mean_rank, len(mine), forfeits, figures)))
    found.sort(key=lambda entry: (entry[0], entry[1].agent))
    ranked = [row.agent for _, row in found if row.agent in draws] if by_score else []
    letters = _letters({agent: draws[agent][:, _IQM] for agent in ranked}, scores)
    return [
        replace(row, rank=1 + sum(other < key for other, _ in found), group=letters.get(row.agent, ""))
        for key, row in found
    ]


def _draws(scores: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the bootstrap draws of the aggregates, paired between agents."""
    seed = seed_of(*(scores[agent] for agent in sorted(scores)))
    return {
        agent: aggregates.aggregate_draws(matrix, seed=seed, resamples=aggregates.affordable_resamples(matrix.size))
        for agent, matrix in scores.items()
    }


def _letters(draws: Mapping[str, np.ndarray], scores: Mapping[str, np.ndarray]) -> dict[str, str]:
    strata, num = next(iter(scores.values())).shape if draws else (0, 0)
    p = [[groups.interval_test(one - other, num, strata) for other in draws.values()] for one in draws.values()]
    apart = groups.told_apart(np.reshape(p, (len(draws), len(draws))))
    return dict(zip(draws, groups.letters(apart), strict=True))


def _improvement(scores: Mapping[str, np.ndarray]) -> Estimate | None:
    if len(scores) < 2:
        return None
    matrices = list(scores.values())
    seed = seed_of(*(scores[agent] for agent in sorted(scores)))
    resamples = int(np.clip(_CURVE_WORK / matrices[0].size, 200, improvement.RESAMPLES))
    return improvement.improvement_matrix(matrices, seed=seed, resamples=resamples)


def _profiles(records: Records, normalised: Mapping[str, np.ndarray]) -> dict[str, Profile]:
    found: dict[str, Mapping[str, np.ndarray]] = {
        env: {agent: record.returns[None] for agent, record in of_env.items() if record.games}
        for env, of_env in records.items()
    }
    return {env: _profile(scores) for env, scores in (found | {"": normalised}).items() if scores}


def _profile(scores: Mapping[str, np.ndarray]) -> Profile:
    thresholds = profiles.thresholds_for(np.concatenate([matrix.ravel() for matrix in scores.values()]))
    curves = {
        agent: profiles.score_distribution(
            matrix,
            thresholds,
            seed=seed_of(matrix),
            resamples=int(np.clip(_CURVE_WORK / matrix.size, 200, profiles.RESAMPLES)),
        )
        for agent, matrix in scores.items()
    }
    return Profile(thresholds, curves)
