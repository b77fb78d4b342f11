"""A tournament without players: its matches get their results from a function."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace

import numpy as np
import pytest

from arena.tournaments.file import Entrant, EnvEntry, TournamentConfig
from arena.tournaments.records import Entered, Match, PlayedGame, PlayedMatch
from arena.tournaments.schedule import Schedule


def setting(format: str, num_agents: int, **keys) -> tuple[TournamentConfig, list[Entered]]:
    """Returns a tournament of agents that are called a00, a01, ... and are all different."""
    names = [f"a{index:02}" for index in range(num_agents)]
    envs = keys.pop("envs", [EnvEntry(id="connect_four")])
    config = TournamentConfig(format=format, agents=[Entrant(ref=name, name=name) for name in names], envs=envs, **keys)
    return config, [Entered(name, name, f"digest of {name}", True) for name in names]


def played(match: Match, points: float) -> PlayedMatch:
    """Returns a pair in which the first player scored `points`, of 2."""
    first, second = match.players
    scores = (min(points, 1.0), 1.0 - min(points, 1.0)), (1.0 - max(points - 1.0, 0.0), max(points - 1.0, 0.0))
    games = [
        PlayedGame(seats, match.seeds[0], (0.0, 0.0), score, 9, False, np.zeros(0))
        for seats, score in zip(((first, second), (second, first)), scores, strict=True)
    ]
    return PlayedMatch(match, tuple(games))


def play_out(
    config: TournamentConfig,
    entered: Sequence[Entered],
    result_of: Callable[[Match], float],
    pick: Callable[[int], int] = lambda num_open: 0,
):
    """Plays the matches that are due one by one, in the order that `pick` chooses; returns them and the outcome."""
    schedule = Schedule(config, entered)
    done: dict[str, PlayedMatch] = {}
    while waiting := [match for match in schedule.due(done) if match.id not in done]:
        match = waiting[pick(len(waiting))]
        done[match.id] = played(match, result_of(match))
    return done, Schedule(config, entered).outcome(done)


@pytest.fixture(scope="session")
def arranged() -> SimpleNamespace:
    """The functions above."""
    return SimpleNamespace(setting=setting, played=played, play_out=play_out)
