"""From TensorFlow, Keras and NumPy functions to LiteRT: inference only, every weight a constant."""

from __future__ import annotations

import contextlib
import functools
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from arena import functions
from arena.quiet import silent_stderr

Forward = Callable[..., Mapping[str, Any]]


def to_litert(forward: Forward, shape: Sequence[int], dtype: str, *, state_size: int = 0) -> bytes:
    """Returns a LiteRT file of `forward`, whose weights must be constants.

    Args:
      forward: a [N, *shape] tensor to named tensors; the names stay in the file's signature.
      shape: of one observation; the batch size stays free.
      dtype: of the observations.
      state_size: of a function with memory: `forward` takes a [N, state_size] tensor too, and returns the next one
        among the others (see arena.policy.LiteRTFunction).
    """
    tf = _tensorflow()
    specs = [tf.TensorSpec([None, *shape], dtype, name="obs")]
    if state_size:
        specs.append(tf.TensorSpec([None, state_size], "float32", name="state"))
    return _convert(forward, specs)


def keras_to_litert(model: Any) -> bytes:
    """Returns a LiteRT file of a Keras model as it is for inference; it keeps the names of inputs and outputs.

    Dropout and its like are gone, batch normalisations are folded into the weights before them. Sizes that the
    model leaves open (the batch's) stay open.
    """
    tf = _tensorflow()
    trainable = [tf.constant(v.numpy()) for v in model.trainable_variables]
    fixed = [tf.constant(v.numpy()) for v in model.non_trainable_variables]

    def forward(*inputs: Any) -> Mapping[str, Any]:
        given = inputs[0] if len(inputs) == 1 else list(inputs)
        outputs, _ = model.stateless_call(trainable, fixed, given, training=False)
        if isinstance(outputs, Mapping):
            return outputs
        return dict(zip(model.output_names, outputs if isinstance(outputs, list | tuple) else [outputs], strict=True))

    return _convert(forward, [tf.TensorSpec(i.shape, i.dtype, name=i.name) for i in model.inputs])


def function_to_litert(function: Any, shape: Sequence[int]) -> bytes:
    """Returns a LiteRT file of what a NumPy policy is made of (see arena.functions), in float32.

    `shape` is that of one observation.
    """
    tf = _tensorflow()

    def constant(array: np.ndarray) -> Any:
        return tf.constant(array, tf.float32)

    def table(obs: Any) -> Mapping[str, Any]:
        return {"q": tf.gather(constant(function.q), obs)}

    def linear(obs: Any) -> Mapping[str, Any]:
        flat = tf.reshape(obs, [-1, len(function.w)])
        return {"logits": flat @ constant(function.w) + constant(function.b)}

    def rbf(obs: Any) -> Mapping[str, Any]:
        slope = function.w / function.scale[:, None]
        offset = function.b - (function.mean / function.scale) @ function.w
        return {"q": tf.cos(obs @ constant(slope) + constant(offset)) @ constant(function.q)}

    kind = functions.name_of(function)
    forward = {"table": table, "linear": linear, "rbf": rbf}[kind]
    return to_litert(forward, shape, "int32" if kind == "table" else "float32")


def _convert(forward: Forward, specs: list[Any]) -> bytes:
    tf = _tensorflow()
    function = tf.function(forward, input_signature=specs)
    holder = tf.Module()
    holder.forward = function
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], holder)
    with silent_stderr(), contextlib.redirect_stdout(io.StringIO()):
        return bytes(converter.convert())


@functools.cache
def _tensorflow() -> Any:
    with silent_stderr():
        import tensorflow

        tensorflow.zeros(())  # opens the devices, which is when the last of the chatter comes
    return tensorflow
