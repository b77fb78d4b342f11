"""Noise: its kind, its amount, and that it is the seed's."""

import numpy as np
import pytest

from arena.components import neural
from arena.components.corruption import Corruption

GREY = np.full((200, 500), 0.5, np.float32)


def in_numpy(corruption: Corruption) -> np.ndarray:
    return corruption.of(GREY, np.random.default_rng(0))


def in_tensorflow(corruption: Corruption) -> np.ndarray:
    tf = neural.tensorflow()
    return corruption.of_tensor(tf.constant(GREY), tf.constant([1, 2])).numpy()


@pytest.mark.parametrize("corrupted", [in_numpy, in_tensorflow])
def test_masking_blackens_a_share_of_the_pixels_and_leaves_the_others(corrupted):
    noisy = corrupted(Corruption("masking", 0.3))
    assert set(np.unique(noisy)) == {0.0, 0.5}
    assert np.mean(noisy == 0) == pytest.approx(0.3, abs=0.01)  # 100,000 pixels: a standard deviation of 0.0014


@pytest.mark.parametrize("corrupted", [in_numpy, in_tensorflow])
def test_gaussian_noise_has_its_standard_deviation(corrupted):
    noisy = corrupted(Corruption("gaussian", 0.1))  # clipped beyond 5 standard deviations: hardly ever
    assert (noisy - 0.5).std() == pytest.approx(0.1, rel=0.02)


@pytest.mark.parametrize("corrupted", [in_numpy, in_tensorflow])
def test_gaussian_noise_leaves_values_between_0_and_1(corrupted):
    noisy = corrupted(Corruption("gaussian", 1.0))
    assert (noisy.min(), noisy.max()) == (0.0, 1.0)


@pytest.mark.parametrize("corrupted", [in_numpy, in_tensorflow])
@pytest.mark.parametrize("kind", ["gaussian", "masking"])
def test_no_noise_changes_nothing(corrupted, kind):
    assert np.array_equal(corrupted(Corruption(kind, 0.0)), GREY)


@pytest.mark.parametrize("kind", ["gaussian", "masking"])
def test_the_noise_of_a_tensor_is_its_seeds(kind):
    tf = neural.tensorflow()
    first, again, other = (
        Corruption(kind, 0.3).of_tensor(tf.constant(GREY), tf.constant(seed)) for seed in ([1, 2], [1, 2], [1, 3])
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
