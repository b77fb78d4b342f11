"""A convolutional autoencoder for images of any size: three times it convolves and halves, then back again.

Source: Masci et al. (2011), "Stacked convolutional auto-encoders for hierarchical feature extraction"; Odena, Dumoulin
& Olah (2016), "Deconvolution and checkerboard artifacts", for upsampling by nearest neighbours. Filters and noise are
the cookbook's.

Deliberate deviation: a decoder's convolution comes before its upsampling, on a quarter of the pixels; a last one makes
the image. It takes half the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pydantic

from arena.components import neural
from arena.components.activations import sigmoid
from arena.components.autoencoders import BaseAutoencoder, NoisySettings
from arena.components.normalisation import normalised
from arena.errors import InvalidValue
from arena.seeding import derived_seed

_CHUNK = 32  # images at once: their patches take much more memory than they do


class ConvolutionalSettings(NoisySettings):
    """Settings of the convolutional autoencoder.

    Attributes:
      filters: of the encoder's convolutions; each is followed by a halving, and the decoder has the same in reverse.
      kernel_size: height and width of the convolutions' kernels.
    """

    filters: tuple[pydantic.PositiveInt, ...] = pydantic.Field((32, 32, 16), min_length=1, max_length=8)
    kernel_size: int = pydantic.Field(5, ge=1, le=15)
    noise: float = pydantic.Field(0.5, ge=0, le=1)
    epochs: pydantic.PositiveInt = 4
    batch_size: pydantic.PositiveInt = 64
    learning_rate: pydantic.PositiveFloat = 2e-3


class ConvolutionalAutoencoder(BaseAutoencoder):
    """Convolutions, rectified, with maxima of 2x2 pixels between them; images are [H, W] or [H, W, C].

    A code is [h, w, F] numbers in a row, h and w an eighth of the image's, rounded up: 4 x 4 x 16 for 28 x 28 pixels,
    11 x 11 x 16 for 84 x 84.
    """

    name = "convolutional-autoencoder"
    Settings = ConvolutionalSettings
    is_fused = False

    def image_shape(self) -> tuple[int, int, int]:
        """Returns height, width and channels. Raises InvalidValue where the examples are no images."""
        if len(self.shape_) not in (2, 3):
            raise InvalidValue(
                f"{self.name} takes images, [N, H, W] or [N, H, W, C]; given [N, {str(self.shape_)[1:-1]}]"
            )
        height, width, *channels = self.shape_
        return height, width, channels[0] if channels else 1

    def sizes(self) -> list[tuple[int, int]]:
        """Returns height and width before the first halving, after it, and so on."""
        height, width, _ = self.image_shape()
        return [(-(-height // 2**k), -(-width // 2**k)) for k in range(len(self.settings.filters) + 1)]

    @property
    def code_shape(self) -> tuple[int, int, int]:
        """[h, w, F]: what a code is when it is no row."""
        return (*self.sizes()[-1], self.settings.filters[-1])

    def build(self) -> Any:
        """Returns the Keras model, "inputs" [N, H, W, C] to "codes" [N, K] and "reconstructions" [N, H, W, C]."""
        return self._network(is_learner=False)

    def learner(self) -> Any:
        """Returns the same with each convolution normalised."""
        return self._network(is_learner=True)

    def _network(self, is_learner: bool) -> Any:
        neural.tensorflow()
        import keras

        layers, sizes = keras.layers, self.sizes()

        def rectified(sums: Any, name: str) -> Any:
            return layers.ReLU()(normalised(name, has_scale=False)(sums) if is_learner else sums)

        def convolution(filters: int, name: str, has_bias: bool = not is_learner) -> Any:
            start = keras.initializers.HeUniform(seed=derived_seed(self.settings.seed, f"{self.name} {name}"))
            size = self.settings.kernel_size
            return layers.Conv2D(filters, size, padding="same", use_bias=has_bias, kernel_initializer=start, name=name)

        x = inputs = keras.Input(self.image_shape(), name="inputs")
        for k, filters in enumerate(self.settings.filters, 1):
            name = f"encoder_{k}"
            x = layers.MaxPooling2D(2, padding="same")(convolution(filters, name)(x))
            x = rectified(x, name)  # the maximum comes first: the same, on a quarter of the pixels
        code = layers.Flatten()(x)
        for k in range(len(self.settings.filters), 0, -1):
            name = f"decoder_{k}"
            x = rectified(convolution(self.settings.filters[k - 1], name)(x), name)
            twice = [2 * size for size in sizes[k]]
            x = keras.ops.image.resize(x, twice, interpolation="nearest")  # UpSampling2D does not convert to LiteRT
            surplus = [size - wanted for size, wanted in zip(twice, sizes[k - 1], strict=True)]
            if any(surplus):
                x = layers.Cropping2D([(0, size) for size in surplus])(x)
        reconstruction = layers.Activation("sigmoid")(convolution(self.image_shape()[2], "image", has_bias=True)(x))
        return keras.Model(inputs, {"codes": code, "reconstructions": reconstruction})

    def transform(self, data: np.ndarray) -> np.ndarray:
        """Returns [N, h w F] float32; see code_shape."""
        rows = self.rows(data)
        return np.concatenate([self._encoded(chunk) for chunk in _chunks(rows)])

    def inverse_transform(self, codes: np.ndarray) -> np.ndarray:
        """Returns [N, D] float32."""
        self.check_fitted()
        return np.concatenate([self._decoded(chunk) for chunk in _chunks(np.asarray(codes, np.float32))])

    def _encoded(self, rows: np.ndarray) -> np.ndarray:
        x = rows.reshape(-1, *self.image_shape())
        for k in range(1, len(self.settings.filters) + 1):
            x = halved(np.maximum(convolved(x, self.weights_, f"encoder_{k}"), 0.0))
        return x.reshape(len(x), -1)

    def _decoded(self, codes: np.ndarray) -> np.ndarray:
        x, sizes = codes.reshape(-1, *self.code_shape), self.sizes()
        for k in range(len(self.settings.filters), 0, -1):
            height, width = sizes[k - 1]
            x = np.maximum(convolved(x, self.weights_, f"decoder_{k}"), 0.0)
            x = x.repeat(2, axis=1).repeat(2, axis=2)[:, :height, :width]
        return sigmoid(convolved(x, self.weights_, "image")).reshape(len(x), -1)


def convolved(images: np.ndarray, weights: Mapping[str, np.ndarray], layer: str) -> np.ndarray:
    """Returns [N, H, W, F] of [N, H, W, C]: a layer's convolution, zeros beyond the border, and its bias."""
    kernel = weights[f"{layer}/kernel"]
    beyond = [((size - 1) // 2, size // 2) for size in kernel.shape[:2]]
    padded = np.pad(images, ((0, 0), *beyond, (0, 0)))
    patches = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape[:2], axis=(1, 2))  # [N, H, W, C, K, K]
    convolution: np.ndarray = np.tensordot(patches, kernel, axes=((4, 5, 3), (0, 1, 2)))
    convolution += weights[f"{layer}/bias"]
    return convolution


def halved(images: np.ndarray) -> np.ndarray:
    """Returns the maxima of 2x2 pixels, [N, ceil(H / 2), ceil(W / 2), C]; images are not negative."""
    _, height, width, _ = images.shape
    padded = np.pad(images, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)))
    rows = np.maximum(padded[:, ::2], padded[:, 1::2])
    maxima: np.ndarray = np.maximum(rows[:, :, ::2], rows[:, :, 1::2])
    return maxima


def _chunks(rows: np.ndarray) -> Iterator[np.ndarray]:
    for first in range(0, len(rows), _CHUNK):
        yield rows[first : first + _CHUNK]
