"""Figures of docs/benchmarks.md: learning curves with bootstrap bands over seeds, one figure for every environment."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, NullFormatter
from matplotlib.transforms import ScaledTranslation
from PIL import Image

from arena.plots import BLUE, GREEN, GREY, ORANGE, PURPLE, STYLE, VERMILLION
from arena.statistics.bootstrap import interval, resampled_counts

AGENTS = {"ppo": BLUE, "dqn": VERMILLION, "reinforce": GREEN, "q_learning": PURPLE, "random_search": ORANGE}
MARKERS = {"zoo": "D", "cleanrl": "s", "dopamine": "^"}
RESAMPLES = 10_000
MARK = 7.0  # width of a mark
WIDE = 4.0  # budgets that lie further apart than this are shown on a logarithmic axis


class Line(NamedTuple):
    """One agent in one environment: the curve of every seed as (steps, means), and what it must reach."""

    agent: str
    curves: Sequence[tuple[np.ndarray, np.ndarray]]
    must: float | None


class Point(NamedTuple):
    """A published score."""

    source: str
    name: str
    agent: str
    steps: int
    score: float


class Band(NamedTuple):
    """The mean over seeds with its 95% bootstrap interval, each [T]."""

    steps: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


def band(curves: Sequence[tuple[np.ndarray, np.ndarray]]) -> Band:
    """Returns the mean of the curves and its interval, from where the last of them begins.

    Between its evaluations a curve is interpolated; one that has ended keeps its last value, as its policy would.
    """
    steps = np.unique(np.concatenate([steps for steps, _ in curves]))
    steps = steps[steps >= max(steps[0] for steps, _ in curves)]
    values = np.stack([np.interp(steps, *curve) for curve in curves])
    counts = np.concatenate(list(resampled_counts(1, len(curves), seed=0, resamples=RESAMPLES)))
    low, high = interval(counts @ values / len(curves))
    return Band(steps, values.mean(0), low, high)


def draw(env: str, lines: Sequence[Line], points: Iterable[Point], path: Path) -> None:
    """Writes the figure of an environment as a small PNG file."""
    points, bands = list(points), [band(line.curves) for line in lines]
    with matplotlib.rc_context({**STYLE, "font.size": 9, "axes.titlesize": 10}):
        figure = Figure(figsize=(6.4, 3.3), layout="constrained")
        axes = figure.subplots()
        axes.set_title(env)
        for line, curve in zip(lines, bands, strict=True):
            colour = AGENTS.get(line.agent, GREY)
            if curve.steps.size == 1:
                axes.vlines(curve.steps, curve.low, curve.high, color=colour, alpha=0.5)
            axes.fill_between(curve.steps, curve.low, curve.high, color=colour, alpha=0.16, linewidth=0)
            size, order = (4.5, 5) if curve.steps.size == 1 else (2.2, 2)  # a single point lies above the marks
            axes.plot(curve.steps, curve.mean, color=colour, linewidth=1.7, marker="o", markersize=size, zorder=order)
        for must, colour in thresholds(lines).items():
            axes.axhline(must, color=colour, linewidth=1.1, linestyle=(0, (5, 3)), zorder=1.5)
        for point, shift in zip(points, shifts(points), strict=True):
            beside = axes.transData + ScaledTranslation(shift / 72, 0, figure.dpi_scale_trans)
            mark = {"marker": MARKERS[point.source], "color": AGENTS[point.agent], "markeredgecolor": "white"}
            axes.plot(point.steps, point.score, markersize=MARK, zorder=4, transform=beside, clip_on=False, **mark)
        _limit(axes, lines, bands, points)
        axes.set(xlabel="environment steps", ylabel="mean return")
        figure.legend(handles=_legend(lines, points), loc="outside right upper")
        _save(figure, path)


def thresholds(lines: Sequence[Line]) -> dict[float, str]:
    """Returns what must be reached, with a colour: the agent's where it is asked of one of several agents alone."""
    musts = [line.must for line in lines if line.must is not None]
    colours = {}
    for must in musts:
        agents = [line.agent for line in lines if line.must == must]
        is_one_of_several = len(agents) == 1 and len(lines) > 1
        colours[must] = AGENTS.get(agents[0], GREY) if is_one_of_several else GREY
    return colours


def shifts(points: Sequence[Point]) -> list[float]:
    """Returns how far to move each mark sideways, in 1/72 inch, so that those of equal steps stand side by side."""
    beside = [[i for i, other in enumerate(points) if other.steps == point.steps] for point in points]
    return [MARK * (group.index(i) - (len(group) - 1) / 2) for i, group in enumerate(beside)]


def _limit(axes: Any, lines: Sequence[Line], bands: Sequence[Band], points: Sequence[Point]) -> None:
    """Lets the means and all marks be seen; a band may go beyond."""
    marks = [point.score for point in points] + [line.must for line in lines if line.must is not None]
    heights = np.concatenate([*(curve.mean for curve in bands), marks])
    margin = 0.06 * (np.ptp(heights) or 1.0)
    axes.set_ylim(heights.min() - margin, heights.max() + margin)
    starts, ends = [curve.steps[0] for curve in bands], [curve.steps[-1] for curve in bands]
    ends += [point.steps for point in points]
    if max(ends) > WIDE * min(ends):
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlim(min(starts) / 1.25, max(ends) * 1.4)
    else:
        axes.set_xlim(0, max(ends) * 1.05)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))


def _legend(lines: Sequence[Line], points: Sequence[Point]) -> list[Line2D]:
    handles = [
        Line2D([], [], color=AGENTS.get(line.agent, GREY), linewidth=1.7, label=line.agent.replace("_", " "))
        for line in lines
    ]
    if thresholds(lines):
        handles.append(Line2D([], [], color=GREY, linewidth=1.1, linestyle=(0, (5, 3)), label="must reach"))
    for source, name in {point.source: point.name for point in points}.items():
        handles.append(Line2D([], [], color=GREY, marker=MARKERS[source], markersize=6, linewidth=0, label=name))
    return handles


def _save(figure: Figure, path: Path) -> None:
    """Writes a PNG file of 128 colours, a third of the size and the same to the eye."""
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=150)
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.open(drawn).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    image.save(path, optimize=True)
