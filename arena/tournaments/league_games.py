"""A league's games, sorted: by environment and agent, in whatever order their matches come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from arena.statistics.redundancy import redundancy
from arena.tournaments.records import PlayedMatch


class Game(NamedTuple):
    """A game of a league; `number` counts an agent's games in an environment, `fingerprint` tells games apart."""

    number: int
    ret: float
    seed: int
    fingerprint: tuple[object, ...]


@dataclass
class Record:
    """An agent's games in one environment, in order, and how often it forfeited."""

    games: list[Game] = field(default_factory=list)
    forfeits: int = 0

    @property
    def returns(self) -> np.ndarray:
        """[N] raw returns."""
        return np.array([game.ret for game in self.games])


#: By environment's label, in the tournament's order, then by agent, in that of its entrants.
Records = Mapping[str, Mapping[str, Record]]


def gather(labels: Sequence[str], agents: Sequence[str], matches: Sequence[PlayedMatch]) -> Records:
    """Returns the records of what has been played; environments and agents without a match are left out."""
    found: dict[tuple[int, str], Record] = {}
    for played in matches:
        record = found.setdefault((played.match.env, played.match.players[0]), Record())
        record.forfeits += len(played.forfeits)
        for number, game in enumerate(played.games, played.match.first_game):
            fingerprint = (game.returns, game.length, game.digest, game.actions.tobytes())
            record.games.append(Game(number, game.returns[0], game.seed, fingerprint))
    for record in found.values():
        record.games.sort(key=lambda game: game.number)
    by_env = {
        label: {agent: found[index, agent] for agent in agents if (index, agent) in found}
        for index, label in enumerate(labels)
    }
    return {label: of_env for label, of_env in by_env.items() if of_env}


def complete(records: Records, agents: Sequence[str]) -> dict[str, np.ndarray]:
    """Returns the [E, N] returns of every agent that played everywhere and never forfeited.

    While games are missing, N is the number that all of them have played everywhere.
    """
    envs = list(records.values())
    whole = [agent for agent in agents if all(agent in of_env and not of_env[agent].forfeits for of_env in envs)]
    num = min((len(of_env[agent].games) for of_env in envs for agent in whole), default=0)
    return {agent: np.stack([of_env[agent].returns[:num] for of_env in envs]) for agent in whole} if num else {}


def repeats(records: Records) -> list[str]:
    """Returns a line for every agent whose games on different seeds are too often the same game."""
    found = [
        (env, agent, redundancy((game.seed, game.fingerprint) for game in record.games))
        for env, of_env in records.items()
        for agent, record in of_env.items()
    ]
    return [f"{agent} on {env}: {repeated.describe()}" for env, agent, repeated in found if repeated.is_suspicious]
