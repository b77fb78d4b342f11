"""The sentence on top of the page: who won, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arena.reports.words import join


def of_ranks(names: Sequence[str], apart: np.ndarray, where: str) -> str:
    """Returns who is best and which of the others can be told apart from them.

    Args:
      names: of the agents, the best first.
      apart: [A, A] booleans, True for those that can be told apart.
      where: what follows: "in CartPole-v1", "over 4 environments".
    """
    if not names:
        return "Nothing has been played yet."
    if len(names) == 1:
        return f"{names[0]} played alone {where}."
    tied = [index for index in range(len(names)) if index == 0 or not apart[0, index]]
    others = [index for index in range(len(names)) if index not in tied]
    beaten = [names[index] for index in others if all(apart[index, best] for best in tied)]
    best = join([names[index] for index in tied])
    if len(tied) == 1:
        return f"{best} beats {join(beaten)} {where}."
    if beaten:
        return f"{best} cannot be told apart {where}; {'both' if len(tied) == 2 else 'all'} beat {join(beaten)}."
    if others:
        beaten = [names[index] for index in others]
        return f"{best} cannot be told apart {where}; {names[0]} beats {join(beaten)}."
    return f"{best} cannot be told apart {where}."
