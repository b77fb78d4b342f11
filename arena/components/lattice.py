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

    On a unit stands the commonest label of the training examples nearest to it; few examples stand there one by one.
    """
    height, width = som.settings.height, som.settings.width
    is_colour = som.shape_ == (3,)
    seen = som.units_.reshape(height, width, 3) if is_colour else gaps(som.units_, height, width)
    texts, groups = _labels(som, dataset)

    def draw(figure: Any) -> None:
        from matplotlib import colormaps, patheffects

        axes = figure.subplots()
        axes.set(xticks=[], yticks=[])
        axes.imshow(np.clip(seen, 0, 1) if is_colour else seen, cmap="Greys")
        size = 9 if is_colour else min(11.0, 300 / max(height, width))
        edge = [patheffects.withStroke(linewidth=2.5, foreground="white")]
        for unit, text in texts.items():
            row, column = divmod(unit, width)
            colour = "black" if is_colour else colormaps["tab10"](groups[unit] % 10)
            axes.text(column, row, text, ha="center", va="center", fontsize=size, color=colour, path_effects=edge)

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


def _labels(som: SelfOrganisingMap, dataset: Dataset) -> tuple[dict[int, str], dict[int, int]]:
    """Returns by unit what stands there, and the label that gives its colour."""
    train = dataset.train
    if train.labels is None:
        return {}, {}
    units = som.predict(train.inputs)
    common = distances.commonest(units, train.labels, len(som.units_))
    groups = {unit: int(label) for unit, label in enumerate(common) if label >= 0}
    names = dataset.classes or tuple(str(k) for k in range(int(train.labels.max()) + 1))
    if len(train) == len(np.unique(train.labels)):
        texts = {unit: "\n".join(names[k] for k in train.labels[units == unit]) for unit in groups}
    else:
        texts = {unit: names[label] for unit, label in groups.items()}
    return texts, groups
