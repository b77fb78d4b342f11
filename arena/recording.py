"""Recording: games are played at full speed, their actions kept, and filmed by playing them again.

Where an environment is not reproducible the game is filmed while it is played. The parts: arena.gamelog (what
is kept of a game), arena.overlay and arena.film (from a game to pictures), arena.encoder (from pictures to a
file), arena.archive (the files of a recording), arena.training_recorder (films of a training), arena.grid and
arena.story (several games on one film).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import envs
from arena import registry
from arena.agent import Mode, Player
from arena.archive import Recording, file_safe, keep
from arena.encoder import FORMATS
from arena.errors import InvalidValue
from arena.evaluation import expect_one_seat
from arena.gamelog import Game, GameLog
from arena.loop import run
from arena.pace import AS_IT_IS, Look
from arena.seeding import Stream, check_seed, derived_seed, episode_seed
from envs.rows import Rows

_NUM_ROWS = 8


class Progress(NamedTuple):
    """How far a recording is.

    Attributes:
      played, filmed, episodes: games played, filmed, and asked for.
      frame, num_frames: frames written of the game that is being filmed, and how many it has.
    """

    played: int
    filmed: int
    episodes: int
    frame: int
    num_frames: int


def record(
    ref: str,
    env_id: str,
    *,
    episodes: int = 1,
    seed: int = 0,
    out: Path | str = Path("recordings"),
    fmt: str = "mp4",
    overlay: bool = True,
    look: Look = AS_IT_IS,
    mode: str | None = None,
    preprocess: str | None = None,
    env_settings: Mapping[str, Any] | None = None,
    trust: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> list[Recording]:
    """Returns recordings of the games that `evaluate` with the same arguments reports, in their order.

    Args:
      ref: an agent reference (see arena.registry).
      env_id: an environment id.
      episodes: how many games.
      seed: the root from which game i has its seed.
      out: the folder to write to. The same game gives the same names, whose files are replaced.
      fmt: mp4 or gif.
      overlay: with a panel of agent, score, step, action and the values behind it.
      look: size, speed and length of the films.
      mode: greedy, sample or epsilon=X; the policy's own when left out.
      preprocess: by name; what the policy was trained with, or the environment's default, when left out.
      env_settings: keywords for the environment's maker.
      trust: whether a model that can hold code may be loaded (in a process of its own).
      on_progress: called after every game and every frame.

    Raises:
      ArenaError: in one clear line, whatever was wrong; no half file is left.
    """
    if isinstance(episodes, bool) or not isinstance(episodes, int) or episodes < 1:
        raise InvalidValue(f"episodes must be a whole number of at least 1, not {episodes!r}")
    if fmt not in FORMATS:
        raise InvalidValue(f"the format of a film is {' or '.join(FORMATS)}, not {fmt!r}")
    check_seed(seed)
    tell = on_progress or (lambda progress: None)
    parsed_mode = Mode.parse(mode) if mode is not None else None
    reference = registry.resolve(ref, env_id)
    preprocess = preprocess or reference.preprocess
    with contextlib.ExitStack() as stack:
        film_env = envs.make(env_id, 1, preprocess=preprocess, settings=env_settings, render=True)
        stack.callback(film_env.close)
        expect_one_seat(film_env.spec)
        player_seed = derived_seed(seed, "player")
        player = stack.enter_context(reference.opened(film_env.spec, seed=player_seed, mode=parsed_mode, trust=trust))
        env = envs.make(env_id, min(episodes, _NUM_ROWS), preprocess=preprocess, settings=env_settings)
        try:
            games = _play(env, player, reference.name, episodes, seed, env_settings, tell)
        finally:
            env.close()
        recordings: list[Recording] = []
        for game in games:

            def on_frame(frame: int, num_frames: int = game.length + 1) -> None:
                tell(Progress(episodes, len(recordings), episodes, frame, num_frames))

            stem = f"{file_safe(env_id)}_{file_safe(game.agent)}_seed{seed}_episode{game.episode:04d}"
            ways: dict[str, Any] = {"fmt": fmt, "overlay": overlay, "look": look}
            recordings.append(keep(game, Path(out), stem, env=film_env, player=player, on_frame=on_frame, **ways))
            tell(Progress(episodes, len(recordings), episodes, 0, 0))
        return recordings


def _play(
    env: Rows,
    player: Player,
    agent: str,
    episodes: int,
    seed: int,
    env_settings: Mapping[str, Any] | None,
    tell: Callable[[Progress], None],
) -> list[Game]:
    log = GameLog(
        agent,
        env.spec.env_id,
        preprocess=env.spec.preprocess,
        env_settings=env_settings,
        protocol={**env.spec.protocol, "mode": str(player.mode) if player.mode else "own", "seed": seed},
        with_extras=True,
    )
    games: list[Game] = []
    for event in run(env, player, lambda i: episode_seed(seed, Stream.EVALUATION, i), num_episodes=episodes):
        ended = log.add(event)
        games += ended
        if ended:
            tell(Progress(len(games), 0, episodes, 0, 0))
    return sorted(games, key=lambda game: game.episode)
