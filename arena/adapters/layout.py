"""The order of an image's axes: the arena's are channels first, as 4x84x84; others may want them last."""

from __future__ import annotations

import numpy as np


def axes_between(ours: tuple[int, ...], theirs: tuple[int, ...]) -> tuple[int, ...] | None:
    """Returns the order of axes in which `np.transpose` makes an observation of one shape one of the other.

    None where neither they as they are nor the channels at the other end do. -1 in `theirs` is any size.
    """
    orders = [tuple(range(len(ours)))]
    if len(ours) == 3:
        orders += [(1, 2, 0), (2, 0, 1)]
    for order in orders:
        moved = [ours[axis] for axis in order]
        if len(moved) == len(theirs) and all(want in (have, -1) for have, want in zip(moved, theirs, strict=True)):
            return order
    return None


def transposed(obs: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Returns one observation with its axes in another order, in memory of its own where that differs."""
    return np.ascontiguousarray(obs.transpose(axes)) if obs.ndim > 1 else obs
