"""Which components there are; a component's module is imported when it is asked for by name."""

from __future__ import annotations

import importlib
from typing import NamedTuple

from arena.components.base import Component
from arena.errors import UnknownName


class Entry(NamedTuple):
    """Where a component is, and what it does, in a few words."""

    target: str
    summary: str


ENTRIES = {
    "pca": Entry("pca:PCA", "principal components: the directions in which the data vary most"),
    "kmeans": Entry("kmeans:KMeans", "k centres, each the mean of the examples nearest to it"),
    "som": Entry("som:SelfOrganisingMap", "a lattice of units, on which neighbours stand for similar examples"),
}


def names() -> list[str]:
    """Returns the names of all components."""
    return list(ENTRIES)


def component_class(name: str) -> type[Component]:
    """Returns the class of a component; raises UnknownName with the closest one there is."""
    if name not in ENTRIES:
        raise UnknownName("component", name, ENTRIES)
    module, _, cls = ENTRIES[name].target.partition(":")
    found: type[Component] = getattr(importlib.import_module(f"arena.components.{module}"), cls)
    return found
