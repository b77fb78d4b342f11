"""The time from a command to its end: `arena --help` and `arena envs`, the median of several starts."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

import common

ARENA = str(Path(sys.executable).with_name("arena"))
REPEATS = 7


def seconds(*arguments: str) -> float:
    """Returns the median wall time of a command, the first (cold) start left out."""
    times = []
    for _ in range(REPEATS + 1):
        begin = time.perf_counter()
        subprocess.run([ARENA, *arguments], stdout=subprocess.DEVNULL, check=True)
        times.append(time.perf_counter() - begin)
    return round(statistics.median(times[1:]), 3)


if __name__ == "__main__":
    common.write("startup", {"help_s": seconds("--help"), "envs_s": seconds("envs"), "agents_s": seconds("agents")})
