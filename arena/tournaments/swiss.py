"""A swiss: in every round agents of about equal points meet, and nobody meets anybody twice while that can be avoided.

The order of the agents in the file is the seeding. A meeting is a number of pairs, so that seats are always balanced;
it gives one point to the winner, and half a point to both if it is level. Of an odd number of agents, the lowest that
has had none gets a bye, worth a meeting won. Places: points, Buchholz, Sonneborn-Berger, direct encounter, game
points, seed (see arena.tournaments.tie_breaks).

Pairing goes from the top down. An agent's opponent is the first, among those that are left, in this order:

1. in its own score group, the one half the group further down, then those below that one, then those above it;
2. in the groups below, from the top.

with whom the rest can still be paired with as few second meetings as the round allows at all. That number is known
from the largest matching in the graph of those who have not met, and its size is half the rank of the graph's Tutte
matrix with numbers drawn for its variables, the same in every run. For n agents it is too low with a chance of n in
2^31 at most: then two might meet again who need not.

Source: the order is that of the Dutch system (FIDE Handbook C.04.3); the rank, Lovasz (1979), "On determinants,
matchings, and random algorithms".
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from arena.tournaments import tie_breaks
from arena.tournaments.fixtures import Fixtures, points
from arena.tournaments.outcome import Meeting, Outcome, Place
from arena.tournaments.records import Match, PlayedMatch
from arena.tournaments.tie_breaks import Result

_NOTE = f"Places: {', then '.join(tie_breaks.NAMES)}, then the better seed. A bye is worth a meeting won."
_PRIME = 2**31 - 1
Met = frozenset[frozenset[int]]


def draw(fixtures: Fixtures, played: Mapping[str, PlayedMatch]) -> Outcome:
    """Returns the rounds so far; one is drawn when the one before is complete."""
    config, num_agents = fixtures.config, len(fixtures.names)
    matches: list[Match] = []
    meetings: list[Meeting] = []
    results: list[list[Result]] = [[] for _ in range(num_agents)]
    times_met: dict[frozenset[int], int] = {}
    is_complete = False
    for round in range(1, config.num_rounds + 1):
        totals = tie_breaks.totals(results)
        byes = tuple(sum(result.opponent is None for result in own) for own in results)
        pairs, bye = pair(tuple(totals), byes, frozenset(times_met))
        now: list[Match] = []
        for one, other in pairs:
            before = times_met.get(frozenset((one, other)), 0)
            times_met[frozenset((one, other))] = before + 1
            numbers = range(before * config.pairs, (before + 1) * config.pairs)
            meeting = [fixtures.pair(one, other, number, round=round) for number in numbers]
            meetings.append(_meet(fixtures, played, round, meeting))
            now += meeting
        if bye is not None:
            name = fixtures.names[bye]
            meetings.append(Meeting(round, f"round {round}", (name,), (2.0 * config.pairs,), name, "bye"))
        matches += now
        if any(match.id not in played for match in now):
            break
        _book(fixtures.names, [meeting for meeting in meetings if meeting.round == round], results)
        is_complete = round == config.num_rounds
    return Outcome(tuple(matches), is_complete, tuple(meetings), _places(fixtures.names, results), notes=(_NOTE,))


@functools.lru_cache(maxsize=256)
def pair(totals: tuple[float, ...], byes: tuple[int, ...], met: Met) -> tuple[tuple[tuple[int, int], ...], int | None]:
    """Returns a round's (better, worse) pairs, from the top, and who has a bye.

    Args:
      totals: points of the agents, by seed.
      byes: how many each has had.
      met: the pairs that have met.
    """
    left = sorted(range(len(totals)), key=lambda agent: (-totals[agent], agent))
    bye = None
    if len(left) % 2:
        fewest = min(byes)
        eligible = [agent for agent in reversed(left) if byes[agent] == fewest]
        bye = max(eligible, key=lambda agent: _num_new([other for other in left if other != agent], met))
        left.remove(bye)
    num_new = _num_new(left, met)
    pairs = []
    while left:
        one = left[0]
        for other in _candidates(left, totals):
            rest = [agent for agent in left if agent not in (one, other)]
            is_new = frozenset((one, other)) not in met
            if _num_new(rest, met) + is_new == num_new:
                break
        pairs.append((one, other))
        left, num_new = rest, num_new - is_new
    return tuple(pairs), bye


def _candidates(left: Sequence[int], totals: Sequence[float]) -> Iterator[int]:
    """Yields opponents for the first of `left`, the most wanted first."""
    group = [agent for agent in left if totals[agent] == totals[left[0]]]
    half = max(1, len(group) // 2)
    yield from group[half:]
    yield from reversed(group[1:half])
    yield from left[len(group) :]


def _num_new(agents: Sequence[int], met: Met) -> int:
    """Returns how many pairs of agents that have not met can be made at most of an even number, each agent in one."""
    if not agents:
        return 0
    matrix = np.zeros((len(agents), len(agents)), np.int64)
    weights = _weights(max(agents) + 1)
    for row, one in enumerate(agents):
        for column, other in enumerate(agents[:row]):
            if frozenset((one, other)) not in met:
                matrix[row, column] = weights[one, other]
                matrix[column, row] = _PRIME - weights[one, other]
    if np.count_nonzero(matrix, axis=1).min() >= len(agents) / 2:
        return len(agents) // 2  # Dirac (1952): a round trip through all agents exists, so all can be paired
    return _rank(matrix) // 2


@functools.lru_cache(maxsize=8)
def _weights(size: int) -> np.ndarray:
    return np.random.default_rng(0).integers(1, _PRIME, (size, size))


def _rank(matrix: np.ndarray) -> int:
    """Returns the rank of a square matrix of integers modulo _PRIME, which it overwrites."""
    rank = 0
    for column in range(len(matrix)):
        below = rank + np.flatnonzero(matrix[rank:, column])
        if not len(below):
            continue
        matrix[[rank, below[0]]] = matrix[[below[0], rank]]
        pivot = matrix[rank] * pow(int(matrix[rank, column]), -1, _PRIME) % _PRIME
        factors = matrix[rank + 1 :, column, None]
        matrix[rank + 1 :] = (matrix[rank + 1 :] - factors * pivot % _PRIME) % _PRIME
        rank += 1
    return rank


def _meet(fixtures: Fixtures, played: Mapping[str, PlayedMatch], round: int, matches: Sequence[Match]) -> Meeting:
    scored = [points(played[match.id]) for match in matches if match.id in played]
    first, second = sum(score[0] for score in scored), sum(score[1] for score in scored)
    meeting = Meeting(round, f"round {round}", matches[0].players, (first, second))
    if len(scored) < len(matches):
        return meeting
    if first == second:
        return replace(meeting, by="drawn")
    return replace(meeting, winner=matches[0].players[first < second], by="points")


def _book(names: Sequence[str], meetings: Sequence[Meeting], results: list[list[Result]]) -> None:
    """Adds a round to everybody's results."""
    index = {name: agent for agent, name in enumerate(names)}
    for meeting in meetings:
        agents = [index[name] for name in meeting.players]
        if meeting.is_bye:
            results[agents[0]].append(Result(None, 1.0, meeting.points[0]))
            continue
        for agent, opponent, scored in zip(agents, reversed(agents), meeting.points, strict=True):
            result = 0.5 if not meeting.winner else float(meeting.winner == names[agent])
            results[agent].append(Result(opponent, result, scored))


def _places(names: Sequence[str], results: Sequence[Sequence[Result]]) -> tuple[Place, ...]:
    if not any(results):
        return ()
    rows = tie_breaks.ranked(results)
    following = [*(values for _, values in rows[1:]), None]
    return tuple(
        Place(rank, names[agent], tie_breaks.decided_by(values, worse) if worse else "", values)
        for rank, ((agent, values), worse) in enumerate(zip(rows, following, strict=True), 1)
    )
