"""Learning curves and standings as PNG files, drawn with Matplotlib and no state of its own.

Colours are Okabe & Ito's (2008), which people with any kind of colour vision can tell apart.
"""

from __future__ import annotations

import csv
import logging
import math
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
COLOURS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY)
INK, GREY = "#333333", "#8A8A8A"
STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#BBBBBB",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "font.size": 10,
    "grid.color": "#E6E6E6",
    "legend.frameon": False,
    "lines.solid_capstyle": "round",
    "text.color": INK,
    "text.parse_math": False,  # a name may hold a dollar sign
    "xtick.color": INK,
    "ytick.color": INK,
}
MAX_POINTS = 5_000
WINDOW = 100
NAME_LENGTH = 36


def learning_curve(run_dir: Path) -> Path:
    """Writes `plots/learning_curve.png` of a run folder and returns its path.

    It shows every training episode's return, the mean of the last 100, the evaluations with their standard deviation,
    and below the episodes' lengths, over environment steps. What is not there yet is left out.
    """
    episodes = read_columns(run_dir / "episodes.csv", ("step", "return", "length"))
    evaluations = read_columns(run_dir / "evaluations.csv", ("step", "mean", "std"))
    num_points = episodes["step"].size + evaluations["step"].size
    with _figure(8, 5.6, run_dir / "plots" / "learning_curve.png") as figure:
        returns, lengths = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        returns.set_title(run_dir.resolve().name)
        _draw_episodes(returns, episodes["step"], episodes["return"], GREY, INK, f"training, mean of {WINDOW} episodes")
        if evaluations["step"].size:
            mean, std = evaluations["mean"], evaluations["std"]
            _draw_band(returns, evaluations["step"], mean, std, BLUE, "evaluation, mean ± standard deviation")
        if num_points:
            returns.legend(loc="best")
        else:
            returns.text(0.5, 0.5, "no episode has ended yet", transform=returns.transAxes, ha="center", color=GREY)
            returns.set(xticks=[], yticks=[])
            lengths.set_yticks([])
        _draw_episodes(lengths, episodes["step"], episodes["length"], GREY, INK, "")
        returns.set_ylabel("return")
        lengths.set(xlabel="environment steps", ylabel="length")
        if num_points:
            _count_steps(lengths)
    return run_dir / "plots" / "learning_curve.png"


