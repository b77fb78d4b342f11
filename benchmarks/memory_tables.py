"""The part of docs/benchmarks.md about agents with memory, from benchmarks/results/memory.json."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

Table = Callable[[Sequence[str], Iterable[Sequence[Any]]], str]

HEAD = """## Agents with memory

`python benchmarks/memory.py --runs DIR` — CartPole-v1 with both velocities hidden, and a T-maze whose sign is seen only
at the start of a corridor of 20 steps (Bakker 2002); from the presets, and beside them the same networks without
memory: in the place of the cell stands a dense layer of as many units. A score is that of the run's best policy (chosen
on seeds of its own) and in brackets of its last, on other seeds: the mean return, or the share of games in which the
goal was found. The intervals are 95% bootstraps over the seeds."""


def page(data: dict[str, Any], table: Table) -> str:
    """Returns the table of the trainings."""
    rows = []
    for found in data["trainings"].values():
        form = "{:.1%}".format if found["measure"] == "solved" else "{:.1f}".format
        best, last = found["best"], found["last"]
        rows.append(
            (
                f"`{found['command']}`",
                f"{found['steps']:,}",
                "-" if found["must"] is None else form(found["must"]),
                f"{form(best['mean'])} [{form(best['low'])}, {form(best['high'])}] ({form(last['mean'])})",
                ", ".join(f"{seed['seed']}: {form(seed['best'])}" for seed in found["seeds"]),
                f"{sum(seed['seconds'] for seed in found['seeds']) / len(found['seeds']):,.0f}",
            )
        )
    headings = ("training", "steps", "must", "score", "by seed", "s a seed")
    return f"{HEAD}\n\n{table(headings, rows)}"
