"""Pictures of examples: tiles side by side, [H, W, 3] uint8."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from arena.errors import InvalidValue

_GAP = 1
_MAX_SIDE = 32  # up to here tiles are drawn twice as large


def as_images(rows: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """Returns [N, H, W, 3] uint8 of [N, D] examples from 0 to 1, whose own shape is [H, W], [H, W, 1 or 3] or a square.

    Raises InvalidValue where they are no pictures.
    """
    side = math.isqrt(math.prod(shape))
    if len(shape) == 1 and side > 3 and side * side == shape[0]:
        shape = (side, side)
    if len(shape) == 2:
        shape = (*shape, 1)
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise InvalidValue(f"examples of shape {list(shape)} are no pictures; write them to a .npy or .csv file")
    images = (np.clip(rows, 0.0, 1.0) * 255).round().astype(np.uint8).reshape(-1, *shape)
    return np.broadcast_to(images, (*images.shape[:3], 3))


def tiles(images: np.ndarray, columns: int) -> np.ndarray:
    """Returns [N, H, W, 3] uint8 images as one picture, row by row, with thin grey lines between them."""
    num, height, width, _ = images.shape
    if max(height, width) <= _MAX_SIDE:
        images = images.repeat(2, axis=1).repeat(2, axis=2)
        height, width = 2 * height, 2 * width
    rows = -(-num // columns)
    canvas = np.full((rows, height + _GAP, columns, width + _GAP, 3), 128, np.uint8)
    for k, image in enumerate(images):
        canvas[k // columns, :height, k % columns, :width] = image
    return canvas.reshape(rows * (height + _GAP), columns * (width + _GAP), 3)[:-_GAP, :-_GAP]


def columns(rows: Sequence[np.ndarray], shape: Sequence[int], limit: int = 16) -> np.ndarray:
    """Returns a picture whose rows are the arguments, [N, D] each: what belongs together stands in one column."""
    num = min(limit, len(rows[0]))
    return tiles(np.concatenate([as_images(row[:num], shape) for row in rows]), num)


def pairs(inputs: np.ndarray, outputs: np.ndarray, shape: Sequence[int], limit: int = 16) -> np.ndarray:
    """Returns a picture of [N, D] examples, what became of each below it; the first `limit` of them."""
    return columns([inputs, outputs], shape, limit)


def filters(kernel: np.ndarray, shape: Sequence[int], limit: int = 100) -> np.ndarray:
    """Returns a picture of what hidden units look for: their weights, [D, K]; black is less, white is more."""
    weights = kernel.T[:limit]
    spread = np.abs(weights).max(axis=1, keepdims=True) + 1e-9
    return tiles(as_images(0.5 + weights / (2 * spread), shape), 20)


def write(path: Path, rgb: np.ndarray) -> Path:
    """Writes a PNG file of few colours, small, and returns its path."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rgb).save(path, "PNG", optimize=True)
    return path
