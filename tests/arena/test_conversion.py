"""Conversion: a LiteRT file computes what the model or the NumPy function computed, and holds nothing of training."""

from pathlib import Path

import numpy as np
import pytest

from agents.parts import tensorflow
from arena import inspection
from arena.conversion import function_to_litert, keras_to_litert
from arena.functions import RBF, Linear, Table
from arena.policy import LiteRTFunction

RANDOM = np.random.default_rng(0)


def inspected(content: bytes, folder: Path) -> inspection.Inspection:
    path = folder / "model.tflite"
    path.write_bytes(content)
    return inspection.inspect(path)


@pytest.fixture(scope="module")
def layers():
    tensorflow.load()
    import keras

    return keras.layers


def test_batch_norms_are_folded_and_dropout_is_gone(layers, tmp_path):
    import keras

    inputs = keras.Input((8, 8, 3), name="image")
    x = layers.BatchNormalization()(layers.Conv2D(4, 3)(inputs))
    x = layers.Dropout(0.5)(layers.ReLU()(x))
    x = layers.BatchNormalization()(layers.Dense(5)(layers.Flatten()(x)))
    model = keras.Model(inputs, layers.GaussianNoise(1.0)(x))
    for variable in model.variables:  # the moving mean and variance of an untrained batch norm would fold into nothing
        if variable.dtype == "float32":
            variable.assign(RANDOM.uniform(0.5, 1.5, variable.shape))
    content = keras_to_litert(model)
    # Convolution, normalisation and ReLU are one operator; so are the dense layer and its normalisation.
    operators = set(inspected(content, tmp_path).operators)
    assert operators <= {"CONV_2D", "FULLY_CONNECTED", "SHAPE", "STRIDED_SLICE", "PACK", "RESHAPE"}
    images = RANDOM.normal(size=(6, 8, 8, 3)).astype(np.float32)
    wanted = model(images, training=False).numpy()
    (given,) = LiteRTFunction(content)(images).values()
    np.testing.assert_allclose(given, wanted, rtol=1e-4, atol=1e-4)


def test_inputs_and_outputs_keep_their_names_and_the_batch_stays_open(layers, tmp_path):
    import keras

    first, second = keras.Input((3,), name="memory"), keras.Input((2,), name="glance")
    hidden = layers.Concatenate()([first, second])
    model = keras.Model([first, second], {"value": layers.Dense(1)(hidden), "thought": layers.Dense(4)(hidden)})
    (signature,) = inspected(keras_to_litert(model), tmp_path).signatures
    shapes = {tensor["name"]: tensor["shape"] for tensor in signature["inputs"] + signature["outputs"]}
    assert shapes == {"memory": [-1, 3], "glance": [-1, 2], "value": [-1, 1], "thought": [-1, 4]}


def test_a_list_of_outputs_goes_by_the_names_of_its_layers(layers, tmp_path):
    import keras

    inputs = keras.Input((3,), name="obs")
    model = keras.Model(inputs, [layers.Dense(1, name="low")(inputs), layers.Dense(2, name="high")(inputs)])
    (signature,) = inspected(keras_to_litert(model), tmp_path).signatures
    assert sorted(tensor["name"] for tensor in signature["outputs"]) == ["high", "low"]


def test_a_table_becomes_a_lookup():
    table = Table(RANDOM.normal(size=(5, 3)))
    obs = np.array([0, 4, 2, 2])
    given = LiteRTFunction(function_to_litert(table, ()))(obs)["q"]
    assert np.array_equal(given, table.q[obs].astype(np.float32))


@pytest.mark.parametrize("shape", [(4,), (2, 2)])
def test_a_linear_policy_keeps_its_logits(shape):
    function = Linear(RANDOM.normal(size=(4, 3)).astype(np.float32), RANDOM.normal(size=3).astype(np.float32))
    obs = RANDOM.normal(size=(7, *shape)).astype(np.float32)
    given = LiteRTFunction(function_to_litert(function, shape))(obs)["logits"]
    np.testing.assert_allclose(given, function(obs)["logits"], rtol=1e-5, atol=1e-6)


def test_radial_features_keep_their_values():
    function = RBF(
        mean=RANDOM.normal(size=4),
        scale=RANDOM.uniform(0.5, 2.0, 4),
        w=RANDOM.normal(size=(4, 200)),
        b=RANDOM.uniform(0, 6.28, 200),
        q=RANDOM.normal(size=(200, 2)).astype(np.float32),
    )
    obs = RANDOM.normal(size=(7, 4)).astype(np.float32)
    given = LiteRTFunction(function_to_litert(function, (4,)))(obs)["q"]
    np.testing.assert_allclose(given, function(obs)["q"], rtol=1e-4, atol=1e-4)
