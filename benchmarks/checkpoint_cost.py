"""What checkpoints cost DQN on Pong with a full replay of 100,000 frames of 84x84, one every five minutes.

The speed of training is measured first, with a replay that is full; so many new frames come between two checkpoints.
The frames are noise, and beside saving nothing runs: writing back to disk does not overlap with training here.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from pathlib import Path

import common
import numpy as np

import envs
from agents.dqn import DQN
from arena import checkpoint
from arena.agent import NO_EXTRAS, Transition
from arena.loop import run

ENV, FRAMES, POOL, MUST_PERCENT = "ALE/Pong-v5", 100_000, 997, 2.0
SETTINGS = {"buffer_size": FRAMES, "learning_starts": FRAMES, "reward_clip": True, "updates_per_training": 1}


def observe(agent: DQN, num_steps: int, noise: np.ndarray) -> None:
    """Gives the agent steps whose every frame is a new one."""
    no = np.zeros(1, bool)
    for step in range(num_steps):
        obs, next_obs = (noise.take(np.arange(4) + step + lag, axis=0, mode="wrap")[None] for lag in (0, 1))
        agent.observe(Transition(obs, np.zeros(1, np.int64), np.zeros(1), no, no, next_obs, NO_EXTRAS))


def steps_per_s(agent: DQN, num_steps: int) -> float:
    """Returns the speed of acting, stepping and learning, an update every four steps."""
    env, warm = envs.make(ENV, 1), 100
    for count, event in enumerate(itertools.islice(run(env, agent, lambda episode: episode), num_steps + warm)):
        if count == warm:
            begin = time.perf_counter()
        agent.observe(event.transition)
        agent.learn()
    env.close()
    return num_steps / (time.perf_counter() - begin)


def written(folder: Path, before: set[int]) -> tuple[int, set[int]]:
    """Returns the bytes of the files that are not among the inodes `before`, and all inodes."""
    found = {path.stat().st_ino: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    return sum(size for inode, size in found.items() if inode not in before), set(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=2_000, help="steps over which the speed is measured")
    parser.add_argument("--speed", type=float, help="environment steps/s to assume instead of measuring them")
    parser.add_argument("--checkpoints", type=int, default=5, help="checkpoints that are measured")
    parser.add_argument("--dir", type=Path, default=Path(), help="where they are written, on the disk to be measured")
    options = parser.parse_args()
    env = envs.make(ENV, 1)
    agent = DQN(env.spec, seed=0, settings=SETTINGS)
    env.close()
    noise = np.random.default_rng(0).integers(0, 256, (POOL, 84, 84), np.uint8)
    observe(agent, FRAMES, noise)
    agent.learn()  # nothing yet, and none of what was observed so far is made up for
    speed = options.speed or steps_per_s(agent, options.steps)
    period_steps = round(speed * checkpoint.PERIOD_S)

    def write(folder: Path) -> None:
        (folder / "agent").mkdir(exist_ok=True)
        agent.save_state(folder / "agent")

    seconds, sizes, inodes = [], [], set[int]()
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        series = checkpoint.Series(Path(folder), period_steps, None)
        for number in range(1 + options.checkpoints):
            begin = time.perf_counter()
            series.save(number, write)
            seconds.append(time.perf_counter() - begin)
            size, inodes = written(checkpoint.newest(Path(folder)), inodes)
            sizes.append(size)
            observe(agent, period_steps, noise)
    mean_s = statistics.mean(seconds[1:])
    common.write(
        "checkpoint_cost",
        {
            "env": ENV,
            "frames": FRAMES,
            "steps_per_s": round(speed, 1),
            "is_speed_measured": options.speed is None,
            "steps_between": period_steps,
            "first": {"seconds": round(seconds[0], 2), "megabytes": round(sizes[0] / 1e6, 1)},
            "then": {
                "seconds": [round(s, 2) for s in seconds[1:]],
                "megabytes": [round(size / 1e6, 1) for size in sizes[1:]],
            },
            "percent_of_training": round(100 * mean_s / (checkpoint.PERIOD_S + mean_s), 3),
            "must_percent": MUST_PERCENT,
        },
    )


if __name__ == "__main__":
    main()
