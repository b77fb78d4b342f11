"""A person as a player: sees the game in a window, and answers with keys."""

from __future__ import annotations

from typing import Any

import numpy as np

from arena import window
from arena.agent import Decision, Player
from arena.camera import picture_of
from arena.errors import ArenaError
from arena.keymap import Keymap
from arena.loop import Event
from arena.play import Left
from arena.scene import Scene
from arena.window import Key, Window
from envs.rows import Rows

_IDLE_FPS = 30.0  # of a window in which nothing moves
_DEAF = 20  # pictures after a game in which no key counts: whoever still plays is not to leave by it
_REPEAT_S = 0.25  # between two steps while a key is held, where time stands still without


class GivenUp(ArenaError):
    """The person gave up this game."""


class Person(Player):
    """Plays what is pressed: in real time, or a step a key where doing nothing is no action.

    begin() and act() raise GivenUp for R, and Left for Esc and where the window is closed; P pauses.

    Args:
      env: the one row that is played, made with render=True.
      keymap: what the keys mean.
      window: shows the game and has the keyboard.
      scene: draws what is shown.
      fps: decisions a second.
    """

    def __init__(self, env: Rows, keymap: Keymap, window: Window, scene: Scene, fps: float) -> None:
        super().__init__(env.spec, seed=0)
        self._env, self._keymap, self._window, self._scene, self._fps = env, keymap, window, scene, fps
        self._held: dict[str, None] = {}  # what is held, the newest last
        self._queue: list[str] = []  # what was pressed and is not yet played
        self._step, self._score = 0, 0.0
        self._is_ready = False
        if keymap.waits:
            window.repeat_keys(_REPEAT_S)

    def begin(self, episodes: np.ndarray, seeds: np.ndarray) -> Any:
        """Shows the first picture until the person begins."""
        self._step, self._score = 0, 0.0
        if not self._is_ready:
            pace = "a step a key" if self._keymap.waits else f"{self._fps:g} steps a second"
            self._rest(self._scene.game, "Space begins", pace)
        self._is_ready = False
        return ()

    def act(self, obs: Any, state: Any) -> Decision:
        self._show()
        return Decision(self._next() if self._keymap.waits else self._now())

    def see(self, event: Event) -> None:
        """Takes in what a step brought."""
        self._step += 1
        self._score += float(event.transition.reward[0])

    def rest(self, *lines: str) -> None:
        """Shows the last picture, and `lines` on it, until the person goes on to the next game."""
        self._rest(*lines, deaf=_DEAF)
        self._is_ready = True

    def _now(self) -> np.ndarray:
        """Returns the action of this moment; a key that went down and up again since the last one counts."""
        pressed = self._read(self._fps)
        action = self._keymap.choose([*(key for key in pressed if key not in self._held), *self._held], self._step)
        assert action is not None
        return action

    def _next(self) -> np.ndarray:
        """Returns the action of the next key that has one."""
        while True:
            while self._queue:
                key = self._queue.pop(0)
                action = self._keymap.choose([*(other for other in self._held if other != key), key], self._step)
                if action is not None:
                    return action
            self._queue += self._read(_IDLE_FPS)

    def _read(self, fps: float) -> list[str]:
        """Returns what was pressed until the next picture is due."""
        pressed = []
        for key in self._keys(fps):
            if key == Key("r", True):
                raise GivenUp("the game was given up")
            if key == Key("p", True):
                self._rest("paused", "P goes on", key="p")
            elif key.is_down:
                pressed.append(self._keymap.key(key.name))
        return pressed

    def _rest(self, *lines: str, key: str = "space", deaf: int = 0) -> None:
        """Shows `lines` on the game until `key` is pressed."""
        self._queue.clear()
        self._show(*lines)
        while Key(key, True) not in self._keys(_IDLE_FPS) or deaf > 0:
            deaf -= 1
        self._held.pop(key, None)  # it was for this, and no move

    def _keys(self, fps: float) -> list[Key]:
        """Returns the keys that went down and up until the next picture is due, and remembers what is held."""
        keys = self._window.wait(fps)
        for key in keys:
            if key == window.CLOSE or key == Key("escape", True):
                raise Left("the game was left")
            if key == window.ALL_UP:
                self._held.clear()
            meant = self._keymap.key(key.name)
            self._held.pop(meant, None)
            if key.is_down:
                self._held[meant] = None
        return keys

    def _show(self, *lines: str) -> None:
        self._window.show(self._scene.draw(picture_of(self._env), self._step, self._score, self._held, lines))
