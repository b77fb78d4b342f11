"""Agents that do harm, every one in its own way, on the seventh move of every game where it is not said otherwise."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import numpy as np

from arena import agent
from arena.agent import Decision, Player, Spec

_MIB = 1 << 20


class _Hostile(Player):
    """Plays like a good agent until its seventh move."""

    def __init__(self, spec: Spec, *, seed: int, settings: Any = None) -> None:
        super().__init__(spec, seed=seed, settings=settings)
        self._moves = 0

    def act(self, obs: Any, state: Any) -> Decision:
        self._moves += 1
        action = self._action(obs)
        return Decision(self.harm(action) if self._moves == 7 else action, state)

    def harm(self, action: np.ndarray) -> np.ndarray:
        """Does it; returns the action to play, if it comes to that."""
        raise NotImplementedError

    def _action(self, obs: np.ndarray) -> np.ndarray:
        if self.spec.action_space.shape:
            return np.zeros((len(obs), *self.spec.action_space.shape), np.float32)
        return (obs[:, 2] + obs[:, 3] > 0).astype(np.int64)


class RaisesAtStart(_Hostile):
    """Fails as it is built."""

    def __init__(self, spec: Spec, *, seed: int, settings: Any = None) -> None:
        raise ValueError("no start today")


class RaisesOnMoveSeven(_Hostile):
    """Fails in a move."""

    def harm(self, action: np.ndarray) -> np.ndarray:
        raise KeyError("move seven")


class Hangs(_Hostile):
    """Never answers."""

    def harm(self, action: np.ndarray) -> np.ndarray:
        while True:
            pass


class SleepsTooLong(_Hostile):
    """Answers just after the limit."""

    class Settings(agent.Settings):
        """`late_s` is how long it sleeps."""

        late_s: float

    def harm(self, action: np.ndarray) -> np.ndarray:
        time.sleep(self.settings.late_s)
        return action


class WrongShape(_Hostile):
    """Answers with one action too many."""

    def harm(self, action: np.ndarray) -> np.ndarray:
        return np.concatenate([action, action])


class NotANumber(_Hostile):
    """Answers with NaN, where actions are numbers on a scale; elsewhere it plays on."""

    def harm(self, action: np.ndarray) -> np.ndarray:
        return action * np.float32("nan") if action.dtype == np.float32 else action


class IllegalAction(_Hostile):
    """Answers with an action that there is not."""

    def harm(self, action: np.ndarray) -> np.ndarray:
        return action + 99


class Exits(_Hostile):
    """Ends its process, without any of Python's farewells."""

    def harm(self, action: np.ndarray) -> np.ndarray:
        os._exit(3)


class Allocates(_Hostile):
    """Takes 64 GB of memory, and writes to all of it."""

    def harm(self, action: np.ndarray) -> np.ndarray:
        taken = [np.ones(64 * _MIB, np.uint8) for _ in range(1024)]
        return action + np.int64(len(taken) == 0)


class Forks(_Hostile):
    """Leaves children behind that want to outlive it, in sessions of their own, and then crashes."""

    def harm(self, action: np.ndarray) -> np.ndarray:
        for _ in range(5):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    time.sleep(3600)
                os._exit(0)
        raise RuntimeError("my children play on")


class Prints(_Hostile):
    """Prints 1 GB, and then crashes."""

    def harm(self, action: np.ndarray) -> np.ndarray:
        line = "spam and eggs " * 4681 + "\n"
        for _ in range((1 << 30) // len(line)):
            sys.stdout.write(line)
        raise RuntimeError("all said")
