"""Learning curves: agents trained from their presets over several seeds, and what their policies then score.

python benchmarks/learning_curves.py --runs DIR [--only AGENT/ENV ...] [--seeds K] [--jobs N]

The runs stay in DIR/AGENT/ENV/seed-S. What is finished there is not trained again and what was stopped goes on, so the
same command continues after Ctrl-C or a crash. Every seed trained so far is in the results, which are written after
each run. With --scale X trainings have X of their steps, to try all this out; the results are then left in DIR.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

import common
import numpy as np

from arena import registry
from arena.config import RunConfig, read_toml
from arena.files import write_json
from arena.plots import read_columns
from arena.run_folder import load_config
from arena.statistics.bootstrap import mean_interval, seed_of
from arena.threads import num_cores

ARENA = str(Path(sys.executable).with_name("arena"))
EVALUATION_SEED = 1_000  # no run chooses its best policy on these games


class Entry(NamedTuple):
    """A training, the mean return that it must reach, and how many games its policies are judged on."""

    agent: str
    env: str
    must: float
    games: int = 100

    @property
    def name(self) -> str:
        """AGENT/ENV."""
        return f"{self.agent}/{self.env}"


ENTRIES = (
    Entry("q_learning", "CartPole-v1", 475),
    Entry("dqn", "CartPole-v1", 475),
    Entry("reinforce", "CartPole-v1", 475),
    Entry("ppo", "CartPole-v1", 475),
    Entry("random_search", "CartPole-v1", 300),
    Entry("dqn", "Acrobot-v1", -85),
    Entry("ppo", "Acrobot-v1", -85),
    Entry("dqn", "MountainCar-v0", -130),
    Entry("q_learning", "MountainCar-v0", -130),
    Entry("dqn", "LunarLander-v3", 200),
    Entry("reinforce", "LunarLander-v3", 100),
    Entry("ppo", "LunarLander-v3", 200),
    Entry("ppo", "LunarLanderContinuous-v3", 200),
    Entry("ppo", "Pendulum-v1", -200),
    Entry("q_learning", "FrozenLake8x8-v1", 0.8, 1_000),
    Entry("q_learning", "Taxi-v4", 7.5, 1_000),
    Entry("q_learning", "CliffWalking-v1", -13, 1_000),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [entry.name for entry in ENTRIES]
    parser.add_argument("--runs", type=Path, required=True, metavar="DIR", help="where the run folders are")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="AGENT/ENV")
    parser.add_argument("--seeds", type=int, default=5, metavar="K")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="runs at a time, which share the cores")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="part of the steps, for a try")
    given = parser.parse_args()
    runs = given.runs.resolve()
    path = (common.RESULTS if given.scale == 1.0 else runs) / "learning_curves.json"
    os.environ.setdefault("ARENA_THREADS", str(max(1, num_cores() // given.jobs)))
    work = [(entry, seed) for seed in range(given.seeds) for entry in ENTRIES if entry.name in given.only]
    is_well = True
    with ThreadPoolExecutor(given.jobs) as pool:
        waiting = {pool.submit(run, entry, seed, runs, given.scale): (entry.name, seed) for entry, seed in work}
        try:
            for done in as_completed(waiting):
                name, seed = waiting[done]
                is_well &= done.exception() is None
                print(f"{name} seed {seed}: {done.exception() or done.result()}", flush=True)
                write(path, runs, given.seeds)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            sys.exit(f"stopped; the same command goes on with {runs}")
    sys.exit(0 if is_well else 1)


def run(entry: Entry, seed: int, runs: Path, scale: float) -> str:
    """Trains one seed of an entry to its end and judges its policies; returns its scores for people."""
    folder, config = folder_of(entry, seed, runs), config_of(entry, seed, scale)
    folder.parent.mkdir(parents=True, exist_ok=True)
    status, is_begun = folder / "status.json", (folder / "config.toml").exists()
    if is_begun and not agrees(load_config(folder), config):
        raise RuntimeError(f"{folder} was trained otherwise than the preset says now; move it away")
    if not status.exists() or json.loads(status.read_text())["state"] != "finished":
        _arena(["resume", str(folder)] if is_begun else train_command(config, folder, scale), folder)
    if not (folder / "scores.json").exists():
        (last,) = folder.glob("final.*")
        policies = {"last": last, "best": folder}
        write_json(folder / "scores.json", {key: evaluated(entry, ref, folder) for key, ref in policies.items()})
    scores, seconds = json.loads((folder / "scores.json").read_text()), json.loads(status.read_text())["seconds"]
    return f"last {scores['last']['mean']:.2f}, best {scores['best']['mean']:.2f}, {seconds:,.0f} s"


def config_of(entry: Entry, seed: int, scale: float) -> RunConfig:
    """Returns what a seed is trained with: all from the preset, and so much of its steps."""
    reference = registry.resolve(entry.agent)
    config = RunConfig.of(agent=entry.agent, env=entry.env, seed=seed).resolved(reference)
    assert config.steps and config.eval_every
    if scale == 1.0:
        return config
    steps, period = (max(1, round(scale * number)) for number in (config.steps, config.eval_every))
    return config.model_copy(update={"steps": steps, "horizon": steps, "eval_every": period})


def agrees(trained: RunConfig, config: RunConfig) -> bool:
    """Whether a run was trained as the preset says now. Settings that the agent had not then do not count."""
    ran, says = (json.loads(one.model_dump_json(exclude={"preprocess"})) for one in (trained, config))
    says["settings"] = {key: says["settings"].get(key) for key in ran["settings"]}
    return bool(ran == says)


def train_command(config: RunConfig, folder: Path, scale: float) -> list[str]:
    """Returns the arguments of `arena` that train a seed, from the preset alone unless it is only a part of it."""
    command = ["train", config.agent, "--env", config.env, "--seed", str(config.seed), "--run-dir", str(folder)]
    part = ["--steps", str(config.steps), "--set", f"eval_every={config.eval_every}"]
    return command if scale == 1.0 else command + part


def evaluated(entry: Entry, ref: Path, folder: Path) -> dict[str, Any]:
    """Returns what a policy scores in its own mode, on games that are the same for every policy."""
    options = {"--env": entry.env, "--episodes": entry.games, "--seed": EVALUATION_SEED}
    flags = [str(part) for pair in options.items() for part in pair]
    result = json.loads(_arena(["eval", str(ref), *flags, "--json"], folder))
    return {key: result[key] for key in ("mean", "std", "episodes", "protocol")}


def folder_of(entry: Entry, seed: int, runs: Path) -> Path:
    """Returns where a run is."""
    return runs / entry.name / f"seed-{seed}"


def write(path: Path, runs: Path, num_seeds: int) -> None:
    """Writes the results of all seeds that are finished; of an entry without any, those from before stay."""
    found = json.loads(path.read_text())["entries"] if path.exists() else {}
    for entry in ENTRIES:
        folders = [folder_of(entry, seed, runs) for seed in range(num_seeds)]
        if finished := [folder for folder in folders if (folder / "scores.json").exists()]:
            found[entry.name] = summary(entry, finished)
    entries = {entry.name: found[entry.name] for entry in ENTRIES if entry.name in found}
    about = {"evaluation_seed": EVALUATION_SEED, "entries": entries}
    common.write(str(path.with_suffix("")), about, show=False)


def summary(entry: Entry, folders: Sequence[Path]) -> dict[str, Any]:
    """Returns what came of the runs of one entry."""
    config, seeds = read_toml(folders[0] / "config.toml"), [seed_of_entry(entry, folder) for folder in folders]
    reached = [seed["to_must"] for seed in seeds]
    middle = {key: censored_median([point and point[key] for point in reached]) for key in ("steps", "seconds")}
    return {
        **entry._asdict(),
        "command": f"arena train {entry.agent} --env {entry.env} --seed S",
        "steps": config["steps"],
        "eval_every": config["eval_every"],
        "eval_episodes": config["eval_episodes"],
        "protocol": json.loads((folders[0] / "scores.json").read_text())["best"]["protocol"],
        "machine": config["machine"],
        "last": over_seeds([seed["last"] for seed in seeds]),
        "best": over_seeds([seed["best"] for seed in seeds]),
        "to_must": {"reached": sum(point is not None for point in reached), **middle},
        "seeds": seeds,
    }


def seed_of_entry(entry: Entry, folder: Path) -> dict[str, Any]:
    """Returns one run's scores, its curve, and when it reached what it must."""
    status, scores = (json.loads((folder / f"{name}.json").read_text()) for name in ("status", "scores"))
    columns = read_columns(folder / "evaluations.csv", ("step", "mean", "seconds"))
    return {
        "seed": read_toml(folder / "config.toml")["seed"],
        "steps": status["step"],
        "episodes": status["episodes"],
        "seconds": status["seconds"],
        "last": scores["last"]["mean"],
        "best": scores["best"]["mean"],
        "best_step": status["best_step"],
        "to_must": first_reaching(entry.must, columns["step"], columns["mean"], columns["seconds"]),
        "curve": {name: np.round(column, 3).tolist() for name, column in columns.items()},
    }


