"""Aggregates against rliable and by hand.

The figures of rliable 1.2.0 come from a scratch environment (pip install "pandas<2.3" "numpy<2" rliable==1.2.0):

    metrics.aggregate_mean(x), .aggregate_median(x), .aggregate_iqm(x), .aggregate_optimality_gap(x)
    np.random.seed(0); library.get_interval_estimates({"x": x}, all_four, method="percentile", reps=50000)

with x = ((3 r + 5 g + r g) mod 11) / 5 and y = ((7 r + 2 g + 1) mod 13) / 6 for runs r = 0 .. 6 and games g = 0 .. 4.
"""

import hypothesis
import hypothesis.extra.numpy
import hypothesis.strategies as st
import numpy as np
import pytest

from arena.statistics import aggregates

G, R = np.arange(5)[:, None], np.arange(7)[None, :]
X = ((3 * R + 5 * G + R * G) % 11) / 5.0
Y = ((7 * R + 2 * G + 1) % 13) / 6.0
RLIABLE = {
    "x": (1.04, 0.9714285714285713, 1.063157894736842, 0.24571428571428577),
    "y": (1.0523809523809524, 0.9523809523809524, 1.0526315789473684, 0.23809523809523814),
}
RLIABLE_INTERVALS = {
    "x": ((0.84, 0.77142857, 0.78947368, 0.13714286), (1.24, 1.31428571, 1.32631579, 0.36)),
    "y": ((0.86190476, 0.78571429, 0.78947368, 0.14285714), (1.24285714, 1.28571429, 1.3245614, 0.33809524)),
}

SCORES = hypothesis.extra.numpy.arrays(
    np.float64,
    hypothesis.extra.numpy.array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.floats(-100, 100).map(lambda value: round(value, 3)),
)


@pytest.mark.parametrize(("name", "scores"), [("x", X), ("y", Y)])
def test_point_estimates_are_those_of_rliable(name, scores):
    result = aggregates.aggregate(scores, seed=0, resamples=10)
    assert [result[key].value for key in aggregates.NAMES] == pytest.approx(RLIABLE[name])


@pytest.mark.parametrize(("name", "scores"), [("x", X), ("y", Y)])
def test_intervals_are_those_of_rliable_but_for_chance(name, scores):
    result = aggregates.aggregate(scores, seed=0)
    low, high = RLIABLE_INTERVALS[name]
    # Scores in steps of .2 and .17 over seven runs: medians jump by .03, everything else moves by less.
    assert [result[key].low for key in aggregates.NAMES] == pytest.approx(low, abs=0.03)
    assert [result[key].high for key in aggregates.NAMES] == pytest.approx(high, abs=0.03)


def test_aggregates_by_hand():
    scores = np.array([[0.0, 0.5, 1.0, 2.5], [0.25, 0.25, 0.5, 3.0]])
    # Means of the rows 1 and 1. In order: 0 .25 .25 .5 .5 1 2.5 3; the middle four are .25 .5 .5 1.
    assert aggregates.mean(scores) == 1.0
    assert aggregates.median(scores) == 1.0
    assert aggregates.iqm(scores) == 0.5625
    # Short of 1 by 1, .5, 0, 0, .75, .75, .5, 0: 3.5 / 8.
    assert aggregates.optimality_gap(scores) == 0.4375


def test_draws_are_the_aggregates_of_the_resampled_scores():
    from arena.statistics.bootstrap import resampled_counts

    scores = np.random.default_rng(5).gamma(2.0, 0.5, (3, 5))
    draws = aggregates.aggregate_draws(scores, seed=9, resamples=20)
    (counts,) = resampled_counts(3, 5, seed=9, resamples=20)
    for row, drawn in zip(draws, counts.reshape(20, 3, 5), strict=True):
        resample = np.array([np.repeat(env, times) for env, times in zip(scores, drawn, strict=True)])
        figures = [getattr(aggregates, name)(resample) for name in aggregates.NAMES]
        assert row == pytest.approx(figures)


def test_equal_scores_have_no_spread():
    result = aggregates.aggregate(np.full((3, 7), 0.1), seed=0, resamples=100)
    assert all(figure.low == figure.high == pytest.approx(figure.value) for figure in result.values())


@hypothesis.settings(max_examples=30)
@hypothesis.given(SCORES, st.floats(0.1, 10), st.floats(-10, 10))
def test_intervals_hold_the_estimate_and_move_with_the_scale(scores, factor, offset):
    plain = aggregates.aggregate(scores, seed=1, resamples=200)
    moved = aggregates.aggregate(factor * scores + offset, seed=1, resamples=200, target=factor + offset)
    for name, figure in plain.items():
        assert figure.low - 1e-9 <= figure.high
        shift = 0.0 if name == "optimality_gap" else offset
        assert moved[name] == pytest.approx([factor * value + shift for value in figure], abs=1e-6)
    assert plain["mean"].low - 1e-9 <= plain["mean"].value <= plain["mean"].high + 1e-9


@pytest.mark.parametrize("scores", [np.zeros(3), np.zeros((0, 3)), np.array([[1.0, np.nan]])])
def test_anything_but_a_matrix_of_numbers_is_refused(scores):
    with pytest.raises(ValueError, match="environments x seeds"):
        aggregates.aggregate(scores, seed=0)
