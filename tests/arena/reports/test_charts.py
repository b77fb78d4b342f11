"""Charts as SVG."""

import re

import numpy as np
import pytest

from arena.reports import charts
from arena.reports.charts import Curve


def numbers(svg: str, name: str) -> list[float]:
    return [float(value) for value in re.findall(rf' {name}="([^"]+)"', svg)]


def test_a_bar_goes_from_the_lower_to_the_upper_end_with_a_dot_between():
    svg = charts.interval_bar(50, 25, 100, (0, 100))
    # The scale runs from 6 to 154: 25 is at 6 + 148 / 4 = 43, 50 at 80, 100 at 154.
    rect = re.search("<rect[^>]*>", svg).group()
    assert numbers(rect, "x") == [43.0]
    assert numbers(rect, "width") == [111.0]
    assert numbers(svg, "cx") == [80.0]


def test_a_bar_without_an_interval_is_a_dot():
    assert "<rect" not in charts.interval_bar(5, float("nan"), float("nan"), (0, 10))


def test_a_line_passes_through_its_points():
    half = np.array([1.0, 0.5, 0.0])
    svg = charts.lines(
        np.array([0.0, 1.0, 2.0]), {"a": Curve(half, half, half)}, label="l", x_title="x", y_title="y", colours={"a": 3}
    )
    path = re.search('class="line c3" d="([^"]+)"', svg).group(1)
    # From 68 to 624 across, from 34 (all) to 300 (none) down.
    assert path == "M68.0 34.0L346.0 167.0L624.0 300.0"


def test_bars_of_a_histogram_are_as_high_as_their_bins_are_full():
    svg = charts.histograms({"a": np.array([0.0, 0.0, 1.0])}, label="l", x_title="x", num_bins=2)
    heights = [float(value) for value in re.findall(r"v-([\d.]+)h", svg)]
    assert heights == [34.0, 17.0]


def test_equal_scores_and_no_scores_can_be_drawn():
    svg = charts.histograms({"a": np.full(3, 7.0), "b": np.zeros(0)}, label="l", x_title="x")
    assert svg.count('class="median"') == 1


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 500, [0, 100, 200, 300, 400, 500]),
        (-21, 21, [-20, -10, 0, 10, 20]),
        (0.1, 0.34, [0.1, 0.15, 0.2, 0.25, 0.3]),
    ],
)
def test_ticks_are_round_numbers(low, high, expected):
    assert charts.ticks(low, high) == expected


def test_what_is_drawn_is_escaped():
    svg = charts.histograms({"<b>\u202e": np.ones(2)}, label='"><script>', x_title="&")
    assert "&lt;b&gt;\\u202e" in svg
    assert "<script>" not in svg
    assert "&amp;</text>" in svg
