"""What a process gives up before it runs a stranger's code. Each part is tried; what does not hold here is told."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import sys
from collections.abc import Iterable

from arena.isolation import landlock, seccomp

MAX_FILE_BYTES = 1 << 30
MAX_OPEN_FILES = 256

_NEW_IPC, _NEW_USER, _NEW_PID, _NEW_NET = 0x08000000, 0x10000000, 0x20000000, 0x40000000
_NAMES = {_NEW_IPC: "ipc", _NEW_USER: "user", _NEW_PID: "pid", _NEW_NET: "net"}
_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 24, 36, 38
_CAPABILITY_V3 = 0x20080522


def separate() -> set[str]:
    """Gives the children of this process namespaces of their own; it must have one thread.

    In theirs of processes they see only each other, and all end with the first one. Theirs of networks has none.

    Returns:
      Which: "pid", "net", "ipc", and "user" where an unprivileged process needed that one for the others.
    """
    if sys.platform != "linux":
        return set()
    for flags in (_NEW_PID | _NEW_IPC | _NEW_NET, _NEW_PID | _NEW_IPC):
        for user in (0, _NEW_USER):
            ids = os.getuid(), os.getgid()
            if _libc().unshare(flags | user):
                continue
            if user:
                _map_user(*ids)
            return {name for flag, name in _NAMES.items() if (flags | user) & flag}
    return set()


def die_with_parent() -> None:
    """Has the kernel kill this process when the thread that started it ends. Linux only."""
    if sys.platform == "linux":
        _libc().prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def adopt_orphans() -> None:
    """Makes this process the parent of all its descendants whose own parent ends. Linux only."""
    if sys.platform == "linux":
        _libc().prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def confine(readable: Iterable[str], writable: Iterable[str]) -> dict[str, str]:
    """Gives up everything that a player does not need, for good: privileges, files, network, other processes.

    Returns:
      What does not hold here, and why not, by name: "privileges", "files", "scope" (other processes), "calls".
    """
    missing: dict[str, str] = {}
    _limit()
    try:
        if "scope" not in landlock.restrict(readable, writable):
            missing["scope"] = "the kernel's Landlock is too old"
    except OSError as error:
        missing |= dict.fromkeys(("files", "scope"), f"no Landlock: {error.strerror or error}")
    for name, give_up in (("privileges", _drop_privileges), ("calls", seccomp.filter_calls)):
        try:
            give_up()
        except OSError as error:
            missing[name] = error.strerror or str(error)
    return missing


def _limit() -> None:
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, MAX_FILE_BYTES),
        (resource.RLIMIT_NOFILE, MAX_OPEN_FILES),
    ):
        hard = resource.getrlimit(kind)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (most, most))
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # when memory runs out, the kernel ends this process before any other


def _drop_privileges() -> None:
    if sys.platform != "linux":
        raise OSError(f"{sys.platform} has no capabilities to drop")
    libc = _libc()
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "no_new_privs is refused")
    for capability in range(64):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_V3, 0)
    if libc.capset(header, (ctypes.c_uint32 * 6)()):
        raise OSError(ctypes.get_errno(), "capabilities cannot be dropped")


def _map_user(uid: int, gid: int) -> None:
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with contextlib.suppress(OSError), open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
