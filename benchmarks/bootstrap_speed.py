"""Seconds for the aggregates of 50 x 20 scores with stratified bootstrap intervals from 20,000 resamples.

They are mean, median, IQM and optimality gap. Beside it the plain way, which draws every resample as an array and
sorts it, on a tenth of the resamples; and how far the two ways' intervals lie apart, in parts of their width.
"""

from __future__ import annotations

import statistics
import time
import tracemalloc

import common
import numpy as np

from arena.statistics import aggregates
from arena.statistics.bootstrap import interval

NUM_ENVS, NUM_SEEDS, REPEATS = 50, 20, 7
LIMIT_S = 0.5


def plain(scores: np.ndarray, resamples: int) -> np.ndarray:
    """Returns [resamples, 4] aggregates of resamples that are drawn one by one."""
    rng = np.random.default_rng(0)
    rows = np.arange(len(scores))[:, None]
    drawn = (scores[rows, rng.integers(scores.shape[1], size=scores.shape)] for _ in range(resamples))
    return np.array([[getattr(aggregates, name)(resample) for name in aggregates.NAMES] for resample in drawn])


def seconds(call: object, repeats: int) -> float:
    """Returns the median wall time of `call()`."""
    times = []
    for _ in range(repeats):
        begin = time.perf_counter()
        call()  # type: ignore[operator]
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def main() -> None:
    scores = np.random.default_rng(0).gamma(2.0, 0.5, (NUM_ENVS, NUM_SEEDS))
    fast = seconds(lambda: aggregates.aggregate(scores, seed=0), REPEATS)
    slow = 10 * seconds(lambda: plain(scores, aggregates.RESAMPLES // 10), 1)
    tracemalloc.start()
    draws = aggregates.aggregate_draws(scores, seed=0)
    peak_mb = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    ours, theirs = (np.stack(interval(found)) for found in (draws, plain(scores, aggregates.RESAMPLES // 10)))
    apart = np.abs(ours - theirs).max(0) / np.diff(theirs, axis=0)[0]
    result = {
        "scores": [NUM_ENVS, NUM_SEEDS],
        "resamples": aggregates.RESAMPLES,
        "repeats": REPEATS,
        "seconds": round(fast, 3),
        "limit_s": LIMIT_S,
        "plain_seconds": round(slow, 1),
        "peak_mb": round(peak_mb, 1),
        "intervals_apart": dict(zip(aggregates.NAMES, apart.round(3).tolist(), strict=True)),
    }
    common.write("bootstrap_speed", result)
    if fast > LIMIT_S:
        raise SystemExit(f"{fast:.3f} s, which is more than {LIMIT_S} s")


if __name__ == "__main__":
    main()
