"""From a network to sentences: the likeliest word each time, words drawn at random, or the best of a beam."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol, Self

import numpy as np

from arena import seeding
from arena.components.translation.vocabulary import END, START


class Remembered(Protocol):
    """What a decoder remembers of N sentences."""

    def take(self, rows: np.ndarray) -> Self:
        """Returns that of chosen sentences, [M] their numbers."""


Step = Callable[[np.ndarray, Any], tuple[np.ndarray, Any, np.ndarray]]
"""From tokens [N] and a state to log-probabilities [N, V] of the next tokens, the next state, and attention [N, T]."""


class Decoded(NamedTuple):
    """A sentence that was written.

    Attributes:
      tokens: its words' numbers, without END.
      attention: [len(tokens), T], where each of them looked.
      log_prob: of the sentence, with its end if it came to one.
    """

    tokens: list[int]
    attention: np.ndarray
    log_prob: float


def greedy(step: Step, state: Remembered, num: int, max_words: int) -> list[Decoded]:
    """Returns `num` sentences whose words are the likeliest, one by one."""
    return _one_by_one(step, state, num, max_words, lambda log_probs: log_probs.argmax(1))


def sample(
    step: Step, state: Remembered, num: int, max_words: int, *, temperature: float, seeds: np.ndarray
) -> list[Decoded]:
    """Returns `num` sentences whose words are drawn at random.

    Args:
      step: of the network.
      state: at the start.
      num: how many.
      max_words: where a sentence ends at the latest.
      temperature: log-probabilities are divided by it: below 1, likely words become likelier.
      seeds: [num], of each sentence; its draws do not depend on the others.
    """
    keys = seeding.row_keys(seeds)

    def choose(log_probs: np.ndarray) -> np.ndarray:
        nonlocal keys
        uniform, keys = seeding.row_uniform(keys)
        scaled = log_probs.astype(np.float64) / temperature
        weights = np.exp(scaled - scaled.max(1, keepdims=True)).cumsum(1)
        chosen: np.ndarray = (weights <= uniform[:, None] * weights[:, -1:]).sum(1)
        return chosen

    return _one_by_one(step, state, num, max_words, choose)


def _one_by_one(
    step: Step, state: Remembered, num: int, max_words: int, choose: Callable[[np.ndarray], np.ndarray]
) -> list[Decoded]:
    tokens, is_open, log_prob = np.full(num, START), np.ones(num, bool), np.zeros(num)
    words: list[np.ndarray] = []
    attended: list[np.ndarray] = []
    for _ in range(max_words):
        log_probs, state, attention = step(tokens, state)
        tokens = np.where(is_open, choose(log_probs), END)
        log_prob += np.where(is_open, log_probs[np.arange(num), tokens], 0.0)
        words.append(tokens)
        attended.append(attention)
        is_open = is_open & (tokens != END)
        if not is_open.any():
            break
    return _sentences(np.stack(words, 1), np.stack(attended, 1), log_prob)


def beam(
    step: Step, state: Remembered, num: int, max_words: int, *, width: int, length_penalty: float
) -> list[Decoded]:
    """Returns the best of `width` sentences that are followed at a time, for each of `num`.

    Args:
      step: of the network.
      state: at the start.
      num: how many sentences are asked for.
      max_words: where a sentence ends at the latest.
      width: how many beginnings of each are kept.
      length_penalty: log-probabilities are divided by ((5 + words) / 6) to this power, the end counted as a word.

    Source: Wu et al. (2016), "Google's neural machine translation system", equation 14, without the coverage.
    """
    state = state.take(np.repeat(np.arange(num), width))
    first_row = width * np.arange(num)[:, None]
    tokens, lengths = np.full((num, width), START), np.zeros((num, width), np.int64)
    totals = np.full((num, width), -np.inf)
    totals[:, 0] = 0.0  # all begin alike: the others wait
    is_open = np.ones((num, width), bool)
    words, attended = np.zeros((num, width, 0), np.int64), None
    for _ in range(max_words):
        log_probs, state, attention = step(tokens.ravel(), state)
        size = log_probs.shape[1]
        log_probs = log_probs.reshape(num, width, size).astype(np.float64)
        log_probs[~is_open] = -np.inf
        log_probs[~is_open, END] = 0.0
        candidates = (totals[..., None] + log_probs).reshape(num, -1)
        penalties = np.repeat(_penalty(lengths + is_open, length_penalty), size, 1)
        best = _largest(candidates / penalties, width)
        parents, tokens = np.divmod(best, size)
        totals = np.take_along_axis(candidates, best, 1)
        rows = (first_row + parents).ravel()
        state = state.take(rows)
        attended = attention[:, None] if attended is None else np.concatenate([attended, attention[:, None]], 1)
        attended = attended[rows]
        words = np.concatenate([words.reshape(num * width, -1)[rows].reshape(num, width, -1), tokens[..., None]], -1)
        was_open = np.take_along_axis(is_open, parents, 1)
        lengths = np.take_along_axis(lengths, parents, 1) + was_open
        is_open = was_open & (tokens != END)
        if not is_open.any():
            break
    assert attended is not None, "a sentence has room for a word at least"
    return _sentences(words[:, 0], attended.reshape(num, width, *attended.shape[1:])[:, 0], totals[:, 0])


def _penalty(lengths: np.ndarray, power: float) -> np.ndarray:
    penalties: np.ndarray = ((5.0 + lengths) / 6.0) ** power
    return penalties


def _largest(scores: np.ndarray, num: int) -> np.ndarray:
    """Returns [N, num]: where the largest of each row's scores are, the largest first."""
    found = np.argpartition(-scores, num - 1, axis=1)[:, :num]
    order = np.argsort(-np.take_along_axis(scores, found, 1), axis=1, kind="stable")
    return np.take_along_axis(found, order, 1)


def _sentences(words: np.ndarray, attended: np.ndarray, log_prob: np.ndarray) -> list[Decoded]:
    found = []
    for row, attention, likelihood in zip(words, attended, log_prob, strict=True):
        ends = np.flatnonzero(row == END)
        length = int(ends[0]) if len(ends) else len(row)
        found.append(Decoded(row[:length].tolist(), attention[:length], float(likelihood)))
    return found
