"""Charts as inline SVG, drawn without a library. Colours are CSS variables of the page, which knows light and dark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup

from arena.reports.hostile import shown
from arena.reports.words import MINUS

NUM_COLOURS = 8
_WIDTH = 640.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 68.0, 16.0, 34.0, 50.0


class Curve(NamedTuple):
    """A line with a band: [T] heights, and the lower and upper end of their intervals."""

    point: np.ndarray
    low: np.ndarray
    high: np.ndarray


def tag(name: str, *children: Markup | str, **attributes: str | float | None) -> Markup:
    """Returns an element, everything in it escaped; `class_` is class, `_` in names is `-`, numbers are rounded."""
    parts = [
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    ]
    inner = "".join(child if isinstance(child, Markup) else _text(child) for child in children)
    return Markup(f"<{name}{''.join(parts)}>{inner}</{name}>")


def interval_bar(
    point: float, low: float, high: float, scale: tuple[float, float], reference: float | None = None
) -> Markup:
    """Returns a small bar from `low` to `high` with a dot at `point`, for a table's cell whose numbers say the same.

    Args:
      scale: the values at its left and right end, the same for every bar of a column.
      reference: a value that is marked by a line, such as 0.
    """

    def x(value: float) -> float:
        return 6 + 148 * _share(value, scale)

    marks = [tag("line", class_="track", x1=4, x2=156, y1=10, y2=10)]
    if reference is not None and scale[0] <= reference <= scale[1]:
        marks.append(tag("line", class_="reference", x1=x(reference), x2=x(reference), y1=2, y2=18))
    if math.isfinite(low) and math.isfinite(high):
        marks.append(tag("rect", class_="interval", x=x(low), width=max(2.0, x(high) - x(low)), y=5, height=10, rx=3))
    marks.append(tag("circle", class_="point", cx=x(point), cy=10, r=3.5))
    return _svg(160, 20, *marks, class_="bar", aria_hidden="true")


def scale_of(*values: float) -> tuple[float, float]:
    """Returns the range of the finite values; wider than nothing."""
    finite = [value for value in values if math.isfinite(value)] or [0.0]
    low, high = min(finite), max(finite)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def lines(
    x: np.ndarray,
    curves: Mapping[str, Curve],
    *,
    label: str,
    x_title: str,
    y_title: str,
    colours: Mapping[str, int],
    y_scale: tuple[float, float] = (0.0, 1.0),
) -> Markup:
    """Returns curves over [T] `x`, with their bands.

    Args:
      label: what the chart shows, in words, for who cannot see it.
      colours: the number of each curve's colour, which also chooses its dashes.
      y_scale: the values at the bottom and at the top; shares of 1 are told in percent.
    """
    bottom, across, scale = 300.0, _WIDTH - _LEFT - _RIGHT, (float(x[0]), float(x[-1]))
    px = [_LEFT + across * _share(value, scale) for value in x]

    def height(value: float) -> float:
        return bottom - (bottom - _TOP) * _share(value, y_scale)

    is_share = y_scale == (0.0, 1.0)
    rules = [0, 0.25, 0.5, 0.75, 1] if is_share else ticks(*y_scale, most=5)
    marks = [_rule(height(value), f"{value:.0%}" if is_share else f"{value:g}".replace("-", MINUS)) for value in rules]
    marks += _x_axis(scale, bottom, x_title)
    paths = {name: [list(map(height, part)) for part in curve] for name, curve in curves.items()}
    for name, (_, low, high) in paths.items():
        outline = [*zip(px, low, strict=True), *zip(reversed(px), reversed(high), strict=True)]
        marks.append(tag("path", class_=f"band c{colours[name]}", d=f"{_path(outline)}Z"))
    for name, (point, _, _) in paths.items():
        path = _path(list(zip(px, point, strict=True)))
        marks.append(tag("path", tag("title", name), class_=f"line c{colours[name]}", d=path))
    marks.append(tag("text", y_title, class_="axis-title", x=4, y=18))
    return _svg(_WIDTH, bottom + _BOTTOM, *marks, class_="chart", role="img", aria_label=shown(label))


def histograms(samples: Mapping[str, np.ndarray], *, label: str, x_title: str, num_bins: int = 48) -> Markup:
    """Returns a row of bars for every [N] samples, as high as its fullest bin, on one x axis; medians are marked."""
    values = np.concatenate([*samples.values()]) if samples else np.zeros(0)
    scale = scale_of(*(values[[values.argmin(), values.argmax()]].tolist() if len(values) else ()))
    edges = np.linspace(*scale, num_bins + 1)
    across, height = _WIDTH - 2 * _RIGHT, 68.0
    marks: list[Markup] = []
    for row, (name, sample) in enumerate(samples.items()):
        base = height * (row + 1)
        marks += [
            tag("text", _short(name), class_="row-title", x=_RIGHT, y=base - height + 22),
            tag("line", class_="rule", x1=_RIGHT, x2=_WIDTH - _RIGHT, y1=base, y2=base),
        ]
        if not len(sample):
            continue
        counts, _ = np.histogram(sample, edges)
        heights, width = 34 * counts / counts.max(), across / num_bins
        bars = [
            f"M{_RIGHT + width * i:.1f} {base:.1f}v{-tall:.1f}h{width - 1:.1f}V{base:.1f}Z"
            for i, tall in enumerate(heights.tolist())
            if tall
        ]
        median = _RIGHT + across * _share(float(np.median(sample)), scale)
        marks += [
            tag("path", class_="bins", d="".join(bars)),
            tag("line", class_="median", x1=median, x2=median, y1=base - 38, y2=base + 4),
        ]
    bottom = height * len(samples)
    marks += _x_axis(scale, bottom, x_title, left=_RIGHT)
    return _svg(_WIDTH, bottom + _BOTTOM, *marks, class_="chart", role="img", aria_label=shown(label))


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Returns at most `most` round numbers from `low` to `high`, evenly spaced by 1, 2 or 5 times a power of ten."""
    raw = (high - low) / max(1, most - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first = math.ceil(low / step - 1e-9)
    return [round(index * step, 12) for index in range(first, math.floor(high / step + 1e-9) + 1)]


def _x_axis(scale: tuple[float, float], bottom: float, title: str, left: float = _LEFT) -> list[Markup]:
    across = _WIDTH - left - _RIGHT
    marks = []
    for value in ticks(*scale):
        x = left + across * _share(value, scale)
        anchor = "start" if x < left + 20 else "end" if x > _WIDTH - _RIGHT - 20 else "middle"
        marks += [
            tag("line", class_="tick", x1=x, x2=x, y1=bottom, y2=bottom + 5),
            tag("text", f"{value:,.10g}".replace("-", MINUS), x=x, y=bottom + 20, text_anchor=anchor),
        ]
    return [*marks, tag("text", title, class_="axis-title", x=_WIDTH - _RIGHT, y=bottom + 40, text_anchor="end")]


def _rule(y: float, text: str) -> Markup:
    line = tag("line", class_="rule", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y)
    return line + tag("text", text, x=_LEFT - 8, y=y + 4, text_anchor="end")


def _svg(width: float, height: float, *marks: Markup, **attributes: str) -> Markup:
    return tag("svg", *marks, viewBox=f"0 0 {width:g} {height:g}", **attributes)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)


def _share(value: float, scale: tuple[float, float]) -> float:
    return min(1.0, max(0.0, (value - scale[0]) / (scale[1] - scale[0])))


def _short(name: str) -> str:
    return name if len(name) <= 48 else name[:47] + "…"


def _value(value: str | float) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, int | float) else str(Markup.escape(value))


def _text(text: str) -> str:
    return str(Markup.escape(shown(text)))
