"""The four mappings, each with an example that it learns."""

import numpy as np
import pytest

from arena.components import sequence


def fitted(model, inputs, outputs, loss, epochs, learning_rate=0.02):
    import keras

    keras.utils.set_random_seed(0)
    model.compile(keras.optimizers.Adam(learning_rate), loss)
    model.fit(inputs, outputs, batch_size=32, epochs=epochs, verbose=0)
    return model


def bits(*shape):
    return np.random.default_rng(0).integers(2, size=shape).astype(np.float32)


def test_one_to_one_learns_which_inputs_differ():
    inputs = np.repeat([[0, 0], [0, 1], [1, 0], [1, 1]], 16, 0).astype(np.float32)
    wanted = (inputs[:, :1] != inputs[:, 1:]).astype(np.float32)
    model = fitted(sequence.one_to_one(2, 1, num_units=8), inputs, wanted, "mse", 60, 0.05)
    assert np.abs(np.asarray(model(inputs)) - wanted).max() < 0.3


def test_one_to_many_learns_a_wave_from_its_phase():
    phase = np.random.default_rng(0).uniform(0, 2 * np.pi, (128, 1))
    inputs = np.concatenate([np.sin(phase), np.cos(phase)], 1).astype(np.float32)
    wave = np.sin(phase + 0.5 * np.arange(8))[..., None].astype(np.float32)
    model = fitted(sequence.one_to_many(2, 1, 8, num_units=16), inputs, wave, "mse", 40)
    assert model.output_shape == (None, 8, 1)
    assert np.square(np.asarray(model(inputs)) - wave).mean() < 0.05  # always 0 has 0.5


def test_many_to_one_learns_to_recall_the_first_step():
    inputs = bits(128, 6, 1)
    model = fitted(sequence.many_to_one(1, 1, num_units=16), inputs, inputs[:, 0], "mse", 40)
    assert np.abs(np.asarray(model(inputs)) - inputs[:, 0]).max() < 0.5
    assert model(inputs[:, :3]).shape == (128, 1)  # of any length


def test_many_to_many_learns_to_say_what_was_two_steps_ago():
    inputs = bits(128, 8, 1)
    wanted = np.concatenate([np.zeros((128, 2, 1), np.float32), inputs[:, :-2]], 1)
    model = fitted(sequence.many_to_many(1, 1, num_units=16), inputs, wanted, "mse", 40)
    assert model(inputs).shape == (128, 8, 1)
    assert ((np.asarray(model(inputs)) > 0.5) == wanted).mean() > 0.98


@pytest.mark.parametrize("build", [sequence.many_to_one, sequence.many_to_many])
def test_a_seed_gives_the_same_model(build):
    inputs = bits(2, 3, 4)
    same = [np.asarray(build(4, 2, seed=seed)(inputs)) for seed in (1, 1, 2)]
    np.testing.assert_array_equal(same[0], same[1])
    assert (same[0] != same[2]).all()
