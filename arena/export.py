"""From TensorFlow to LiteRT."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence
from typing import Any

from arena.quiet import silent_stderr


def to_litert(forward: Callable[[Any], dict[str, Any]], shape: Sequence[int], dtype: str) -> bytes:
    """Returns a LiteRT file of `forward`, whose weights must be constants.

    Args:
      forward: a [N, *shape] tensor to named tensors; the names stay in the file's signature.
      shape: of one observation; the batch size stays free.
      dtype: of the observations.
    """
    import tensorflow as tf

    function = tf.function(forward, input_signature=[tf.TensorSpec([None, *shape], dtype, name="obs")])
    holder = tf.Module()
    holder.forward = function
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], holder)
    with silent_stderr(), contextlib.redirect_stdout(io.StringIO()):
        return bytes(converter.convert())
