"""A match: one agent's games in one environment, played anywhere and handed back as plain data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from arena.errors import ArenaError, BrokenPlugin, DoesNotFit
from arena.evaluation import evaluate
from arena.gamelog import Game, GameLog
from arena.loop import Event
from arena.tournaments.file import EnvEntry, slug


@dataclass(frozen=True)
class Pairing:
    """A match that is to be played.

    Attributes:
      agent: the name in the standings.
      ref: what plays.
      env: where it plays.
      episodes, seed: how many games, on the seeds of which root seed.
      num_envs: how many of them side by side; None for what suits the environment.
      games: the folder that takes the log of the best game; None keeps none.
    """

    agent: str
    ref: str
    env: EnvEntry
    episodes: int
    seed: int
    num_envs: int | None = None
    games: Path | None = None


@dataclass(frozen=True)
class Match:
    """An agent's games in one environment, in the order of their seeds."""

    agent: str
    ref: str
    env: str
    seed: int
    episodes: int
    returns: list[float]
    lengths: list[int]
    seeds: list[int]
    mean: float
    std: float
    seconds: float
    protocol: dict[str, Any]


@dataclass(frozen=True)
class LeftOut:
    """An agent that does not fit an environment, and is not entered there."""

    agent: str
    env: str
    reason: str


def file_name(agent: str, env_id: str) -> str:
    """Returns a match as a file's name, without a suffix."""
    return f"{slug(agent)}__{slug(env_id)}"


def play(pairing: Pairing) -> Match | LeftOut:
    """Plays a match; an agent that does not fit the environment is left out.

    Raises:
      BrokenPlugin: the agent's code failed. Like every ArenaError here, it names agent and environment.
    """
    env, best = pairing.env, BestGame(pairing)
    try:
        played = evaluate(
            pairing.ref,
            env.id,
            episodes=pairing.episodes,
            seed=pairing.seed,
            num_envs=pairing.num_envs,
            preprocess=env.preprocess,
            env_settings=env.settings,
            on_event=best.add if pairing.games else None,
        )
    except DoesNotFit as error:
        return LeftOut(pairing.agent, env.id, str(error))
    except ArenaError as error:
        kind = BrokenPlugin if isinstance(error, BrokenPlugin) else ArenaError
        raise kind(f"{pairing.agent} ({pairing.ref}) on {env.id}: {error}") from error
    match = Match(
        agent=pairing.agent,
        ref=pairing.ref,
        env=env.id,
        seed=pairing.seed,
        episodes=pairing.episodes,
        returns=list(played.returns),
        lengths=list(played.lengths),
        seeds=list(played.seeds),
        mean=played.mean,
        std=played.std,
        seconds=played.seconds,
        protocol=dict(played.protocol),
    )
    if pairing.games and best.game:
        preprocess = str(match.protocol.get("preprocessing", "none"))
        game = replace(best.game, preprocess=preprocess, protocol=match.protocol)
        game.save(pairing.games / f"{file_name(pairing.agent, env.id)}.npz")
    return match


class BestGame:
    """Folds over the loop's events and keeps the game of the highest return; of several, the first."""

    def __init__(self, pairing: Pairing) -> None:
        self._log = GameLog(pairing.agent, pairing.env.id, env_settings=pairing.env.settings, with_extras=True)
        self.game: Game | None = None

    def add(self, event: Event) -> None:
        """Takes in one event."""
        for game in self._log.add(event):
            if self.game is None or (game.ret, -game.episode) > (self.game.ret, -self.game.episode):
                self.game = game
