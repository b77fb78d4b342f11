"""Autoencoders of one hidden layer: plain, sparse and denoising; and what all autoencoders have in common.

Sources: Hinton & Salakhutdinov (2006), "Reducing the dimensionality of data with neural networks"; Ng (2011), "Sparse
autoencoder", CS294A lecture notes; Vincent et al. (2008), "Extracting and composing robust features with denoising
autoencoders". Sizes, noise and the sparsity penalty are the cookbook's.

Deliberate deviations: Adam's rate falls to zero; noise is drawn anew in every step, not once; hidden units are
rectified, except where their activations must lie between 0 and 1 (sparse, stacked); the weights start small (Glorot &
Bengio 2010), not with variance 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pydantic

from arena.components import base, descent, neural, pictures
from arena.components.activations import sigmoid
from arena.components.base import SILENT, Watch
from arena.components.corruption import Corruption, Kind
from arena.components.neural import NeuralComponent
from arena.errors import InvalidValue
from arena.seeding import derived_seed, generator

if TYPE_CHECKING:
    from arena.components.data import Dataset, Split

_NUM_SHOWN = 16


class NoisySettings(descent.DescentSettings):
    """Settings of an autoencoder that is given noisy images and learns to give clean ones.

    Attributes:
      noise: standard deviation of gaussian noise, or the probability that a pixel is masked.
      corruption: gaussian or masking.
    """

    noise: float = pydantic.Field(0.3, ge=0, le=1)
    corruption: Kind = "gaussian"


class BaseAutoencoder(NeuralComponent):
    """Learns to give back what it is given, by way of a code.

    Its Keras model has two outputs, "codes" and "reconstructions"; all values of examples and reconstructions lie
    between 0 and 1.

    Attributes:
      is_fused: its training gains by XLA.
    """

    datasets = ("mnist", "fer2013")
    is_fused: ClassVar[bool] = True

    def fit(
        self, data: Any, labels: np.ndarray | None = None, *, validation: Split | None = None, watch: Watch = SILENT
    ) -> Self:
        """Learns the weights. Raises InvalidValue where values are not from 0 to 1."""
        rows = self.fit_rows(data)
        if rows.min() < 0 or rows.max() > 1:
            raise InvalidValue(f"{self.name} takes values from 0 to 1, given {rows.min():g} to {rows.max():g}")
        shown = None if validation is None else validation.inputs[:_NUM_SHOWN]
        self.learn(self.learner(), rows, watch, shown)
        return self

    def learn(self, model: Any, rows: np.ndarray, watch: Watch, shown: np.ndarray | None) -> list[float]:
        """Fits the model to [N, D] rows, takes its weights and returns the mean squared error in every epoch."""
        inputs = rows.reshape(len(rows), *model.inputs[0].shape[1:])
        errors: list[float] = []

        descended = descent.epochs(
            lambda clean, noisy: self.objective(clean, model(noisy, training=True)),
            model.trainable_variables,
            [inputs],
            self.settings,
            f"{self.name} descent",
            self.with_noise,
            is_fused=self.is_fused,
        )
        for number, values in enumerate(descended, 1):
            self.take(model)
            errors.append(values["mse"])
            watch.step(number, self.settings.epochs, **values)
            if shown is not None and self.draws(shown):
                watch.picture("reconstructions", lambda: self.examples(shown), number)
        return errors

    def objective(self, clean: Any, outputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Returns the loss and what else is to be seen of a batch and what the model made of it, scalar tensors."""
        return reconstruction_loss(clean, outputs["reconstructions"])

    def corruption(self) -> Corruption:
        """Returns what is done to the examples before the model sees them: nothing, unless the settings say so."""
        settings = self.settings
        return Corruption(settings.corruption, settings.noise) if isinstance(settings, NoisySettings) else Corruption()

    def with_noise(self, seed: Any, clean: Any) -> tuple[Any, Any]:
        """Returns a batch, and the same made worse by the noise of a seed, [2] int32."""
        return clean, self.corruption().of_tensor(clean, seed)

    def evaluate(self, dataset: Dataset) -> dict[str, float]:
        """Returns mse, of reconstructions; mse_clean, of clean images from noisy ones; mse_noisy, of these."""
        clean = self.rows(dataset.test.inputs)
        metrics = {"mse": base.mean_squared_error(self.reconstruct(clean), clean)}
        if self.corruption().amount:
            noisy = self.noisy(clean)
            metrics["mse_clean"] = base.mean_squared_error(self.reconstruct(noisy), clean)
            metrics["mse_noisy"] = base.mean_squared_error(noisy, clean)
        return metrics

    def noisy(self, rows: np.ndarray) -> np.ndarray:
        """Returns [N, D] examples with the noise of an evaluation, always the same."""
        return self.corruption().of(rows, generator(self.settings.seed, f"{self.name} evaluation"))

    def pictures(self, dataset: Dataset) -> dict[str, np.ndarray]:
        """Returns some reconstructions, where the examples are images."""
        shown = dataset.test.inputs[:_NUM_SHOWN]
        return {"reconstructions": self.examples(shown)} if self.draws(shown) else {}

    def examples(self, inputs: np.ndarray) -> np.ndarray:
        """Returns a picture of examples, noisy below where there is noise, and what the code tells of them."""
        clean = self.rows(inputs)
        noisy = self.noisy(clean)
        rows = [clean, noisy] if self.corruption().amount else [clean]
        return pictures.columns([*rows, self.reconstruct(noisy)], self.shape_)

    def draws(self, inputs: np.ndarray) -> bool:
        """True if examples are images that can be shown."""
        try:
            pictures.as_images(self.rows(inputs[:1]), self.shape_)
        except InvalidValue:
            return False
        return True


