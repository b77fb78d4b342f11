"""Probability of improvement: how often a run of one agent beats a run of another, averaged over environments.

Source: Agarwal et al. (2021), "Deep reinforcement learning at the edge of the statistical precipice", section 4.3;
Mann & Whitney (1947), with ties counted half. It needs no common scale: only the order within an environment counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arena.statistics.bootstrap import Estimate, interval, resampled_counts

RESAMPLES = 2_000
_WORK = 2e8  # comparisons of resampled scores


def affordable_resamples(num_envs: int, num_seeds: int) -> int:
    """Returns how many resamples a comparison of two agents can have: 2,000, and fewer, but 200, of very many games."""
    return int(np.clip(_WORK / (num_envs * num_seeds**2), 200, RESAMPLES))


def probability_of_improvement(x: np.ndarray, y: np.ndarray, *, seed: int, resamples: int = RESAMPLES) -> Estimate:
    """Returns P(X > Y) + P(X = Y) / 2, averaged over environments, with its 95% interval.

    Args:
      x: [E, N] scores of the one agent. y: [E, M] of the other, of the same environments.

    Raises:
      ValueError: the agents' environments differ in number.
    """
    if len(x) != len(y):
        raise ValueError(f"both agents' scores must be of the same environments, not of {len(x)} and {len(y)}")
    beats = (np.sign(x[:, :, None] - y[:, None, :]).astype(np.float32) + 1.0) / 2.0  # [E, N, M]; halves: exact
    draws_x, draws_y = (
        resampled_counts(*scores.shape, seed=own, resamples=resamples)
        for scores, own in ((x, 2 * seed), (y, 2 * seed + 1))
    )
    counts_x = np.concatenate(list(draws_x)).reshape(-1, *x.shape).transpose(1, 0, 2).astype(np.float32)
    counts_y = np.concatenate(list(draws_y)).reshape(-1, *y.shape).transpose(1, 0, 2)
    draws = ((counts_x @ beats) * counts_y).sum(-1, dtype=np.float64).mean(0) / (x.shape[1] * y.shape[1])
    low, high = interval(draws)
    return Estimate(float(beats.mean(dtype=np.float64)), float(low), float(high))


def improvement_matrix(scores: Sequence[np.ndarray], *, seed: int, resamples: int = RESAMPLES) -> Estimate:
    """Returns [A, A] matrices of the probability that the row's agent improves on the column's; half on the diagonal.

    Args:
      scores: of each of A agents, [E, N] with the same environments.
    """
    num = len(scores)
    value, low, high = (np.full((num, num), 0.5) for _ in range(3))
    for i in range(num):
        for j in range(i):
            one = probability_of_improvement(scores[i], scores[j], seed=seed, resamples=resamples)
            value[i, j], low[i, j], high[i, j] = one
            value[j, i], low[j, i], high[j, i] = 1 - value[i, j], 1 - high[i, j], 1 - low[i, j]
    return Estimate(value, low, high)
