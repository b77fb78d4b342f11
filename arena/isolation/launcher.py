"""How a runner gets a seat's process: from a zygote that it starts when it first needs one."""

from __future__ import annotations

import atexit
import os
import socket
import subprocess
import sys
import threading
from typing import NamedTuple

from arena.isolation import access
from arena.isolation.forfeited import SeatLost
from arena.isolation.wire import Line

_READY_S = 120.0
_MAX_REPLY = 64 << 20
_BOOT = "from arena.isolation.zygote import main; main()"
_SYSTEM = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ARENA_THREADS"), "1")
_lock = threading.Lock()


def environment(folder: str) -> dict[str, str]:
    """Returns the whole environment of a process that works in `folder`: nothing in it is the runner's."""
    return {**_SYSTEM, **_ONE_THREAD, "HOME": folder, "TMPDIR": folder}


class Launched(NamedTuple):
    """A new process, which waits for its order.

    Attributes:
      line: to the agent's side.
      lifeline: a file; the process ends when it is closed.
      report: a file, from which the warden's report can be read in the end.
      pid: of what ends all of it when it is killed.
    """

    line: Line
    lifeline: int
    report: int
    pid: int


def launch() -> Launched:
    """Returns a new process. Raises SeatLost where there can be none."""
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
    return Launched(Line(near, max_body=_MAX_REPLY), ours, report, pid)


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
        path = os.pathsep.join(access.python_path())
        env = environment("/") | ({"PYTHONPATH": path} if path else {})
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
