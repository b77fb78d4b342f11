from __future__ import annotations

import numpy as np
import pytest

from agents.parts.optimizers import adam, clip_by_global_norm
from agents.parts.tensorflow import load

load()
import keras  # noqa: E402


@pytest.mark.parametrize("is_compiled", [False, True], ids=["plain graph", "XLA"])
def test_two_steps_of_adam_are_those_of_the_formula(is_compiled):
    tf = load()
    variable = keras.Variable([1.0, -2.0])
    optimizer = adam(0.1, [variable], epsilon=1e-7)
    step = tf.function(lambda g: optimizer.apply([g], [variable]), jit_compile=is_compiled)
    step(tf.constant([0.5, -1.0]))
    # m = .1 g, v = .001 g^2; the rate is .1 sqrt(1 - .999) / (1 - .9), so that the step is .1 sign(g).
    np.testing.assert_allclose(variable.numpy(), [0.9, -1.9], rtol=1e-5)
    step(tf.constant([0.0, 1.0]))
    # m = [.045, .01], v = [.00024975, .001999]; the rate is .1 sqrt(1 - .999^2) / (1 - .9^2) = .0235319.
    # steps: .0235319 .045 / .0158035 = .0670058 and .0235319 .01 / .0447102 = .0052632
    np.testing.assert_allclose(variable.numpy(), [0.8329942, -1.9052632], rtol=1e-5)
    assert int(optimizer.iterations) == 2


def test_adam_follows_a_rate_that_is_changed():
    tf = load()
    variable = keras.Variable([0.0])
    optimizer = adam(0.1, [variable], epsilon=1e-7)
    step = tf.function(lambda g: optimizer.apply([g], [variable]))
    optimizer.learning_rate = 0.02
    step(tf.constant([3.0]))
    np.testing.assert_allclose(variable.numpy(), [-0.02], rtol=1e-5)


def test_a_norm_of_thirteen_is_clipped_to_one_and_a_shorter_one_is_left():
    tf = load()
    gradients = [tf.constant([[3.0, 0.0], [0.0, 4.0]]), tf.constant([12.0, 0.0, 0.0])]  # sqrt(9 + 16 + 144) = 13
    clipped = clip_by_global_norm(gradients, 1.0)
    np.testing.assert_allclose(clipped[0], np.array([[3.0, 0.0], [0.0, 4.0]]) / 13, rtol=1e-6)
    np.testing.assert_allclose(clipped[1], np.array([12.0, 0.0, 0.0]) / 13, rtol=1e-6)
    for before, after in zip(gradients, clip_by_global_norm(gradients, 14.0), strict=True):
        np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("shape", [(256, 256), (7,), (), (600, 300)], ids=str)
def test_the_norm_counts_every_element_of_every_shape(shape):
    tf = load()
    gradient = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    norm = np.sqrt((gradient.astype(np.float64) ** 2).sum())
    (clipped,) = clip_by_global_norm([tf.constant(gradient)], float(norm) / 2)
    np.testing.assert_allclose(clipped, gradient / 2, rtol=1e-5)
