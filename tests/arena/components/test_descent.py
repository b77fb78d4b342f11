"""Gradient descent in compiled epochs."""

import numpy as np
import pytest

from arena.components import descent, neural
from arena.components.corruption import Corruption

NOISE = Corruption("gaussian", 0.5)


def mean_of(examples, epochs=60, batch_size=4, seed=0):
    """Returns the point that is nearest to all examples, as found, and what every epoch told."""
    tf = neural.tensorflow()
    import keras

    point = keras.Variable(np.zeros(examples.shape[1], np.float32))

    def objective(clean, noisy):
        error = tf.reduce_mean(tf.square(clean - point))
        return {"loss": error, "count": tf.cast(tf.shape(clean)[0], tf.float32), "noisy": tf.reduce_mean(noisy)}

    def noisy(seed, batch):
        return batch, NOISE.of_tensor(batch, seed)

    settings = descent.DescentSettings(epochs=epochs, batch_size=batch_size, learning_rate=0.1, seed=seed)
    told = list(descent.epochs(objective, [point], [examples], settings, "a test", noisy))
    return point.numpy(), told


EXAMPLES = np.float32([[1, 0], [3, 0], [1, 2], [3, 2], [2, 1], [2, 1], [2, 1], [2, 1]])  # their mean is (2, 1)


@pytest.mark.parametrize("is_fused", [True, False])
def test_it_comes_to_the_minimum(is_fused, monkeypatch):
    monkeypatch.setattr(descent, "_MANY_STEPS", 0 if is_fused else 1_000)
    point, told = mean_of(EXAMPLES)
    assert point == pytest.approx([2, 1], abs=0.02)
    # of 16 numbers the first four examples have 8, each 1 from its mean: 8 / 16 is left
    assert told[-1]["loss"] == pytest.approx(0.5, abs=0.02)
    assert len(told) == 60


def test_the_same_seed_gives_the_same_numbers_and_another_one_others():
    (first, told), (again, told_again), (other, _) = (mean_of(EXAMPLES, 2, 2, seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert told == told_again
    assert not np.array_equal(first, other)
    assert told[0]["noisy"] != told[1]["noisy"]  # every step has noise of its own


def test_a_batch_is_no_larger_than_the_examples_are_many():
    assert mean_of(EXAMPLES, 1, 100)[1][0]["count"] == 8


def test_examples_beyond_whole_batches_sit_out_an_epoch():
    assert mean_of(EXAMPLES, 1, 3)[1][0]["count"] == 3  # the mean of two batches of 3; a third of 2 would lower it
