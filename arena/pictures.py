"""The size of pictures: enlarged to be comfortable to look at, shrunk to be small, even for H.264."""

from __future__ import annotations

import numpy as np

_COMFORTABLE = 640  # pixels; smaller pictures are scaled up, by whole numbers, to at most this


def scaled(picture: np.ndarray) -> np.ndarray:
    """Returns a [H, W, 3] picture enlarged by the whole number that makes it comfortable to look at."""
    factor = max(1, _COMFORTABLE // max(picture.shape[:2]))
    return picture if factor == 1 else picture.repeat(factor, axis=0).repeat(factor, axis=1)


def even(frame: np.ndarray) -> np.ndarray:
    """Returns a frame with even sides (H.264 needs them), its last row or column doubled where they were odd."""
    height, width = frame.shape[:2]
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge") if height % 2 or width % 2 else frame


def fitted(frame: np.ndarray, width: int | None) -> np.ndarray:
    """Returns a [H, W, 3] frame of so many pixels across, with even sides; as it is where `width` is None.

    A pixel becomes the mean of those that it covers, so few new colours come up.
    """
    from PIL import Image

    if width is None:
        return frame
    height = max(1, round(frame.shape[0] * width / frame.shape[1]))
    return even(np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BOX)))
