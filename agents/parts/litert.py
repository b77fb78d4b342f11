"""LiteRT files of a network that learns: converted once, its weights exchanged after that.

A conversion takes 0.2 to 1 s. A file differs from the next one only in the bytes of its weights, and where these lie
is found once by converting weights that are known by their values. An exchange takes milliseconds.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

Convert = Callable[[Sequence[np.ndarray]], bytes]


class _Place(NamedTuple):
    """Where an array lies in the file: its first byte, and the order of its axes there."""

    start: int
    axes: tuple[int, ...]


class LiteRTTemplate:
    """Makes LiteRT files of one network and different weights.

    Args:
      convert: makes a file of float32 arrays.
      shapes: of these arrays.
    """

    def __init__(self, convert: Convert, shapes: Sequence[tuple[int, ...]]) -> None:
        self._convert = convert
        random = np.random.default_rng(0)
        marks = [random.standard_normal(shape).astype(np.float32) for shape in shapes]
        self._content = bytearray(convert(marks))
        self._places = _places(self._content, marks)

    def file(self, arrays: Sequence[np.ndarray]) -> bytes:
        """Returns the LiteRT file of the network with these weights.

        Where an array does not stand in the file as it is (the converter has folded it into another), this is a
        conversion.
        """
        if self._places is None:
            return self._convert(arrays)
        for place, array in zip(self._places, arrays, strict=True):
            content = np.frombuffer(self._content, np.float32, array.size, place.start)
            content.reshape([array.shape[axis] for axis in place.axes])[...] = array.transpose(place.axes)
        return bytes(self._content)


def _places(content: bytearray, marks: Sequence[np.ndarray]) -> list[_Place] | None:
    """Returns where in a LiteRT file these arrays are, or None if one of them is not there just once."""
    from ai_edge_litert import schema_py_generated as schema

    model = schema.Model.GetRootAsModel(content, 0)
    base = np.frombuffer(content, np.uint8).__array_interface__["data"][0]
    by_size: dict[int, list[np.ndarray]] = {}
    for index in range(model.BuffersLength()):
        if model.Buffers(index).DataLength():
            data = model.Buffers(index).DataAsNumpy()
            by_size.setdefault(data.nbytes, []).append(data)
    places = []
    for mark in marks:
        found = [
            _Place(data.__array_interface__["data"][0] - base, axes)
            for data in by_size.get(mark.nbytes, [])
            for axes in itertools.permutations(range(mark.ndim))
            if data.tobytes() == mark.transpose(axes).tobytes()
        ]
        if len({place.start for place in found}) != 1:
            return None
        places.append(found[0])
    return places
