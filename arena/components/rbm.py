"""A restricted Boltzmann machine: hidden units that are on together with what they see.

Sources and the training: arena.components.contrastive.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pydantic

from arena import seeding
from arena.components import base, contrastive, neural
from arena.components.base import SILENT, Watch
from arena.components.neural import NeuralComponent
from arena.errors import DoesNotFit, InvalidValue

if TYPE_CHECKING:
    from arena.components.data import Dataset, Split

_NUM_JUDGED = 1_000  # examples by which training is followed
_NUM_CHAINS, _SHOWN_STEPS = 16, (0, 1, 10, 100, 1_000)


class RBMSettings(base.Settings):
    """Settings of a restricted Boltzmann machine.

    Attributes:
      num_hidden: hidden units, the length of a code.
      epochs: passes over the examples.
      batch_size: examples to an update; also the number of persistent chains.
      learning_rate: of the first epoch; it falls linearly, to a tenth in the last one.
      momentum: of the updates, after the first epochs.
      weight_decay: share of the weights that an update takes off, times the learning rate.
      num_steps: Gibbs steps between the data and the sample held against them: the k of CD-k.
      persistent: chains go on from update to update instead of starting at the data (persistent CD).
    """

    num_hidden: pydantic.PositiveInt = 100
    epochs: pydantic.PositiveInt = 10
    batch_size: pydantic.PositiveInt = 20
    learning_rate: pydantic.PositiveFloat = 0.05
    momentum: float = pydantic.Field(0.9, ge=0, lt=1)
    weight_decay: pydantic.NonNegativeFloat = 0.0
    num_steps: pydantic.PositiveInt = 1
    persistent: bool = False


class RBM(NeuralComponent):
    """A restricted Boltzmann machine over numbers from 0 to 1, taken as probabilities.

    A code is the hidden units' probabilities; a reconstruction is the visible ones' given that code (mean field).

    Attributes:
      machine_: what was learned.
    """

    name = "rbm"
    Settings = RBMSettings
    datasets = ("mnist",)
    num_projected = 2_000

    def fit(
        self, data: Any, labels: np.ndarray | None = None, *, validation: Split | None = None, watch: Watch = SILENT
    ) -> Self:
        """Learns by contrastive divergence. Raises DoesNotFit unless all numbers lie between 0 and 1."""
        rows = self._probabilities(self.fit_rows(data))
        judged = rows[:_NUM_JUDGED] if validation is None else self.rows(validation.inputs[:_NUM_JUDGED])
        settings = self.settings

        def tell(epoch: int, machine: contrastive.Machine, error: float) -> None:
            self._take(machine)
            gap = machine.free_energy(judged).mean() - machine.free_energy(rows[: len(judged)]).mean()
            watch.step(
                epoch, settings.epochs, mse=-self.score(judged), one_step_error=error, free_energy_gap=float(gap)
            )
            watch.picture("reconstructions", lambda: self.show(judged), epoch)

        plan = contrastive.Plan(**settings.model_dump(exclude={"seed"}))
        self._take(contrastive.train(rows, plan, seeding.generator(settings.seed, "rbm"), tell))
        return self

    @property
    def machine_(self) -> contrastive.Machine:
        """What was learned, as a machine that can be walked."""
        self.check_fitted()
        kernel, visible_bias, hidden_bias = (self.weights_[f"rbm/{name}"] for name in contrastive.PARAMETERS)
        return contrastive.Machine(kernel, visible_bias, hidden_bias)

    def transform(self, data: np.ndarray) -> np.ndarray:
        """Returns [N, K] float32: the probabilities of the hidden units."""
        return self.machine_.hidden(self.rows(data))

    def inverse_transform(self, codes: np.ndarray) -> np.ndarray:
        """Returns [N, D] float32: the probabilities of the visible units given hidden ones."""
        return self.machine_.visible(np.asarray(codes, np.float32))

    def free_energy(self, data: np.ndarray) -> np.ndarray:
        """Returns [N]: the lower, the likelier the machine holds an example to be."""
        return self.machine_.free_energy(self._probabilities(self.rows(data)))

    def sample(self, start: np.ndarray, num_steps: int, seed: int = 0) -> np.ndarray:
        """Returns [N, D] probabilities: where Gibbs chains from N examples are after some steps, at least 1."""
        if num_steps < 1:
            raise InvalidValue(f"a chain takes at least 1 step, not {num_steps}")
        machine = self.machine_
        hidden = machine.hidden(self._probabilities(self.rows(start)))
        return machine.walk(hidden, num_steps, seeding.generator(seed, "rbm sample"))[0]

    def evaluate(self, dataset: Dataset) -> dict[str, float]:
        """Returns mse, between examples and their mean-field reconstructions, and what tells of overfitting.

        free_energy_gap is the mean free energy of the test part less that of as many training examples: it grows
        when the training examples are learned by heart (Hinton 2010, section 6).
        """
        test, train = self.rows(dataset.test.inputs), self.rows(dataset.train.inputs[: len(dataset.test)])
        free_energy = float(self.free_energy(test).mean())
        return {
            "mse": -self.score(test),
            "mean_activation": float(self.transform(test).mean()),
            "free_energy": free_energy,
            "free_energy_gap": free_energy - float(self.free_energy(train).mean()),
        }

    def pictures(self, dataset: Dataset) -> dict[str, np.ndarray]:
        """Returns reconstructions, what hidden units look for, and Gibbs chains; nothing where there are no images."""
        from arena.components import pictures

        test = self.rows(dataset.test.inputs[:_NUM_CHAINS])
        chains = [test if steps == 0 else self.sample(test, steps, self.settings.seed) for steps in _SHOWN_STEPS]
        try:
            return {
                "reconstructions": self.show(test),
                "filters": pictures.filters(self.machine_.kernel, self.shape_),
                "chains": pictures.columns(chains, self.shape_),
            }
        except InvalidValue:
            return {}

    def build(self) -> Any:
        """Returns a Keras model from [N, D] to codes and reconstructions."""
        neural.tensorflow()
        import keras

        num_visible, num_hidden = int(np.prod(self.shape_)), self.settings.num_hidden

        class Layer(keras.Layer):  # type: ignore[misc]
            """Both directions, with one kernel."""

            def build(self, shape: Any) -> None:
                sizes = {
                    "kernel": (num_visible, num_hidden),
                    "visible_bias": (num_visible,),
                    "hidden_bias": (num_hidden,),
                }
                for name, size in sizes.items():
                    setattr(self, name, self.add_weight(shape=size, name=name, initializer="zeros"))

            def call(self, visible: Any) -> Any:
                codes = keras.ops.sigmoid(visible @ self.kernel + self.hidden_bias)
                back = keras.ops.matmul(codes, keras.ops.transpose(self.kernel)) + self.visible_bias
                return {"codes": codes, "reconstructions": keras.ops.sigmoid(back)}

        visible = keras.Input((num_visible,), name="visible")
        return keras.Model(visible, Layer(name="rbm")(visible), name="rbm")

    def _take(self, machine: contrastive.Machine) -> None:
        self.weights_ = {f"rbm/{name}": getattr(machine, name) for name in contrastive.PARAMETERS}

    def _probabilities(self, rows: np.ndarray) -> np.ndarray:
        if rows.min() < 0 or rows.max() > 1:
            raise DoesNotFit(f"rbm takes numbers from 0 to 1; given {rows.min():.4g} to {rows.max():.4g}")
        return rows
