"""Resident memory while a game of 10,000 frames is filmed: of this process and of the encoder that it starts.

    python benchmarks/recording_memory.py [--frames N] [--format mp4|gif]

A CartPole that is balanced by a linear rule, cut off after N - 1 steps, is played, then filmed by replay in the
same process. Memory is read at the first frame, at 1,000 and at every 1,000th; from 1,000 to the end it must be flat
within 50 MB. The result is benchmarks/results/recording_memory.json; the exit code is 1 where it is not flat.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from common import write

import envs
from arena.agent import Decision, Player
from arena.film import film
from arena.gamelog import Game, GameLog
from arena.loop import run

ENV_ID = "CartPole-v1"
LIMIT_MB = 50.0


class Balancing(Player):
    """Never falls: pushes to where the pole leans, and leans it against the cart's drift."""

    def act(self, obs: np.ndarray, state: Any) -> Decision:
        push = (obs @ np.array([0.1, 0.3, 1.0, 1.0])) > 0
        return Decision(push.astype(np.int64), state, {"probs": np.stack((~push, push), -1).astype(np.float32)})


def resident_mb() -> dict[str, float]:
    """Returns the resident memory of this process and of its children, in MB."""
    table = subprocess.run(["ps", "-eo", "pid=,ppid=,rss=,comm="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 3) for line in table.splitlines()]
    me = str(os.getpid())
    own = sum(int(rss) for pid, _, rss, _ in rows if pid == me)
    children = sum(int(rss) for _, parent, rss, name in rows if parent == me and name.strip() != "ps")
    return {"process": own / 1024, "encoder": children / 1024}


def play(num_steps: int) -> Game:
    """Returns a game of `num_steps` steps."""
    settings = {"max_episode_steps": num_steps}
    env = envs.make(ENV_ID, 1, settings=settings)
    log = GameLog("balancing", ENV_ID, env_settings=settings, with_extras=True)
    games = [
        game for event in run(env, Balancing(env.spec, seed=0), lambda _: 0, num_episodes=1) for game in log.add(event)
    ]
    env.close()
    assert games[0].length == num_steps, f"the pole fell after {games[0].length} steps"
    return games[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--frames", type=int, default=10_000)
    parser.add_argument("--format", choices=("mp4", "gif"), default="mp4")
    arguments = parser.parse_args()
    start = resident_mb()
    game = play(arguments.frames - 1)
    memory: dict[int, dict[str, float]] = {}

    def note(frame: int) -> None:
        if frame == 1 or frame % 1000 == 0:
            memory[frame] = resident_mb()

    begin = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        path = film(game, Path(folder) / f"game.{arguments.format}", on_frame=note)
        file_mb = path.stat().st_size / 2**20
    wall_s = time.perf_counter() - begin
    steady = [sum(read.values()) for frame, read in memory.items() if frame >= 1000]
    growth_mb = max(steady) - min(steady)
    write(
        "recording_memory",
        {
            "env": ENV_ID,
            "format": arguments.format,
            "frames": arguments.frames,
            "start_mb": start,
            "memory_mb": memory,
            "growth_mb": growth_mb,
            "limit_mb": LIMIT_MB,
            "file_mb": file_mb,
            "frames_per_second": arguments.frames / wall_s,
        },
    )
    if growth_mb > LIMIT_MB:
        raise SystemExit(f"memory grew by {growth_mb:.0f} MB, more than {LIMIT_MB:.0f} MB")


if __name__ == "__main__":
    main()
