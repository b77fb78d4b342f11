"""Preprocessing of Atari screens by name, vectorised over rows, in plain NumPy.

atari          84x84 grey, the last 4 frames: done by the emulator itself (see envs.atari)
cookbook-dqn   rows 31 to 195, grey, 80x80 by nearest neighbour, the last 4 frames
cookbook-pong  rows 35 to 195, every second pixel, paddles and ball 1, difference of two frames, flat
cookbook-grey  grey, contrast cut at 150, scaled into [-1, 1], flat
none           the screen as it is

The cookbook is Gulli, Kapoor & Pal, "TensorFlow 1.x Deep Learning Cookbook" (Packt, 2017), chapter 11.
"""

from __future__ import annotations

import abc
from collections.abc import Callable

import numpy as np
from gymnasium.spaces import Box

from arena.errors import DoesNotFit, UnknownName

SCREEN = (210, 160, 3)


class Preprocessor(abc.ABC):
    """Turns the screens of N rows into observations. What it remembers is per row, and begins anew at reset.

    Attributes:
      space: of one row's observation.
    """

    space: Box

    @abc.abstractmethod
    def reset(self, rows: np.ndarray, screens: np.ndarray) -> np.ndarray:
        """Returns the first [K, ...] observations of [K] `rows`, from their [K, 210, 160, 3] uint8 screens."""

    @abc.abstractmethod
    def step(self, screens: np.ndarray) -> np.ndarray:
        """Returns fresh [N, ...] observations from the [N, 210, 160, 3] uint8 screens of all rows."""


class Memoryless(Preprocessor):
    """Each observation is the picture of its own screen."""

    def __init__(self, picture: Callable[[np.ndarray], np.ndarray], space: Box) -> None:
        self.space, self._picture = space, picture

    def reset(self, rows: np.ndarray, screens: np.ndarray) -> np.ndarray:
        return self._picture(screens)

    def step(self, screens: np.ndarray) -> np.ndarray:
        return self._picture(screens)


class LastFour(Preprocessor):
    """The last 4 pictures, oldest first: [4, 80, 80] uint8. An episode begins with its first picture four times."""

    space = Box(0, 255, (4, 80, 80), np.uint8)

    def __init__(self, num_rows: int) -> None:
        self._last = np.zeros((num_rows, 4, 80, 80), np.uint8)

    def reset(self, rows: np.ndarray, screens: np.ndarray) -> np.ndarray:
        first = np.repeat(small_grey(screens)[:, None], 4, axis=1)
        self._last = self._last.copy()  # the one before was handed out
        self._last[rows] = first
        return first

    def step(self, screens: np.ndarray) -> np.ndarray:
        stack = np.empty_like(self._last)
        stack[:, :3] = self._last[:, 1:]
        stack[:, 3] = small_grey(screens)
        self._last = stack
        return stack


class Difference(Preprocessor):
    """A picture less the one before: 6,400 float32 of -1, 0 and 1. An episode begins with zeros, as nothing moved."""

    space = Box(-1.0, 1.0, (6400,), np.float32)

    def __init__(self, num_rows: int) -> None:
        self._last = np.zeros((num_rows, 6400), np.float32)

    def reset(self, rows: np.ndarray, screens: np.ndarray) -> np.ndarray:
        self._last[rows] = pong_objects(screens)
        return np.zeros((len(rows), 6400), np.float32)

    def step(self, screens: np.ndarray) -> np.ndarray:
        current = pong_objects(screens)
        moved = current - self._last
        self._last = current
        return moved


# Nearest neighbour: pixel i of 80 comes from pixel floor(i * size / 80), as in OpenCV and TensorFlow 1.
_NEAREST_ROWS = 31 + np.arange(80) * 164 // 80


def small_grey(screens: np.ndarray) -> np.ndarray:
    """Returns [N, 80, 80] uint8: rows 31 to 195 by nearest neighbour, luma (ITU-R BT.601) rounded."""
    near = screens[:, _NEAREST_ROWS, ::2]
    luma = near[..., 0] * np.uint32(299) + near[..., 1] * np.uint32(587) + near[..., 2] * np.uint32(114)
    luma += 500
    luma //= 1000
    return luma.astype(np.uint8)


_IS_OBJECT = np.ones(256, np.float32)
_IS_OBJECT[[0, 109, 144]] = 0.0  # black, and the red of Pong's two background colours


def pong_objects(screens: np.ndarray) -> np.ndarray:
    """Returns [N, 6400] float32, 1 where a paddle or the ball is: every second pixel of rows 35 to 195.

    Source: the cookbook, after A. Karpathy, "Deep Reinforcement Learning: Pong from Pixels" (2016).
    """
    objects: np.ndarray = _IS_OBJECT[screens[:, 35:195:2, ::2, 0]]
    return objects.reshape(len(screens), 6400)


_CONTRAST = ((np.arange(3 * 255 + 1) / 3 - 128) / 128).astype(np.float32)
_CONTRAST[3 * 150] = -1.0


def flat_grey(screens: np.ndarray) -> np.ndarray:
    """Returns [N, 33600] float32 in [-1, 1): the mean of the channels, less 128, over 128.

    The contrast is cut as the cookbook does it: grey of exactly 150 becomes black. In Ms. Pac-Man that
    is the maze, (228, 111, 111), and what moves in it remains. The cookbook takes 1 off twice, which
    ends in [-2, 0]; here once, as it says.
    """
    total = screens[..., 0].astype(np.uint16)
    total += screens[..., 1]
    total += screens[..., 2]
    grey: np.ndarray = _CONTRAST[total]
    return grey.reshape(len(screens), -1)


#: Preprocessing that works on colour screens: its name -> makes one for N rows.
ON_SCREENS: dict[str, Callable[[int], Preprocessor]] = {
    "cookbook-dqn": LastFour,
    "cookbook-pong": Difference,
    "cookbook-grey": lambda num_rows: Memoryless(flat_grey, Box(-1.0, 1.0, (210 * 160,), np.float32)),
    "none": lambda num_rows: Memoryless(lambda screens: screens, Box(0, 255, SCREEN, np.uint8)),
}

NAMES = ("atari", *ON_SCREENS)


def choose(env_id: str, name: str | None, is_atari: bool) -> str:
    """Returns the preprocessing to use: `name`, or the environment's default where it is None.

    Raises:
      UnknownName: there is no such preprocessing.
      DoesNotFit: it is for Atari screens, and this environment has none.
    """
    if name is None:
        return "atari" if is_atari else "none"
    if name not in NAMES:
        raise UnknownName("preprocessing", name, NAMES)
    if name != "none" and not is_atari:
        raise DoesNotFit(f"preprocessing {name!r} is for ALE/* games; {env_id} takes 'none' only")
    return name
