"""Pictures of a training for TensorBoard: what the agent sees, and how it plays a game of the evaluation."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

import envs
from arena.agent import Player, Spec
from arena.errors import ArenaError
from arena.film import fps_of, frames_of
from arena.monitor import Monitor
from envs.rows import Rows

_MAX_STEPS, _MAX_FRAMES = 1_200, 50


class Previews:
    """Shows the first game of the evaluations number 1, 4, 16, 64, ... and of the last one.

    Args:
      spec: of the environment that is trained in; the rendering one is made when it is first needed.
      agent: the learner's name, for the panel.
      env_settings: with which the environment was made.
      warn: told once where the environment cannot be rendered.
    """

    def __init__(self, spec: Spec, *, agent: str, env_settings: Mapping[str, Any], warn: Callable[[str], None]) -> None:
        self._spec, self._agent, self._env_settings, self._warn = spec, agent, env_settings, warn
        self._env: Rows | None = None
        self._is_off = False

    def show(self, monitor: Monitor, player: Player, seed: int, obs: np.ndarray, step: int) -> None:
        """Writes [.., H, W] `obs` where it is an image, and the game that `player` plays from `seed`."""
        if obs.dtype == np.uint8 and obs.ndim == 3:
            monitor.image("frames/observation", as_picture(obs), step)
        if self._is_off:
            return
        try:
            frames, fps = self._frames(player, seed)
        except ArenaError as error:
            self._is_off = True
            self._warn(f"no games are shown in TensorBoard: {error}")
            return
        monitor.video("frames/evaluation", np.stack(frames), step, fps)

    def _frames(self, player: Player, seed: int) -> tuple[list[np.ndarray], float]:
        """Returns between one and two times _MAX_FRAMES frames, spread over the game, and how fast to show them."""
        spec = self._spec
        if self._env is None:
            self._env = envs.make(spec.env_id, 1, preprocess=spec.preprocess, settings=self._env_settings, render=True)
        games = frames_of(self._env, player, lambda _: seed, agent=self._agent)
        frames, stride = [], 1
        for number, frame in enumerate(itertools.islice(games, _MAX_STEPS)):
            if number % stride == 0:
                frames.append(frame.rgb)
            if len(frames) == 2 * _MAX_FRAMES:
                frames, stride = frames[::2], 2 * stride
        return frames, fps_of(spec) / stride

    def close(self) -> None:
        """Frees the rendering environment."""
        if self._env is not None:
            self._env.close()


def is_shown(number: int) -> bool:
    """True for the evaluations number 1, 4, 16, 64, ..."""
    return number > 0 and number & (number - 1) == 0 and number.bit_length() % 2 == 1


def as_picture(obs: np.ndarray) -> np.ndarray:
    """Returns [H, W, 3] of an image: [H, W, 3] as it is, [K, H, W] frames side by side in grey."""
    if obs.shape[-1] == 3:
        return obs
    return np.repeat(np.concatenate(list(obs), axis=1)[..., None], 3, axis=-1)
