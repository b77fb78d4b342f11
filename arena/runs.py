"""The runs in a folder: agent, environment, steps, scores; several seeds of one configuration as one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from arena.config import read_toml
from arena.errors import ArenaError

#: What may differ between two runs that are seeds of one another.
_OWN_KEYS = ("seed", "versions", "protocol")


def find(folder: Path = Path("runs")) -> list[dict[str, Any]]:
    """Returns every run below `folder`, oldest first: folder, agent, env, seed, state, step, last, best, config."""
    runs = []
    for path in sorted(folder.rglob("config.toml"), key=lambda path: path.stat().st_mtime):
        try:
            config = read_toml(path)
            status = _read_status(path.parent / "status.json")
        except (ArenaError, OSError, ValueError, TypeError):
            config, status = {"folder": str(path.parent)}, {"state": "damaged"}
        shown = {key: config.get(key) for key in ("agent", "env", "seed")}
        scores = {key: status.get(key) for key in ("state", "step", "episodes", "last", "best", "seconds")}
        same = {key: value for key, value in config.items() if key not in _OWN_KEYS}
        runs.append(
            {"folder": str(path.parent), **shown, **scores, "group": json.dumps(same, sort_keys=True, default=str)}
        )
    return runs


def _read_status(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {"state": "started"}  # nothing is saved yet
    return dict(json.loads(path.read_text()))


def grouped(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns one entry per configuration: its runs, and mean and spread of their best and last scores."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for run in runs:
        groups.setdefault(run["group"], []).append(run)
    return [
        {
            "agent": members[0]["agent"],
            "env": members[0]["env"],
            "seeds": [run["seed"] for run in members],
            "step": max((run["step"] or 0) for run in members),
            **{f"{key}_{name}": value for key in ("last", "best") for name, value in _spread(members, key).items()},
            "runs": [{key: value for key, value in run.items() if key != "group"} for run in members],
        }
        for members in groups.values()
    ]


def _spread(members: list[dict[str, Any]], key: str) -> dict[str, float | None]:
    values = [run[key] for run in members if run[key] is not None]
    if not values:
        return {"mean": None, "std": None}
    return {"mean": float(np.mean(values)), "std": float(np.std(values, ddof=1)) if len(values) > 1 else 0.0}
