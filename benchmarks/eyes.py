"""An agent that sees through a component beside one that sees the pixels, by the time that each has trained.

    arena component train convolutional-autoencoder --data RUN --set noise=0 ... --out eyes
    arena train ppo --env ALE/Pong-v5 --minutes M --set encoder=eyes --set network=mlp --run-dir codes
    arena train ppo --env ALE/Pong-v5 --minutes M --run-dir pixels
    python benchmarks/eyes.py codes pixels [--picture FILE.png]

The two train side by side, each with as much of the machine.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import common

from arena.components import charts, pictures
from arena.config import read_toml


def told(run: Path) -> dict[str, Any]:
    """Returns what a run was and its curve: minutes, steps and mean returns of its evaluations."""
    config = read_toml(run / "config.toml")
    with (run / "evaluations.csv").open(newline="") as file:
        curve = [(float(row["seconds"]) / 60, int(row["step"]), float(row["mean"])) for row in csv.DictReader(file)]
    status = json.loads((run / "status.json").read_text())
    shown = ("network", "hidden") if config["settings"]["network"] == "mlp" else ("network",)
    return {
        "encoder": config.get("encoder"),
        "preset": config.get("preset"),
        **{key: config["settings"][key] for key in shown},
        "seed": config["seed"],
        "steps": status["step"],
        "minutes": round(status["seconds"] / 60, 1),
        "curve": [[round(minutes, 2), step, mean] for minutes, step, mean in curve],
    }


def drawn(runs: Mapping[str, Any]) -> Any:
    """Returns a picture of mean returns by minutes, [H, W, 3] uint8."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for name, run in runs.items():
            minutes, _, means = zip(*run["curve"], strict=True)
            axes.plot(minutes, means, "o-", markersize=3, label=f"{name}, {run['steps']:,} steps")
        axes.set(xlabel="minutes of training", ylabel="mean return of 5 games")
        axes.legend()

    return charts.render(draw)


def main() -> None:
    """Reads the runs, writes the picture and the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, help="run folders, named as the curves are to be")
    parser.add_argument("--picture", type=Path)
    args = parser.parse_args()
    runs = {run.name: told(run) for run in args.runs}
    common.write("eyes", {"runs": runs})
    if args.picture:
        pictures.write(args.picture, drawn(runs))


if __name__ == "__main__":
    main()
