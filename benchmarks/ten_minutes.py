"""Ten minutes of training on harder games: killed halfway, resumed, filmed, the curves read as TensorBoard does.

python benchmarks/ten_minutes.py [--minutes M] [NAME ...]
"""

from __future__ import annotations

import argparse
import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import common

ARENA = str(Path(sys.executable).with_name("arena"))
#: Agent, environment and further flags by name.
TRAININGS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "random_search-MsPacman": ("random_search", "ALE/MsPacman-v5", ("--set", "candidates=100")),
    "random_search-Breakout": ("random_search", "ALE/Breakout-v5", ("--set", "candidates=100")),
    "reinforce-Pong": ("reinforce", "ALE/Pong-v5", ("--preprocess", "cookbook-pong")),
    "ppo-LunarLander": ("ppo", "LunarLander-v3", ()),
    "ppo-Pendulum": ("ppo", "Pendulum-v1", ()),
    "dqn-Breakout": ("dqn", "ALE/Breakout-v5", ()),
    "dqn-Pong": ("dqn", "ALE/Pong-v5", ()),
}


def measure(name: str, minutes: float, out: Path) -> dict[str, Any]:
    """Trains, kills, resumes and films; returns what came of it."""
    agent, env, flags = TRAININGS[name]
    run = out / name
    every = "5000" if env.startswith("ALE") else "20000"
    command = [ARENA, "train", agent, "--env", env, "--minutes", str(minutes), "--run-dir", str(run)]
    command += ["--checkpoint-every", every, *flags]
    with (out / f"{name}.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        begin = time.monotonic()
        while process.poll() is None and (time.monotonic() - begin < 30 * minutes or not _checkpoints(run)):
            time.sleep(1)
        was_killed = process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        at_kill = json.loads((run / "status.json").read_text())
        found = _checkpoints(run)
        if was_killed:
            subprocess.run([ARENA, "resume", str(run)], stdout=log, stderr=log, check=True)
        status = json.loads((run / "status.json").read_text())
        film = [ARENA, "record", str(run), "--env", env, "--out", str(run / "videos"), "--json"]
        film = subprocess.run(film, stdout=subprocess.PIPE, stderr=log, check=True, text=True).stdout
    with (run / "episodes.csv").open() as file:
        episodes = [int(row["episode"]) for row in csv.DictReader(file)]
    assert episodes == list(range(len(episodes))), "episodes are doubled or missing"
    return {
        "command": " ".join(["arena", *command[1:]]),
        "killed_with_checkpoint": found if was_killed else None,
        "at_kill": {key: at_kill[key] for key in ("step", "episodes", "seconds")},
        "end": status,
        "video": [Path(game["video"]).name for game in json.loads(film)["recordings"]],
        "curves": _curves(run),
    }


def _checkpoints(run: Path) -> list[str]:
    return sorted(path.name for path in (run / "checkpoints").glob("step-*"))


def _curves(run: Path) -> dict[str, Any]:
    """Returns number of points, first and last step and value by scalar, as TensorBoard reads them."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run), size_guidance={"tensors": 0}).Reload()
    curves = {}
    for tag in events.Tags()["tensors"]:
        steps = [event.step for event in events.Tensors(tag)]
        if "/" not in tag or not steps:
            continue
        assert steps == sorted(steps), f"{tag} goes back in steps"
        curves[tag] = {"points": len(steps), "first_step": steps[0], "last_step": steps[-1]}
    return curves


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*", default=list(TRAININGS))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--out", type=Path, default=Path("runs/ten-minutes"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = common.RESULTS / "ten_minutes.json"
    for name in arguments.names:
        result = measure(name, arguments.minutes, arguments.out)
        results = json.loads(path.read_text())["trainings"] if path.exists() else {}
        results[name] = result
        common.write("ten_minutes", {"minutes": arguments.minutes, "trainings": results})


if __name__ == "__main__":
    main()
