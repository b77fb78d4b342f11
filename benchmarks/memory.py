"""What memory is worth: the same agents with and without it where what is seen does not say what to do.

python benchmarks/memory.py --runs DIR [--only NAME ...] [--seeds K] [--jobs N]

The runs stay in DIR/NAME/seed-S. What is finished there is not trained again and what was stopped goes on, so the same
command continues after Ctrl-C or a crash. The results are written after each run, of all that are finished; with
--scale X trainings have X of their steps, to try all this out, and the results are left in DIR.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, NamedTuple

import common
import numpy as np
from learning_curves import EVALUATION_SEED, over_seeds
from learning_curves import _arena as arena

from arena import registry
from arena.config import RunConfig, read_toml
from arena.files import write_json
from arena.threads import num_cores

POLE, MAZE = "arena/CartPoleNoVelocity-v1", "arena/TMaze-v0"


class Training(NamedTuple):
    """An agent from its preset, and what it must reach on how many games.

    Without memory it has the same network but for the cell, in whose place stands a dense layer of as many units.
    `measure` is "mean", of returns, or "solved", the share of games with a return above 0: in the maze, where only the
    goal is worth more than nothing.
    """

    name: str
    agent: str
    env: str
    measure: str
    games: int
    must: float | None
    has_memory: bool = True


TRAININGS = (
    Training("ppo-pole", "ppo", POLE, "mean", 100, 400),
    Training("ppo-pole-without-memory", "ppo", POLE, "mean", 100, None, False),
    Training("dqn-pole", "dqn", POLE, "mean", 100, 400),
    Training("dqn-pole-without-memory", "dqn", POLE, "mean", 100, None, False),
    Training("ppo-maze", "ppo", MAZE, "solved", 200, 0.95),
    Training("ppo-maze-without-memory", "ppo", MAZE, "solved", 200, None, False),
    Training("dqn-maze", "dqn", MAZE, "solved", 200, None),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [training.name for training in TRAININGS]
    parser.add_argument("--runs", type=Path, required=True, metavar="DIR", help="where the run folders are")
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--seeds", type=int, default=5, metavar="K")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="runs at a time, which share the cores")
    parser.add_argument("--scale", type=float, default=1.0, metavar="X", help="part of the steps, for a try")
    given = parser.parse_args()
    runs = given.runs.resolve()
    path = (common.RESULTS if given.scale == 1.0 else runs) / "memory.json"
    os.environ.setdefault("ARENA_THREADS", str(max(1, num_cores() // given.jobs)))
    work = [(training, seed) for seed in range(given.seeds) for training in TRAININGS if training.name in given.only]
    is_well = True
    with ThreadPoolExecutor(given.jobs) as pool:
        waiting = {pool.submit(run, training, seed, runs, given.scale): (training, seed) for training, seed in work}
        try:
            for done in as_completed(waiting):
                training, seed = waiting[done]
                is_well &= done.exception() is None
                print(f"{training.name} seed {seed}: {done.exception() or done.result()}", flush=True)
                write(path, runs, given.seeds)
        except KeyboardInterrupt:
            pool.shutdown(cancel_futures=True)
            sys.exit(f"stopped; the same command goes on with {runs}")
    sys.exit(0 if is_well else 1)


def run(training: Training, seed: int, runs: Path, scale: float) -> str:
    """Trains one seed to its end and judges its policies; returns its scores for people."""
    folder = runs / training.name / f"seed-{seed}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    status = folder / "status.json"
    if not status.exists() or json.loads(status.read_text())["state"] != "finished":
        is_begun = (folder / "config.toml").exists()
        arena(["resume", str(folder)] if is_begun else command(training, seed, folder, scale), folder)
    if not (folder / "scores.json").exists():
        (last,) = folder.glob("final.*")
        policies = {"last": last, "best": folder}
        write_json(folder / "scores.json", {key: score(training, ref, folder) for key, ref in policies.items()})
    scores, seconds = json.loads((folder / "scores.json").read_text()), json.loads(status.read_text())["seconds"]
    shown = ", ".join(f"{key} {scores[key][training.measure]:.3f}" for key in ("last", "best"))
    return f"{training.measure} of the policies: {shown}; {seconds:,.0f} s"


def command(training: Training, seed: int, folder: Path, scale: float = 1.0) -> list[str]:
    """Returns the arguments of `arena` that train a seed: from the preset but for the training's own settings."""
    flags = ["train", training.agent, "--env", training.env, "--seed", str(seed), "--run-dir", str(folder)]
    config = RunConfig.of(agent=training.agent, env=training.env).resolved(registry.resolve(training.agent))
    if not training.has_memory:
        widths = [*config.settings["hidden"], config.settings["memory_size"]]
        flags += ["--set", "network=mlp", "--set", f"hidden={json.dumps(widths, separators=(',', ':'))}"]
    if scale == 1.0:
        return flags
    assert config.steps and config.eval_every
    steps, period = (max(1, round(scale * number)) for number in (config.steps, config.eval_every))
    return [*flags, "--steps", str(steps), "--set", f"eval_every={period}"]


def score(training: Training, ref: Path, folder: Path) -> dict[str, Any]:
    """Returns what a policy scores in its own mode, on games that are the same for every policy."""
    options = {"--env": training.env, "--episodes": training.games, "--seed": EVALUATION_SEED}
    flags = [str(part) for pair in options.items() for part in pair]
    result = json.loads(arena(["eval", str(ref), *flags, "--json"], folder))
    solved = float(np.mean(np.array(result["returns"]) > 0.0))
    return {"mean": result["mean"], "solved": solved, "protocol": result["protocol"]}


def write(path: Path, runs: Path, num_seeds: int) -> None:
    """Writes the results of all seeds that are finished; of a training without any, those from before stay."""
    found = json.loads(path.read_text())["trainings"] if path.exists() else {}
    for training in TRAININGS:
        folders = [runs / training.name / f"seed-{seed}" for seed in range(num_seeds)]
        if finished := [folder for folder in folders if (folder / "scores.json").exists()]:
            found[training.name] = summary(training, finished)
    trainings = {training.name: found[training.name] for training in TRAININGS if training.name in found}
    common.write(str(path.with_suffix("")), {"evaluation_seed": EVALUATION_SEED, "trainings": trainings}, show=False)


def summary(training: Training, folders: list[Path]) -> dict[str, Any]:
    """Returns what came of the runs of one training."""
    config, seeds = read_toml(folders[0] / "config.toml"), []
    for folder in folders:
        scores, status = (json.loads((folder / f"{name}.json").read_text()) for name in ("scores", "status"))
        judged = {key: scores[key][training.measure] for key in ("last", "best")}
        seeds.append({"seed": read_toml(folder / "config.toml")["seed"], **judged, "seconds": status["seconds"]})
    flags = command(training, 0, Path("DIR"))
    return {
        **training._asdict(),
        "command": " ".join(["arena", *flags[:4], "--seed S", *flags[8:]]),
        "steps": config["steps"],
        "protocol": json.loads((folders[0] / "scores.json").read_text())["best"]["protocol"],
        "machine": config["machine"],
        "last": over_seeds([seed["last"] for seed in seeds]),
        "best": over_seeds([seed["best"] for seed in seeds]),
        "seeds": seeds,
    }


if __name__ == "__main__":
    main()
