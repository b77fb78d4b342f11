"""Components: models that learn from data without rewards, pretrained, and with one way to use them all.

from arena import components

pca = components.load("pca")                          # the pretrained one
codes = pca.transform(images)                         # [N, K] float32
mine = components.create("kmeans", num_clusters=5).fit(data)
components.save(mine, "mine.safetensors")
mine = components.load("mine.safetensors")

They know nothing of agents, environments or the loop. TensorFlow is imported when a neural one is fitted, not before.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from arena.components.base import Component

__all__ = ["create", "load", "names", "save"]


def names() -> list[str]:
    """Returns the names of all components."""
    from arena.components import registry

    return registry.names()


def create(name: str, **settings: Any) -> Component:
    """Returns a component that has learned nothing yet."""
    from arena.components import registry

    return registry.component_class(name)(**settings)


def load(ref: str | Path) -> Component:
    """Returns the pretrained component of that name, or the one saved in a .safetensors file or a folder."""
    from arena.components import store

    return store.load(store.locate(ref))


def save(component: Component, path: str | Path) -> Path:
    """Writes a component to PATH.safetensors and PATH.json; returns the first."""
    from arena.components import store

    return store.save(component, Path(path))
