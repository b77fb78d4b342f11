"""TensorBoard's Projector: points in many dimensions with their labels and pictures, as files beside the events.

Source: tensorboard/plugins/projector/projector_config.proto, and what projector_plugin.py reads.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from arena.components.pictures import as_images
from arena.errors import InvalidValue
from arena.files import write_text

if TYPE_CHECKING:
    from arena.components.base import Component
    from arena.components.data import Dataset

_CONFIG = "projector_config.pbtxt"
_MAX_SHEET = 8192  # pixels on a side of the sheet of sprites, which WebGL can take


def write(
    folder: Path,
    name: str,
    points: np.ndarray,
    columns: Mapping[str, Sequence[object]],
    images: np.ndarray | None = None,
) -> None:
    """Adds points to what the Projector shows of a folder.

    Args:
      folder: the one that TensorBoard reads.
      name: of the tensor, in the Projector's list.
      points: [N, D].
      columns: what is told of each point, by heading: a label, a value to colour by.
      images: [N, H, W, 3] uint8, drawn in place of the points.
    """
    below = folder / "projector"
    below.mkdir(parents=True, exist_ok=True)
    write_text(below / f"{name}.tsv", "".join("\t".join(f"{x:.5g}" for x in point) + "\n" for point in points))
    lines = ["\t".join(str(value).replace("\t", " ") for value in row) for row in zip(*columns.values(), strict=True)]
    heading = ["\t".join(columns)] if len(columns) > 1 else []  # one column has no heading
    write_text(below / f"{name}-labels.tsv", "\n".join([*heading, *lines]) + "\n")
    entry = [f'tensor_name: "{name}"', f'tensor_path: "projector/{name}.tsv"']
    entry += [f'metadata_path: "projector/{name}-labels.tsv"']
    if images is not None:
        _write_sprites(below / f"{name}-sprites.png", images)
        size = f"single_image_dim: {images.shape[2]} single_image_dim: {images.shape[1]}"
        entry += [f'sprite {{ image_path: "projector/{name}-sprites.png" {size} }}']
    config = folder / _CONFIG
    before = config.read_text(encoding="utf-8") if config.is_file() else ""
    write_text(config, before + "embeddings {\n" + "".join(f"  {line}\n" for line in entry) + "}\n")


def _write_sprites(path: Path, images: np.ndarray) -> None:
    """Writes the sheet of sprites, square, row by row."""
    from PIL import Image

    num, height, width, _ = images.shape
    side = math.isqrt(num - 1) + 1
    assert side * max(height, width) <= _MAX_SHEET, "too many pictures for one sheet"
    sheet = np.zeros((side * side, height, width, 3), np.uint8)
    sheet[:num] = images
    pixels = sheet.reshape(side, side, height, width, 3).swapaxes(1, 2).reshape(side * height, side * width, 3)
    Image.fromarray(pixels).save(path, "PNG")


def write_codes(folder: Path, component: Component, dataset: Dataset) -> None:
    """Shows the codes of the first test examples of a set, with their labels, and as pictures where they are some."""
    test = dataset.test
    inputs = test.inputs[: component.num_projected]
    names: list[object] = list(range(len(inputs)))
    if test.labels is not None:
        names = [
            dataset.classes[label] if dataset.classes else label for label in test.labels[: component.num_projected]
        ]
    try:
        images = as_images(component.rows(inputs), component.shape_)
    except InvalidValue:
        images = None
    write(folder, component.name, component.transform(inputs), {"label": names}, images)
