"""What an agent may try that it must not: attempted in a confined process, to see what holds there."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_PTRACE_SEIZE = 0x4206
_IS_LINUX = sys.platform == "linux"


def attempt(told: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what succeeded, by kind: every attempt is one that a tier of isolation forbids.

    Args:
      told: "secret", a file to read and whose folder to write to; "runner", a process; "tcp" and "udp", ports that are
        listened on; "service" and "abstract", sockets' names.
    """
    secret, runner = Path(told["secret"]), told["runner"]
    return {
        "files": _done(
            {
                "read a file of the runner's": lambda: secret.read_bytes(),
                "list a folder of the runner's": lambda: list(secret.parent.iterdir()),
                "write outside of its folder": lambda: secret.with_name("written").write_text("x"),
                "change a file's permissions": lambda: _change_mode(secret),
            }
        ),
        "processes": _done(
            {
                "signal the runner": lambda: os.kill(runner, signal.SIGCONT),
                "trace the runner": lambda: _trace(runner),
                "read the runner's environment": lambda: _read(f"/proc/{runner}/environ"),
                "read the runner's memory": lambda: _read(f"/proc/{runner}/maps"),
            }
        ),
        "network": _done(
            {
                "connect by TCP": lambda: _connect(socket.AF_INET, ("127.0.0.1", told["tcp"])),
                "listen on a TCP port": _listen,
                "send by UDP": lambda: _send(told["udp"]),
                "reach a service's socket": lambda: _connect(socket.AF_UNIX, told["service"]),
                "reach an abstract socket": lambda: _connect(socket.AF_UNIX, "\0" + told["abstract"]),
            }
        ),
        "privileges": _done({"use a privilege": lambda: os.chroot("/")} if os.getuid() == 0 else {}),
        "environment": sorted(os.environ),
        "files open": _num_open(),
        "daemon": _leave_daemon(),
    }


def _done(attempts: Mapping[str, Callable[[], object]]) -> list[str]:
    done = []
    for what, try_it in attempts.items():
        with contextlib.suppress(OSError):
            try_it()
            done.append(what)
    return done


def _change_mode(path: Path) -> None:
    path.chmod(0o640)
    if path.stat().st_mode & 0o777 != 0o640:
        raise OSError("it only seemed so")


def _trace(pid: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if not _IS_LINUX or libc.ptrace(_PTRACE_SEIZE, pid, None, None):
        raise OSError(ctypes.get_errno(), "no tracing")


def _read(path: str) -> None:
    with open(path, "rb") as file:
        file.read(1)


def _connect(family: int, address: Any) -> None:
    with socket.socket(family) as end:
        end.settimeout(2)
        end.connect(address)


def _listen() -> None:
    with socket.socket() as end:
        end.bind(("127.0.0.1", 0))


def _send(port: int) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as end:
        end.sendto(b"x", ("127.0.0.1", port))


def _num_open() -> int:
    """Returns how many files are open, beside the one that this takes."""
    return len(os.listdir("/dev/fd")) - 1


def _leave_daemon() -> int:
    """Leaves a process behind that is in no group or session of this one; returns its number outside."""
    noted = Path("daemon")
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            noted.write_text(os.readlink("/proc/self") if _IS_LINUX else str(os.getpid()))
            time.sleep(3600)
        os._exit(0)
    os.wait()
    deadline = time.monotonic() + 10
    while not (noted.exists() and noted.read_text()) and time.monotonic() < deadline:
        time.sleep(0.005)
    return int(noted.read_text())
