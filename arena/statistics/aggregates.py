"""One figure for a whole benchmark: mean, median, interquartile mean and optimality gap, with bootstrap intervals.

Source: Agarwal et al. (2021), "Deep reinforcement learning at the edge of the statistical precipice" (rliable).
Deviation: scores are environments x seeds here, seeds x environments there.

All take normalised scores: a mean over environments means nothing when their scales differ.
"""

from __future__ import annotations

import numpy as np

from arena.statistics.bootstrap import Estimate, interval, resampled_counts

NAMES = ("mean", "median", "iqm", "optimality_gap")
RESAMPLES = 20_000
_WORK = 1e7  # scores drawn


def affordable_resamples(num_scores: int) -> int:
    """Returns how many resamples of so many scores take well under a second: 20,000 of up to 500, never below 500."""
    return int(np.clip(_WORK / num_scores, 500, RESAMPLES))


def mean(scores: np.ndarray) -> float:
    """Returns the mean of [E, N] scores."""
    return float(np.mean(scores))


def median(scores: np.ndarray) -> float:
    """Returns the median over environments of their means, of [E, N] scores."""
    return float(np.median(np.mean(scores, axis=1)))


def iqm(scores: np.ndarray) -> float:
    """Returns the interquartile mean of [E, N] scores, or of any shape: the mean of the middle half of all of them.

    From each end a quarter of the scores, rounded down, is left out.
    """
    ordered = np.sort(scores, axis=None)
    cut = len(ordered) // 4
    return float(ordered[cut : len(ordered) - cut].mean())


def optimality_gap(scores: np.ndarray, target: float = 1.0) -> float:
    """Returns by how much [E, N] scores fall short of `target` on average; what exceeds it makes up for nothing."""
    return float(target - np.minimum(scores, target).mean())


def aggregate(scores: np.ndarray, *, seed: int, target: float = 1.0, resamples: int = RESAMPLES) -> dict[str, Estimate]:
    """Returns mean, median, iqm and optimality_gap of [E, N] scores, each with its 95% interval.

    Raises:
      ValueError: `scores` is not a matrix of finite numbers with at least one environment and one seed.
    """
    draws = aggregate_draws(scores, seed=seed, target=target, resamples=resamples)
    return summary(scores, draws, target=target)


def summary(scores: np.ndarray, draws: np.ndarray, *, target: float = 1.0) -> dict[str, Estimate]:
    """Returns what aggregate() returns, given the draws of aggregate_draws()."""
    values = (mean(scores), median(scores), iqm(scores), optimality_gap(scores, target))
    ends = np.stack(interval(draws), axis=1).tolist()
    return {name: Estimate(value, *pair) for name, value, pair in zip(NAMES, values, ends, strict=True)}


def aggregate_draws(scores: np.ndarray, *, seed: int, target: float = 1.0, resamples: int = RESAMPLES) -> np.ndarray:
    """Returns [resamples, 4]: the aggregates, in the order of `NAMES`, of bootstrap resamples of [E, N] scores.

    Equal seeds and shapes draw the same seeds of the environments, so that two agents' rows are paired.

    Raises:
      ValueError: as aggregate().
    """
    scores = np.asarray(scores, np.float64)
    if scores.ndim != 2 or not scores.size or not np.isfinite(scores).all():
        raise ValueError(f"scores must be a matrix of finite numbers, environments x seeds, not {scores.shape}")
    num_envs, num_seeds = scores.shape
    flat = scores.ravel()
    ranked = np.argsort(flat, kind="stable")
    order = np.empty_like(ranked)
    order[ranked] = np.arange(flat.size)
    ordered = flat[ranked]
    weights = np.zeros((flat.size, num_envs + 1))  # counts @ weights: each environment's mean, and the capped mean
    weights[order, np.repeat(np.arange(num_envs), num_seeds)] = flat / num_seeds
    weights[:, -1] = np.minimum(ordered, target) / flat.size
    chunks = []
    for counts in resampled_counts(num_envs, num_seeds, seed=seed, resamples=resamples, order=order):
        drawn = counts.astype(np.float64)
        sums = drawn @ weights
        means = sums[:, :-1]
        gap = target - sums[:, -1]
        chunks.append(np.stack([means.mean(1), np.median(means, axis=1), _iqm(drawn, ordered), gap], axis=1))
    return np.concatenate(chunks)


def _iqm(counts: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    """Returns the [C] interquartile means of resamples, given how often each of the [S] ordered scores was drawn.

    Summation by parts: the mean is the largest score less every step down, weighted by how many lie below it.
    """
    size = len(ordered)
    cut = size // 4
    below = np.cumsum(counts, axis=1, out=counts)
    np.clip(below, cut, size - cut, out=below)
    below -= cut
    steps = np.append(np.diff(ordered), 0.0)
    middle: np.ndarray = ordered[-1] - below @ steps / (size - 2 * cut)
    return middle
