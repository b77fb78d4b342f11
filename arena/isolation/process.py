"""A confined process, from its order to its end."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import tempfile
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from arena.isolation.forfeited import SeatLost
from arena.isolation.launcher import environment, launch
from arena.isolation.limits import Limits
from arena.isolation.warden import Report, remove
from arena.isolation.wire import Closed, Deadline, Late, Malformed

PREFIX = "arena-seat-"  # begins the names of the folders
_CONFINE_S = 60.0
_END_S = 60.0


class Process:
    """A process that is confined and has its order; none of the agent's code has run in it.

    Attributes:
      line: to its side.
      folder: where it works; gone when it has ended.
      missing: what does not hold of its confinement, and why, by name.
    """

    def __init__(
        self, order: Mapping[str, Any], arrays: Mapping[str, np.ndarray], readable: Iterable[str], limits: Limits
    ) -> None:
        """Starts it. Raises SeatLost where that fails."""
        self.folder = str(Path(tempfile.gettempdir(), PREFIX + uuid.uuid4().hex))  # made, and removed, by the warden
        place = {"folder": self.folder, "environment": environment(self.folder), "readable": list(readable)}
        watch = {
            "folder": self.folder,
            "memory_bytes": limits.memory_mb << 20,
            "log_bytes": limits.log_kb << 10,
        }
        self.line, self._lifeline, self._report, self._pid = launch()
        try:
            self.line.send({**order, **place, "watch": watch}, arrays, deadline := Deadline(_CONFINE_S))
            self.missing: dict[str, str] = self.line.receive(deadline).message["missing"]
        except BaseException as error:
            self.end()
            if isinstance(error, Closed | Late | Malformed):
                raise SeatLost(f"a seat's process did not start ({type(error).__name__})") from None
            raise

    def end(self) -> Report | None:
        """Ends it and all that it started; returns how it ended, or None where its warden could not tell.

        Raises SeatLost where it cannot be ended.
        """
        os.close(self._lifeline)
        self.line.close()
        try:
            content = self._read_report()
        finally:
            os.close(self._report)
            remove(Path(self.folder))  # where its warden could not
        return Report(**json.loads(content)) if content else None

    def _read_report(self) -> bytes:
        content = bytearray()
        poller = select.poll()
        poller.register(self._report, select.POLLIN)
        deadline = Deadline(_END_S)
        try:
            while True:
                deadline.wait(poller)
                if not (part := os.read(self._report, 1 << 16)):
                    return bytes(content)
                content += part
        except Late:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, signal.SIGKILL)
            raise SeatLost(f"a seat's process could not be ended within {_END_S:g} s") from None