def first_reaching(
    must: float, steps: np.ndarray, means: np.ndarray, seconds: np.ndarray
) -> dict[str, int | float] | None:
    """Returns the steps and seconds of the first evaluation with a mean of at least `must`; None without one."""
    places = np.flatnonzero(means >= must)
    if not places.size:
        return None
    return {"steps": int(steps[places[0]]), "seconds": round(float(seconds[places[0]]), 1)}


def censored_median(values: Sequence[float | None]) -> float | None:
    """Returns the median, None counting as later than all; None when it is not known."""
    median = statistics.median(math.inf if value is None else value for value in values)
    return None if math.isinf(median) else median


def over_seeds(means: Sequence[float]) -> dict[str, float]:
    """Returns the mean of the seeds' means with its 95% bootstrap interval over the seeds."""
    array = np.array(means)
    low, high = mean_interval(array, seed_of(array))
    return {"mean": float(array.mean()), "low": low, "high": high}


def _arena(arguments: Sequence[str], folder: Path) -> str:
    """Runs a command of the arena; returns what it prints. Raises RuntimeError with its last line."""
    ended = subprocess.run([ARENA, *arguments], capture_output=True, text=True)
    if ended.returncode:
        lines = (ended.stderr or ended.stdout).strip().splitlines()
        raise RuntimeError(f"arena {arguments[0]} ended with {ended.returncode}: {lines[-1] if lines else folder}")
    return ended.stdout


if __name__ == "__main__":
    main()
