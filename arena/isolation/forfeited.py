"""What an isolated player raises when it gives its game away."""

from __future__ import annotations

from arena.errors import ArenaError
from arena.tournaments.records import ForfeitType


class Forfeited(ArenaError):
    """An agent did what costs it the game.

    Attributes:
      agent: its name.
      type: what it did.
      reason: one line, for the record.
      log: the end of what it printed.
    """

    def __init__(self, agent: str, type: ForfeitType, reason: str, log: str = "") -> None:
        super().__init__(f"{agent} forfeits ({type}): {reason}")
        self.agent = agent
        self.type = type
        self.reason = reason
        self.log = log

    def __reduce__(self) -> tuple[type[Forfeited], tuple[str, ForfeitType, str, str]]:
        return type(self), (self.agent, self.type, self.reason, self.log)


class SeatLost(ArenaError):
    """A seat's process was lost through no fault of its agent; playing the match again may help."""
