"""Components that are Keras models inside. TensorFlow is imported when a model is built: to fit, or to export."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import numpy as np

from arena.components import normalisation
from arena.components.base import Component
from arena.errors import DamagedFile


class NeuralComponent(Component):
    """A Keras model behind the interface.

    What was learned is `weights_`, arrays by name, which is what is saved: transform() may compute with them in NumPy,
    so that using a pretrained component imports no TensorFlow. `model()` is the same as a Keras model.

    A fit ends with self.take(model). Names of weights are the variables' paths: give layers names.

    Attributes:
      weights_: arrays by name, "encoder/kernel" for one.
    """

    weights_: dict[str, np.ndarray]

    @abc.abstractmethod
    def build(self) -> Any:
        """Returns the Keras model for examples of shape_, initialised from the seed."""

    def learner(self) -> Any:
        """Returns the Keras model that is trained: the same, unless it learns better in another form."""
        return self.build()

    def model(self) -> Any:
        """Returns the Keras model with what was learned. Raises DamagedFile where its weights do not fit."""
        self.check_fitted()
        return self.filled(self.build())

    def filled(self, model: Any) -> Any:
        """Returns a Keras model whose weights are those that were learned, by their names."""
        for variable in model.weights:
            weights = self.weights_.get(variable.path)
            if weights is None or weights.shape != tuple(variable.shape):
                raise DamagedFile(f"the weights of {self.name} do not fit its settings: {variable.path}")
            variable.assign(weights)
        return model

    def take(self, model: Any) -> None:
        """Keeps what a model has learned."""
        self.weights_ = normalisation.folded(model)

    def exported(self) -> Any:
        """Returns the Keras model that is exported: the same, unless one step of it is (a recurrence's)."""
        return self.model()

    def to_litert(self) -> bytes:
        """Returns the exported model as a LiteRT file, inputs and outputs under their Keras names."""
        from arena.conversion import keras_to_litert

        return keras_to_litert(self.exported())

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns the weights by name."""
        self.check_fitted()
        return self.weights_

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes what arrays() returned."""
        if not arrays:
            raise DamagedFile(f"the weights of {self.name} are empty")
        self.weights_ = dict(arrays)


def tensorflow() -> Any:
    """Returns TensorFlow, set up as the arena sets it up, with Keras on top."""
    from arena.tensorflow import load

    return load()
