"""A player's state on its way to the runner and back: every row is so many bytes, whatever they mean."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np


class NotRows(Exception):
    """What should be a nest of [N, ...] arrays is none, or is not like the one before."""


class _Leaf(NamedTuple):
    """What an array of a state has in every row."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]

    def __repr__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"

    @property
    def size(self) -> int:
        return self.dtype.itemsize * math.prod(self.shape)


class Packer:
    """Turns nests of [N, ...] arrays into [N, B] bytes and back. The first nest says what all others look like."""

    def __init__(self) -> None:
        self._form: Any = None

    def pack(self, nest: Any, num_rows: int) -> np.ndarray:
        """Returns [N, B] uint8. Raises NotRows."""
        leaves: list[np.ndarray] = []
        form = _form(nest, num_rows, leaves)
        if self._form is None:
            self._form = form
        if form != self._form:
            raise NotRows(f"its state was {self._form} a row and became {form}; act() must keep it as it began")
        parts = [np.ascontiguousarray(leaf).reshape(num_rows, -1).view(np.uint8) for leaf in leaves if leaf.size]
        return np.concatenate(parts, axis=1) if parts else np.empty((num_rows, 0), np.uint8)

    def unpack(self, rows: np.ndarray) -> Any:
        """Returns the nest whose [N, B] bytes these are; its arrays may be written to."""
        return _nest(self._form, rows, 0)[0]


def _form(nest: Any, num_rows: int, leaves: list[np.ndarray]) -> Any:
    if isinstance(nest, np.ndarray):
        if nest.dtype.hasobject or nest.ndim == 0 or len(nest) != num_rows:
            raise NotRows(
                f"its state must be a nest of [{num_rows}, ...] arrays, and has one of {nest.dtype}{nest.shape}"
            )
        leaves.append(nest)
        return _Leaf(nest.dtype, nest.shape[1:])
    if isinstance(nest, dict):
        return {key: _form(part, num_rows, leaves) for key, part in nest.items()}
    if isinstance(nest, tuple | list):
        return _of_kind(nest, [_form(part, num_rows, leaves) for part in nest])
    raise NotRows(f"its state must be a nest of arrays, or () if memoryless, and has a {type(nest).__name__}")


def _nest(form: Any, rows: np.ndarray, offset: int) -> tuple[Any, int]:
    """Returns the nest whose bytes begin at `offset`, and where they end."""
    if isinstance(form, _Leaf):
        end = offset + form.size
        content = rows[:, offset:end].tobytes()
        return np.frombuffer(bytearray(content), form.dtype).reshape(len(rows), *form.shape), end
    if isinstance(form, dict):
        found = {}
        for key, part in form.items():
            found[key], offset = _nest(part, rows, offset)
        return found, offset
    parts = []
    for part in form:
        nest, offset = _nest(part, rows, offset)
        parts.append(nest)
    return _of_kind(form, parts), offset


def _of_kind(example: Any, parts: list[Any]) -> Any:
    """Returns `parts` as a list, a tuple or a named tuple, as the example is."""
    return type(example)(*parts) if hasattr(example, "_fields") else type(example)(parts)
