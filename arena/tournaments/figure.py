"""A figure with its interval, as tables show it."""

from __future__ import annotations

from typing import NamedTuple

from arena.statistics.bootstrap import Estimate


class Figure(NamedTuple):
    """A figure and its 95% interval, None where a single game gives none."""

    value: float
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, estimate: Estimate) -> Figure:
        """Returns an estimate of one number as plain data."""
        return cls(float(estimate.value), float(estimate.low), float(estimate.high))
