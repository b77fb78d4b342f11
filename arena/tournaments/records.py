"""What a tournament is made of, as plain data: who is entered, matches, games, forfeits.

A match is the unit that is stored: all of it or nothing. In a league it is a block of one agent's games in one
environment; in two-player games it is a pair, two games with the same seeded opening and the seats swapped.
"""

from __future__ import annotations

import enum
import functools
import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Entered:
    """An agent that is entered.

    Attributes:
      name: what the standings call it, unique in the tournament.
      ref: its agent reference.
      digest: a hash of what plays: a policy's file, a plugin's source, a distribution's version.
      is_pooled: True for what shares a worker process, False for what gets a process of its own.
      settings: of the player, beyond its preset.
    """

    name: str
    ref: str
    digest: str
    is_pooled: bool
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Match:
    """A match of the schedule.

    Attributes:
      env: index of the environment among the tournament's.
      players: names of agents; one in a league, two in a game, of whom the first begins the first game in seat 0.
      seeds: of its games; both of a pair have the same one.
      first_game: number of its first game among those of these players in this environment.
      round: from 1, where the format has rounds; else 1.
      key: everything that defines it (environment, its settings, what plays, seeds, openings, limits), as plain data.
    """

    env: int
    players: tuple[str, ...]
    seeds: tuple[int, ...]
    first_game: int
    round: int
    key: dict[str, Any] = field(hash=False, compare=False)

    @functools.cached_property
    def id(self) -> str:
        """16 hexadecimal digits: a hash of `key`."""
        text = json.dumps(self.key, sort_keys=True, separators=(",", ":"))
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    @property
    def is_pair(self) -> bool:
        """True for two games with swapped seats."""
        return len(self.players) == 2


@dataclass(frozen=True)
class PlayedGame:
    """One game of a match, played to its end or to a forfeit.

    Attributes:
      players: by seat.
      seed: of the environment.
      returns: by seat, raw and undiscounted; of a game that was forfeited, up to there.
      scores: by seat in a two-player game: 1 won, 0.5 drawn, 0 lost; a forfeit loses. () in a league.
      length: in steps; in a game, plies after the opening.
      actions: [T, ...]; empty where they were not asked for.
      digest: observation_digest() of the last observation that was acted on.
    """

    players: tuple[str, ...]
    seed: int
    returns: tuple[float, ...]
    scores: tuple[float, ...]
    length: int
    truncated: bool
    actions: np.ndarray = field(compare=False)
    digest: str = ""


class ForfeitType(enum.StrEnum):
    """What an agent did wrong."""

    CRASH = "crash"
    TIMEOUT = "timeout"
    ILLEGAL_ACTION = "illegal action"
    WRONG_SHAPE = "wrong shape"
    NOT_A_NUMBER = "not a number"
    OUT_OF_MEMORY = "out of memory"
    EXIT = "exit"
    FAILED_IMPORT = "failed import"


@dataclass(frozen=True)
class Forfeit:
    """A game, or the rest of a league's match, that an agent gave away.

    Attributes:
      match: the match's id.
      game: number of the game in its match, from 0.
      log: the end of what the agent printed.
    """

    match: str
    game: int
    agent: str
    type: ForfeitType
    reason: str
    log: str = ""


@dataclass(frozen=True)
class PlayedMatch:
    """A match and what came of it.

    `games` are in order; a league's match that was forfeited has those that were finished before. `times` holds
    wall_s, and for each agent the seconds spent in its moves.
    """

    match: Match
    games: tuple[PlayedGame, ...]
    forfeits: tuple[Forfeit, ...] = ()
    protocol: dict[str, Any] = field(default_factory=dict, hash=False)
    times: dict[str, float] = field(default_factory=dict, hash=False, compare=False)

    @property
    def points(self) -> float:
        """What the first player of a pair scored: 0, 0.5, 1, 1.5 or 2."""
        return sum(game.scores[game.players.index(self.match.players[0])] for game in self.games)

    def to_json(self) -> dict[str, Any]:
        """Returns it as plain data, without actions."""
        games = [{key: value for key, value in vars(game).items() if key != "actions"} for game in self.games]
        match = {key: value for key, value in asdict(self.match).items() if key != "key"} | {"id": self.match.id}
        return match | {"games": games, "forfeits": [asdict(entry) for entry in self.forfeits], "times": self.times}
