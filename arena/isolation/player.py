"""A player whose code runs in a process of its own: what goes wrong there costs it the game, and nobody else."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from arena.agent import Decision, Mode, Player, Spec
from arena.errors import ArenaError, DoesNotFit
from arena.isolation import access, specs
from arena.isolation.forfeited import Forfeited, SeatLost
from arena.isolation.limits import Limits
from arena.isolation.output import one_line
from arena.isolation.process import Process
from arena.isolation.referee import Foul, check
from arena.isolation.seat import NESTED, SHOWN
from arena.isolation.warden import MAX_PROCESSES, Report
from arena.isolation.wire import Closed, Deadline, Frame, Late, Malformed
from arena.sources import locate
from arena.tournaments.records import ForfeitType


class IsolatedPlayer(Player):
    """Plays what a reference names, in a process of its own, from entering the context to leaving it.

    It answers as that player would in this process: same observations and seeds, same actions. What its code prints
    is in `log` at the end. Entering, initial_state() and act() raise:

      Forfeited: the agent did what costs it the game.
      SeatLost: its process was lost, through no fault of its own.

    and entering also DoesNotFit, where the agent refuses the spaces, and what arena.sources.locate() raises.
    """

    def __init__(
        self,
        name: str,
        ref: str,
        spec: Spec,
        *,
        seed: int,
        settings: Mapping[str, Any] | None = None,
        mode: Mode | None = None,
        limits: Limits | None = None,
        hidden: Iterable[str | Path] = (),
    ) -> None:
        """Takes what registry.Reference.player() takes, and:

        Args:
          name: what forfeits call the agent.
          limits: what it may use.
          hidden: files and folders that it must not read, even where they lie beside its own.
        """
        self.spec, self.seed, self.settings = spec, seed, dict(settings or {})
        self.name, self.ref, self.log = name, ref, ""
        self._limits = limits or Limits()
        self._hidden = [Path(path) for path in hidden]
        self._mode = mode
        self.process: Process | None = None
        self._state_size = 0
        self._spoken: dict[str, str] = {}

    def __enter__(self) -> Self:
        source = locate(self.ref)
        spec, arrays = specs.to_wire(self.spec)
        order = {
            "ref": source.ref,
            "spec": spec,
            "seed": self.seed,
            "settings": self.settings,
            "mode": str(self._mode) if self._mode else "",
            "import_from": access.import_from(source),
        }
        self.process = Process(order, arrays, access.readable(source, self._hidden), self._limits)
        self._spoken = {source.ref: self.ref, self.process.folder: "~"}
        if source.path is not None:
            self._spoken[f"{source.path.parent}/"] = ""
        try:
            answer = self._ask({"ask": "build"}, {}, self._limits.start_s, "its start").message
        except BaseException:
            self.close()
            raise
        self._mode = _mode(answer.get("mode"))
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def mode(self) -> Mode | None:
        return self._mode

    def initial_state(self, seeds: np.ndarray) -> np.ndarray:
        """Returns the [N] rows' first state as [N, B] bytes, whose meaning only the agent's process knows."""
        seeds = np.asarray(seeds, np.int64)
        frame = self._ask({"ask": "begin"}, {"seeds": seeds}, self._limits.move_s, "its first state")
        state = frame.arrays.get("state")
        self._state_size = state.shape[1] if state is not None and state.ndim == 2 else -1
        return self._checked_state(state, len(seeds))

    def act(self, obs: Any, state: np.ndarray) -> Decision:
        arrays = {NESTED + name: array for name, array in obs.items()} if isinstance(obs, Mapping) else {"obs": obs}
        frame = self._ask({"ask": "act"}, {"state": state, **arrays}, self._limits.move_s, "a move")
        action = frame.arrays.get("action")
        num_rows = len(state)
        try:
            check(action, self.spec.action_space, obs, num_rows)
        except Foul as foul:
            raise self._forfeit(foul.type, str(foul)) from None
        assert action is not None
        shown = {name: frame.arrays[name] for name in SHOWN if _can_be_shown(frame.arrays.get(name), num_rows)}
        return Decision(action, self._checked_state(frame.arrays.get("state"), num_rows), shown)

    def close(self) -> None:
        """Ends the process and all that it started, and removes its folder. Does nothing the second time."""
        if self.process is not None:
            self._end()

    def _ask(self, message: dict[str, Any], arrays: dict[str, np.ndarray], limit_s: float, what: str) -> Frame:
        if self.process is None:
            raise SeatLost(f"the process of {self.name} is not running")
        line, deadline = self.process.line, Deadline(limit_s)
        try:
            line.send(message, arrays, deadline)
            frame = line.receive(deadline)
        except Late:
            raise self._forfeit(ForfeitType.TIMEOUT, f"{what} took longer than {limit_s:g} s") from None
        except Malformed as error:
            raise self._forfeit(ForfeitType.CRASH, f"it broke the protocol: {error}") from None
        except Closed:
            raise self._ended() from None
        answer = frame.message
        if "does not fit" in answer and message["ask"] == "build":
            raise DoesNotFit(self._line(answer["does not fit"]))
        if "forfeit" in answer:
            types = {str(type): type for type in ForfeitType}
            raise self._forfeit(types.get(answer["forfeit"], ForfeitType.CRASH), answer.get("reason"))
        return frame

    def _checked_state(self, state: np.ndarray | None, num_rows: int) -> np.ndarray:
        if state is None or state.dtype != np.uint8 or state.shape != (num_rows, self._state_size):
            raise self._forfeit(ForfeitType.CRASH, "it broke the protocol: no state")
        return state

    def _ended(self) -> ArenaError:
        """Returns what its process came to by itself."""
        report = self._end()
        if report is None:
            return SeatLost(f"the process of {self.name} was lost")
        if report.was_running:
            return self._forfeit(ForfeitType.CRASH, "it closed its line to the runner", report)
        if os.WIFEXITED(report.status):
            return self._forfeit(
                ForfeitType.EXIT, f"its process exited with code {os.WEXITSTATUS(report.status)}", report
            )
        killer = signal.Signals(os.WTERMSIG(report.status)).name
        return self._forfeit(ForfeitType.CRASH, f"its process was killed by {killer}", report)

    def _forfeit(self, type: ForfeitType, reason: Any, report: Report | None = None) -> Forfeited:
        """Ends its process; returns what to raise."""
        report = report or self._end()
        if report is not None and report.broke == "memory":
            held = f"{report.peak_bytes >> 20:,} MiB of memory; the limit is {self._limits.memory_mb:,} MiB"
            type, reason = ForfeitType.OUT_OF_MEMORY, f"it held {held}"
        elif report is not None and report.broke:
            type, reason = ForfeitType.CRASH, f"it started more than {MAX_PROCESSES} processes"
        return Forfeited(self.name, type, self._line(reason), self.log)

    def _line(self, reason: Any) -> str:
        """Returns what the agent's process said in one line, without paths that differ from machine to machine."""
        text = str(reason)
        for path, spoken in self._spoken.items():
            text = text.replace(path, spoken)
        return one_line(text)

    def _end(self) -> Report | None:
        """Ends the process, and keeps its log; returns how it ended, or None where nobody could tell."""
        assert self.process is not None
        process, self.process = self.process, None
        report = process.end()
        self.log = report.log if report else ""
        return report


def _mode(text: Any) -> Mode | None:
    """Returns the mode that the agent's process told."""
    try:
        return Mode.parse(text)
    except (ArenaError, TypeError):
        return None


def _can_be_shown(array: np.ndarray | None, num_rows: int) -> bool:
    if array is None or array.dtype.kind != "f" or array.ndim != 2 or len(array) != num_rows:
        return False
    return bool(np.isfinite(array).all())
