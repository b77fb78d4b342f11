"""Performance profiles: how much of the scores lies above each threshold, with pointwise bootstrap bands.

Source: Agarwal et al. (2021), "Deep reinforcement learning at the edge of the statistical precipice", section 4.2;
Dolan & Moré (2002), "Benchmarking optimization software with performance profiles".
"""

from __future__ import annotations

import numpy as np

from arena.statistics.bootstrap import Estimate, interval, resampled_counts

RESAMPLES = 2_000


def score_distribution(
    scores: np.ndarray, thresholds: np.ndarray, *, seed: int, resamples: int = RESAMPLES
) -> Estimate:
    """Returns the share of all [E, N] scores that lie above each of [T] thresholds, as [T] arrays."""
    above = (scores.ravel()[:, None] > thresholds).astype(np.float64)
    counts = resampled_counts(*scores.shape, seed=seed, resamples=resamples)
    low, high = interval(np.concatenate([chunk @ above for chunk in counts]) / scores.size)
    return Estimate(above.mean(0), low, high)


def average_score_distribution(
    scores: np.ndarray, thresholds: np.ndarray, *, seed: int, resamples: int = RESAMPLES
) -> Estimate:
    """Returns the share of environments whose mean of [E, N] scores lies above each of [T] thresholds, as [T]."""
    shape = scores.shape
    counts = resampled_counts(*shape, seed=seed, resamples=resamples)
    means = np.concatenate([(chunk.reshape(-1, *shape) * scores).sum(-1) for chunk in counts]) / shape[1]
    low, high = interval((means[:, :, None] > thresholds).mean(1))
    return Estimate((scores.mean(1)[:, None] > thresholds).mean(0), low, high)


def thresholds_for(scores: np.ndarray, num: int = 101) -> np.ndarray:
    """Returns `num` evenly spaced thresholds from just below the lowest to the highest of all scores."""
    low, high = float(np.min(scores)), float(np.max(scores))
    margin = 0.02 * (high - low) or 0.5
    return np.linspace(low - margin, high + margin, num)
