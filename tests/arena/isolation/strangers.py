"""Agents that the tests of isolation play: good ones, and some that fail or cheat in ways of their own."""

from __future__ import annotations

import ctypes
import json
import os
import random
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from arena import agent, seeding
from arena.agent import Decision, Player, Spec
from arena.errors import DoesNotFit
from arena.isolation.attempts import attempt


class Leans(Player):
    """Pushes the cart to where its pole falls; shows what it thinks; plays the first legal action in games."""

    def act(self, obs: Any, state: Any) -> Decision:
        if isinstance(obs, dict):
            return Decision(obs["legal"].argmax(1), state)
        lean = obs[:, 2] + obs[:, 3]
        return Decision((lean > 0).astype(np.int64), state, {"q": np.stack([-lean, lean], 1), "hidden": lean})


class Memory(NamedTuple):
    """What Remembers remembers."""

    key: np.ndarray
    seen: dict[str, Any]


class Remembers(Player):
    """Plays at random with a key in its state, and by what it saw first in the episode."""

    def initial_state(self, seeds: np.ndarray) -> Memory:
        blank = np.zeros((len(seeds), 4), np.float32), np.zeros(len(seeds), bool)
        return Memory(seeding.row_keys(seeds), {"first": [*blank], "steps": np.zeros((len(seeds), 1, 1), np.int16)})

    def act(self, obs: np.ndarray, state: Memory) -> Decision:
        first, is_set = state.seen["first"]
        first[~is_set] = obs[~is_set]
        draw, key = seeding.row_uniform(state.key)
        action = (draw + first[:, 2] + 0.01 * state.seen["steps"][:, 0, 0] > 0.5).astype(np.int64)
        seen = {"first": [first, np.ones_like(is_set)], "steps": state.seen["steps"] + np.int16(1)}
        return Decision(action, Memory(key, seen))


class DrawsFromGlobals(Player):
    """Plays by Python's and NumPy's global generators, which it never seeds."""

    def act(self, obs: np.ndarray, state: Any) -> Decision:
        return Decision((np.random.random(len(obs)) + random.random() > 1).astype(np.int64), state)


class Refuses(Player):
    """Fits no environment."""

    def __init__(self, spec: Spec, *, seed: int, settings: Any = None) -> None:
        raise DoesNotFit(f"{spec.env_id} is beneath it")

    def act(self, obs: np.ndarray, state: Any) -> Decision:
        raise AssertionError


class _Settings(agent.Settings):
    how: str = ""


class Misbehaves(Leans):
    """Does what its setting `how` names, at its first move."""

    Settings = _Settings

    def act(self, obs: np.ndarray, state: Any) -> Decision:
        decision = super().act(obs, state)
        return getattr(self, f"_{self.settings.how}")(decision) or decision

    def _segfault(self, _: Decision) -> None:
        ctypes.string_at(0)

    def _kill_itself(self, _: Decision) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def _exit_politely(self, _: Decision) -> None:
        sys.exit("good bye")

    def _want_memory(self, _: Decision) -> None:
        raise MemoryError("too much")

    def _allocate_in_a_child(self, _: Decision) -> None:
        if os.fork() == 0:
            taken = [np.ones(1 << 24, np.uint8) for _ in range(32)]
            time.sleep(3600 + len(taken))
        time.sleep(3600)

    def _allocate_later(self, _: Decision) -> None:
        threading.Thread(target=lambda: setattr(self, "taken", np.ones(1 << 29, np.uint8)), daemon=True).start()

    def _fork_without_end(self, _: Decision) -> None:
        while True:
            if os.fork() == 0:
                time.sleep(3600)

    def _ignore_the_contract(self, _: Decision) -> Any:
        return 1

    def _answer_with_a_list(self, decision: Decision) -> Decision:
        return decision._replace(action=decision.action.tolist())

    def _answer_with_objects(self, decision: Decision) -> Decision:
        return decision._replace(action=decision.action.astype(object))

    def _answer_with_floats(self, decision: Decision) -> Decision:
        return decision._replace(action=decision.action.astype(np.float64))

    def _change_its_state(self, decision: Decision) -> Decision:
        return decision._replace(state=np.zeros(len(decision.action)))

    def _hold_an_object(self, decision: Decision) -> Decision:
        return decision._replace(state=self)

    def _write_on_the_line(self, _: Decision) -> None:
        for descriptor in _sockets():
            os.write(descriptor, b"\xff" * 64)

    def _close_the_line(self, _: Decision) -> None:
        for descriptor in _sockets():
            os.close(descriptor)
        time.sleep(3600)

    def _claim_another_type(self, _: Decision) -> None:
        header = json.dumps({"forfeit": "bribery", "reason": "\x1b[31m" + "x" * 9999, "arrays": []}).encode()
        for descriptor in _sockets():
            os.write(descriptor, len(header).to_bytes(4, "little") + bytes(4) + header)
        time.sleep(3600)

    def _bury_its_folder(self, _: Decision) -> None:
        for _ in range(1500):
            os.mkdir("deep")
            os.chdir("deep")
        Path("locked").mkdir(mode=0)

    def _print(self, _: Decision) -> None:
        for number in range(20_000):
            print(f"line {number}", file=sys.stderr if number % 2 else sys.stdout, flush=True)

    def _nap(self, _: Decision) -> None:
        time.sleep(0.05)


class EscapeSettings(agent.Settings):
    """What to aim at; see arena.isolation.attempts."""

    told: dict[str, Any] | None = None
    secrets: tuple[str, ...] = ()


class Escapes(Leans):
    """Tries to get out as it is built, and prints what it could do."""

    Settings = EscapeSettings

    def __init__(self, spec: Spec, *, seed: int, settings: Any = None) -> None:
        super().__init__(spec, seed=seed, settings=settings)
        could = attempt(self.settings.told) if self.settings.told else {}
        could["read"] = [path for path in self.settings.secrets if _can_read(path)]
        print(json.dumps(could))


def _can_read(path: str) -> bool:
    try:
        return bool(Path(path).read_bytes())
    except OSError:
        return False


def _sockets() -> list[int]:
    return [descriptor for descriptor in map(int, os.listdir("/dev/fd")) if _is_socket(descriptor)]


def _is_socket(descriptor: int) -> bool:
    try:
        return os.readlink(f"/dev/fd/{descriptor}").startswith("socket:")
    except OSError:
        return False
