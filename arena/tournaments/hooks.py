"""What a tournament tells its caller."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from arena.tournaments.records import PlayedMatch
from arena.tournaments.tally import Tally


class Progress(NamedTuple):
    """How far a tournament is.

    Attributes:
      phase: train, play or film; one comes after the other.
      done, total: environment steps when training, else matches or films. Matches of rounds to come do not count.
      text: what is being trained, or was played or filmed last.
    """

    phase: str
    done: int
    total: int
    text: str


@dataclass(frozen=True)
class Hooks:
    """What a tournament tells its caller.

    Attributes:
      on_progress: how far it is.
      on_played: a match that has been committed, and the standings with it.
      on_isolated: who plays in a process of its own, and what that holds here: (what, holds, how) for every promise.
      warn: one line about what does not stop the tournament.
    """

    on_progress: Callable[[Progress], None] = lambda progress: None
    on_played: Callable[[PlayedMatch, Tally], None] = lambda played, tally: None
    on_isolated: Callable[[Sequence[str], Sequence[tuple[str, bool, str]]], None] = lambda names, tiers: None
    warn: Callable[[str], None] = lambda line: None
