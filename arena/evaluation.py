"""Playing a player on seeds of its own: the same seeds give the same results, whatever the number of rows."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

import envs
from arena import registry
from arena.agent import Mode, Player, Spec
from arena.errors import DoesNotFit, InvalidValue
from arena.loop import Episode, Event, run
from arena.seeding import Stream, check_seed, derived_seed, episode_seed
from envs.rows import Rows

DEFAULT_ROWS = 8


@dataclass(frozen=True)
class Evaluation:
    """The result of an evaluation. `std` is the sample standard deviation, 0 for one game."""

    agent: str
    env: str
    protocol: dict[str, Any]
    episodes: int
    returns: list[float]
    lengths: list[int]
    seeds: list[int]
    mean: float
    std: float
    steps: int
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """Returns the result as a JSON object."""
        return asdict(self)


def play(
    env: Rows,
    player: Player,
    seed_of: Callable[[int], int],
    num_episodes: int,
    *,
    on_event: Callable[[Event], None] | None = None,
) -> list[Episode]:
    """Returns the `num_episodes` games that `player` plays in `env`, in order of their index."""
    games: list[Episode] = []
    for event in run(env, player, seed_of, num_episodes=num_episodes):
        games.extend(event.finished)
        if on_event is not None:
            on_event(event)
    return sorted(games, key=lambda game: game.number)


def evaluate(
    ref: str,
    env_id: str,
    *,
    episodes: int = 10,
    seed: int = 0,
    num_envs: int | None = None,
    mode: str | None = None,
    preprocess: str | None = None,
    env_settings: Mapping[str, Any] | None = None,
    trust: bool = False,
    on_event: Callable[[Event], None] | None = None,
) -> Evaluation:
    """Returns the returns and lengths of `episodes` games of the agent `ref` in `env_id`.

    Args:
      ref: an agent reference (see arena.registry).
      env_id: an environment id.
      episodes: how many games.
      seed: the root from which game i has its seed.
      num_envs: rows to play in; changes the speed, not the results.
      mode: greedy, sample or epsilon=X; the policy's own when left out.
      preprocess: by name; what the policy was trained with, or the environment's default, when left out.
      env_settings: keywords for the environment's maker.
      trust: whether a model that can hold code may be loaded (in a process of its own).
      on_event: called after every step of all rows (progress bars).
    """
    check_count("episodes", episodes)
    check_seed(seed)
    reference = registry.resolve(ref, env_id)
    rows = min(episodes, check_count("num-envs", num_envs) if num_envs is not None else DEFAULT_ROWS)
    env = envs.make(env_id, rows, preprocess=preprocess or reference.preprocess, settings=env_settings)
    try:
        expect_one_seat(env.spec)
        parsed_mode = Mode.parse(mode) if mode is not None else None
        with reference.opened(env.spec, seed=derived_seed(seed, "player"), mode=parsed_mode, trust=trust) as player:
            begin = time.perf_counter()
            games = play(env, player, lambda i: episode_seed(seed, Stream.EVALUATION, i), episodes, on_event=on_event)
            seconds = time.perf_counter() - begin
    finally:
        env.close()
    return summarize(reference.name, env, player, games, seed, seconds)


def summarize(name: str, env: Rows, player: Player, games: list[Episode], seed: int, seconds: float) -> Evaluation:
    """Returns the games of one player as an Evaluation."""
    returns = [game.ret for game in games]
    protocol = {**env.spec.protocol, "mode": str(player.mode) if player.mode else "own", "seed": seed}
    return Evaluation(
        agent=name,
        env=env.spec.env_id,
        protocol=protocol,
        episodes=len(games),
        returns=returns,
        lengths=[game.length for game in games],
        seeds=[game.seed for game in games],
        mean=float(np.mean(returns)),
        std=float(np.std(returns, ddof=1)) if len(returns) > 1 else 0.0,
        steps=sum(game.length for game in games),
        seconds=round(seconds, 3),
    )


def expect_one_seat(spec: Spec) -> None:
    """Raises DoesNotFit for a game of several seats, saying how it is played."""
    if spec.num_seats > 1:
        players = f"{spec.num_seats} players"
        raise DoesNotFit(f"{spec.env_id} is a game for {players}: play it with `arena tournament` or `arena play`")


def check_count(name: str, value: int) -> int:
    """Returns `value`, or raises InvalidValue unless it is a whole number of at least 1."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InvalidValue(f"{name} must be a whole number of at least 1, not {value!r}")
    return value