def compare(groups: Mapping[str, Sequence[Path]], out: Path) -> Path:
    """Writes one plot of several runs and returns its path, `out`.

    Every group, say the seeds of one agent, is a line: the mean of its runs over the steps that all of them reached,
    with their standard deviation as a band. Evaluations are shown where every run has some, else training returns.
    """
    runs = {name: [_evaluations(folder) for folder in folders] for name, folders in groups.items()}
    what = "evaluation"
    if not all(steps.size for group in runs.values() for steps, _ in group):
        what = f"training, mean of {WINDOW} episodes"
        runs = {name: [_training(folder) for folder in folders] for name, folders in groups.items()}
    with _figure(8, 4.5, out) as figure:
        axes = figure.subplots()
        for i, (name, group) in enumerate(runs.items()):
            curves = [(steps, values) for steps, values in group if steps.size]
            if curves:
                seeds = f" ({len(curves)} runs)" if len(curves) > 1 else ""
                colour, style = COLOURS[i % len(COLOURS)], ("-", "--", ":")[i // len(COLOURS) % 3]
                _draw_band(axes, *_spread(curves), colour, _short(name) + seeds, style)
        if axes.lines:
            axes.legend(loc="best")
        axes.set(xlabel="environment steps", ylabel=f"return ({what})")
        _count_steps(axes)
    return out


def standings(rows: Sequence[Mapping[str, Any]], out: Path) -> Path:
    """Writes one panel for every environment and returns the plot's path.

    Args:
      rows: mappings with agent, env, mean, std, episodes, rank, and, if at hand, returns. Every game is a faint point,
        the mean a dot with a bar of one standard error.
      out: a PNG file, or a folder for `standings.png`.
    """
    path = out if out.suffix == ".png" else out / "standings.png"
    panels: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        panels.setdefault(row["env"], []).append(row)
    heights = [0.5 + 0.36 * len(entries) for entries in panels.values()] or [1.0]
    with _figure(8, sum(heights) + 0.4 * len(heights) + 0.2, path) as figure:
        grid = figure.subplots(len(heights), squeeze=False, height_ratios=heights).ravel()
        for axes, (env, entries) in zip(grid, panels.items(), strict=False):
            _draw_standings(axes, env, sorted(entries, key=lambda row: row["rank"]))
        grid[-1].set_xlabel("return: every game, and the mean ± standard error")
    return path


def read_columns(path: Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Returns float64 columns of a CSV file: empty where there is no file, NaN where a cell holds no finite number.

    A last line that was torn when the run was killed is left out.
    """
    rows: list[tuple[float, ...]] = []
    if path.is_file():
        with path.open(newline="", encoding="utf-8") as file:
            rows = [
                tuple(_number(row[name]) for name in names) for row in csv.DictReader(file) if None not in row.values()
            ]
    columns = np.array(rows, np.float64).reshape(-1, len(names)).T
    return dict(zip(names, columns, strict=True))


def running_mean(values: np.ndarray, window: int) -> np.ndarray:
    """Returns the mean of the last `window` values at every place, fewer at the start. NaNs are skipped."""
    known = np.isfinite(values)
    sums, counts = (np.cumsum(np.concatenate([[0.0], x])) for x in (np.where(known, values, 0.0), known))
    first = np.maximum(np.arange(1, len(values) + 1) - window, 0)
    count = counts[1:] - counts[first]
    mean: np.ndarray = np.divide(sums[1:] - sums[first], count, out=np.full(len(values), np.nan), where=count > 0)
    return mean


def thinned(*arrays: np.ndarray) -> list[np.ndarray]:
    """Returns the arrays with at most MAX_POINTS entries each, evenly chosen, the first and the last among them."""
    length = len(arrays[0])
    if length <= MAX_POINTS:
        return list(arrays)
    chosen = np.linspace(0, length - 1, MAX_POINTS).round().astype(np.int64)
    return [array[chosen] for array in arrays]


@contextmanager
def _figure(width: float, height: float, path: Path) -> Iterator[Any]:
    """Gives a figure to draw on, then writes it atomically."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it tells of its font cache
    import matplotlib
    from matplotlib.figure import Figure

    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    with matplotlib.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # a name in a script that the font lacks
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure
        try:
            figure.savefig(temporary, format="png", dpi=min(150.0, 30_000 / height))
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)


def _draw_episodes(axes: Any, steps: np.ndarray, values: np.ndarray, faint: str, strong: str, label: str) -> None:
    mean = running_mean(values, WINDOW)
    steps, values, mean = thinned(steps, values, mean)
    size, alpha = (5, 0.5) if steps.size < 1000 else (3, 0.35)
    axes.plot(steps, values, ".", color=faint, alpha=alpha, markersize=size, markeredgewidth=0)
    if steps.size:
        axes.plot(steps, mean, color=strong, linewidth=1.6, label=label, marker="o" if steps.size == 1 else None)


def _draw_band(
    axes: Any, steps: np.ndarray, mean: np.ndarray, std: np.ndarray, colour: str, label: str, style: str = "-"
) -> None:
    marker = "o" if len(steps) <= 60 else None
    axes.fill_between(steps, mean - std, mean + std, color=colour, alpha=0.15, linewidth=0)
    axes.plot(steps, mean, style, color=colour, linewidth=1.8, marker=marker, markersize=3.5, label=label)


def _draw_standings(axes: Any, env: str, entries: Sequence[Mapping[str, Any]]) -> None:
    places = np.arange(len(entries))
    means = np.array([_number(row["mean"]) for row in entries])
    errors = np.array([_number(row["std"]) / math.sqrt(max(1, row["episodes"])) for row in entries])
    colours = [BLUE if row["rank"] == 1 else GREY for row in entries]
    for place, row, colour in zip(places, entries, colours, strict=True):
        [returns] = thinned(np.array(row.get("returns") or (), np.float64))
        # Spread by the golden ratio, so that equal games do not cover each other, and the same in every drawing.
        height = place + 0.5 * (np.arange(len(returns)) * 0.618034 % 1 - 0.5)
        axes.plot(returns, height, ".", color=colour, alpha=0.3, markersize=5, markeredgewidth=0)
        axes.errorbar(means[place], place, xerr=errors[place], fmt="o", color=colour, markersize=5, capsize=4)
    axes.set_title(_short(env))
    axes.set_ylim(len(entries) - 0.4, -0.6)
    axes.set_yticks(places, [_short(row["agent"]) for row in entries])
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    scores = axes.secondary_yaxis("right")
    scores.set_yticks(places, [_score(mean, error) for mean, error in zip(means, errors, strict=True)])
    scores.tick_params(axis="y", length=0)
    scores.spines[:].set_visible(False)


def _evaluations(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    columns = read_columns(folder / "evaluations.csv", ("step", "mean"))
    return columns["step"], columns["mean"]


def _training(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    columns = read_columns(folder / "episodes.csv", ("step", "return"))
    steps, mean = thinned(columns["step"], running_mean(columns["return"], WINDOW))
    return steps, mean


def _spread(curves: Sequence[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns steps, mean and standard deviation of curves over the steps that all of them reached."""
    first, last = max(steps[0] for steps, _ in curves), min(steps[-1] for steps, _ in curves)
    steps = np.unique(np.concatenate([steps for steps, _ in curves]))
    steps = steps[(steps >= first) & (steps <= last)]
    if not steps.size:
        steps = np.array([last])
    values = np.stack([np.interp(steps, *curve) for curve in curves])
    return steps, values.mean(0), values.std(0, ddof=1) if len(curves) > 1 else np.zeros(len(steps))


def _count_steps(axes: Any) -> None:
    from matplotlib.ticker import EngFormatter, MaxNLocator

    axes.set_xlim(left=0)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _number(text: Any) -> float:
    try:
        value = float(text)
    except (TypeError, ValueError):
        return math.nan
    return value if math.isfinite(value) else math.nan


def _score(mean: float, error: float) -> str:
    return "no score" if math.isnan(mean) else f"{mean:,.{0 if abs(mean) >= 1000 else 1}f} ± {error:,.1f}"


def _short(name: str) -> str:
    """Returns a name that fits: the end tells more than the beginning where it is a path."""
    return (
        name if len(name) <= NAME_LENGTH else f"{name[: NAME_LENGTH // 3]}…{name[1 + NAME_LENGTH // 3 - NAME_LENGTH :]}"
    )
