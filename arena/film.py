"""From games to films: a game is played again where it can be rendered, and its pictures are streamed to the encoder.

No more than one frame is held at a time, so memory stays flat however long the game is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import load_env_creator

import envs
from arena.agent import Decision, Player, Spec
from arena.camera import shots_of
from arena.encoder import Encoder
from arena.errors import ArenaError
from arena.gamelog import Game
from arena.loop import Episode, observation_digest
from arena.nests import row_of
from arena.overlay import Panel
from arena.pace import AS_IT_IS, HOLD_S, Look, Pace
from arena.pictures import even, fitted, scaled
from envs.factory import find
from envs.rows import Rows


class NotReproducible(ArenaError):
    """A game that, played again from its seed and actions, is another one."""


class Frame(NamedTuple):
    """A finished picture, [H, W, 3] uint8 with even sides, and the episode whose last one it is."""

    rgb: np.ndarray
    finished: Episode | None


def frames_of(
    env: Rows,
    player: Player,
    seed_of: Callable[[int], int],
    *,
    agent: str,
    first_episode: int = 0,
    num_episodes: int | None = 1,
    overlay: bool = True,
    players: tuple[str, ...] = (),
) -> Iterator[Frame]:
    """Yields the frames of the games that `player` plays in `env`: length + 1 of each, one at a time.

    Args:
      env: one row, made with render=True.
      seed_of: gives the seed of episode i.
      agent: the player's name on the panel.
      first_episode: the number of the first game.
      num_episodes: how many games; None for no end.
      overlay: with the panel of arena.overlay, or the picture alone.
      players: in a game of several seats, the names on the panel, by seat.
    """
    panel = Panel(agent, env.spec, players) if overlay else None
    for shot in shots_of(env, player, seed_of, first_episode, num_episodes):
        rgb = panel.draw(shot) if panel else even(scaled(shot.picture))
        yield Frame(rgb, shot.finished)


def film(
    game: Game,
    path: Path,
    *,
    overlay: bool = True,
    look: Look = AS_IT_IS,
    env: Rows | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> Path:
    """Films a game by playing it again; writes `path` atomically and returns it.

    Args:
      game: with its actions; its extras become bars on the panel.
      path: ends in .mp4 (H.264 that browsers play) or .gif.
      look: what is shown of it.
      env: where to play it, made with render=True; None makes one.
      on_frame: is called with the number of frames drawn so far.

    Raises:
      NotReproducible: the replay has another return, length or end than the game.
      ArenaError: the film could not be written. What was at `path` before is still there.
    """
    with contextlib.ExitStack() as stack:
        if env is None:
            env = envs.make(game.env_id, 1, preprocess=game.preprocess, settings=game.env_settings, render=True)
            stack.callback(env.close)
        replay, first = Replay(env.spec, game), game.episode
        frames = frames_of(
            env,
            replay,
            lambda _: game.seed,
            agent=game.agent,
            first_episode=first,
            overlay=overlay,
            players=game.players,
        )
        pace = Pace(fps_of(env.spec), look, path.suffix[1:])
        with Encoder(path, pace.fps) as encoder:
            episode = _write(frames, encoder, pace, look.width, on_frame)
            _check_same(game, episode)
    return path


def film_live(
    player: Player,
    env: Rows,
    path: Path,
    *,
    seed: int,
    agent: str,
    episode: int = 0,
    overlay: bool = True,
    look: Look = AS_IT_IS,
    on_frame: Callable[[int], None] | None = None,
) -> Episode:
    """Films a game while it is played, for environments in which it cannot be played again; returns its episode."""
    frames = frames_of(env, player, lambda _: seed, agent=agent, first_episode=episode, overlay=overlay)
    pace = Pace(fps_of(env.spec), look, path.suffix[1:])
    with Encoder(path, pace.fps) as encoder:
        return _write(frames, encoder, pace, look.width, on_frame)


def fps_of(spec: Spec) -> float:
    """Returns how many steps of the environment are a second of its own time; 30 where it does not say.

    The Atari 2600 shows 60 frames a second. Others give "render_fps" in their class's metadata, or (MuJoCo)
    in the instance's. A move of a game lasts half a second; of Atari's, all seats' together a frame.
    """
    if spec.num_seats > 1:
        return 60.0 * spec.num_seats if "sticky_actions" in spec.protocol else 2.0
    if spec.env_id.startswith("ALE/"):
        return 60.0 / float(spec.protocol.get("frame_skip", 4))
    registered = find(spec.env_id)
    maker: Any = registered.entry_point
    metadata = getattr(load_env_creator(maker) if isinstance(maker, str) else maker, "metadata", {})
    if "render_fps" not in metadata:
        with contextlib.closing(gym.make(registered)) as env:
            metadata = env.metadata
    return float(metadata.get("render_fps", 30.0))


class Replay(Player):
    """Plays the actions of a game once more. Raises NotReproducible where the environment goes on after the last."""

    def __init__(self, spec: Spec, game: Game) -> None:
        super().__init__(spec, seed=0)
        self._game = game

    def initial_state(self, seeds: np.ndarray) -> np.ndarray:
        return np.zeros(len(seeds), np.int64)

    def act(self, obs: Any, state: np.ndarray) -> Decision:
        step = int(state[0])
        if step >= len(self._game.actions):
            raise NotReproducible(f"{_which(self._game)} ended after {step} steps; played again, it goes on")
        is_last = step == len(self._game.actions) - 1
        if is_last and self._game.digest and observation_digest(row_of(obs, 0)) != self._game.digest:
            raise NotReproducible(f"{_which(self._game)} looked otherwise at its end when it was played again")
        extras = {name: values[step][None] for name, values in self._game.extras.items()}
        return Decision(self._game.actions[step][None], state + 1, extras)


def _write(
    frames: Iterator[Frame], encoder: Encoder, pace: Pace, width: int | None, on_frame: Callable[[int], None] | None
) -> Episode:
    for number, frame in enumerate(frames, 1):
        if pace.wants():
            encoder.write(fitted(frame.rgb, width))
        if on_frame:
            on_frame(number)
    if pace.is_cut:
        encoder.hold(fitted(frame.rgb, width), HOLD_S)
    assert frame.finished is not None
    return frame.finished


def _check_same(game: Game, again: Episode) -> None:
    then = game.returns or (game.ret,)
    now = again.returns[: len(then)]
    if (now, again.length, again.truncated) != (then, game.length, game.truncated):
        had, has = (", ".join(f"{ret:g}" for ret in returns) for returns in (then, now))
        raise NotReproducible(
            f"{_which(game)} had return {had} after {game.length} steps; played again, {has} after {again.length}"
        )


def _which(game: Game) -> str:
    return f"game {game.episode} of {game.agent} on {game.env_id} (seed {game.seed})"
