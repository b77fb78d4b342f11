"""Against Stable-Baselines3 (PyTorch) and SBX (JAX), at equal hyperparameters; needs `pip install .[peers]`.

    python benchmarks/peers.py [--only NAME ...] [--rounds N] [--quick]

Both sides run alternating, each time in a new process, which first does the same work until all is imported, compiled
and learning, and is then timed. Each side uses the threads that it takes by itself. What each does: benchmarks/sides.
The results are kept line by line in benchmarks/results/peers.json; --quick keeps none.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import common
import numpy as np
from sides.work import GAMES, WORKS

from arena.versions import made_with

PACKAGES = ("stable-baselines3", "sbx-rl", "torch", "jax")
SEEDS = range(5)
RESAMPLES = 10_000
INDENT = 26
NAMES = {"arena": "arena", "sb3": "Stable-Baselines3", "sbx": "SBX", "torch": "PyTorch"}


class Rates(NamedTuple):
    """A comparison of speeds.

    Attributes:
      task: what both sides do (see sides).
      unit: of the rates.
      goals: by the other side, the ratio that must be reached and the one aimed at.
      rounds: how often by default.
    """

    task: str
    unit: str
    goals: dict[str, tuple[float, float]]
    rounds: int


RATES = {
    "dqn-cartpole": Rates("rate", "steps/s", {"sb3": (3.5, 6.0), "sbx": (1.8, 3.0)}, 3),
    "ppo-cartpole": Rates("rate", "steps/s", {"sb3": (8.0, 10.0), "sbx": (3.0, 5.0)}, 3),
    "dqn-pong": Rates("rate", "steps/s", {"sb3": (1.1, 1.3)}, 3),
    "ppo-pong": Rates("rate", "steps/s", {"sb3": (1.25, 1.5)}, 3),
    "act-cnn": Rates("act", "actions/s", {"torch": (4.0, 6.0)}, 5),
    "act-mlp": Rates("act", "actions/s", {"sb3": (15.0, 25.0)}, 5),
}


def main() -> None:
    lines: dict[str, Callable[..., dict[str, Any]]] = {name: partial(rates, name) for name in RATES}
    lines |= {"replay-bytes": replay_bytes, "shares": shares, "scores": scores}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=lines, default=list(lines), metavar="NAME", help=", ".join(lines))
    parser.add_argument("--rounds", type=int, help="of each comparison of speeds")
    parser.add_argument("--quick", action="store_true", help="a first look: short, and not kept")
    options = parser.parse_args()
    for name in options.only:
        begin = time.perf_counter()
        result = lines[name](rounds=options.rounds, quick=options.quick)
        wall_s = round(time.perf_counter() - begin)
        print(f"{'':{INDENT}}{wall_s} s\n", flush=True)
        if not options.quick:
            keep(name, result | {"wall_s": wall_s})


def keep(name: str, result: dict[str, Any]) -> None:
    """Puts the result of one line in place of the one before it."""
    path = common.RESULTS / "peers.json"
    results = json.loads(path.read_text())["lines"] if path.exists() else {}
    line = {"command": f"python benchmarks/peers.py --only {name}", **result}
    line |= {"commit": common.commit(), **made_with(), **{package: version(package) for package in PACKAGES}}
    common.write("peers", {"lines": results | {name: line}}, show=False)


def rates(name: str, *, rounds: int | None, quick: bool) -> dict[str, Any]:
    """Returns every side's rates by round, and the ratios to the others'."""
    task, unit, goals, default_rounds = RATES[name]
    sides = ["arena", *goals]
    measured: dict[str, list[float]] = {side: [] for side in sides}
    show(f"{name}, {unit}", [NAMES[side] for side in sides])
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds or (1 if quick else default_rounds)):
            for side in sides if number % 2 == 0 else reversed(sides):  # each goes first in turn
                measured[side].append(run(side, task, name, quick=quick, seed=number, folder=folder))
            show(f"  round {number + 1}", [f"{measured[side][-1]:,.0f}" for side in sides])
    comparisons = {}
    for side, (must, aim) in goals.items():
        ratios = [ours / theirs for ours, theirs in zip(measured["arena"], measured[side], strict=True)]
        comparisons[side] = {"must": must, "aim": aim, "ratio": statistics.median(ratios), "ratios": ratios}
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        print(f"{'':{INDENT}}{statistics.median(ratios):.2f} x {NAMES[side]} ({spread}; must {must}, aim {aim})")
    configuration = WORKS[name]._asdict() if name in WORKS else {}
    return {"unit": unit, "rates": measured, "comparisons": comparisons, "configuration": configuration}


def replay_bytes(*, rounds: int | None, quick: bool) -> dict[str, Any]:
    """Returns the bytes per transition of both sides' replays for Pong."""
    result = {side: run(side, "replay_bytes", "dqn-pong") for side in ("arena", "sb3")}
    show("replay-bytes", [NAMES[side] for side in result])
    show("  of a transition", [f"{value:,.0f}" for value in result.values()])
    return {"bytes_per_transition": result, "must": 7_200}


