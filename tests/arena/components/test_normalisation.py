"""Normalised layers, and the same without."""

from typing import Any

import numpy as np
import pytest

from arena.components import neural, normalisation

X = np.float32([[0, 0], [0, 2], [2, 0], [2, 2]])


def layer_and_normalisation(has_scale: bool) -> Any:
    neural.tensorflow()
    import keras

    inputs = keras.Input((2,))
    sums = keras.layers.Dense(1, use_bias=False, name="layer")(inputs)
    return keras.Model(inputs, normalisation.normalised("layer", has_scale=has_scale)(sums))


def test_a_normalised_layer_begins_as_kernel_and_bias_are():
    model = layer_and_normalisation(has_scale=True)
    sums = normalisation.begin(model, "layer", np.float32([[1], [3]]), np.float32([10]), X)
    assert sums.ravel().tolist() == [10, 16, 12, 18]
    assert model(X, training=True).numpy() == pytest.approx(sums, abs=1e-3)
    folded = normalisation.folded(model)
    assert folded["layer/kernel"] == pytest.approx(np.float32([[1], [3]]), abs=1e-3)
    assert folded["layer/bias"] == pytest.approx([10], abs=1e-3)


def test_what_is_folded_computes_the_same():
    model = layer_and_normalisation(has_scale=False)
    model.get_layer("layer").set_weights([np.float32([[2], [0]])])
    model.get_layer("layer_normalised").set_weights([np.float32([5]), np.float32([1]), np.float32([4])])
    folded = normalisation.folded(model)
    # (2 x - 1) / sqrt(4) + 5 = x + 4.5
    assert folded.keys() == {"layer/kernel", "layer/bias"}
    assert folded["layer/kernel"] == pytest.approx(np.float32([[1], [0]]), abs=1e-3)
    assert folded["layer/bias"] == pytest.approx([4.5], abs=1e-3)
    assert model(X).numpy() == pytest.approx(X @ folded["layer/kernel"] + folded["layer/bias"], abs=1e-5)
