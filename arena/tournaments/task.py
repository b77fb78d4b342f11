"""What a worker is asked to play: who, where, and which matches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arena.isolation.limits import Limits
from arena.tournaments.records import Match

_DEFAULT_LIMITS = Limits()
#: The players of a pair by seat, in its first and its second game.
SEATINGS = ((0, 1), (1, 0))


@dataclass(frozen=True)
class Contestant:
    """What plays for an agent in an environment.

    Attributes:
      name: the agent's.
      ref: what plays there.
      is_pooled: False for what gets a process of its own.
      preprocess: what it was trained with; None where that is open.
      mode, settings: how it is to play; its own where they are left out.
      trust: whether its file may hold code.
    """

    name: str
    ref: str
    is_pooled: bool = True
    preprocess: str | None = None
    mode: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    trust: bool = False


@dataclass(frozen=True)
class Stand:
    """Where matches are played: an environment, as envs.make takes it."""

    env_id: str
    preprocess: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """Matches of the same players in one environment, played in one go.

    Attributes:
      contestants: in the order of the matches' players.
      seed: the tournament's root.
      num_rows: how many games side by side.
      hidden: paths that isolated agents must not reach.
    """

    matches: tuple[Match, ...]
    stand: Stand
    contestants: tuple[Contestant, ...]
    seed: int
    num_rows: int = 1
    limits: Limits = _DEFAULT_LIMITS
    hidden: tuple[Path, ...] = ()

    def names(self, number: int) -> tuple[str, ...]:
        """Returns the players by seat of game `number` of a match."""
        names = [contestant.name for contestant in self.contestants]
        return tuple(names if len(names) == 1 else (names[index] for index in SEATINGS[number]))


@dataclass(frozen=True)
class Unfit:
    """An agent that turned out not to fit an environment."""

    agent: str
    reason: str
