"""A knockout: who loses a tie is out. The order of the agents in the file is the seeding.

The bracket is the standard one, in which the best seeds meet last (of eight: 1 v 8, 4 v 5, 2 v 7, 3 v 6); where the
number of agents is no power of two, the best ones have a bye in the first round. A tie is a number of pairs. If it is
level after them, tie-break pairs with new openings are played one at a time, up to a stated number; if it is level
still, the better seed advances. The losers of the semi-finals play for the third place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from arena.tournaments.fixtures import Fixtures, points
from arena.tournaments.outcome import Meeting, Outcome, Place
from arena.tournaments.records import Match, PlayedMatch

_NAMES = {2: "final", 4: "semi-final", 8: "quarter-final"}
_THIRD = "third place"


class _Tie(NamedTuple):
    """A tie of one agent (a bye) or two, by their index; `winner` is None while it is open."""

    agents: tuple[int, ...]
    matches: list[Match]
    meeting: Meeting
    winner: int | None


def bracket(num_agents: int) -> list[int | None]:
    """Returns the seeds, from 0, in the places of the first round: two neighbours meet; None is a bye."""
    seeds = [0]
    while len(seeds) < num_agents:
        last = 2 * len(seeds) - 1
        seeds = [place for seed in seeds for place in (seed, last - seed)]
    return [seed if seed < num_agents else None for seed in seeds]


def num_ties(num_agents: int) -> int:
    """Returns the number of ties: one for everybody who goes out, and that for the third place."""
    return num_agents - 1 + (num_agents >= 4)


def draw(fixtures: Fixtures, played: Mapping[str, PlayedMatch]) -> Outcome:
    """Returns the ties so far; a round is drawn when the one before is complete."""
    ties: list[_Tie] = []
    places: list[Place] = []
    beaten: list[int] = []
    slots, round = bracket(len(fixtures.names)), 0
    while len(slots) > 1:
        round += 1
        name = _NAMES.get(len(slots), f"round of {len(slots)}")
        now = [
            _tie(fixtures, played, round, name, tuple(agent for agent in two if agent is not None))
            for two in zip(slots[::2], slots[1::2], strict=True)
        ]
        third = [_tie(fixtures, played, round, _THIRD, tuple(sorted(beaten)))] if name == "final" and beaten[1:] else []
        ties += third + now
        if any(tie.winner is None for tie in third + now):
            break
        beaten = [agent for tie in now for agent in tie.agents if agent != tie.winner]
        has_third = name == "semi-final" and len(beaten) == 2
        if not has_third:
            places += (place for tie in third + now for place in _places(tie, len(slots) // 2))
        slots = [tie.winner for tie in now]
    return Outcome(
        matches=tuple(match for tie in ties for match in tie.matches),
        is_complete=len(slots) == 1,
        meetings=tuple(tie.meeting for tie in ties),
        places=tuple(sorted(places, key=lambda place: place.rank)),
        notes=(_note(fixtures.config.pairs, fixtures.config.tiebreak_pairs),),
    )


def _tie(fixtures: Fixtures, played: Mapping[str, PlayedMatch], round: int, name: str, agents: tuple[int, ...]) -> _Tie:
    names = tuple(fixtures.names[agent] for agent in agents)
    if len(agents) == 1:
        return _Tie(agents, [], Meeting(round, name, names, (0.0,), names[0], "bye"), agents[0])
    better, worse = min(agents), max(agents)
    names = fixtures.names[better], fixtures.names[worse]
    config = fixtures.config
    matches: list[Match] = []
    score, by = (0.0, 0.0), ""
    for number in range(config.pairs + config.tiebreak_pairs):
        is_tiebreak = number >= config.pairs
        if is_tiebreak and (score[0] != score[1] or any(match.id not in played for match in matches)):
            break
        match = fixtures.pair(better, worse, number, round=round)
        matches.append(match)
        if match.id in played:
            first, second = points(played[match.id])
            score = score[0] + first, score[1] + second
        by = f"tie-break pair {number - config.pairs + 1}" if is_tiebreak else "points"
    if any(match.id not in played for match in matches):
        return _Tie(agents, matches, Meeting(round, name, names, score), None)
    if score[0] == score[1]:
        by = "the better seed"
    winner = worse if score[1] > score[0] else better
    return _Tie(agents, matches, Meeting(round, name, names, score, fixtures.names[winner], by), winner)


def _places(tie: _Tie, num_left: int) -> Iterator[Place]:
    """Yields the places that a tie decides; whoever goes out early shares the place below all that go on."""
    meeting = tie.meeting
    best = {"final": 1, _THIRD: 3}.get(meeting.name)
    what = "match for the third place" if meeting.name == _THIRD else meeting.name
    for agent in meeting.players:
        if agent != meeting.winner:
            yield Place(best + 1 if best else num_left + 1, agent, f"lost the {what}")
        elif best:
            yield Place(best, agent, f"won the {what}")


def _note(pairs: int, tiebreak_pairs: int) -> str:
    tiebreaks = (
        f"after up to {_count(tiebreak_pairs, 'tie-break pair')} with new openings" if tiebreak_pairs else "at once"
    )
    return f"A tie that is level after {_count(pairs, 'pair')} goes to the better seed, {tiebreaks}."


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
