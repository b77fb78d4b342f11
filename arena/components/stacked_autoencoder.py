"""A stacked denoising autoencoder: layers fitted one by one, each on the codes of those below, then all together.

Source: Vincent et al. (2010), "Stacked denoising autoencoders: learning useful representations in a deep network with a
local denoising criterion"; Bengio et al. (2007), "Greedy layer-wise training of deep networks". Sizes and noise are the
cookbook's.

Deliberate deviation: only the images are made noisy, also when an upper layer is fitted: it is given the codes of noisy
images, and learns to give those of the clean ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pydantic

from arena.components import base, charts, descent, neural
from arena.components.activations import sigmoid
from arena.components.autoencoders import BaseAutoencoder, NoisySettings, dense, reconstruction_loss
from arena.components.base import Watch
from arena.plots import BLUE, VERMILLION

if TYPE_CHECKING:
    from arena.components.data import Dataset

_NUM_COMPARED, _EPOCHS_COMPARED = 5_000, 10


class StackedSettings(NoisySettings):
    """Settings of the stacked autoencoder.

    Attributes:
      hidden: units of the layers, from the images inwards; the last ones are the code.
      pretraining_epochs: of each layer by itself; with 0 all layers start from random weights.
    """

    hidden: tuple[pydantic.PositiveInt, ...] = pydantic.Field((500, 50), min_length=1, max_length=8)
    pretraining_epochs: pydantic.NonNegativeInt = 3
    epochs: pydantic.PositiveInt = 12
    learning_rate: pydantic.PositiveFloat = 2e-3


class StackedAutoencoder(BaseAutoencoder):
    """Logistic layers; the decoder's kernels are the encoder's, transposed, and it has biases of its own.

    Attributes:
      fine_tuning_: the mean squared error on the examples before all layers are fitted together, and then the mean
        over each epoch; not saved.
    """

    name = "stacked-autoencoder"
    Settings = StackedSettings
    num_projected = 2_000

    fine_tuning_: list[float]

    def learn(self, model: Any, rows: np.ndarray, watch: Watch, shown: np.ndarray | None) -> list[float]:
        """Fits layer after layer, then all of them; returns the mean squared error in every epoch of the latter."""
        pretraining, epochs = self.settings.pretraining_epochs, self.settings.epochs
        share = pretraining / (pretraining + epochs)
        self._pretrain(model, rows, _part(watch, 0.0, share))
        self.take(model)
        before = base.mean_squared_error(self.reconstruct(self.noisy(rows)), rows)
        errors = super().learn(model, rows, _part(watch, share, 1.0), shown)
        self.fine_tuning_ = [before, *errors]
        return errors

    def build(self) -> Any:
        """Returns the Keras model, "inputs" [N, D] to "codes" [N, K] and "reconstructions" [N, D]."""
        neural.tensorflow()
        import keras

        x = inputs = keras.Input((int(np.prod(self.shape_)),), name="inputs")
        encoders = [dense(self, units, "sigmoid", f"encoder_{k}") for k, units in enumerate(self.settings.hidden, 1)]
        for encoder in encoders:
            x = encoder(x)
        code = x
        for k in range(len(encoders), 0, -1):
            x = _tied(encoders[k - 1], f"decoder_{k}")(x)
        return keras.Model(inputs, {"codes": code, "reconstructions": x})

    def transform(self, data: np.ndarray) -> np.ndarray:
        """Returns [N, K] float32, from 0 to 1."""
        x = self.rows(data)
        for k in range(1, len(self.settings.hidden) + 1):
            x = sigmoid(x @ self.weights_[f"encoder_{k}/kernel"] + self.weights_[f"encoder_{k}/bias"])
        return x

    def inverse_transform(self, codes: np.ndarray) -> np.ndarray:
        """Returns [N, D] float32."""
        self.check_fitted()
        x = np.asarray(codes, np.float32)
        for k in range(len(self.settings.hidden), 0, -1):
            x = sigmoid(x @ self.weights_[f"encoder_{k}/kernel"].T + self.weights_[f"decoder_{k}/bias"])
        return x

    def pictures(self, dataset: Dataset) -> dict[str, np.ndarray]:
        """Returns some reconstructions; and fine-tuning with and without pretraining, on a part of the set."""
        few = dataset.train.inputs[:_NUM_COMPARED]
        settings = self.settings.model_dump() | {"epochs": _EPOCHS_COMPARED}
        curves = {
            label: StackedAutoencoder(**settings | {"pretraining_epochs": epochs}).fit(few).fine_tuning_
            for label, epochs in (("pretrained", max(1, self.settings.pretraining_epochs)), ("from random weights", 0))
        }
        return super().pictures(dataset) | {"pretraining": _drawn(curves)}

    def _pretrain(self, model: Any, rows: np.ndarray, watch: Watch) -> None:
        encoders = [model.get_layer(f"encoder_{k}") for k in range(1, len(self.settings.hidden) + 1)]
        for k, encoder in enumerate(encoders, 1):
            below, decoder = encoders[: k - 1], model.get_layer(f"decoder_{k}")

            def objective(
                clean: Any, noisy: Any, below: list[Any] = below, encoder: Any = encoder, decoder: Any = decoder
            ) -> Mapping[str, Any]:
                for layer in below:
                    clean, noisy = layer(clean), layer(noisy)
                return reconstruction_loss(clean, decoder(encoder(noisy)))

            variables = [encoder.kernel, encoder.bias, decoder.bias]
            num_epochs, stream = self.settings.pretraining_epochs, f"{self.name} layer {k}"
            descended = descent.epochs(objective, variables, [rows], self.settings, stream, self.with_noise, num_epochs)
            for number, values in enumerate(descended, 1):
                done = (k - 1) * num_epochs + number
                watch.step(done, num_epochs * len(encoders), **{f"mse_of_layer_{k}": values["mse"]})


def _part(watch: Watch, first: float, last: float) -> Watch:
    """Returns a watch for the part of a fit that goes from one fraction of it to another."""

    def on_progress(fraction: float, text: str) -> None:
        watch.on_progress(first + (last - first) * fraction, text)

    return dataclasses.replace(watch, on_progress=on_progress)


def _tied(encoder: Any, name: str) -> Any:
    """Returns the layer that undoes a dense layer of Keras with its transposed kernel and a bias of its own."""
    import keras

    class Tied(keras.layers.Layer):  # type: ignore[misc]
        def build(self, shape: Any) -> None:
            self.bias = self.add_weight(shape=(encoder.kernel.shape[0],), initializer="zeros", name="bias")

        def call(self, codes: Any) -> Any:
            return keras.ops.sigmoid(keras.ops.matmul(codes, keras.ops.transpose(encoder.kernel)) + self.bias)

    return Tied(name=name)


def _drawn(curves: Mapping[str, Sequence[float]]) -> np.ndarray:
    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for (label, errors), colour in zip(curves.items(), (BLUE, VERMILLION), strict=True):
            axes.plot(errors, "o-", color=colour, markersize=4, label=label)
        axes.set(xlabel="epoch of fine-tuning", ylabel="mean squared error", yscale="log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
        axes.legend()

    return charts.render(draw)
