"""Resampling seeds within environments."""

import numpy as np
import pytest

from arena.statistics.bootstrap import interval, mean_interval, resampled_counts, seed_of


def test_a_resample_draws_every_environment_as_often_as_it_has_seeds():
    (counts,) = resampled_counts(3, 4, seed=0, resamples=50)
    assert counts.shape == (50, 12)
    assert (counts.reshape(50, 3, 4).sum(-1) == 4).all()


def test_scores_are_drawn_evenly_and_independently():
    counts = np.concatenate(list(resampled_counts(2, 5, seed=1, resamples=40_000)))
    # A score of five is drawn Binomial(5, 1/5) times: mean 1, variance 0.8; standard error of the mean .0045.
    assert counts.mean(0) == pytest.approx(1.0, abs=0.02)
    assert counts.var(0) == pytest.approx(0.8, abs=0.03)
    assert np.corrcoef(counts[:, 0], counts[:, 5])[0, 1] == pytest.approx(0.0, abs=0.02)


def test_an_order_only_moves_columns():
    order = np.array([3, 0, 2, 1])
    (plain,) = resampled_counts(2, 2, seed=3, resamples=10)
    (moved,) = resampled_counts(2, 2, seed=3, resamples=10, order=order)
    assert (moved[:, order] == plain).all()


def test_chunks_stay_small_and_cover_all_resamples():
    chunks = list(resampled_counts(50, 20, seed=0, resamples=450))
    assert [len(chunk) for chunk in chunks] == [200, 200, 50]


def test_the_interval_is_that_of_the_mean():
    samples = np.random.default_rng(0).normal(3.0, 2.0, 400)
    low, high = mean_interval(samples, 0)
    # The mean's standard error is .1: 95% are 1.96 of them to either side.
    assert low == pytest.approx(samples.mean() - 0.196, abs=0.02)
    assert high == pytest.approx(samples.mean() + 0.196, abs=0.02)


def test_the_interval_of_one_sample_is_the_sample():
    assert mean_interval(np.array([2.5]), 0) == (2.5, 2.5)


def test_percentiles_by_hand():
    # Of 0 .. 100 the 2.5% and 97.5% quantiles are 2.5 and 97.5.
    assert interval(np.arange(101.0)) == pytest.approx((2.5, 97.5))


def test_a_seed_depends_on_values_and_not_on_their_order():
    values = np.array([3.0, 1.0, 2.0])
    assert seed_of(values) == seed_of(values[::-1]) == seed_of(np.sort(values))
    assert seed_of(values) != seed_of(values + 1)


@pytest.mark.slow
def test_intervals_of_means_cover_as_often_as_they_say():
    rng = np.random.default_rng(0)
    trials = 1_000
    covered = 0
    for trial in range(trials):
        low, high = mean_interval(rng.exponential(1.0, 60), trial, resamples=1_000)
        covered += low <= 1.0 <= high
    # Skewed samples of 60: a percentile interval covers a little less than 95%; two standard errors are 1.4%.
    assert 0.91 < covered / trials < 0.97
