"""Images of any size: halved, rounded up, and cut back."""

import numpy as np
import pytest

from arena import components
from arena.components.convolutional_autoencoder import convolved, halved
from arena.errors import InvalidValue


def test_a_convolution_by_hand():
    images = np.arange(4, dtype=np.float32).reshape(1, 2, 2, 1)  # 0 1 / 2 3
    kernel = np.zeros((3, 3, 1, 2), np.float32)
    kernel[1, 2, 0, 0] = 1  # the pixel to the right
    kernel[:, :, 0, 1] = 1  # the sum of all around: of all four pixels, at every place
    result = convolved(images, {"layer/kernel": kernel, "layer/bias": np.float32([10, 0])}, "layer")
    assert result[0, :, :, 0].tolist() == [[11, 10], [13, 10]]
    assert result[0, :, :, 1].tolist() == [[6, 6], [6, 6]]


def test_maxima_of_an_odd_size_by_hand():
    images = np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)  # 0 1 2 / 3 4 5 / 6 7 8
    assert halved(images)[0, :, :, 0].tolist() == [[4, 5], [7, 8]]


@pytest.mark.parametrize(
    ("shape", "code"),
    [((28, 28), (4, 4, 16)), ((84, 84), (11, 11, 16)), ((9, 14, 3), (2, 2, 16)), ((20, 20, 1), (3, 3, 16))],
)
def test_images_of_any_size_come_back_in_their_size(shape, code):
    images = np.random.default_rng(0).integers(0, 256, (5, *shape), np.uint8)
    component = components.create("convolutional-autoencoder", epochs=1).fit(images)
    assert component.code_shape == code
    assert component.transform(images).shape == (5, np.prod(code))
    assert component.reconstruct(images).shape == (5, np.prod(shape))
    model = component.model()
    assert model.output["reconstructions"].shape[1:] == model.input.shape[1:]


def test_filters_are_a_setting():
    component = components.create("convolutional-autoencoder", filters=[4, 2], epochs=1)
    component.fit(np.zeros((5, 8, 6), np.uint8))
    assert component.code_shape == (2, 2, 2)
    with pytest.raises(InvalidValue, match="filters"):
        components.create("convolutional-autoencoder", filters=[])


def test_what_are_no_images_is_refused():
    with pytest.raises(InvalidValue, match=r"convolutional-autoencoder takes images, .* given \[N, 64,\]"):
        components.create("convolutional-autoencoder").fit(np.zeros((5, 64), np.uint8))
