"""Films of several games: what is seen of each, and the file of all."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from arena.agent import Mode, Player
from arena.camera import shots_of
from arena.encoder import FORMATS
from arena.errors import InvalidValue
from arena.evaluation import expect_one_seat
from arena.files import write_json
from arena.film import fps_of
from arena.gamelog import Game
from arena.registry import Reference
from arena.seeding import Stream, check_seed, derived_seed, episode_seed
from envs.rows import Rows


@dataclass(frozen=True)
class Montage:
    """A film of several games.

    Attributes:
      video: the film.
      data: JSON beside it: who played what, for which return.
      games: those it shows, without their actions.
    """

    video: Path
    data: Path
    games: tuple[Game, ...]

    def to_json(self) -> dict[str, Any]:
        """Returns what is known of the games and where the files are, as JSON."""
        games = [game.summary() for game in self.games]
        return {"video": str(self.video), "data": str(self.data), "games": games}


class Take:
    """One agent's game on a screen of its own, played moment by moment: the first that `evaluate` would report.

    Attributes:
      name: what the agent is called.
      env_id: what it plays.
      fps: how many moments are a second of the game's own time.
      shot: the moment that is seen now.
      num_moments: how many were seen until now, this one included.
    """

    def __init__(self, name: str, env: Rows, player: Player, seed: int, env_settings: Mapping[str, Any]) -> None:
        self.name, self.fps, self.num_moments = name, fps_of(env.spec), 1
        self.env_id, self._spec, self._env_settings = env.spec.env_id, env.spec, env_settings
        self._protocol = {**env.spec.protocol, "mode": str(player.mode) if player.mode else "own", "seed": seed}
        self._shots = shots_of(env, player, lambda i: episode_seed(seed, Stream.EVALUATION, i))
        self.shot = next(self._shots)

    @property
    def is_over(self) -> bool:
        """True when the moment that is seen now is the game's last."""
        return self.shot.finished is not None

    def advance(self) -> None:
        """Plays on to the next moment."""
        self.shot = next(self._shots)
        self.num_moments += 1

    def game(self) -> Game:
        """Returns the game, which is over."""
        episode = self.shot.finished
        assert episode is not None
        return Game(
            agent=self.name,
            env_id=self.env_id,
            preprocess=self._spec.preprocess,
            env_settings=self._env_settings,
            protocol=self._protocol,
            seed=episode.seed,
            episode=episode.number,
            actions=np.empty(0, np.int64),
            ret=episode.ret,
            length=episode.length,
            truncated=episode.truncated,
        )


@contextlib.contextmanager
def opened(
    reference: Reference,
    env: Rows,
    *,
    seed: int,
    mode: str | None = None,
    env_settings: Mapping[str, Any] | None = None,
    trust: bool = False,
    name: str = "",
) -> Iterator[Take]:
    """Gives what an agent plays in `env`, which is one row made with render=True, as `evaluate` has it play.

    Args:
      env_settings: with which the environment was made.
      name: what the agent is called; "" for the reference's own name.
    """
    expect_one_seat(env.spec)
    parsed_mode = Mode.parse(mode) if mode is not None else None
    player_seed = derived_seed(seed, "player")
    with reference.opened(env.spec, seed=player_seed, mode=parsed_mode, trust=trust) as player:
        yield Take(name or reference.name, env, player, seed, dict(env_settings or {}))


def check(seed: int, fmt: str) -> None:
    """Raises InvalidValue where `seed` is no seed, or `fmt` no format of films."""
    check_seed(seed)
    if fmt not in FORMATS:
        raise InvalidValue(f"the format of a film is {' or '.join(FORMATS)}, not {fmt!r}")


def finished(video: Path, games: Sequence[Game]) -> Montage:
    """Writes the JSON beside a film that is there, and returns the whole."""
    data = write_json(video.with_suffix(".json"), {"video": video.name, "games": [game.summary() for game in games]})
    return Montage(video, data, tuple(games))
