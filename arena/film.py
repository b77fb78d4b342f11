"""From games to films: a game is played again where it can be rendered, and its pictures are streamed to the encoder.

No more than one frame is held at a time, so memory stays flat however long the game is.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from gymnasium.envs.registration import load_env_creator

import envs
from arena.agent import Decision, Player, Spec
from arena.encoder import Encoder
from arena.errors import ArenaError
from arena.gamelog import SHOWN, Game
from arena.loop import Episode, observation_digest, run
from arena.nests import row_of
from arena.overlay import Panel, Shot, even, scaled
from envs.factory import find
from envs.games.rows import GameRows
from envs.rows import Rows, Step


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
    _expect_no_window()
    panel = Panel(agent, env.spec, players) if overlay else None
    for shot in _shots(env, player, seed_of, first_episode, num_episodes):
        rgb = panel.draw(shot) if panel else even(scaled(shot.picture))
        yield Frame(rgb, shot.finished)


def film(
    game: Game,
    path: Path,
    *,
    overlay: bool = True,
    fps: float | None = None,
    env: Rows | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> Path:
    """Films a game by playing it again; writes `path` atomically and returns it.

    Args:
      game: with its actions; its extras become bars on the panel.
      path: ends in .mp4 (H.264 that browsers play) or .gif.
      fps: None for the environment's own speed.
      env: where to play it, made with render=True; None makes one.
      on_frame: is called with the number of frames written so far.

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
        with Encoder(path, fps or fps_of(env.spec)) as encoder:
            episode = _write(frames, encoder, on_frame)
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
    fps: float | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> Episode:
    """Films a game while it is played, for environments in which it cannot be played again; returns its episode."""
    frames = frames_of(env, player, lambda _: seed, agent=agent, first_episode=episode, overlay=overlay)
    with Encoder(path, fps or fps_of(env.spec)) as encoder:
        return _write(frames, encoder, on_frame)


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


class _Camera(Rows):
    """One row that is photographed after every reset and step."""

    def __init__(self, env: Rows) -> None:
        assert env.num_rows == 1
        self.spec, self.num_rows = env.spec, 1
        self._env = env
        self.before = self.after = np.zeros((0, 0, 3), np.uint8)
        self.moves: dict[int, str] = {}

    def reset(self, rows: np.ndarray, seeds: np.ndarray) -> Any:
        obs = self._env.reset(rows, seeds)
        self.after = self._picture()
        return obs

    def step(self, actions: np.ndarray) -> Step:
        self.before = self.after
        if isinstance(self._env, GameRows):
            self.moves = self._env.moves()
        step = self._env.step(actions)
        self.after = self._picture()
        return step

    def render(self) -> np.ndarray:
        return self.after

    def _picture(self) -> np.ndarray:
        try:
            return self._env.render().copy()
        except Exception as error:  # drawing fails in as many ways as there are environments and drivers
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
            hint = "; without a display MuJoCo needs MUJOCO_GL=egl or osmesa" if "OpenGL" in reason else ""
            raise ArenaError(f"{self.spec.env_id} cannot be drawn here: {reason}{hint}") from error


def _expect_no_window() -> None:
    """Keeps SDL, with which many environments draw, from looking for a display, and complaining, if there is none."""
    if sys.platform == "linux" and not any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY"))):
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")


def _shots(
    env: Rows, player: Player, seed_of: Callable[[int], int], first_episode: int, num_episodes: int | None
) -> Iterator[Shot]:
    camera = _Camera(env)
    last = None if num_episodes is None else first_episode + num_episodes
    is_game = env.spec.num_seats > 1
    step, score = 0, 0.0
    for event in run(camera, player, seed_of, next_episode=first_episode, num_episodes=last):
        action = event.transition.action[0]
        extras = _shown(event.transition.extras)
        to_move = int(event.transition.obs["seat"][0]) if is_game else None
        yield Shot(camera.before, int(event.episodes[0]), step, score, action, extras, None, to_move, camera.moves)
        step, score = step + 1, score + float(np.ravel(event.transition.reward[0])[0])
        for episode in event.finished:
            yield Shot(camera.after, episode.number, step, score, action, extras, episode, None, camera.moves)
            step, score = 0, 0.0


def _shown(extras: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.asarray(extras[name][0]) for name in SHOWN if name in extras}


def _write(frames: Iterator[Frame], encoder: Encoder, on_frame: Callable[[int], None] | None) -> Episode:
    finished = None
    for frame in frames:
        encoder.write(frame.rgb)
        finished = frame.finished
        if on_frame:
            on_frame(encoder.num_frames)
    assert finished is not None
    return finished


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
