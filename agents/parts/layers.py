"""What networks are built of: the shapes of their inputs, how their weights begin, and a running standardisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from agents.parts.numpy_networks import CLIP_NORMALISED
from agents.parts.tensorflow import load
from arena.errors import DoesNotFit, InvalidValue

#: Convolutions as (filters, kernel size, stride), then the width of the dense layer.
CNNS: Mapping[str, tuple[Sequence[tuple[int, int, int]], int]] = {
    "cnn-2013": (((16, 8, 4), (32, 4, 2)), 256),
    "cnn-2015": (((32, 8, 4), (64, 4, 2), (64, 3, 1)), 512),
}


def is_image(space: gym.Space[Any]) -> bool:
    """True for uint8 observations of shape [C, H, W]."""
    return isinstance(space, gym.spaces.Box) and space.dtype == np.uint8 and len(space.shape) == 3


def input_of(space: gym.Space[Any]) -> tuple[tuple[int, ...], str, int]:
    """Returns (shape, dtype, number of categories or 0) of a network's input."""
    if isinstance(space, gym.spaces.Discrete):
        return (), "int32", int(space.n)
    if isinstance(space, gym.spaces.Box):
        return tuple(space.shape), "uint8" if space.dtype == np.uint8 else "float32", 0
    raise DoesNotFit(f"a network takes Box or Discrete observations, not {space}")


class Initializers:
    """How the layers of a network begin, one after the other.

    Args:
      kind: see Network.
      seed: of all of them; each has a seed of its own.
    """

    def __init__(self, kind: str, seed: int) -> None:
        self._kind, self._seed, self._count = kind, seed, 0

    def next_seed(self) -> int:
        """Returns the seed of the next layer."""
        self._count += 1
        return self._seed + 1009 * self._count

    def __call__(self, inputs: int, gain: float) -> dict[str, Any]:
        """Returns how the kernel and the bias of the next layer begin, as keywords."""
        import keras

        seed = self.next_seed()
        if self._kind == "orthogonal":
            return {"kernel_initializer": keras.initializers.Orthogonal(gain=float(gain), seed=seed)}
        if self._kind == "fan_in":
            limit = inputs**-0.5
            return {
                f"{part}_initializer": keras.initializers.RandomUniform(-limit, limit, seed=seed + k)
                for k, part in enumerate(("kernel", "bias"))
            }
        initializer = keras.initializers.get(self._kind)
        return {"kernel_initializer": type(initializer).from_config(initializer.get_config() | {"seed": seed})}


def image_scaler() -> Any:
    """Returns a layer that makes of uint8 images [N, C, H, W] what convolutions take: [N, H, W, C] float32 from 0 to 1.

    In the plain graph that takes as long as the first convolution after it; XLA does it in one pass, in a sixth of the
    time.
    """
    tf = load()
    import keras

    @tf.function(jit_compile=True, autograph=False)  # type: ignore[untyped-decorator]
    def scaled(images: Any) -> Any:
        return tf.transpose(tf.cast(images, tf.float32), (0, 2, 3, 1)) / 255.0

    class ImageScaler(keras.layers.Layer):  # type: ignore[misc]
        def call(self, images: Any) -> Any:
            return scaled(images)

        def compute_output_spec(self, images: Any) -> Any:
            rows, channels, height, width = images.shape
            return keras.KerasTensor((rows, height, width, channels), "float32")

    return ImageScaler(name="image_scaler")


def normalizer(shape: tuple[int, ...]) -> Any:
    """Returns a layer that standardises by a mean and variance which update_statistics keeps."""
    import keras

    class RunningNormalization(keras.layers.Layer):  # type: ignore[misc]
        def build(self, input_shape: Any) -> None:
            for name, start, dims in (("mean", "zeros", shape), ("variance", "ones", shape), ("count", "zeros", ())):
                setattr(self, name, self.add_weight(shape=dims, initializer=start, trainable=False, name=name))

        def call(self, x: Any) -> Any:
            normal = (x - self.mean) / keras.ops.sqrt(self.variance + 1e-8)
            return keras.ops.clip(normal, -CLIP_NORMALISED, CLIP_NORMALISED)

    if len(shape) != 1:
        raise InvalidValue(f"observations of shape {shape} cannot be normalised; only vectors can")
    return RunningNormalization(name="normalization")
