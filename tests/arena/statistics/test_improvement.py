"""Probability of improvement; the figures of rliable come from the same place as those in test_aggregates.py."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from arena.statistics.improvement import improvement_matrix, probability_of_improvement

G, R = np.arange(5)[:, None], np.arange(7)[None, :]
X = ((3 * R + 5 * G + R * G) % 11) / 5.0
Y = ((7 * R + 2 * G + 1) % 13) / 6.0


def test_it_is_that_of_rliable():
    # metrics.probability_of_improvement(x, y); get_interval_estimates(..., reps=20000): 0.34285714 .. 0.6244898
    result = probability_of_improvement(X, Y, seed=0, resamples=20_000)
    assert result.value == pytest.approx(0.4836734693877551)
    assert (result.low, result.high) == pytest.approx((0.34285714, 0.6244898), abs=0.01)


def test_agents_may_have_different_numbers_of_runs():
    assert probability_of_improvement(X, Y[:, :5], seed=0).value == pytest.approx(0.5)  # rliable, of x and y[:5]


def test_by_hand_with_ties():
    # 1 and 2 against 1 and 0: 1 = 1 counts half, the three others are won.
    result = probability_of_improvement(np.array([[1.0, 2.0]]), np.array([[1.0, 0.0]]), seed=0)
    assert result.value == (0.5 + 3) / 4


@hypothesis.settings(max_examples=25)
@hypothesis.given(st.integers(0, 1_000))
def test_the_two_directions_add_up_to_one(number):
    rng = np.random.default_rng(number)
    scores = [rng.integers(0, 4, (2, 6)).astype(float) for _ in range(3)]
    matrix = improvement_matrix(scores, seed=number, resamples=100)
    assert matrix.value + matrix.value.T == pytest.approx(np.ones((3, 3)))
    assert matrix.low + matrix.high.T == pytest.approx(np.ones((3, 3)))
    assert (matrix.low <= matrix.high).all()
    assert (np.diag(matrix.value) == 0.5).all()


def test_only_the_order_of_scores_counts():
    plain = probability_of_improvement(X, Y, seed=3)
    assert probability_of_improvement(np.exp(X), np.exp(Y), seed=3) == plain


def test_agents_of_different_environments_are_refused():
    with pytest.raises(ValueError, match=r"not of \[5, 4\]"):
        probability_of_improvement(X, Y[:4], seed=0)
