"""Performance profiles; the figures of rliable come from the same place as those in test_aggregates.py."""

import numpy as np
import pytest

from arena.statistics import profiles

G, R = np.arange(5)[:, None], np.arange(7)[None, :]
X = ((3 * R + 5 * G + R * G) % 11) / 5.0
THRESHOLDS = np.linspace(0, 2, 9)


def test_the_score_distribution_is_that_of_rliable():
    # [library.run_score_deviation(x, tau) for tau in np.linspace(0, 2, 9)]
    profile = profiles.score_distribution(X, THRESHOLDS, seed=0)
    assert profile.value == pytest.approx(np.array([32, 29, 27, 24, 17, 14, 9, 7, 0]) / 35)
    assert (profile.low <= profile.value).all() and (profile.value <= profile.high).all()
    assert (np.diff(profile.value) <= 0).all() and (np.diff(profile.low) <= 0).all()


def test_the_average_score_distribution_is_that_of_rliable():
    # [library.mean_score_deviation(x, tau) for tau in np.linspace(0, 2, 9)]
    profile = profiles.average_score_distribution(X, THRESHOLDS, seed=0)
    assert profile.value == pytest.approx([1, 1, 1, 1, 0.4, 0, 0, 0, 0])


def test_a_band_by_hand():
    # Two scores, one of them above: a resample has 0, 1 or 2 above with chances 1/4, 1/2, 1/4.
    profile = profiles.score_distribution(np.array([[0.0, 1.0]]), np.array([0.5]), seed=0)
    assert (profile.low, profile.value, profile.high) == (0.0, 0.5, 1.0)


def test_thresholds_span_all_scores():
    thresholds = profiles.thresholds_for(np.array([1.0, 3.0]), num=5)
    assert thresholds[0] < 1.0 and thresholds[-1] > 3.0 and len(thresholds) == 5
    assert len(set(profiles.thresholds_for(np.zeros(3)))) == 101
