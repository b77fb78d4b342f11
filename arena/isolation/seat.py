"""The agent's side: what runs in a seat's process. It builds the player that a reference names and answers for it.

Whatever the player does is answered with a message or ends the process; the runner takes nothing of it on trust.
"""

from __future__ import annotations

import os
import random
import sys
import traceback
from collections.abc import Callable
from typing import Any

import numpy as np

from arena import registry
from arena.agent import Decision, Mode, Player
from arena.errors import BrokenPlugin, DoesNotFit
from arena.isolation import processes, sandbox, specs
from arena.isolation.attempts import attempt
from arena.isolation.output import one_line
from arena.isolation.states import NotRows, Packer
from arena.isolation.wire import Closed, Frame, Line
from arena.tournaments.records import ForfeitType

NESTED = "obs/"  # begins the names of a game's observations on the wire
SHOWN = ("q", "probs")

Answer = tuple[dict[str, Any], dict[str, np.ndarray]]


def play(line: Line, order: Frame) -> None:
    """Confines this process, builds the player that is ordered, and answers for it until the line is closed."""
    told = order.message
    os.environ.clear()
    os.environ.update(told["environment"])
    os.chdir(told["folder"])
    sys.path += told["import_from"]
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    readable = [*told["readable"], f"/proc/{processes.own_pid()}"]
    missing = sandbox.confine(readable, [told["folder"], "/dev/null"])
    random.seed(told["seed"])
    np.random.seed(told["seed"] % (1 << 32))  # for players that draw from it, so that they play alike every time
    try:
        line.send({"missing": missing}, {})
        first = line.receive()
        if first.message["ask"] == "attempt":
            return line.send(attempt(first.message), {})
        seat = _Seat()
        line.send(*_answer(lambda: seat.build(order)))
        while True:
            asked = line.receive()
            line.send(*_answer(lambda asked=asked: seat.answer(asked)))  # type: ignore[misc]
    except Closed:
        return


class _Seat:
    """A player, and its state's form."""

    def __init__(self) -> None:
        self._player: Player
        self._packer = Packer()

    def build(self, order: Frame) -> Answer:
        """Builds the player."""
        told = order.message
        mode = Mode.parse(told["mode"]) if told["mode"] else None
        with _Charge(ForfeitType.FAILED_IMPORT):
            reference = registry.resolve_isolated(told["ref"])
        spec = specs.from_wire(told["spec"], order.arrays)
        self._player = reference.player(spec, seed=told["seed"], mode=mode, settings=told["settings"])
        return {"mode": str(self._player.mode) if self._player.mode else ""}, {}

    def answer(self, asked: Frame) -> Answer:
        """Returns the first state of new episodes, or a decision and the state after it."""
        player, arrays = self._player, asked.arrays
        if asked.message["ask"] == "begin":
            seeds = arrays["seeds"]
            with BrokenPlugin.guard(player, "initial_state"):
                state = player.initial_state(seeds)
            return {}, {"state": self._packer.pack(state, len(seeds))}
        state = arrays.pop("state")
        num_rows = len(state)
        obs: Any = arrays.get("obs")
        if obs is None:
            obs = {name.removeprefix(NESTED): array for name, array in arrays.items()}
        with BrokenPlugin.guard(player, "act"):
            decision = player.act(obs, self._packer.unpack(state))
        if not isinstance(decision, Decision) or not _is_plain(decision.action):
            what = type(decision.action if isinstance(decision, Decision) else decision).__name__
            raise _Fault(ForfeitType.WRONG_SHAPE, f"act() must return a Decision with an array of actions, not {what}")
        shown = {name: decision.extras[name] for name in SHOWN if _is_plain(decision.extras.get(name))}
        return {}, {"action": decision.action, "state": self._packer.pack(decision.state, num_rows), **shown}


class _Fault(Exception):
    """What a player did, said by its own process: it may spare the runner from finding out."""

    def __init__(self, type: ForfeitType, reason: str) -> None:
        super().__init__(reason)
        self.type = type


class _Charge:
    """Turns the failures of a block into faults of one type."""

    def __init__(self, type: ForfeitType) -> None:
        self._type = type

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is not None and not _is_for_memory(error):
            raise _Fault(self._type, str(error)) from error


def _answer(ask: Callable[[], Answer]) -> Answer:
    try:
        return ask()
    except DoesNotFit as error:
        return {"does not fit": one_line(str(error))}, {}
    except BaseException as error:
        traceback.print_exc()
        return {"forfeit": _type_of(error), "reason": one_line(_reason(error))}, {}


def _type_of(error: BaseException) -> ForfeitType:
    if _is_for_memory(error):
        return ForfeitType.OUT_OF_MEMORY
    if isinstance(error, _Fault):
        return error.type
    if isinstance(error, SystemExit):
        return ForfeitType.EXIT
    return ForfeitType.WRONG_SHAPE if isinstance(error, NotRows) else ForfeitType.CRASH


def _reason(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"it called sys.exit({error.code!r})"
    return str(error) if isinstance(error, _Fault | NotRows | BrokenPlugin) else f"{type(error).__name__}: {error}"


def _is_for_memory(error: BaseException | None) -> bool:
    """True for a MemoryError, and for what was raised from one."""
    return error is not None and (isinstance(error, MemoryError) or _is_for_memory(error.__cause__))


def _is_plain(value: Any) -> bool:
    return isinstance(value, np.ndarray) and not value.dtype.hasobject
