"""The order of agents with equal points, by tie-breaks that are applied one after the other.

A bye counts as a win against an opponent who ends with as many points as oneself.

Source: FIDE Handbook C.07, Tie-Break Regulations (2024), articles 6, 8, 9 and 16.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

#: In the order of their use; after them, the better seed goes first.
NAMES = ("points", "Buchholz", "Sonneborn-Berger", "direct encounter", "game points")


class Result(NamedTuple):
    """One agent's result of one round.

    Attributes:
      opponent: its index; None for a bye.
      points: 1 for a meeting won, or a bye, 0.5 for a drawn one, 0 for a lost one.
      game_points: scored in the meeting's games.
    """

    opponent: int | None
    points: float
    game_points: float


Results = Sequence[Sequence[Result]]  # by agent, by round


def totals(results: Results) -> list[float]:
    """Returns every agent's points."""
    return [sum(result.points for result in own) for own in results]


def buchholz(results: Results) -> list[float]:
    """Returns the sum of the opponents' points, for every agent."""
    total = totals(results)
    return [sum(total[_opponent(result, agent)] for result in own) for agent, own in enumerate(results)]


def sonneborn_berger(results: Results) -> list[float]:
    """Returns the points of the opponents beaten and half those of the opponents drawn with, for every agent."""
    total = totals(results)
    return [sum(result.points * total[_opponent(result, agent)] for result in own) for agent, own in enumerate(results)]


def direct_encounter(results: Results, group: Sequence[int]) -> list[float]:
    """Returns what each of `group` scored against the others of it; zeros unless all of them have met."""
    scores = []
    for agent in group:
        among = [result for result in results[agent] if result.opponent in group]
        if len({result.opponent for result in among}) < len(group) - 1:
            return [0.0] * len(group)
        scores.append(sum(result.points for result in among))
    return scores


def ranked(results: Results) -> list[tuple[int, Mapping[str, float]]]:
    """Returns (agent, its tie-breaks by NAMES), the best first."""
    keys = [
        (points, opponents, defeated)
        for points, opponents, defeated in zip(
            totals(results), buchholz(results), sonneborn_berger(results), strict=True
        )
    ]
    tied: dict[tuple[float, float, float], list[int]] = {}
    for agent, key in enumerate(keys):
        tied.setdefault(key, []).append(agent)
    rows = []
    for key, group in tied.items():
        for agent, direct in zip(group, direct_encounter(results, group), strict=True):
            game_points = sum(result.game_points for result in results[agent])
            rows.append((agent, dict(zip(NAMES, (*key, direct, game_points), strict=True))))
    return sorted(rows, key=lambda row: (*(-value for value in row[1].values()), row[0]))


def decided_by(better: Mapping[str, float], worse: Mapping[str, float]) -> str:
    """Returns the first tie-break that tells two agents apart, or "the better seed"."""
    return next((name for name in NAMES if better[name] != worse[name]), "the better seed")


def _opponent(result: Result, agent: int) -> int:
    return agent if result.opponent is None else result.opponent
