"""What stands between a runner and a stranger's agent: it starts the agent's process, watches it, and ends it.

The warden is a process of its own, with none of the agent's code in it. It reads what the agent prints, watches its
memory, and when the agent ends, or the runner does, it kills all that the agent has started, removes the agent's
folder and reports. In a namespace of its own it is the first process: with it, everything in there ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from arena.isolation import processes, sandbox
from arena.isolation.output import Output

MAX_PROCESSES = 512
_CHUNK = 1 << 16
_MOST_IN_PIPE = 1 << 20
_GRACE_MS = 50
_PERIOD_MS = 20 if processes.IS_LINUX else 500


@dataclass(frozen=True)
class Report:
    """How an agent's process ended.

    Attributes:
      status: as from os.waitpid().
      was_running: True where it had not ended by itself when the runner ended it.
      broke: the limit for which it was killed, "memory" or "processes"; or "".
      peak_bytes: the most resident memory that was seen.
      log: what was kept of what it printed.
    """

    status: int
    was_running: bool
    broke: str
    peak_bytes: int
    log: str

    def to_json(self) -> str:
        """Returns it as JSON."""
        return json.dumps(vars(self))


@dataclass(frozen=True)
class Watch:
    """What a warden is told: the file to watch for the runner's end, and the agent's limits and folder."""

    lifeline: int
    report: int
    folder: str
    memory_bytes: int
    log_bytes: int


def serve(watch: Watch, play: Callable[[], None], line: int) -> None:
    """Runs `play` in a child until it, or the runner, ends; then cleans up and reports. Returns in neither process.

    `line` is the file that only the child keeps.
    """
    os.mkdir(watch.folder, 0o700)
    namespaces = sandbox.separate()
    if "pid" in namespaces:
        if pid := os.fork():
            for descriptor in (line, watch.lifeline, watch.report):
                os.close(descriptor)
            os.waitpid(pid, 0)
            os._exit(0)
        sandbox.die_with_parent()
    else:
        sandbox.adopt_orphans()
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        sandbox.die_with_parent()
        os.dup2(into, 1)
        os.dup2(into, 2)
        for descriptor in (out, into, watch.lifeline, watch.report):
            os.close(descriptor)
        play()
        os._exit(0)
    os.close(line)
    os.close(into)
    report = _watch(watch, pid, out, is_init="pid" in namespaces)
    with contextlib.suppress(OSError), open(watch.report, "w") as file:
        file.write(report.to_json())
    os._exit(0)


def _watch(watch: Watch, pid: int, out: int, *, is_init: bool) -> Report:
    os.set_blocking(out, False)
    root, log = processes.own_pid(), Output(watch.log_bytes)
    peak, broke, status = 0, "", None
    poller = select.poll()
    poller.register(out, select.POLLIN)
    poller.register(watch.lifeline, select.POLLIN)
    next_look = 0.0
    while status is None and not broke:
        ready = dict(poller.poll(_PERIOD_MS))
        if ready.get(out, 0) and not _drain(out, log):
            poller.unregister(out)
        if time.monotonic() >= next_look:
            held = processes.resident(root)
            peak = max(peak, sum(held.values()))
            broke = "memory" if peak > watch.memory_bytes else "processes" if len(held) > MAX_PROCESSES else ""
            next_look = time.monotonic() + _PERIOD_MS / 1000
        status = _reap(pid)
        if watch.lifeline in ready:
            break
    for _ in range(0 if broke else _GRACE_MS):  # it may be ending just now: then it is to be known how
        if status is not None:
            break
        time.sleep(0.001)
        status = _reap(pid)
    if was_running := status is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        status = os.waitpid(pid, 0)[1]
    processes.end_all(is_init=is_init, group=pid)
    for _ in range(_MOST_IN_PIPE // _CHUNK):
        _drain(out, log)
    remove(Path(watch.folder))
    return Report(status or 0, was_running, broke, peak, log.text)


def _reap(pid: int) -> int | None:
    """Returns the status of `pid` if it has ended. Orphans that have ended are taken up on the way."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == pid:
                return ended[1]
    return None


def _drain(out: int, log: Output) -> bool:
    """Reads what has been printed; returns False where no more will come for now."""
    try:
        content = os.read(out, _CHUNK)
    except BlockingIOError:
        return False
    log.add(content)
    return bool(content)


def remove(folder: Path) -> None:
    """Removes a folder whatever is in it; one that is not there is fine."""
    with contextlib.suppress(RecursionError):
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():  # permissions taken away, or deeper than Python recurses
        subprocess.run(["chmod", "-R", "u+rwX", str(folder)], capture_output=True, check=False)
        subprocess.run(["rm", "-rf", str(folder)], capture_output=True, check=False)
