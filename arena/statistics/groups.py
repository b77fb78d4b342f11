"""Who can be told apart: tests between every two agents, corrected for their number, and groups that share a letter.

Sources: Holm (1979), "A simple sequentially rejective multiple test procedure"; Fisher (1935) for the swap test; Piepho
(2004), "An algorithm for a letter-based representation of all-pairwise comparisons"; Hesterberg (2015), "What teachers
should know about the bootstrap", for how much too narrow percentile intervals are where there are few observations.
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence

import numpy as np
from scipy.special import ndtr, ndtri, stdtr

from arena.statistics.bootstrap import COVERAGE, interval

LEVEL = 1.0 - COVERAGE  # of all the tests of a table together
_EXACT = 12  # games up to which every swap is tried
_NORMAL = 500  # games from which the sum over swaps is as good as normal
_SWAPS = 20_000
_CHUNK = 2_000_000  # signs at a time


def swap_test(scores: np.ndarray, *, seed: int) -> np.ndarray:
    """Returns the [A, A] two-sided p-values of the differences in mean between agents, from [A, N] paired scores.

    If two agents were alike, their scores could as well have been swapped on every seed; p is the share of swaps that
    give a difference at least as large as the one observed. All are tried up to 12 seeds, so few games never tell two
    agents apart; above 500 the sum over swaps is taken to be normal. 1 on the diagonal.
    """
    num_agents, num = scores.shape
    rows, columns = np.tril_indices(num_agents, -1)
    differences = (scores[rows] - scores[columns]).T
    p = np.ones((num_agents, num_agents))
    p[rows, columns] = p[columns, rows] = _normal(differences) if num > _NORMAL else _swapped(differences, seed)
    return p


def _swapped(differences: np.ndarray, seed: int) -> np.ndarray:
    """Returns the p-value of each column of [N, P] differences by swapping signs."""
    num, pairs = differences.shape
    observed = np.abs(differences.sum(0)) * (1.0 - 1e-9)
    as_large, total = np.zeros(pairs), 0
    for signs in _all_signs(num) if num <= _EXACT else _random_signs(num, seed):
        as_large += np.count_nonzero(np.abs(signs @ differences) >= observed, axis=0)
        total += len(signs)
    extra = int(num > _EXACT)  # what was observed is one of the possible swaps
    return (as_large + extra) / (total + extra)


def _normal(differences: np.ndarray) -> np.ndarray:
    """Returns what _swapped() comes to for many games: a sum over signs is normal with the variance sum(d^2)."""
    deviation = np.sqrt(np.square(differences).sum(0))
    z = np.abs(differences.sum(0)) / np.where(deviation == 0.0, 1.0, deviation)
    p: np.ndarray = 2.0 * ndtr(-z)
    return p


def _all_signs(num: int) -> Iterator[np.ndarray]:
    yield 1.0 - 2.0 * (np.arange(2**num)[:, None] >> np.arange(num) & 1)


def _random_signs(num: int, seed: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(seed)
    size = max(1, _CHUNK // num)
    for done in range(0, _SWAPS, size):
        yield 1.0 - 2.0 * rng.integers(2, size=(min(size, _SWAPS - done), num), dtype=np.uint8)


def interval_test(draws: np.ndarray, num: int, strata: int = 1) -> float:
    """Returns the two-sided p-value of a difference of 0 from [R] bootstrap draws of it.

    The spread is that of the half of the 95% percentile interval which faces 0. It is widened as the variance of few
    observations wants it, and its tail is Student's; never is p less than swapping the observations could give. So few
    games do not tell two agents apart, and with many p is below 5% where the interval excludes 0.

    Args:
      num: how many observations (seeds, pairs of games) the draws are resampled from, in each of `strata`.
    """
    low, high = interval(draws)
    middle = float(np.median(draws))
    half = middle - float(low) if middle > 0 else float(high) - middle
    if num < 2 or not middle:
        return 1.0
    swapped = 2.0 ** (1 - num * strata)
    if not half:
        return swapped
    z = ndtri(LEVEL / 2.0) * abs(middle) / half * np.sqrt((num - 1) / num)
    return float(max(2.0 * stdtr(strata * (num - 1), z), swapped))


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
