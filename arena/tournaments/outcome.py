"""What only a tournament's format knows of it: which matches are wanted, who advanced and why, final places."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from arena.tournaments.records import Match


@dataclass(frozen=True)
class Meeting:
    """A knockout's tie or a swiss's meeting, or a bye.

    Attributes:
      round: from 1.
      name: "final", "quarter-final", "round 2", ...
      players: names; one alone has a bye.
      points: of the players, over all games so far.
      winner: "" while it is undecided, and where it is drawn.
      by: what decided it: "points", "tie-break pair 2", "the better seed", "bye", "drawn"; "" while it is undecided.
    """

    round: int
    name: str
    players: tuple[str, ...]
    points: tuple[float, ...]
    winner: str = ""
    by: str = ""

    @property
    def is_bye(self) -> bool:
        """True for an agent that has no opponent in this round."""
        return len(self.players) == 1


@dataclass(frozen=True)
class Place:
    """A place that the format itself gives.

    Attributes:
      rank: from 1; agents that went out in the same round of a knockout share one.
      by: what puts it ahead of the place below: a tie-break's name, or what was won or lost.
      values: the tie-breaks by name, in their order.
    """

    rank: int
    agent: str
    by: str
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Stop:
    """How a sequential test stands.

    Attributes:
      pairs: how many count, in the schedule's order: up to the first at which the test was decided.
      accepted: "H0", "H1", or "" while it is open.
      llrs: the log-likelihood ratio after each of these pairs.
      lower, upper: its bounds: H0 is accepted at the lower, H1 at the upper one.
      hypotheses: H0 and H1 in words.
    """

    pairs: int
    accepted: str
    llrs: tuple[float, ...]
    lower: float
    upper: float
    hypotheses: tuple[str, str]

    @property
    def llr(self) -> float:
        """The log-likelihood ratio as it stands; 0 before the first pair."""
        return self.llrs[-1] if self.llrs else 0.0


@dataclass(frozen=True)
class Outcome:
    """What a format makes of the matches played so far.

    Attributes:
      matches: every match that is known to be wanted, in the schedule's order, those that are played included.
      is_complete: whether all of them are played and no more will be drawn.
      meetings: of a knockout or a swiss, byes included.
      places: of a knockout those that are certain, of a swiss those after the last complete round; empty where
        ratings or returns rank.
      stop: how the sequential test stands, if there is one.
      not_counted: ids of matches that are played and have no part in the result.
      notes: what must be said beside the result.
    """

    matches: tuple[Match, ...]
    is_complete: bool
    meetings: tuple[Meeting, ...] = ()
    places: tuple[Place, ...] = ()
    stop: Stop | None = None
    not_counted: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns it as plain data, without the matches."""
        return {
            "is_complete": self.is_complete,
            "meetings": [asdict(meeting) for meeting in self.meetings],
            "places": [asdict(place) for place in self.places],
            "stop": asdict(self.stop) if self.stop else None,
            "not_counted": list(self.not_counted),
            "notes": list(self.notes),
        }
