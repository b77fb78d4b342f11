"""Landlock, the Linux kernel's sandbox that any process can put itself in, through its three system calls.

Source: https://docs.kernel.org/userspace-api/landlock.html
"""

from __future__ import annotations

import ctypes
import os
import platform
import stat
import struct
import sys
from collections.abc import Iterable

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
_PATH_BENEATH = 1
_PR_SET_NO_NEW_PRIVS = 38

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REFER, _TRUNCATE, _IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEV
_FILES_BY_ABI = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_NET_TCP = 0b11  # bind, connect
_SCOPES = 0b11  # abstract UNIX sockets, signals


def abi() -> int:
    """Returns the version of the kernel's Landlock. Raises OSError where it has none."""
    if sys.platform != "linux":
        raise OSError(f"{platform.system()} has no Landlock")
    return _call(_CREATE_RULESET, None, ctypes.c_size_t(0), 1)


def restrict(readable: Iterable[str], writable: Iterable[str]) -> set[str]:
    """Confines this thread, and all that it starts from now on, for good.

    It reads and executes nothing but what is beneath `readable`, and does as it likes beneath `writable`. Paths that do
    not exist are left out. Where the kernel knows how, it connects to no TCP port and binds none, and neither signals
    nor reaches abstract UNIX sockets of processes outside; it can never trace them.

    Returns:
      What is confined: "files", "tcp", "scope".

    Raises:
      OSError: the kernel has no Landlock, or it is switched off.
    """
    version = abi()
    files = _FILES_BY_ABI[max(known for known in _FILES_BY_ABI if known <= version)]
    tcp = _NET_TCP if version >= 4 else 0
    scopes = _SCOPES if version >= 6 else 0
    attributes = struct.pack("=QQQ", files, tcp, scopes)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    ruleset = _call(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    try:
        for path in readable:
            _allow(ruleset, path, _READ & files)
        for path in writable:
            _allow(ruleset, path, files)
        _check(_libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
        _call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)
    return {"files"} | ({"tcp"} if tcp else set()) | ({"scope"} if scopes else set())


def _allow(ruleset: int, path: str, access: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            access &= _OF_FILES
        _call(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", access, descriptor), 0)
    finally:
        os.close(descriptor)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(number: int, *arguments: object) -> int:
    libc = _libc()
    libc.syscall.restype = ctypes.c_long
    return _check(libc.syscall(ctypes.c_long(number), *arguments))


def _check(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
