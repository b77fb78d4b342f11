"""Layers whose sums are normalised over each batch while they learn: they learn several times as fast.

What is kept of them is kernels and biases, into which the normalisation is folded: a fitted component does without.

Source: Ioffe & Szegedy (2015), "Batch normalization: accelerating deep network training by reducing internal covariate
shift".
"""

from __future__ import annotations

from typing import Any

import numpy as np

_SUFFIX = "_normalised"
_MOMENTUM = 0.97  # of the means and variances by which is folded


def normalised(layer: str, *, has_scale: bool) -> Any:
    """Returns the layer of Keras that normalises the sums of another one, which has no bias.

    Args:
      layer: name of the other one.
      has_scale: the sums are scaled, too. Where they are rectified this is of no use, and where a maximum is taken
        between the two layers it must not be: a negative scale would make a minimum of it.
    """
    import keras

    return keras.layers.BatchNormalization(momentum=_MOMENTUM, scale=has_scale, name=layer + _SUFFIX)


def begin(model: Any, layer: str, kernel: np.ndarray, bias: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """Makes a dense layer and its normalisation compute what kernel and bias do; returns their sums, [N, K].

    `inputs` are the [N, D] examples over which both are the same.
    """
    sums: np.ndarray = inputs @ kernel
    mean, variance = sums.mean(axis=0), sums.var(axis=0)
    normalisation = model.get_layer(layer + _SUFFIX)
    model.get_layer(layer).set_weights([kernel])
    normalisation.set_weights([np.sqrt(variance + normalisation.epsilon), mean + bias, mean, variance])
    started: np.ndarray = sums + bias
    return started


def folded(model: Any) -> dict[str, np.ndarray]:
    """Returns all that a model has learned by the variables' paths, as if none of its layers were normalised."""
    weights = {variable.path: np.asarray(variable.numpy()) for variable in model.trainable_variables}
    for layer in model.layers:
        if layer.name.endswith(_SUFFIX):
            own = {name: weights.pop(f"{layer.name}/{name}", np.float32(1)) for name in ("gamma", "beta")}
            scale = own["gamma"] / np.sqrt(layer.moving_variance.numpy() + np.float32(layer.epsilon))
            name = layer.name.removesuffix(_SUFFIX)
            weights[f"{name}/kernel"] = weights[f"{name}/kernel"] * scale
            weights[f"{name}/bias"] = own["beta"] - layer.moving_mean.numpy() * scale
    return weights
