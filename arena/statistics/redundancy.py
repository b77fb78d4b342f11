"""Whether different seeds gave different games: where they did not, there are fewer games than there seem to be.

Deterministic players in an environment without chance repeat one game for ever, and intervals shrink for nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import NamedTuple


class Redundancy(NamedTuple):
    """How many games there are, and how many different ones.

    Attributes:
      games: played on different seeds.
      distinct: how many of them differ.
      most_common: how often the most frequent one occurred; 1 where none is repeated.
    """

    games: int
    distinct: int
    most_common: int

    @property
    def is_suspicious(self) -> bool:
        """True where most games repeat one, or where there are not half as many different games as games."""
        return self.games > 1 and (2 * self.most_common > self.games or 2 * self.distinct < self.games)

    def describe(self, unit: str = "game") -> str:
        """Returns it in words; `unit` is what was repeated."""
        if self.distinct == 1:
            return f"all {self.games} {unit}s on different seeds are the same {unit}"
        return f"of {self.games} {unit}s on different seeds only {self.distinct} differ"


def redundancy(games: Iterable[tuple[int, Hashable]]) -> Redundancy:
    """Returns how often games on different seeds were the same.

    Args:
      games: (seed, fingerprint); a fingerprint is all that tells games apart: returns, length, last observation,
        actions. Of games on one seed only the first counts.
    """
    by_seed: dict[int, Hashable] = {}
    for seed, fingerprint in games:
        by_seed.setdefault(seed, fingerprint)
    counts = Counter(by_seed.values())
    return Redundancy(len(by_seed), len(counts), max(counts.values(), default=0))
