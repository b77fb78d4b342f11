"""The stratified bootstrap: seeds are resampled with replacement within each environment.

Source: Efron & Tibshirani (1993), "An introduction to the bootstrap", chapter 13 (percentile intervals); Agarwal et al.
(2021), "Deep reinforcement learning at the edge of the statistical precipice" (stratified by environment).

A resample is kept as the number of times that every score was drawn, so a mean is a matrix product and a trimmed mean
needs no sorting.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

COVERAGE = 0.95
_CHUNK = 200_000  # scores drawn at a time: what stays in the processor's cache is fastest


class Estimate(NamedTuple):
    """A figure and its interval, of 95% unless it is said otherwise. Scalars, or arrays of one shape."""

    value: float | np.ndarray
    low: float | np.ndarray
    high: float | np.ndarray


def resampled_counts(
    num_envs: int, num_seeds: int, *, seed: int, resamples: int, order: np.ndarray | None = None
) -> Iterator[np.ndarray]:
    """Yields how often each score is drawn, in chunks [C, num_envs * num_seeds] of `resamples` rows altogether.

    Within every environment the counts of a row add up to `num_seeds`. Equal arguments give equal counts.

    Args:
      order: [num_envs * num_seeds], the column of each score; None for environment by environment.
    """
    size = num_envs * num_seeds
    small = np.uint16 if size <= 2**16 else np.uint32  # twice as fast as 64 bits
    first: np.ndarray = np.repeat(np.arange(num_envs) * num_seeds, num_seeds).astype(small)
    column: np.ndarray = np.arange(size) if order is None else order
    rng = np.random.default_rng(seed)
    rows = max(1, _CHUNK // size)
    for done in range(0, resamples, rows):
        num_rows = min(rows, resamples - done)
        drawn: np.ndarray = rng.integers(num_seeds, size=(num_rows, size), dtype=small) + first
        cells = column.take(drawn, mode="clip")
        cells += np.arange(num_rows)[:, None] * size
        yield np.bincount(cells.ravel(), minlength=num_rows * size).reshape(num_rows, size)


def interval(draws: np.ndarray, coverage: float = COVERAGE) -> tuple[np.ndarray, np.ndarray]:
    """Returns the (low, high) percentile interval of [R, ...] draws, each [...]."""
    low, high = np.quantile(draws, ((1 - coverage) / 2, (1 + coverage) / 2), axis=0)
    return low, high


def mean_interval(samples: np.ndarray, seed: int, *, resamples: int = 10_000) -> tuple[float, float]:
    """Returns the 95% percentile-bootstrap interval of the mean of [N] samples; of a single one, itself twice."""
    samples = np.asarray(samples, np.float64)
    counts = resampled_counts(1, len(samples), seed=seed, resamples=resamples)
    low, high = interval(np.concatenate([chunk @ samples for chunk in counts]) / len(samples))
    return float(low), float(high)


def seed_of(*arrays: np.ndarray) -> int:
    """Returns a 32-bit seed that depends on the arrays' values, not on the order within them."""
    return zlib.crc32(b"".join(np.sort(np.asarray(array, np.float64), axis=None).tobytes() for array in arrays))
