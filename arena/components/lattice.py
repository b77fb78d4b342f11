"""The picture of a self-organising map: its units with the labels of what is nearest to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from arena.components import charts, distances

if TYPE_CHECKING:
    from arena.components.data import Dataset
    from arena.components.som import SelfOrganisingMap

_INCHES = 7.0


def picture(som: SelfOrganisingMap, dataset: Dataset) -> np.ndarray:
    """Returns the map: units that are colours in their own, others as grey as they are far from their neighbours.

    On a unit stands the commonest label of the training examples nearest to it. Few examples, each of a label of its
    own, stand in the middle of the units that they are nearest to.
    """
    height, width = som.settings.height, som.settings.width
    is_colour = som.shape_ == (3,)
    seen = som.units_.reshape(height, width, 3) if is_colour else gaps(som.units_, height, width)
    labels = _labels(som, dataset)

    def draw(figure: Any) -> None:
        from matplotlib import colormaps, patheffects

        axes = figure.subplots()
        axes.set(xticks=[], yticks=[])
        axes.imshow(np.clip(seen, 0, 1) if is_colour else seen, cmap="Greys")
        size = 9 if is_colour else min(11.0, 300 / max(height, width))
        edge = [patheffects.withStroke(linewidth=2.5, foreground="white")]
        for row, column, label, name in labels:
            colour = "black" if is_colour else colormaps["tab10"](label % 10)
            axes.text(
                column,
                row,
                name,
                ha="center",
                va="center",
                fontsize=size,
                weight="bold",
                color=colour,
                path_effects=edge,
            )

    return charts.render(draw, _INCHES, _INCHES * height / width)


def gaps(units: np.ndarray, height: int, width: int) -> np.ndarray:
    """Returns [height, width]: the mean distance of each unit to the ones above, below and beside it.

    Source: Ultsch & Siemon (1990), "Kohonen's self organizing feature maps for exploratory data analysis" (U-matrix).
    """
    lattice = units.reshape(height, width, -1)
    total, count = np.zeros((height, width)), np.zeros((height, width))
    for axis in (0, 1):
        apart = np.linalg.norm(np.diff(lattice, axis=axis), axis=-1)
        for side in (slice(None, -1), slice(1, None)):
            where = (side, slice(None)) if axis == 0 else (slice(None), side)
            total[where] += apart
            count[where] += 1
    return np.asarray(total / count)


def _labels(som: SelfOrganisingMap, dataset: Dataset) -> list[tuple[float, float, int, str]]:
    """Returns row, column, label and its name of all that is written on the map."""
    train = dataset.train
    if train.labels is None:
        return []
    names = dataset.classes or tuple(str(k) for k in range(int(train.labels.max()) + 1))
    width = som.settings.width
    if len(train) == len(np.unique(train.labels)):
        nearest = distances.squared(som.units_, som.rows(train.inputs)).argmin(axis=1)
        own = som.predict(train.inputs)
        areas = [np.flatnonzero(nearest == k) if (nearest == k).any() else own[k : k + 1] for k in range(len(train))]
        middles = [np.mean(np.divmod(area, width), axis=1) for area in areas]
        return [(*middle, int(k), names[k]) for middle, k in zip(middles, train.labels, strict=True)]
    common = distances.commonest(som.predict(train.inputs), train.labels, len(som.units_))
    return [(*divmod(unit, width), int(label), names[label]) for unit, label in enumerate(common) if label >= 0]
