"""What quantization costs and gains: size, agreement, divergence, score and latency, over trained policies.

python benchmarks/quantization.py [--runs DIR]     trains what DIR (a temporary folder by default) does not have yet

Sides of a comparison play the same 20 games. Pong is trained for minutes only, so its values are nearly equal and its
scores are those of a beginner: its sizes, latencies and divergences mean something, its scores do not.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import common

from arena import inspection
from arena.export import export
from arena.profiling import profile

ARENA = str(Path(sys.executable).with_name("arena"))
TRAINED = {
    "dqn-cartpole": "dqn --env CartPole-v1 --steps 20000",
    "ppo-cartpole": "ppo --env CartPole-v1 --steps 50000",
    "reinforce-cartpole": "reinforce --env CartPole-v1 --steps 50000 --set play=sample",
    "rbf-cartpole": "q_learning --env CartPole-v1 --steps 20000",
    "ppo-pendulum": "ppo --env Pendulum-v1 --steps 20000",
    "ppo-pong": "ppo --env ALE/Pong-v5 --minutes 4 --set eval_episodes=2",
    "dqn-pong": "dqn --env ALE/Pong-v5 --minutes 4 --set eval_every=5000 --set eval_episodes=2",
}
KINDS = ("none", "float16", "dynamic", "int8")
GAMES = 20


def main() -> None:
    """Trains, exports, measures, and writes benchmarks/results/quantization.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path)
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        runs = runs or Path(folder)
        policies = {}
        for name, command in TRAINED.items():
            if not (runs / name).exists():
                subprocess.run([ARENA, "train", *command.split(), "--run-dir", str(runs / name)], check=True)
            policies[name] = {"command": f"arena train {command}", **exported(runs / name, Path(folder) / name)}
    common.write("quantization", {"games": GAMES, "policies": policies})


def exported(run: Path, stem: Path) -> dict[str, Any]:
    """Returns what each kind of quantization makes of the best policy of a run."""
    results = {}
    for kind in KINDS:
        result = export(str(run), stem.with_name(f"{stem.name}-{kind}.tflite"), quantize=kind, episodes=GAMES)
        measured = profile(result.path)
        results[kind] = {
            "bytes": result.bytes,
            "mean_us": round(measured.mean_us, 2),
            "min_us": round(measured.min_us, 2),
            "comparison": result.comparison.to_json() if result.comparison else None,
        }
        print(stem.name, kind, results[kind], flush=True)
    found = inspection.inspect(stem.with_name(f"{stem.name}-none.tflite"))
    card = found.card or {}
    smallest = results["none"]["bytes"]
    ratios = {kind: round(results[kind]["bytes"] / smallest, 4) for kind in KINDS}
    return {"mode": card["mode"], "step": card["step"], "parameters": found.parameters, "ratio": ratios, **results}


if __name__ == "__main__":
    main()
