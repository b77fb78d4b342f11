"""Makes the matches of a tournament, each with the key that defines it.

Openings are like those of an opening book: pair number p of every meeting begins from the same seed, whoever meets.
All agents are then asked the same questions, which makes comparisons between meetings paired ones, and a meeting does
not change when others join the tournament. Both games of a pair share their opening, so its luck cancels.

A match's key holds what its result depends on, and so neither the agents' names nor the match's place in the schedule.
Where one agent is entered more than once, its second entry is its copy number 1, and so on: their matches differ.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any

from arena.seeding import Stream, episode_seed
from arena.tournaments.file import TournamentConfig
from arena.tournaments.records import Entered, Match, PlayedMatch

#: Of the key; another one makes all matches other matches.
VERSION = 1
#: The games of a league's match: few enough to balance the load, and to lose little when the tournament is killed.
GAMES_PER_MATCH = 10


class Fixtures:
    """The matches that can be played in a tournament; agents and environments are named by their index.

    Args:
      config: the tournament.
      entered: who plays, in the order of the file; every name is one in `config`.
    """

    def __init__(self, config: TournamentConfig, entered: Sequence[Entered]) -> None:
        self.config = config
        self.entered = entered
        self.names = tuple(agent.name for agent in entered)
        self._agents = _contents(config, entered)
        self._envs = [
            {"id": env.id, "preprocess": env.preprocess, "settings": config.env_settings(index)}
            for index, env in enumerate(config.envs)
        ]
        self._made: dict[tuple[int, ...], Match] = {}

    def block(self, env: int, agent: int, first_game: int) -> Match:
        """Returns a match of a league: up to GAMES_PER_MATCH games of one agent."""
        num_games = min(GAMES_PER_MATCH, self.config.episodes - first_game)
        seeds = tuple(_seed(self.config.seed, first_game + game) for game in range(num_games))
        return self._match(env, (agent,), seeds, first_game, 1)

    def pair(self, one: int, other: int, number: int, *, env: int = 0, round: int = 1) -> Match:
        """Returns pair `number`, from 0, of the two agents: the one that comes first in the file begins."""
        seed = _seed(self.config.seed, number)
        return self._match(env, (min(one, other), max(one, other)), (seed, seed), 2 * number, round)

    def _match(self, env: int, agents: tuple[int, ...], seeds: tuple[int, ...], first_game: int, round: int) -> Match:
        place = (env, first_game, round, *agents)
        if place not in self._made:
            key = {
                "version": VERSION,
                "env": self._envs[env],
                "players": [self._agents[agent] for agent in agents],
                "seed": self.config.seed,  # of the players themselves
                "first_game": first_game,
                "seeds": list(seeds),
            }
            if not all(self.entered[agent].is_pooled for agent in agents):
                key["limits"] = self.config.limits.model_dump()
            names = tuple(self.names[agent] for agent in agents)
            self._made[place] = Match(env, names, seeds, first_game, round, key)
        return self._made[place]


def points(played: PlayedMatch) -> tuple[float, float]:
    """Returns what the two players of a pair scored."""
    return played.points, sum(sum(game.scores) for game in played.games) - played.points


def _contents(config: TournamentConfig, entered: Sequence[Entered]) -> list[Mapping[str, Any]]:
    entrants = {entrant.name: entrant for entrant in config.agents}
    contents: list[Mapping[str, Any]] = []
    seen: dict[str, int] = {}
    for agent in entered:
        entrant = entrants[agent.name]
        content = {
            "ref": agent.ref,
            "digest": agent.digest,
            "settings": agent.settings,
            "mode": entrant.mode,
            "train": entrant.train,
        }
        text = json.dumps(content, sort_keys=True)
        seen[text] = seen.get(text, -1) + 1
        contents.append({**content, "copy": seen[text]})
    return contents


@functools.lru_cache(maxsize=1 << 16)
def _seed(root: int, index: int) -> int:
    return episode_seed(root, Stream.EVALUATION, index)
