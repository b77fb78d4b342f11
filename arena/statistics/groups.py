"""Who can be told apart: tests between every two agents, corrected for their number, and groups that share a letter.

Sources: Holm (1979), "A simple sequentially rejective multiple test procedure"; Fisher (1935) for the swap test; Piepho
(2004), "An algorithm for a letter-based representation of all-pairwise comparisons".
"""

from __future__ import annotations

import string
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtr, ndtri

from arena.statistics.bootstrap import COVERAGE, interval

LEVEL = 1.0 - COVERAGE  # of all the tests of a table together
_EXACT = 12  # games up to which every swap is tried
_SWAPS = 20_000


def swap_test(x: np.ndarray, y: np.ndarray, *, seed: int) -> float:
    """Returns the two-sided p-value of the difference in mean between [N] paired scores of two agents.

    If the agents were alike, each pair could as well have been swapped; it is the share of swaps that give a difference
    at least as large as the one observed. All are tried up to 12 pairs, so few games never tell two agents apart.
    """
    difference = np.asarray(x, np.float64) - np.asarray(y, np.float64)
    difference = difference[difference != 0.0]
    num = len(difference)
    if num <= _EXACT:
        signs = 1.0 - 2.0 * (np.arange(2**num)[:, None] >> np.arange(num) & 1)
        extra = 0
    else:
        signs = 1.0 - 2.0 * np.random.default_rng(seed).integers(2, size=(_SWAPS, num), dtype=np.uint8)
        extra = 1  # what was observed is one of the possible swaps
    observed = abs(difference.sum()) * (1.0 - 1e-9)
    return float((np.count_nonzero(np.abs(signs @ difference) >= observed) + extra) / (len(signs) + extra))


def interval_test(draws: np.ndarray) -> float:
    """Returns the two-sided p-value of a difference of 0 from [R] bootstrap draws of it.

    It is below 5% where the 95% percentile interval excludes 0, and falls off from there as a normal tail whose
    spread is that of the half of the interval which faces 0.
    """
    low, high = interval(draws)
    middle = float(np.median(draws))
    half = middle - float(low) if middle > 0 else float(high) - middle
    if not half:
        return 0.0 if middle else 1.0
    return float(2.0 * ndtr(ndtri(LEVEL / 2.0) * abs(middle) / half))


def told_apart(p: np.ndarray, level: float = LEVEL) -> np.ndarray:
    """Returns the [A, A] booleans of the agents that can be told apart, of all [A, A] p-values at once.

    By Holm's procedure the chance of even one pair of equal agents among them is at most `level`. Only what is below
    the diagonal is read; NaN is a pair that was not tested.
    """
    apart = np.zeros(p.shape, bool)
    rows, columns = np.tril_indices(len(p), -1)
    tested = ~np.isnan(p[rows, columns])
    rows, columns = rows[tested], columns[tested]
    order = np.argsort(p[rows, columns], kind="stable")
    passed = p[rows, columns][order] <= level / np.arange(len(order), 0, -1)
    first_failure = len(order) if passed.all() else int(np.argmin(passed))
    rejected = order[:first_failure]
    apart[rows[rejected], columns[rejected]] = apart[columns[rejected], rows[rejected]] = True
    return apart


def letters(apart: np.ndarray) -> list[str]:
    """Returns the letters of [A] agents, the best one first: two share a letter exactly where they are not told apart.

    Args:
      apart: [A, A] booleans, symmetric.
    """
    groups: list[frozenset[int]] = [frozenset(range(len(apart)))]
    for i, j in zip(*np.nonzero(np.tril(apart)), strict=True):
        split = [part for group in groups for part in _parts(group, int(i), int(j))]
        groups = [group for group in dict.fromkeys(split) if not any(group < other for other in split)]
    groups.sort(key=sorted)
    named = [(_letter(number), group) for number, group in enumerate(groups)]
    return ["".join(letter for letter, group in named if agent in group) for agent in range(len(apart))]


def _parts(group: frozenset[int], i: int, j: int) -> Sequence[frozenset[int]]:
    return [group - {i}, group - {j}] if i in group and j in group else [group]


def _letter(number: int) -> str:
    return string.ascii_letters[number] if number < 52 else f"({number + 1})"
