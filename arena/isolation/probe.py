"""What isolation holds on this machine, found by trying it."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from arena.errors import ArenaError
from arena.isolation import access
from arena.isolation.launcher import environment
from arena.isolation.limits import Limits
from arena.isolation.process import Process
from arena.isolation.warden import Report
from arena.isolation.wire import Closed, Deadline, Late, Malformed

_ATTEMPTS_S = 30.0
_MOST_OPEN = 4  # standard input, output and error, and the line


class Tier(NamedTuple):
    """A promise, whether this machine holds it, and how, or why not."""

    what: str
    holds: bool
    how: str


@functools.cache
def probe() -> tuple[Tier, ...]:
    """Returns what an agent in a process of its own cannot do here, every tier tried in such a process."""
    try:
        with targets() as told:
            process = Process({"seed": 0, "import_from": []}, {}, access.system(), Limits())
            try:
                deadline = Deadline(_ATTEMPTS_S)
                process.line.send({"ask": "attempt", **told}, {}, deadline)
                done = process.line.receive(deadline).message
            finally:
                report = process.end()
        return judge(done, process.missing, report)
    except (ArenaError, Closed, Late, Malformed) as error:
        reason = f"it could not be tried: {error or type(error).__name__}"
        return tuple(Tier(what, False, reason) for what in _PROMISES)


_PROMISES = {
    "files": "it reads the system, Python and its own source, and writes to its own folder alone (Landlock)",
    "processes": "it neither signals nor traces a process outside of its own (Landlock, namespaces)",
    "network": "it has none, and reaches no socket (system calls refused, a namespace of its own, Landlock)",
    "privileges": "it has none and gets none (no capabilities, no_new_privs)",
    "environment": "it inherits no variable and no open file",
    "orphans": "all that it starts ends with it",
    "memory": "resident memory of all that it starts is watched",
}


#: Which part of the confinement stands behind a promise, as sandbox.confine() names it.
_PARTS = {"files": "files", "processes": "scope", "network": "calls", "privileges": "privileges"}


def judge(done: dict[str, Any], missing: dict[str, str], report: Report | None) -> tuple[Tier, ...]:
    broken = {what: ", ".join(done[what]) for what in _PARTS}
    inherited = [f"read the variable {name}" for name in sorted(set(done["environment"]) - environment("").keys())]
    if done["files open"] > _MOST_OPEN:
        inherited.append(f"use {done['files open'] - _MOST_OPEN} files that were open")
    broken["environment"] = ", ".join(inherited)
    if "privileges" in missing:
        broken["privileges"] = "use those of whoever runs it"
    broken["orphans"] = "leave a process behind" if _is_running(done["daemon"]) else ""
    broken["memory"] = "" if report and report.peak_bytes else "hold memory that nobody sees"
    tiers = []
    for what, how in _PROMISES.items():
        why = missing.get(_PARTS.get(what, ""))
        failure = f"it can {broken[what]}" + (f" ({why})" if why else "")
        tiers.append(Tier(what, not broken[what], failure if broken[what] else how))
    return tuple(tiers)


@contextlib.contextmanager
def targets() -> Iterator[dict[str, Any]]:
    """Gives what the attempts aim at: a secret file, ports, an abstract socket, this process."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "secret").write_text("secret")
        tcp, udp = (stack.enter_context(socket.socket(type=kind)) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM))
        for end in (tcp, udp):
            end.bind(("127.0.0.1", 0))
        tcp.listen()
        name = uuid.uuid4().hex
        service = stack.enter_context(socket.socket(socket.AF_UNIX))
        service.bind(str(folder / "service"))
        service.listen()
        if sys.platform == "linux":
            abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
            abstract.bind("\0" + name)
            abstract.listen()
        ports = {"tcp": tcp.getsockname()[1], "udp": udp.getsockname()[1]}
        yield {
            "secret": str(folder / "secret"),
            "runner": os.getpid(),
            "abstract": name,
            **ports,
            "service": str(folder / "service"),
        }


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
