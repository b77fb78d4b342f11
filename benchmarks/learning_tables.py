"""The part of docs/benchmarks.md about learning: from benchmarks/results, the zoo's records and what others publish."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from learning_figures import Line, Point, draw

from arena.reports.words import count, duration

Results = Mapping[str, Any]
Table = Callable[[Sequence[str], Iterable[Sequence[Any]]], str]

HERE = Path(__file__).parent
IMAGES = HERE.parent / "docs" / "images"
ZOO = HERE.parent / "agents" / "zoo"
ATARI_MUST = {"ppo/ALE/Pong-v5": 18.0, "dqn/ALE/Pong-v5": 10.0, "ppo/ALE/Breakout-v5": 30.0}

HEAD = """## Learning

`python benchmarks/learning_curves.py --runs DIR` — every agent trained from its preset, by `arena train`, over {seeds}
seeds. The last policy and the best one (chosen by the run's own evaluations, on seeds of their own) are then played by
`arena eval`, each in its own mode, on the same games for all. Scores are means over the seeds, with 95% percentile
bootstrap intervals over the seeds. Steps and time to the must are those of a run's first evaluation that reached it:
the median over all seeds, where those that never did count as later than all. Time is that of the training process,
evaluations included, after its start, {threads}. Others' scores are for the same steps, or say for
how many."""

ATARI = """### Atari, with the seeds that the time allowed: one

One training is one draw: nothing here says how much another seed would differ. The intervals are over the games of the
one policy that the zoo ships. Protocol: {protocol}; scores are not clipped."""

CURVES = """The curves are the mean of the seeds' evaluations with its 95% bootstrap band over the seeds. Steps are on a
logarithmic axis where the budgets lie far apart. Scores that others publish are marks at the steps that they took,
side by side where these are the same."""


def page(
    read: Callable[[str], Results],
    is_measured: Callable[[str], bool],
    table: Table,
    *,
    images: Path = IMAGES,
    zoo: Path = ZOO,
) -> str:
    """Returns the part as Markdown and draws its figures; what has not been measured is left out."""
    known, parts = published(), []
    if is_measured("learning_curves"):
        entries = list(read("learning_curves")["entries"].values())
        lines = _by_env(
            (entry["env"], Line(entry["agent"], _curves(entry["seeds"]), entry["must"])) for entry in entries
        )
        parts += [_head(entries), _scores(entries, known, table), CURVES, *_figures(lines, known, images)]
        parts += ["### Protocols", _protocols(entries, table)]
    if records := atari_records(zoo):
        lines = _by_env(
            (record["env"], Line(record["agent"], _curves([record]), must_of(record))) for record in records
        )
        parts += [ATARI.format(protocol=_protocol(records)), _atari(records, known, table)]
        parts += _figures(lines, known, images)
    return "\n\n".join([*parts, _sources(known)]) if parts else ""


def published() -> Results:
    """Returns what others publish: `scores`, and their `sources`."""
    with (HERE / "published.toml").open("rb") as file:
        return tomllib.load(file)


def quoted(known: Results, source: str, agent: str, env: str, steps: int) -> str:
    """Returns a published score for a table; its steps too where they are not these."""
    for score in known["scores"]:
        if (score["source"], score["agent"], score["env"]) == (source, agent, env):
            spread = f" ± {score['std']:.1f}" if "std" in score else ""
            at = "" if score["steps"] == steps else f" ({_count(score['steps'])} steps)"
            return f"{score['score']:,.1f}{spread}{at}"
    return "-"


def atari_records(zoo: Path) -> list[Results]:
    """Returns the records of the zoo's policies for Atari, by environment, with all that it took to make them."""
    records = [_whole(json.loads(path.read_text())) for path in sorted(zoo.glob("*/ALE/*.json"))]
    return sorted(records, key=lambda record: str(record["env"]))


def _whole(record: Results) -> Results:
    """Returns a record whose steps, seconds and curve are those of the trainings before its own, too."""
    curve: list[Results] = []
    steps, seconds = 0, 0.0
    for training in [*record.get("before", []), record]:
        curve += [{**row, "step": row["step"] + steps} for row in training["curve"]]
        steps, seconds = steps + training["steps"], seconds + training["seconds"]
    return {**record, "steps": steps, "seconds": seconds, "curve": curve}


def must_of(record: Results) -> float | None:
    """Returns the score that a policy for Atari must reach; None where it is the best that there was time for."""
    return ATARI_MUST.get(f"{record['agent']}/{record['env']}")


def _head(entries: Sequence[Results]) -> str:
    seeds = sorted({len(entry["seeds"]) for entry in entries})
    machines = {(entry["machine"]["threads"], entry["machine"]["cores"]) for entry in entries}
    threads = " and ".join(f"with {count(threads, 'thread')} on {cores} cores" for threads, cores in sorted(machines))
    return HEAD.format(seeds=" to ".join(map(str, dict.fromkeys((seeds[0], seeds[-1])))), threads=threads)


def _scores(entries: Sequence[Results], known: Results, table: Table) -> str:
    rows = []
    for entry in entries:
        agent, env, steps, reached = entry["agent"], entry["env"], entry["steps"], entry["to_must"]
        to_must = f"{reached['reached']} of {len(entry['seeds'])}"
        if reached["steps"] is not None:
            to_must += f": {_count(reached['steps'])}, {duration(reached['seconds'])}"
        others = [quoted(known, source, agent, env, steps) for source in ("zoo", "cleanrl")]
        scores = (_estimate(entry["last"]), _estimate(entry["best"]), f"{entry['must']:g}")
        rows.append((env, agent, _count(_taken(entry)), *scores, to_must, *others))
    headings = (
        "environment", "agent", "steps", "last policy", "best policy", "must", "seeds that reached it: steps, time",
        *(known["sources"][source]["name"] for source in ("zoo", "cleanrl")),
    )  # fmt: skip
    return table(headings, rows)


def _atari(records: Sequence[Results], known: Results, table: Table) -> str:
    rows = []
    for record in records:
        others = [quoted(known, source, record["agent"], record["env"], record["steps"]) for source in known["sources"]]
        must, score = must_of(record), record["evaluation"]
        told = (f"{_estimate(score)} ({count(score['episodes'], 'game')})", "-" if must is None else f"{must:g}")
        played = (record["protocol"]["preprocessing"], score["mode"])
        training = (record["seed"], _count(record["steps"]), duration(record["seconds"]))
        rows.append((record["env"], record["agent"], *training, *played, *told, *others))
    names = (source["name"] for source in known["sources"].values())
    headings = ("environment", "agent", "seed", "steps", "time", "preprocessing", "mode", "best policy", "must", *names)
    return table(headings, rows)


def _protocols(entries: Sequence[Results], table: Table) -> str:
    rows = [
        (
            entry["env"],
            entry["agent"],
            f"{entry['protocol']['max_episode_steps']:,}",
            f"{entry['games']:,}, {entry['protocol']['mode']}",
            f"{count(entry['eval_episodes'], 'game')} every {entry['eval_every']:,} steps",
            f"`{entry['command']}`",
        )
        for entry in entries
    ]
    headings = ("environment", "agent", "longest game", "judged on, played", "evaluations while training", "command")
    return table(headings, rows)


def _sources(known: Results) -> str:
    lines = ["### What others publish", ""]
    for source in known["sources"].values():
        lines.append(f"- [{source['name']}]({source['url']}): {' '.join(source['protocol'].split())}")
    renamed = {
        f"{score['theirs']} for {score['env']}"
        for score in known["scores"]
        if score["theirs"] != score["env"] and "ALE" not in score["env"]
    }
    lines += ["", f"Where a version has changed they played {', '.join(sorted(renamed))}."]
    return "\n".join(lines)


def _figures(lines: Mapping[str, Sequence[Line]], known: Results, images: Path) -> list[str]:
    """Draws a figure for every environment and returns the Markdown that shows it."""
    shown = []
    for env, of_env in lines.items():
        agents = [line.agent for line in of_env]
        points = [
            Point(
                score["source"], known["sources"][score["source"]]["name"], *map(score.get, ("agent", "steps", "score"))
            )
            for score in known["scores"]
            if score["env"] == env and score["agent"] in agents
        ]
        path = images / f"learning-{env.replace('/', '-')}.png"
        draw(env, of_env, points, path)
        shown.append(f"![Learning curves on {env}: {', '.join(agents)}](images/{path.name})")
    return shown


def _by_env(lines: Iterable[tuple[str, Line]]) -> dict[str, list[Line]]:
    grouped: dict[str, list[Line]] = {}
    for env, line in lines:
        grouped.setdefault(env, []).append(line)
    return grouped


def _curves(runs: Iterable[Results]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Returns (steps, means) of every run; its curve is a table by columns or by rows."""
    curves = []
    for run in runs:
        curve = run["curve"]
        if not isinstance(curve, Mapping):
            curve = {key: [row[key] for row in curve] for key in ("step", "mean")}
        curves.append((np.array(curve["step"]), np.array(curve["mean"])))
    return curves


def _taken(entry: Results) -> int:
    """Returns the steps that were taken: fewer than the budget where an agent ends by itself."""
    return int(np.median([seed["steps"] for seed in entry["seeds"]]))


def _protocol(records: Sequence[Results]) -> str:
    """Returns what the games of all policies for Atari have in common, or each that there is."""
    words = "sticky actions {sticky_actions}, frame skip {frame_skip}, {episode_end}s of at most {max_frames:,} frames"
    return "; ".join(sorted({words.format(**record["protocol"]) for record in records}))


def _estimate(found: Results) -> str:
    """Returns a score and its interval, with more places where scores are small."""
    figures = [found[key] for key in ("mean", "low", "high")]
    places = next((places for bound, places in ((2, 3), (10, 2)) if max(map(abs, figures)) < bound), 1)
    mean, low, high = (f"{figure:,.{places}f}" for figure in figures)
    return f"{mean} [{low}, {high}]"


def _count(steps: float) -> str:
    """Returns a number of steps as people write it: 50k, 1.2M."""
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if steps >= unit:
            return f"{steps / unit:.3g}{name}"
    return f"{steps:g}"
