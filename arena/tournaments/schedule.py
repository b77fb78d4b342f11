"""Which matches a tournament wants, and what its format makes of those that are played.

Both are pure functions of the tournament and of what was played: the order in which matches finished, and how many
were played at once, change nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from arena.tournaments import knockout, meetings, sequential, swiss
from arena.tournaments.file import TournamentConfig
from arena.tournaments.fixtures import GAMES_PER_MATCH, Fixtures
from arena.tournaments.outcome import Outcome
from arena.tournaments.records import Entered, Match, PlayedMatch

Played = Mapping[str, PlayedMatch]


class Schedule:
    """A tournament's matches; one that is kept answers quickly however often it is asked.

    Args:
      config: the tournament.
      entered: who plays, in the order of the file, which is also the seeding.
      left_out: (agent's name, index of an environment) of agents that do not fit an environment.
    """

    def __init__(
        self, config: TournamentConfig, entered: Sequence[Entered], left_out: Collection[tuple[str, int]] = ()
    ) -> None:
        self._config = config
        self._fixtures = Fixtures(config, entered)
        self._fixed = None if config.format in ("knockout", "swiss") else self._all_matches(frozenset(left_out))

    def due(self, played: Played) -> list[Match]:
        """Returns every match that is known to be wanted, in order, those that are played included.

        When all of them are in `played`, which is keyed by their ids, the tournament is over.
        """
        return list(self.outcome(played).matches)

    def outcome(self, played: Played) -> Outcome:
        """Returns what the format makes of the matches played so far."""
        if self._fixed is None:
            draw = knockout.draw if self._config.format == "knockout" else swiss.draw
            return draw(self._fixtures, played)
        if self._config.sprt:
            return sequential.draw(self._config.sprt, self._fixed, played)
        return Outcome(self._fixed, all(match.id in played for match in self._fixed))

    def _all_matches(self, left_out: frozenset[tuple[str, int]]) -> tuple[Match, ...]:
        """Returns the matches of a format that is known from the start: each pass through it covers everybody."""
        config, fixtures = self._config, self._fixtures
        num_agents, num_envs = len(fixtures.names), len(config.envs)
        if config.is_league:
            blocks = range(0, config.episodes, GAMES_PER_MATCH)
            places = ((env, agent, first) for first in blocks for env in range(num_envs) for agent in range(num_agents))
            return tuple(
                fixtures.block(env, agent, first)
                for env, agent, first in places
                if (fixtures.names[agent], env) not in left_out
            )
        rounds = (
            meetings.round_robin(num_agents)
            if config.format == "round-robin"
            else meetings.gauntlet(num_agents, config.challengers)
        )
        return tuple(
            fixtures.pair(one, other, number, env=env, round=number * len(rounds) + index)
            for number in range(config.pairs)
            for index, meets in enumerate(rounds, 1)
            for env in range(num_envs)
            for one, other in meets
            if not {(fixtures.names[one], env), (fixtures.names[other], env)} & left_out
        )


def due(config: TournamentConfig, entered: Sequence[Entered], played: Played) -> list[Match]:
    """Returns every match that is known to be wanted; see Schedule.due."""
    return Schedule(config, entered).due(played)


def outcome(config: TournamentConfig, entered: Sequence[Entered], played: Played) -> Outcome:
    """Returns what the format makes of the matches played so far; see Schedule.outcome."""
    return Schedule(config, entered).outcome(played)
