"""The processes that one has started: which they are, what memory they hold, how to end them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict

PAGE = os.sysconf("SC_PAGE_SIZE")
IS_LINUX = sys.platform == "linux"


def own_pid() -> int:
    """Returns this process's number as /proc has it, which in a namespace of its own is not os.getpid()."""
    return int(os.readlink("/proc/self")) if IS_LINUX else os.getpid()


def resident(root: int) -> dict[int, int]:
    """Returns the bytes in memory of every process that descends from `root`, by number; zombies hold none."""
    if not (IS_LINUX and os.path.exists(f"/proc/{root}/task/{root}/children")):
        return _from_ps(root)
    found: dict[int, int] = {}
    waiting = _children(root)
    while waiting:
        pid = waiting.pop()
        with contextlib.suppress(OSError, IndexError), open(f"/proc/{pid}/statm", "rb") as file:
            found[pid] = int(file.read().split()[1]) * PAGE
        waiting += _children(pid)
    return found


def end_all(*, is_init: bool, group: int) -> None:
    """Kills all that this process has started, and waits until they are gone.

    Args:
      is_init: True where this process is the first of a namespace: then it reaches them all at once.
      group: a process group that is theirs, for systems where orphans find another parent.
    """
    while True:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if is_init:
                os.kill(-1, signal.SIGKILL)
            else:
                for pid in resident(own_pid()):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                os.killpg(group, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.001)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                found += map(int, file.read().split())
    return found


def _from_ps(root: int) -> dict[int, int]:
    listed = subprocess.run(["ps", "-axo", "pid=,ppid=,rss="], capture_output=True, text=True, check=False).stdout
    children: defaultdict[int, list[int]] = defaultdict(list)
    memory: dict[int, int] = {}
    for line in listed.splitlines():
        pid, parent, kilobytes = map(int, line.split())
        children[parent].append(pid)
        memory[pid] = kilobytes * 1024
    found: dict[int, int] = {}
    waiting = list(children[root])
    while waiting:
        pid = waiting.pop()
        found[pid] = memory[pid]
        waiting += children[pid]
    return found
