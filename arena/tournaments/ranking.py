"""What a tournament's matches come to, in figures: of a league, or of games of two players."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from arena.tournaments.file import TournamentConfig
from arena.tournaments.game_ranking import ALL, Games, games
from arena.tournaments.league_ranking import League, league
from arena.tournaments.outcome import Outcome
from arena.tournaments.records import PlayedMatch

if TYPE_CHECKING:
    from arena.tournaments.result import Result


@dataclass(frozen=True)
class Ranking:
    """A tournament's figures.

    Attributes:
      league: of a league, else None.
      games: of two-player games, by environment; where there are several, those of all together come first. Else empty.
    """

    league: League | None
    games: Sequence[Games]

    @property
    def warnings(self) -> list[str]:
        """What a reader must know before believing the figures."""
        return list(dict.fromkeys(line for part in (*self.games, self.league) if part for line in part.warnings))


def of(result: Result) -> Ranking:
    """Returns the figures of a tournament that is played, or is being played."""
    return rank(result.config, [agent.name for agent in result.entered], result.matches, result.outcome)


def rank(
    config: TournamentConfig, agents: Sequence[str], matches: Sequence[PlayedMatch], outcome: Outcome | None = None
) -> Ranking:
    """Returns the figures of matches, which may come in any order; what the outcome does not count is left out."""
    if outcome and outcome.not_counted:
        matches = [played for played in matches if played.match.id not in set(outcome.not_counted)]
    if config.is_league:
        return Ranking(league(config.envs, agents, matches), [])
    by_env = [
        games(env.label, agents, there, outcome if len(config.envs) == 1 else None)
        for index, env in enumerate(config.envs)
        if (there := [played for played in matches if played.match.env == index])
    ]
    if len(config.envs) == 1:
        return Ranking(None, by_env)
    return Ranking(None, [games(ALL, agents, matches, outcome), *by_env] if by_env else [])
