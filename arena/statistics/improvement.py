"""Probability of improvement: how often a run of one agent beats a run of another, averaged over environments.

Source: Agarwal et al. (2021), "Deep reinforcement learning at the edge of the statistical precipice", section 4.3;
Mann & Whitney (1947), with ties counted half. It needs no common scale: only the order within an environment counts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arena.statistics.bootstrap import Estimate, interval, resampled_counts

RESAMPLES = 2_000


def probability_of_improvement(x: np.ndarray, y: np.ndarray, *, seed: int, resamples: int = RESAMPLES) -> Estimate:
    """Returns P(X > Y) + P(X = Y) / 2, averaged over environments, with its 95% interval.

    Args:
      x: [E, N] scores of the one agent. y: [E, M] of the other, of the same environments.

    Raises:
      ValueError: the agents' environments differ in number.
    """
    matrix = improvement_matrix([x, y], seed=seed, resamples=resamples)
    return Estimate(*(float(np.asarray(part)[0, 1]) for part in matrix))


def improvement_matrix(scores: Sequence[np.ndarray], *, seed: int, resamples: int = RESAMPLES) -> Estimate:
    """Returns [A, A] matrices of the probability that the row's agent improves on the column's; half on the diagonal.

    Args:
      scores: of each of A agents, [E, N] with the same environments; N may differ.

    Raises:
      ValueError: the agents' environments differ in number.
    """
    if len({len(matrix) for matrix in scores}) > 1:
        raise ValueError(f"all scores must be of the same environments, not of {[len(matrix) for matrix in scores]}")
    ordered = [np.sort(matrix, axis=1) for matrix in scores]
    counts = [_counts(matrix, len(scores) * seed + agent, resamples) for agent, matrix in enumerate(ordered)]
    below = [np.concatenate([np.zeros_like(c[:, :, :1]), np.cumsum(c, axis=2)], axis=2) for c in counts]
    num = len(scores)
    value, low, high = (np.full((num, num), 0.5) for _ in range(3))
    for i in range(num):
        for j in range(i):
            beaten = [_beaten(x, y) for x, y in zip(ordered[i], ordered[j], strict=True)]
            pairs = ordered[i].shape[1] * ordered[j].shape[1]
            value[i, j] = sum((fewest + most).sum() for fewest, most in beaten) / (2 * pairs * len(beaten))
            drawn = np.zeros(resamples)
            for (fewest, most), times, cumulated in zip(beaten, counts[i], below[j], strict=True):
                drawn += (times * (cumulated[:, fewest] + cumulated[:, most])).sum(1)
            low[i, j], high[i, j] = interval(drawn / (2 * pairs * len(beaten)))
            value[j, i], low[j, i], high[j, i] = 1 - value[i, j], 1 - high[i, j], 1 - low[i, j]
    return Estimate(value, low, high)


def _counts(scores: np.ndarray, seed: int, resamples: int) -> np.ndarray:
    """Returns [E, resamples, N]: how often each score is drawn."""
    chunks = resampled_counts(*scores.shape, seed=seed, resamples=resamples)
    drawn = np.concatenate([chunk.astype(np.int32) for chunk in chunks])
    return np.ascontiguousarray(drawn.reshape(resamples, *scores.shape).transpose(1, 0, 2))


def _beaten(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns how many of [M] ordered scores y lie below each of [N] scores x, and how many do not lie above it."""
    return np.searchsorted(y, x, side="left"), np.searchsorted(y, x, side="right")
