"""How a runner gets a seat's process: from a zygote that it starts when it first needs one."""

from __future__ import annotations

import atexit
import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

from arena.isolation.forfeited import SeatLost
from arena.isolation.wire import Deadline, Late, Line

_READY_S = 120.0
_END_S = 60.0
_ROOT = str(Path(__file__).resolve().parents[2])
_BOOT = "from arena.isolation.zygote import main; main()"
_lock = threading.Lock()


class Process:
    """A seat's process, as its runner holds it.

    Attributes:
      line: to the agent's side.
      missing: what does not hold of its confinement, and why, by name.
    """

    def __init__(self, line: Line, lifeline: int, report: int, pid: int) -> None:
        self.line = line
        self.missing: dict[str, str] = {}
        self._lifeline, self._report, self._pid = lifeline, report, pid

    def end(self) -> bytes:
        """Ends it and all that it started; returns its warden's report once all of it is gone."""
        os.close(self._lifeline)
        self.line.close()
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
            raise SeatLost(f"the process of a seat could not be ended within {_END_S:g} s") from None
        finally:
            os.close(self._report)


def environment(folder: str) -> dict[str, str]:
    """Returns the whole environment of a seat that works in `folder`; with nothing in it the runner's secrets."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ARENA_THREADS"), "1")
    system = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}
    return {**system, **one, "HOME": folder, "TMPDIR": folder}


def launch() -> Process:
    """Returns a new seat's process, which waits for its order. Raises SeatLost where there can be none."""
    near, far = socket.socketpair()
    lifeline, ours = os.pipe()
    report, theirs = os.pipe()
    files = [far.fileno(), lifeline, theirs]
    try:
        with _lock:
            pid = _zygote().fork(files)
    except BaseException:
        for descriptor in (ours, report):
            os.close(descriptor)
        near.close()
        raise
    finally:
        far.close()
        os.close(lifeline)
        os.close(theirs)
    return Process(Line(near), ours, report, pid)


def stop() -> None:
    """Ends this process's zygote; the next launch() starts another."""
    global _current
    with _lock:
        if _current is not None and _current.owner == os.getpid():
            _current.close()
        _current = None


class _Zygote:
    def __init__(self) -> None:
        self.owner = os.getpid()
        self._control, far = socket.socketpair()
        self._control.settimeout(_READY_S)
        command = [sys.executable, "-P", "-s", "-B", "-c", _BOOT, str(far.fileno())]
        env = environment("/") | ({"PYTHONPATH": _ROOT} if _ROOT in sys.path else {})
        with far:
            self._process = subprocess.Popen(
                command,
                env=env,
                cwd="/",
                pass_fds=[far.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._receive(1)

    @property
    def is_alive(self) -> bool:
        return self.owner == os.getpid() and self._process.poll() is None

    def fork(self, files: list[int]) -> int:
        """Hands the files to a new process; returns its number."""
        try:
            socket.send_fds(self._control, [b"."], files)
        except OSError as error:
            raise SeatLost(f"no process for a seat ({error})") from None
        return int.from_bytes(self._receive(4), "little")

    def close(self) -> None:
        self._control.close()
        self._process.wait()

    def _receive(self, count: int) -> bytes:
        try:
            content = self._control.recv(count)
        except OSError as error:
            content, reason = b"", f" ({error})"
        else:
            reason = ""
        if not content:
            raise SeatLost(f"the process that makes seats has ended{reason}")
        return content


_current: _Zygote | None = None
atexit.register(stop)


def _zygote() -> _Zygote:
    global _current
    if _current is None or not _current.is_alive:
        _current = _Zygote()
    return _current
