"""What a training tells its caller, and asks."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import NamedTuple


class Progress(NamedTuple):
    """Where a training stands: fraction of the budget in [0, 1], and what to show beside it."""

    fraction: float
    step: int
    episodes: int
    recent_return: float
    best: float | None


class Hooks(NamedTuple):
    """What a training tells its caller, and asks.

    Attributes:
      on_progress: called a few times a second.
      should_stop: asked after every step; when true the run saves and ends.
      warn: told, in one line, what does not stop the training.
    """

    on_progress: Callable[[Progress], None] = lambda progress: None
    should_stop: Callable[[], bool] = lambda: False
    warn: Callable[[str], None] = warnings.warn
