"""Distances between examples and centres, and what clusters are judged by."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

_DIRECT = 2**14  # numbers in the centres, up to which differences are formed
_CHUNK_BYTES = 2**26


def squared(rows: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Returns [N, K] float32 squared Euclidean distances of [N, D] examples to [K, D] centres.

    Of few and small centres an example's distances are, to the last bit, the same whatever examples are beside it.
    """
    found = np.empty((len(rows), len(centres)), np.float32)
    if centres.size <= _DIRECT:
        for chunk in _chunks(len(rows), centres.size):
            found[chunk] = np.square(rows[chunk, None] - centres).sum(axis=-1)
        return found
    lengths = np.square(centres).sum(axis=1)
    for chunk in _chunks(len(rows), len(centres)):
        part = rows[chunk]
        found[chunk] = np.square(part).sum(axis=1, keepdims=True) - 2 * (part @ centres.T) + lengths
    return np.maximum(found, 0, out=found)


def commonest(clusters: np.ndarray, labels: np.ndarray, num_clusters: int) -> np.ndarray:
    """Returns [K] int64: the label that most examples of a cluster have, -1 where it has none."""
    table = np.zeros((num_clusters, int(labels.max()) + 1), np.int64)
    np.add.at(table, (clusters, labels), 1)
    return np.where(table.any(axis=1), table.argmax(axis=1), -1)


def _chunks(length: int, numbers_each: int) -> Iterator[slice]:
    """Yields slices that together cover a length, each worth about _CHUNK_BYTES of float32."""
    size = max(1, _CHUNK_BYTES // (4 * numbers_each))
    for start in range(0, length, size):
        yield slice(start, start + size)
