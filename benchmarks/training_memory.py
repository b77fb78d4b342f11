"""Resident memory over a million environment steps of training on CartPole-v1, evaluations and checkpoints included.

    python benchmarks/training_memory.py [--only AGENT ...] [--steps N]

Each agent trains with its preset in a process of its own, which reads its memory every 5 s (on Linux, from /proc).
From the first tenth on, when all is compiled and DQN's replay full, it must be flat within 50 MB; the slope is that of
a line through the readings from there. Fewer steps are a first look, and not kept.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import common
import numpy as np

from arena.config import RunConfig
from arena.training import Hooks, Progress, train

AGENTS, STEPS, EVALUATIONS, PERIOD_S, LIMIT_MB = ("dqn", "ppo"), 1_000_000, 20, 5.0, 50.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=AGENTS, default=AGENTS, metavar="AGENT", help=", ".join(AGENTS))
    parser.add_argument("--steps", type=int, default=STEPS)
    options = parser.parse_args()
    path = common.RESULTS / "training_memory.json"
    for agent in options.only:
        command = [
            sys.executable,
            "-c",
            f"import training_memory; training_memory.train_one({agent!r}, {options.steps})",
        ]
        output = subprocess.run(
            command, cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True, check=True
        ).stdout
        result = summary(json.loads(output.splitlines()[-1]))
        print(
            f"{agent}: " + ", ".join(f"{key} {value}" for key, value in result.items() if key != "readings"), flush=True
        )
        if options.steps >= STEPS:
            results = json.loads(path.read_text())["agents"] if path.exists() else {}
            common.write("training_memory", {"agents": results | {agent: result}, "limit_mb": LIMIT_MB}, show=False)


def train_one(agent: str, steps: int) -> None:
    """Trains, and prints the readings in JSON: [step, MB]."""
    readings: list[tuple[int, float]] = []
    read_at = time.perf_counter()

    def read(progress: Progress) -> None:
        nonlocal read_at
        if time.perf_counter() - read_at >= PERIOD_S:
            read_at = time.perf_counter()
            readings.append((progress.step, resident_mb()))

    config = RunConfig.of(agent=agent, env="CartPole-v1", steps=steps, eval_every=steps // EVALUATIONS)
    with tempfile.TemporaryDirectory() as folder:
        run = train(config, run_dir=Path(folder) / "run", hooks=Hooks(on_progress=read))
    readings.append((run.step, resident_mb()))
    print(json.dumps(readings))


def resident_mb() -> float:
    """Returns the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


def summary(readings: list[tuple[int, float]]) -> dict[str, Any]:
    """Returns memory at the first tenth and at the end, and the slope between."""
    steps, memory = np.array(readings).T
    settled = steps >= steps[-1] / 10
    assert settled.sum() > 1, "the training was over before the second reading"
    growth = float(memory[settled].max() - memory[settled][0])
    return {
        "steps": int(steps[-1]),
        "mb_at_tenth": float(memory[settled][0]),
        "mb_at_end": float(memory[-1]),
        "mb_per_100k_steps": round(1e5 * float(np.polyfit(steps[settled], memory[settled], 1)[0]), 2),
        "largest_growth_mb": round(growth, 1),
        "is_flat": growth <= LIMIT_MB,
        "readings": readings,
    }


if __name__ == "__main__":
    main()
