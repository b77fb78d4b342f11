"""Charts as pictures, [H, W, 3] uint8, for TensorBoard and PNG files."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from arena.plots import BLUE, GREY, STYLE

_DPI = 100
_MAX_LEGEND = 20


def render(draw: Callable[[Any], None], width: float = 6.4, height: float = 4.0) -> np.ndarray:
    """Returns what `draw` draws on the Matplotlib figure it is given, of so many inches."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it tells of its font cache
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), dpi=_DPI, layout="constrained")
        canvas: Any = FigureCanvasAgg(figure)
        draw(figure)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def curve(x: Sequence[float], y: Sequence[float], x_label: str, y_label: str, mark: int | None = None) -> np.ndarray:
    """Returns a line through points; the one at index `mark` is pointed out."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.plot(x, y, "o-", color=GREY, markersize=4)
        if mark is not None:
            axes.plot(x[mark], y[mark], "o", color=BLUE, markersize=9)
        axes.set(xlabel=x_label, ylabel=y_label)

    return render(draw)


def scatter(points: np.ndarray, labels: np.ndarray | None, classes: Sequence[str], axes_label: str) -> np.ndarray:
    """Returns [N, 2 or 3] points in their first two or three dimensions, coloured by their labels."""
    num_dims = min(3, points.shape[1])

    def draw(figure: Any) -> None:
        from matplotlib import colormaps

        axes = figure.subplots(subplot_kw={"projection": "3d"} if num_dims == 3 else {})
        groups = np.zeros(len(points), np.int64) if labels is None else labels
        for group in np.unique(groups):
            chosen = points[groups == group, :num_dims].T
            name = classes[group] if labels is not None and group < len(classes) else str(group)
            axes.scatter(*chosen, s=8, alpha=0.7, linewidths=0, color=colormaps["tab10"](int(group) % 10), label=name)
        for k, axis in enumerate("xyz"[:num_dims]):
            getattr(axes, f"set_{axis}label")(f"{axes_label} {k + 1}")
        if labels is not None and len(np.unique(groups)) <= _MAX_LEGEND:
            axes.legend(loc="center left", bbox_to_anchor=(1.08, 0.5), markerscale=3)

    return render(draw, 7.4, 5.6)
