"""Isolation where the kernel has neither Landlock nor namespaces: it plays on, and says what does not hold."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

STRANGERS = Path(__file__).with_name("strangers.py")
UNSHARE = {"x86_64": 272, "aarch64": 97}.get(platform.machine())
# Forbids system calls to a process and its descendants, by a seccomp filter: Landlock's three are not there (ENOSYS,
# 38), and unshare() is not permitted (EPERM, 1). Every line is an instruction: code, jump if true, if false, value.
OLD_KERNEL = """
import ctypes, struct, sys
unshare = int(sys.argv[1])
load, equal, give, deny = 0x20, 0x15, 0x06, 0x00050000
program = [
    (load, 0, 0, 0),
    (equal, 4, 0, 444), (equal, 3, 0, 445), (equal, 2, 0, 446), (equal, 2, 0, unshare),
    (give, 0, 0, 0x7FFF0000), (give, 0, 0, deny | 38), (give, 0, 0, deny | 1),
]
code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
libc = ctypes.CDLL(None, use_errno=True)
filter = struct.pack("@HP", len(program), ctypes.addressof(code))
assert libc.prctl(38, 1, 0, 0, 0) == 0 and libc.prctl(22, 2, filter, 0, 0) == 0, ctypes.get_errno()
"""
PLAY = """
import json
import numpy as np
import envs
from arena import isolation
from arena.isolation.forfeited import Forfeited
from arena.isolation.limits import Limits
from arena.isolation.player import IsolatedPlayer

found = {what: [holds, how] for what, holds, how in isolation.tiers()}
spec, row = envs.make("CartPole-v1", 1).spec, np.arange(1)
for how in ("nap", "kill_itself", "allocate_in_a_child", "close_the_line"):
    options = {"settings": {"how": how}, "limits": Limits(memory_mb=400, move_s=60)}
    try:
        with IsolatedPlayer("x", sys.argv[2] + ":Misbehaves", spec, seed=0, **options) as player:
            decision = player.act(np.zeros((1, 4), np.float32), player.initial_state(row))
        found[how] = decision.action.tolist()
    except Forfeited as forfeited:
        found[how] = [forfeited.type, forfeited.reason]
print(json.dumps(found))
"""


@pytest.mark.skipif(sys.platform != "linux" or UNSHARE is None, reason="the system calls have other numbers here")
def test_on_an_old_kernel_agents_play_and_what_does_not_hold_is_told():
    command = [sys.executable, "-c", OLD_KERNEL + PLAY, str(UNSHARE), str(STRANGERS)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    reason = "(no Landlock: Function not implemented)"
    files = "read a file of the runner's, list a folder of the runner's, write outside of its folder"
    assert found["files"] == [False, f"it can {files} {reason}"]
    assert found["processes"][0] is False and reason in found["processes"][1]
    for what in ("network", "privileges", "environment", "orphans", "memory"):
        assert found[what][0] is True, found[what]
    assert found["nap"] == [0]
    assert found["kill_itself"] == ["crash", "its process was killed by SIGKILL"]
    assert found["close_the_line"] == ["crash", "it closed its line to the runner"]
    assert found["allocate_in_a_child"][0] == "out of memory"
