"""Scores by seed: each agent trained with its preset, its best policy then played on seeds of their own.

python benchmarks/scores.py [NAME ...]
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import common
import numpy as np

from arena.config import RunConfig
from arena.evaluation import evaluate
from arena.training import train

EVALUATION_SEED = 1_000
#: Agent, environment, budget, number of seeds, games of the evaluation, what must be reached by how many seeds.
SCORES: dict[str, tuple[str, str, dict[str, int], int, int, str]] = {
    "q_learning-CartPole-v0": (
        "q_learning",
        "CartPole-v0",
        {"episodes": 1_000},
        5,
        100,
        "last 100: 195.7, 5 of 5",
    ),
    "dqn-CartPole-v1": ("dqn", "CartPole-v1", {"steps": 50_000}, 5, 100, "475, 4 of 5"),
    "reinforce-CartPole-v1": ("reinforce", "CartPole-v1", {"steps": 200_000}, 5, 100, "475, 4 of 5"),
    "ppo-CartPole-v1": ("ppo", "CartPole-v1", {"steps": 100_000}, 5, 100, "475, 4 of 5"),
    "q_learning-FrozenLake8x8-v1": ("q_learning", "FrozenLake8x8-v1", {}, 1, 1_000, "0.8"),
    "q_learning-Taxi-v4": ("q_learning", "Taxi-v4", {}, 1, 1_000, "7.5"),
    "q_learning-CliffWalking-v1": ("q_learning", "CliffWalking-v1", {}, 1, 1_000, "-13"),
    "random_search-CartPole-v1": ("random_search", "CartPole-v1", {}, 5, 100, ""),
}


def measure(name: str, folder: Path) -> dict[str, Any]:
    """Returns the scores of every seed."""
    agent, env, budget, num_seeds, games, must = SCORES[name]
    rows = []
    for seed in range(num_seeds):
        begin = time.perf_counter()
        run = train(RunConfig.of(agent=agent, env=env, seed=seed, **budget), run_dir=folder / f"{name}-{seed}")
        wall_s = time.perf_counter() - begin
        with (run.folder / "episodes.csv").open() as file:
            returns = [float(row["return"]) for row in csv.DictReader(file)]
        result = evaluate(str(run.folder), env, episodes=games, seed=EVALUATION_SEED)
        rows.append(
            {
                "seed": seed,
                "mean": result.mean,
                "std": round(result.std, 3),
                "last_100_episodes": float(np.mean(returns[-100:])),
                "steps": run.step,
                "episodes": run.episodes,
                "wall_s": round(wall_s, 1),
            }
        )
        print(f"{name}: {rows[-1]}", flush=True)
    flag = "".join(f" --{key} {value}" for key, value in budget.items())
    command = f"arena train {agent} --env {env}{flag} --seed S; arena eval RUN --env {env} --episodes {games}"
    return {"command": f"{command} --seed {EVALUATION_SEED}", "must": must, "games": games, "seeds": rows}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=list(SCORES))
    path = common.RESULTS / "scores.json"
    for name in parser.parse_args().names:
        with tempfile.TemporaryDirectory() as folder:
            result = measure(name, Path(folder))
        results = json.loads(path.read_text())["scores"] if path.exists() else {}
        common.write("scores", {"scores": results | {name: result}})


if __name__ == "__main__":
    main()