def shares(*, rounds: int | None, quick: bool) -> dict[str, Any]:
    """Returns where the time of the arena's trainings goes."""
    result = {}
    show("shares", ["gradient", "network", "environment", "rest"])
    for name in WORKS:
        result[name] = run("arena", "shares", name, quick=quick)
        parts = [f"{100 * result[name][part]:.1f}%" for part in ("gradient", "network", "environment", "rest")]
        show(f"  {name}", parts)
    for name, found in result.items():
        if "matrix_gflops" in found:
            found["of_matrix"] = found["gradient_gflops"] / found["matrix_gflops"]
            of_matrix = f"{found['of_matrix']:.0%} of a matrix product's {found['matrix_gflops']:.0f}"
            print(f"{'':{INDENT}}{name}: gradient {found['gradient_gflops']:.0f} GFLOP/s, {of_matrix}")
    return {"shares": result, "must": "everything else below 10% for Pong"}


def scores(*, rounds: int | None, quick: bool) -> dict[str, Any]:
    """Returns scores of whole trainings on CartPole, both sides', with bootstrap intervals. Two run at a time."""
    result = {}
    seeds = SEEDS[:1] if quick else SEEDS
    show("scores", ["arena, last", "Stable-Baselines3", "difference", "arena, best"])
    for name in ("dqn-cartpole", "ppo-cartpole"):
        jobs = [(side, seed) for seed in seeds for side in ("arena", "sb3")]
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda job: run(job[0], "score", name, threads=1, seed=job[1]), jobs))  # noqa: B023
        ours, theirs = found[::2], found[1::2]
        result[name] = compared([row["final"] for row in ours], [row["final"] for row in theirs])
        result[name]["best"] = summary([row["best"] for row in ours])
        show(f"  {name}", [spread(result[name][column]) for column in ("arena", "sb3", "difference", "best")])
    return {"games": GAMES, "scores": result}


def compared(ours: list[float], theirs: list[float]) -> dict[str, Any]:
    """Returns means over seeds, and their difference, with 95% percentile bootstrap intervals over seeds."""
    difference = resampled(ours) - resampled(theirs, seed=1)
    low, high = np.percentile(difference, [2.5, 97.5])
    mean = float(np.mean(ours) - np.mean(theirs))
    return {"arena": summary(ours), "sb3": summary(theirs), "difference": {"mean": mean, "interval": [low, high]}}


def summary(values: list[float]) -> dict[str, Any]:
    """Returns the values, their mean, and its 95% percentile bootstrap interval."""
    return {
        "values": values,
        "mean": float(np.mean(values)),
        "interval": np.percentile(resampled(values), [2.5, 97.5]).tolist(),
    }


def resampled(values: Sequence[float], seed: int = 0) -> np.ndarray:
    """Returns [RESAMPLES] means of values drawn with replacement."""
    picked = np.random.default_rng(seed).integers(len(values), size=(RESAMPLES, len(values)))
    return np.asarray(np.asarray(values)[picked].mean(1))


def spread(found: dict[str, Any]) -> str:
    """Returns a mean and its interval."""
    low, high = found["interval"]
    return f"{found['mean']:.1f} [{low:.1f}, {high:.1f}]"


def run(side: str, task: str, name: str, *, threads: int | None = None, **options: Any) -> Any:
    """Returns what a new process of one side measured."""
    capped = {"OMP_NUM_THREADS": str(threads), "ARENA_THREADS": str(threads)} if threads else {}
    process = subprocess.run(
        [sys.executable, "-m", "sides", side, task, name, json.dumps(options)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
        env=os.environ | capped,
        check=False,
    )
    if process.returncode:
        sys.exit(f"{side} {task} {name} failed:\n{process.stderr}")
    return json.loads(process.stdout.splitlines()[-1])


def show(title: str, cells: Sequence[str]) -> None:
    """Prints one line of a table."""
    print(f"{title:{INDENT}}" + "".join(f"{cell:>24}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
