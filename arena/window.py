"""A window on the screen: pictures at a steady pace, and the keys that are pressed in it."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from arena.errors import ArenaError


class Key(NamedTuple):
    """A key that went down or up, by its name ("left", "space", "p")."""

    name: str
    is_down: bool


CLOSE = Key("close", True)  # the window is to be closed
ALL_UP = Key("", False)  # the keyboard belongs to another window now: no key is held


class Window:
    """Shows pictures; opened() makes one. It appears with the first picture and has its size."""

    def __init__(self, pygame: Any, title: str) -> None:
        self._pygame, self._title = pygame, title
        self._surface: Any = None
        self._clock = pygame.time.Clock()

    def show(self, rgb: np.ndarray) -> None:
        """Shows an [H, W, 3] uint8 picture."""
        pygame, size = self._pygame, (rgb.shape[1], rgb.shape[0])
        if self._surface is None or self._surface.get_size() != size:
            self._surface = pygame.display.set_mode(size)
            pygame.display.set_caption(self._title)
        self._surface.blit(pygame.image.frombuffer(rgb.tobytes(), size, "RGB"), (0, 0))
        pygame.display.flip()

    def repeat_keys(self, period_s: float) -> None:
        """Lets a key that stays down go down again after each `period_s`, the first time a little later."""
        self._pygame.key.set_repeat(round(1500 * period_s), round(1000 * period_s))

    def wait(self, fps: float) -> list[Key]:
        """Returns what was pressed and released, after the rest of the time that a picture lasts at `fps`."""
        self._clock.tick(fps)
        pygame = self._pygame
        keys = []
        for event in pygame.event.get():
            if event.type in (pygame.KEYDOWN, pygame.KEYUP):
                keys.append(Key(pygame.key.name(event.key), event.type == pygame.KEYDOWN))
            elif event.type == pygame.WINDOWFOCUSLOST:
                keys.append(ALL_UP)
            elif event.type == pygame.QUIT:
                keys.append(CLOSE)
        return keys


@contextlib.contextmanager
def opened(title: str, instead: str) -> Iterator[Window]:
    """Gives a window. Raises ArenaError where there is no display; `instead` is what can be done then."""

    def no_display(reason: str) -> ArenaError:
        return ArenaError(f"there is no display to show the game on ({reason}); {instead}")

    if sys.platform == "linux" and not any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"))):
        raise no_display("neither DISPLAY nor WAYLAND_DISPLAY is set")
    os.environ.setdefault("SDL_FRAMEBUFFER_ACCELERATION", "0")  # a window drawn with OpenGL takes MuJoCo's context away
    import pygame

    try:
        pygame.display.init()
        driver = pygame.display.get_driver()
        if driver in ("dummy", "offscreen") and os.environ.get("SDL_VIDEODRIVER") != driver:
            raise no_display("SDL found no window system")
        yield Window(pygame, title)
    except pygame.error as error:
        raise no_display(str(error)) from error
    finally:
        pygame.display.quit()
