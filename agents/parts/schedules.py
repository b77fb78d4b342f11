"""Schedules over the fraction of the training that is spent."""

from __future__ import annotations


def linear(progress: float, start: float, end: float, fraction: float = 1.0) -> float:
    """Returns the value at `progress`: from `start` in a line to `end` over the first `fraction`, then `end`.

    Args:
      progress: spent part of the training, in [0, 1].
      start: the value at progress 0.
      end: the value from progress `fraction` on.
      fraction: above 0, at most 1.
    """
    if progress >= fraction:
        return end
    return start + progress / fraction * (end - start)
