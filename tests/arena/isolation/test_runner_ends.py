"""What becomes of a seat when its runner is interrupted, stopped or killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from arena.isolation import processes
from arena.isolation.process import PREFIX

STRANGERS = Path(__file__).with_name("strangers.py")
RUNNER = """
import signal, sys
import numpy as np
import envs
from arena.isolation.limits import Limits
from arena.isolation.player import IsolatedPlayer

interrupted = []
signal.signal(signal.SIGINT, lambda *_: interrupted.append(True))
spec = envs.make("CartPole-v1", 1).spec
with IsolatedPlayer("x", sys.argv[1], spec, seed=0, settings={"how": "nap"}, limits=Limits(move_s=1)) as player:
    state = player.initial_state(np.arange(1))
    for move in range(60):
        player.act(np.zeros((1, 4), np.float32), state)
        print(move, flush=True)
print("interrupted" if interrupted else "well", flush=True)
"""


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that plays 60 moves of 50 ms, with one second for each; it has made some."""
    command = [sys.executable, "-c", RUNNER, f"{STRANGERS}:Misbehaves"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True) as run:
        assert run.stdout is not None and run.stdout.readline() == "0\n"
        yield run
        run.kill()
    assert not list(tmp_path.glob(f"{PREFIX}*"))


def test_a_killed_runner_takes_its_seats_along(runner: subprocess.Popen[str], tmp_path: Path):
    started = list(processes.resident(runner.pid))
    assert len(started) == 4  # the zygote, the seat's process and what keeps and watches it
    runner.kill()
    runner.wait()
    wait_until(lambda: not any(map(_is_running, started)) and not list(tmp_path.glob(f"{PREFIX}*")))


def test_an_interrupt_in_the_terminal_reaches_the_runner_alone(runner: subprocess.Popen[str]):
    os.killpg(runner.pid, signal.SIGINT)
    assert runner.stdout is not None and runner.stdout.read().endswith("59\ninterrupted\n")
    assert runner.wait() == 0


def test_an_agent_does_not_pay_for_a_runner_that_was_stopped(runner: subprocess.Popen[str]):
    runner.send_signal(signal.SIGSTOP)
    time.sleep(1.7)  # longer than a move may take
    runner.send_signal(signal.SIGCONT)
    assert runner.stdout is not None and runner.stdout.read().endswith("59\nwell\n")
    assert runner.wait() == 0


def wait_until(is_so: Callable[[], bool]) -> None:
    for _ in range(1000):
        if is_so():
            return
        time.sleep(0.02)
    raise AssertionError("it never came to be")


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:
        return ") Z " not in file.read()
