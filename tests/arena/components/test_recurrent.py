"""Recurrent layers: the gradient that is written out, the layers made of it, and single steps in NumPy."""

import numpy as np
import pytest

from arena.components import neural, recurrent

UNITS, FEATURES = 3, 2


@pytest.fixture(scope="module")
def tf():
    return neural.tensorflow()


@pytest.fixture(scope="module")
def keras(tf):
    import keras

    return keras


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def normal(rng, *shape):
    return rng.normal(size=shape).astype(np.float32)


def plain_lstm(tf, projected, hidden, cell, kernel):
    """The definition, step by step, for TensorFlow to find the gradient of."""
    hiddens, cells = [], []
    for sums in tf.unstack(projected):
        entry, forget, candidate, output = tf.split(sums + hidden @ kernel, 4, -1)
        cell = tf.sigmoid(forget) * cell + tf.sigmoid(entry) * tf.tanh(candidate)
        hidden = tf.sigmoid(output) * tf.tanh(cell)
        hiddens.append(hidden)
        cells.append(cell)
    return tf.stack(hiddens), tf.stack(cells)


def test_the_written_out_gradient_is_that_of_the_definition(tf, rng):
    given = [normal(rng, 5, 4, 4 * UNITS), normal(rng, 4, UNITS), normal(rng, 4, UNITS), normal(rng, UNITS, 4 * UNITS)]
    inputs = [tf.constant(array) for array in given]
    of_hiddens, of_cells = normal(rng, 5, 4, UNITS), normal(rng, 5, 4, UNITS)
    found = []
    for layer in (recurrent.lstm, lambda *arguments: plain_lstm(tf, *arguments)):
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            hiddens, cells = layer(*inputs)
            total = tf.reduce_sum(hiddens * of_hiddens) + tf.reduce_sum(cells * of_cells)
        found.append([hiddens, cells, *tape.gradient(total, inputs)])
    for mine, expected in zip(*found, strict=True):
        np.testing.assert_allclose(mine, expected, atol=1e-5)


@pytest.mark.parametrize("go_backwards", [False, True])
def test_the_layer_computes_what_keras_does(keras, rng, go_backwards):
    x, lengths = normal(rng, 3, 6, FEATURES), np.array([6, 2, 4])
    mask = np.arange(6) < lengths[:, None]
    mine = recurrent.lstm_layer(UNITS, "mine", 0, go_backwards=go_backwards)
    theirs = keras.layers.LSTM(UNITS, return_sequences=True, return_state=True, go_backwards=go_backwards)
    outputs, hidden, cell = mine(x, mask=mask)
    theirs.build(x.shape)
    theirs.set_weights(mine.get_weights())
    for row, length in enumerate(lengths):  # one by one: nothing is filled up
        expected, *last = (np.asarray(array)[0] for array in theirs(x[row : row + 1, :length]))
        expected = expected[::-1] if go_backwards else expected
        np.testing.assert_allclose(outputs[row, :length], expected, atol=1e-6)
        np.testing.assert_allclose([hidden[row], cell[row]], last, atol=1e-6)


def test_the_layer_goes_on_from_a_state(rng):
    x = normal(rng, 2, 6, FEATURES)
    layer = recurrent.lstm_layer(UNITS, "layer", 0)
    at_once, *last = layer(x)
    first, *state = layer(x[:, :4])
    second, *after = layer(x[:, 4:], initial_state=state)
    np.testing.assert_allclose(np.concatenate([first, second], 1), at_once, atol=1e-6)
    np.testing.assert_allclose(after, last, atol=1e-6)


def test_a_step_of_an_lstm_in_numpy_is_that_of_the_layer(rng):
    x = normal(rng, 2, 4, FEATURES)
    layer = recurrent.lstm_layer(UNITS, "layer", 0)
    outputs, hidden, cell = layer(x)
    kernel, recurrent_kernel, bias = layer.get_weights()
    state = np.zeros((2, 2 * UNITS), np.float32)
    for t in range(4):
        state = recurrent.lstm_step(x[:, t] @ kernel + bias, state, recurrent_kernel)
        np.testing.assert_allclose(state[:, :UNITS], outputs[:, t], atol=1e-6)
    np.testing.assert_allclose(state, np.concatenate([hidden, cell], 1), atol=1e-6)


def test_a_step_of_a_gru_in_numpy_is_that_of_keras(keras, rng):
    x = normal(rng, 2, 4, FEATURES)
    layer = keras.layers.GRU(UNITS, return_sequences=True)
    layer.build(x.shape)
    kernel, recurrent_kernel, _ = layer.get_weights()
    bias = normal(rng, 2, 3 * UNITS)
    layer.set_weights([kernel, recurrent_kernel, bias])
    expected, hidden = np.asarray(layer(x)), np.zeros((2, UNITS), np.float32)
    for t in range(4):
        hidden = recurrent.gru_step(x[:, t] @ kernel + bias[0], hidden, recurrent_kernel, bias[1])
        np.testing.assert_allclose(hidden, expected[:, t], atol=1e-6)
