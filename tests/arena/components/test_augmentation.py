"""Images moved at random."""

import numpy as np
import pytest

from arena.components.augmentation import moved


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("shift", [0, 1])
def test_images_are_shifted_and_mirrored_in_all_ways_and_no_others(shift: int, mirror: bool) -> None:
    image = np.arange(6.0).reshape(2, 3)
    padded = np.pad(image, shift, mode="edge")
    places = range(2 * shift + 1)
    allowed = [padded[y : y + 2, x : x + 3] for y in places for x in places]
    allowed += [shifted[:, ::-1] for shifted in allowed] if mirror else []
    images = np.tile(image.ravel(), (500, 1)).astype(np.float32)
    found = moved(images, np.array([1, 2], np.int32), (2, 3), shift, mirror).numpy()
    assert {tuple(row) for row in found} == {tuple(image.ravel()) for image in allowed}