class AutoencoderSettings(descent.DescentSettings):
    """Settings of the plain autoencoder.

    Attributes:
      num_hidden: numbers in a code.
    """

    num_hidden: pydantic.PositiveInt = 256
    epochs: pydantic.PositiveInt = 12
    learning_rate: pydantic.PositiveFloat = 2e-3


class Autoencoder(BaseAutoencoder):
    """One hidden layer of fewer units than there are values, rectified."""

    name = "autoencoder"
    Settings: ClassVar[type[base.Settings]] = AutoencoderSettings
    activation = "relu"

    def build(self) -> Any:
        """Returns the Keras model, "inputs" [N, D] to "codes" [N, K] and "reconstructions" [N, D]."""
        neural.tensorflow()
        import keras

        size = int(np.prod(self.shape_))
        inputs = keras.Input((size,), name="inputs")
        code = dense(self, self.settings.num_hidden, self.activation, "encoder")(inputs)
        reconstruction = dense(self, size, "sigmoid", "decoder")(code)
        return keras.Model(inputs, {"codes": code, "reconstructions": reconstruction})

    def transform(self, data: np.ndarray) -> np.ndarray:
        """Returns [N, K] float32: what the hidden units make of the examples."""
        rows = self.rows(data)
        hidden = rows @ self.weights_["encoder/kernel"] + self.weights_["encoder/bias"]
        return np.maximum(hidden, 0.0) if self.activation == "relu" else sigmoid(hidden)

    def inverse_transform(self, codes: np.ndarray) -> np.ndarray:
        """Returns [N, D] float32."""
        self.check_fitted()
        return sigmoid(np.asarray(codes, np.float32) @ self.weights_["decoder/kernel"] + self.weights_["decoder/bias"])

    def pictures(self, dataset: Dataset) -> dict[str, np.ndarray]:
        """Returns some reconstructions, and what hidden units look for, where the examples are images."""
        shown = super().pictures(dataset)
        return shown and shown | {"filters": pictures.filters(self.weights_["encoder/kernel"], self.shape_)}


class SparseSettings(AutoencoderSettings):
    """Settings of the sparse autoencoder; the first two are the cookbook's.

    Attributes:
      activation: the mean activation that every hidden unit should have.
      penalty: weight of the divergence from it, summed over the hidden units, beside the mean squared error.
    """

    activation: float = pydantic.Field(0.02, gt=0, lt=1)
    penalty: pydantic.NonNegativeFloat = 7.5e-5
    learning_rate: pydantic.PositiveFloat = 5e-3


class SparseAutoencoder(Autoencoder):
    """Few of the hidden units, which are logistic, may be active: the mean activation of each is held near a target."""

    name = "sparse-autoencoder"
    Settings = SparseSettings
    activation = "sigmoid"

    def objective(self, clean: Any, outputs: Mapping[str, Any]) -> Mapping[str, Any]:
        """Returns loss, the mean squared error with the penalty; mse; and mean_activation."""
        tf = neural.tensorflow()
        mse = tf.reduce_mean(tf.square(outputs["reconstructions"] - clean))
        target = self.settings.activation
        active = tf.clip_by_value(tf.reduce_mean(outputs["codes"], axis=0), 1e-6, 1 - 1e-6)
        on, off = target * tf.math.log(target / active), (1 - target) * tf.math.log((1 - target) / (1 - active))
        penalty = self.settings.penalty * tf.reduce_sum(on + off)
        return {"loss": mse + penalty, "mse": mse, "mean_activation": tf.reduce_mean(active)}

    def evaluate(self, dataset: Dataset) -> dict[str, float]:
        """Returns mse; mean_activation, of all hidden units; and its target."""
        active = float(self.transform(dataset.test.inputs).mean(dtype=np.float64))
        return super().evaluate(dataset) | {"mean_activation": active, "target_activation": self.settings.activation}


class DenoisingSettings(NoisySettings, AutoencoderSettings):
    """Settings of the denoising autoencoder."""

    num_hidden: pydantic.PositiveInt = 800
    epochs: pydantic.PositiveInt = 10


class DenoisingAutoencoder(Autoencoder):
    """Given a noisy image it gives the clean one: what it learns is where images lie. The code may be a large one."""

    name = "denoising-autoencoder"
    Settings = DenoisingSettings


def reconstruction_loss(clean: Any, reconstruction: Any) -> Mapping[str, Any]:
    """Returns loss, the cross-entropy of values from 0 to 1, whose best answer is the squared error's too; and mse."""
    tf = neural.tensorflow()
    import keras

    loss = tf.reduce_mean(keras.ops.binary_crossentropy(clean, reconstruction))
    return {"loss": loss, "mse": tf.reduce_mean(tf.square(reconstruction - clean))}


def dense(component: NeuralComponent, units: int, activation: str, name: str) -> Any:
    """Returns a dense layer of Keras whose weights start as the component's seed says."""
    import keras

    start = keras.initializers.GlorotUniform(seed=derived_seed(component.settings.seed, f"{component.name} {name}"))
    return keras.layers.Dense(units, activation, kernel_initializer=start, name=name)
