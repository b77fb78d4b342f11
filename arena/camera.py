"""Games as they are seen: every moment of them, with its picture and what the player did in it, one at a time."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from arena.agent import Player
from arena.errors import ArenaError
from arena.gamelog import SHOWN
from arena.loop import run
from arena.overlay import Shot
from envs.games.rows import GameRows
from envs.rows import Rows, Step


def shots_of(
    env: Rows,
    player: Player,
    seed_of: Callable[[int], int],
    first_episode: int = 0,
    num_episodes: int | None = 1,
) -> Iterator[Shot]:
    """Yields every moment of the games that `player` plays in `env`; see frames_of for the arguments."""
    _expect_no_window()
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
        self.after = picture_of(self._env)
        return obs

    def step(self, actions: np.ndarray) -> Step:
        self.before = self.after
        if isinstance(self._env, GameRows):
            self.moves = self._env.moves()
        step = self._env.step(actions)
        self.after = picture_of(self._env)
        return step

    def render(self) -> np.ndarray:
        return self.after


def picture_of(env: Rows) -> np.ndarray:
    """Returns the picture of row 0, [H, W, 3] uint8. Raises ArenaError where it cannot be drawn."""
    try:
        return env.render().copy()
    except Exception as error:  # drawing fails in as many ways as there are environments and drivers
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        hint = "; without a display MuJoCo needs MUJOCO_GL=egl or osmesa" if "OpenGL" in reason else ""
        raise ArenaError(f"{env.spec.env_id} cannot be drawn here: {reason}{hint}") from error


def _expect_no_window() -> None:
    """Keeps SDL, with which many environments draw, from looking for a display, and complaining, if there is none."""
    if sys.platform == "linux" and not any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY"))):
        os.environ.setdefault("SDL_VIDEODRIVER", "dummy")


def _shown(extras: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name: np.asarray(extras[name][0]) for name in SHOWN if name in extras}
