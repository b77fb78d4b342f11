"""What a classifier is told and what it says: labels, and pictures, [H, W, 3] uint8."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from arena.components import charts, pictures
from arena.errors import DoesNotFit
from arena.plots import BLUE

_COLUMNS = 6


def checked_labels(labels: np.ndarray | None, num: int, num_classes: int) -> np.ndarray:
    """Returns [num] labels. Raises DoesNotFit unless there are as many as examples, each a class."""
    if labels is None:
        raise DoesNotFit("classes are learned and judged by labels: give them with the examples")
    targets = np.asarray(labels)
    if targets.shape != (num,) or targets.dtype.kind not in "iu":
        raise DoesNotFit(f"each example needs one integer label; given {list(targets.shape)} {targets.dtype}")
    if targets.min() < 0 or targets.max() >= num_classes:
        given = f"{targets.min()} to {targets.max()}"
        raise DoesNotFit(f"labels must be 0 to {num_classes - 1}, given {given}: set num_classes")
    return targets


def confusion(targets: np.ndarray, predictions: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """Returns the share, in per cent, of each class's examples ([N] labels) that are taken for each class."""
    shares = 100 * confusion_shares(targets, predictions, len(classes))

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
        for row, column in np.ndindex(shares.shape):
            share = shares[row, column]
            axes.text(column, row, f"{share:.0f}", ha="center", va="center", color="white" if share > 50 else "black")
        counts = np.bincount(targets, minlength=len(classes))
        names = [f"{name} ({count:,})" for name, count in zip(classes, counts, strict=True)]
        axes.set(xlabel="taken for (% of the row)", ylabel="is (number of examples)")
        axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right")
        axes.set_yticks(range(len(classes)), names)
        axes.grid(False)

    return charts.render(draw, 6.4, 5.6)


def confusion_shares(targets: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    """Returns [C, C]: the share of row's examples that are taken for column; 0 where a class has no examples."""
    counts = np.zeros((num_classes, num_classes))
    np.add.at(counts, (targets, predictions), 1)
    shares: np.ndarray = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares


def pictures_of(
    rows: np.ndarray, shape: Sequence[int], probabilities: np.ndarray, classes: Sequence[str]
) -> np.ndarray:
    """Returns [N, D] examples, from 0 to 1, each above the [N, C] probabilities of its classes.

    Raises InvalidValue where examples of that shape are no pictures.
    """
    images = pictures.as_images(rows, shape)
    down = -(-len(images) // _COLUMNS)

    def draw(figure: Any) -> None:
        grid = figure.subplots(2 * down, _COLUMNS, squeeze=False, height_ratios=[2, 1] * down)
        for axes in grid.flat:
            axes.set_axis_off()
        for k, image in enumerate(images):
            above, below = grid[2 * (k // _COLUMNS) : 2 * (k // _COLUMNS) + 2, k % _COLUMNS]
            above.imshow(image)
            above.set_title(classes[int(probabilities[k].argmax())], loc="center")
            below.set_axis_on()
            below.bar(range(len(classes)), probabilities[k], color=BLUE)
            below.set(ylim=(0, 1), yticks=(), xticks=range(len(classes)))
            below.set_xticklabels([name[:2] for name in classes], fontsize=7)
            below.grid(False)

    return charts.render(draw, 9.6, 2.6 * down)
