"""The time from a command to its end (`arena --help`, lists), and from `arena eval POLICY.tflite` to its first action.

Medians of several starts, the first (cold) one left out.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import common

ARENA = str(Path(sys.executable).with_name("arena"))
REPEATS = 7
POLICIES = {"CartPole-v1": "first_action_s", "ALE/Pong-v5": "first_action_pong_s"}
# What `arena` does, up to the first answer of the policy; the clock is the same in all processes.
UNTIL_FIRST_ACTION = """
import os, sys, time
from arena import policy
from arena.cli import main

act = policy.Policy.act

def first_act(self, obs, state):
    act(self, obs, state)
    print(time.monotonic(), flush=True)
    os._exit(0)

policy.Policy.act = first_act
main(sys.argv[1:])
"""


def median(measure: Callable[[], float]) -> float:
    """Returns the median of several measurements, the first left out."""
    return round(statistics.median([measure() for _ in range(REPEATS + 1)][1:]), 3)


def seconds(*arguments: str) -> float:
    """Returns the wall time of a command."""
    begin = time.perf_counter()
    subprocess.run([ARENA, *arguments], stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begin


def seconds_to_first_action(path: Path, env: str) -> float:
    """Returns the time from the start of a process that evaluates a policy to the policy's first answer."""
    command = [sys.executable, "-c", UNTIL_FIRST_ACTION, "eval", str(path), "--env", env, "--episodes", "1"]
    begin = time.monotonic()
    ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return float(ended.stdout.split()[-1]) - begin


def main() -> None:
    """Measures and writes benchmarks/results/startup.json."""
    commands = {"help_s": ["--help"], "envs_s": ["envs"], "agents_s": ["agents"]}
    result = {name: median(lambda arguments=arguments: seconds(*arguments)) for name, arguments in commands.items()}
    with tempfile.TemporaryDirectory() as folder:
        for env, name in POLICIES.items():  # a network that has learned nothing starts as fast as one that has
            path = Path(folder) / f"{name}.tflite"
            subprocess.run([ARENA, "export", "dqn", "--env", env, "--out", str(path)], check=True, capture_output=True)
            result[name] = median(lambda path=path, env=env: seconds_to_first_action(path, env))
    common.write("startup", result)


if __name__ == "__main__":
    main()
