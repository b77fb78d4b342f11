"""A filter of system calls for this process and all it starts: what Landlock leaves open.

Sockets of every kind are refused, and the kernel's keys: other services listen behind sockets in the file system, which
neither namespaces nor Landlock close. Calls that change a file's permissions, owner, times or attributes do nothing and
say that all is well, since Landlock lets whoever owns a file do so anywhere, and libraries do it to files of their own.

Source: https://docs.kernel.org/userspace-api/seccomp_filter.html; the filter is a program of classic BPF.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Sequence

_OF_EVERY_MACHINE = (452, 463, 466)  # fchmodat2, setxattrat, removexattrat
#: By machine: its audit number; what is refused (socket, add_key, request_key, keyctl, io_uring_setup); what does
#: nothing (chmod, chown, utime, setxattr, removexattr and their kin).
_MACHINES = {
    "x86_64": (
        0xC000003E,
        (41, 248, 249, 250, 425),
        (*range(90, 95), 132, *range(188, 191), *range(197, 200), 235, 260, 261, 268, 280, *_OF_EVERY_MACHINE),
    ),
    "aarch64": (
        0xC00000B7,
        (198, 217, 218, 219, 425),
        (*range(5, 8), *range(14, 17), *range(52, 56), 88, *_OF_EVERY_MACHINE),
    ),
}
_LOAD, _IF_EQUAL, _IF_AT_LEAST, _GIVE = 0x20, 0x15, 0x35, 0x06
_NUMBER, _MACHINE = 0, 4  # where the kernel puts them
_ALLOW, _DO_NOTHING, _REFUSE = 0x7FFF0000, 0x00050000, 0x00050000 | errno.EACCES
_X32 = 0x40000000  # calls of a second kind, which x86_64 also knows
_PR_SET_SECCOMP, _FILTER = 22, 2


def filter_calls() -> None:
    """Filters system calls from now on; the process must have given up new privileges.

    Raises OSError where the machine is not known, or the kernel knows no filters.
    """
    if platform.machine() not in _MACHINES:
        raise OSError(f"the system calls of {platform.machine()} are not known")
    program = _program(*_MACHINES[platform.machine()])
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _FILTER, struct.pack("@HP", len(program), ctypes.addressof(code))):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _program(machine: int, refused: Sequence[int], idle: Sequence[int]) -> list[tuple[int, int, int, int]]:
    """Returns the filter's lines: code, how many to skip if it is so, and if not, value."""
    checked = [*idle, *refused]
    allow = 4 + len(checked)  # the number of the line that does; the two below it do nothing, and refuse
    program = [
        (_LOAD, 0, 0, _MACHINE),
        (_IF_EQUAL, 0, allow + 2 - 2, machine),
        (_LOAD, 0, 0, _NUMBER),
        (_IF_AT_LEAST, allow + 2 - 4, 0, _X32),
    ]
    for line, number in enumerate(checked, 4):
        target = allow + 1 if number in idle else allow + 2
        program.append((_IF_EQUAL, target - line - 1, 0, number))
    return [*program, (_GIVE, 0, 0, _ALLOW), (_GIVE, 0, 0, _DO_NOTHING), (_GIVE, 0, 0, _REFUSE)]
