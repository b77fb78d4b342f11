"""Images that a classifier should see as the same, made at random while it learns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from arena.components import neural


def moved(images: Any, seed: Any, shape: Sequence[int], shift: int, mirror: bool) -> Any:
    """Returns a tensor of images, each shifted and perhaps mirrored left to right; the edge's pixels are repeated.

    Args:
      images: [B, H W] tensor.
      seed: [2] int32.
      shape: H and W.
      shift: pixels by which an image is moved at most, up or down and left or right.
      mirror: half of the images are mirrored.
    """
    tf = neural.tensorflow()
    height, width = shape
    num = images.shape[0]
    by = tf.random.stateless_uniform([num, 2], seed, -shift, shift + 1, tf.int32)
    is_mirrored = tf.random.stateless_uniform([num, 1], seed + 1) < (0.5 if mirror else 0.0)
    rows = tf.clip_by_value(tf.range(height) + by[:, :1], 0, height - 1)
    columns = tf.clip_by_value(tf.range(width) + by[:, 1:], 0, width - 1)
    columns = tf.where(is_mirrored, width - 1 - columns, columns)
    pixels = rows[:, :, None] * width + columns[:, None, :]
    return tf.gather(images, tf.reshape(pixels, [num, height * width]), batch_dims=1)
