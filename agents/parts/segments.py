"""A ring of numbered items on disk: in files that are written once, so that a checkpoint costs what was added to it.

Item i is at place i % C of a ring of C. A file holds the items between two multiples of the segments' size, as far as
they are there, and is named by their numbers. See arena.agent.SEGMENTS for what checkpoints do with such files.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from arena.agent import SEGMENTS

SEGMENT_BYTES = 16_000_000


def size_for(ring: np.ndarray) -> int:
    """Returns how many items go into a file; a small ring has several files, too, so that not all is written anew."""
    return max(1, min(SEGMENT_BYTES // max(1, int(ring[0].nbytes)), len(ring) // 16))


def cut_up(oldest: int, stop: int, size: int) -> list[np.ndarray]:
    """Returns the numbers of the items from `oldest` to before `stop`, file by file; the first may begin sooner."""
    starts = range(oldest // size * size, stop, size)
    return [np.arange(start, min(start + size, stop)) for start in starts]


def save(folder: Path, ring: np.ndarray, segments: list[np.ndarray]) -> None:
    """Writes the segments that `folder` does not hold yet, and removes the files of others."""
    wanted = {path_of(folder, numbers): numbers for numbers in segments}
    (folder / SEGMENTS).mkdir(parents=True, exist_ok=True)
    for path in set((folder / SEGMENTS).iterdir()) - set(wanted):
        path.unlink()
    for path, numbers in wanted.items():
        if not path.exists():
            np.save(path, ring.take(numbers, axis=0, mode="wrap"))


def load(folder: Path, ring: np.ndarray, segments: list[np.ndarray]) -> None:
    """Reads what save() wrote into `ring`. Raises OSError or ValueError where a file is missing or does not fit."""
    for numbers in segments:  # in order: where two have one place in the ring, the later stays
        ring[numbers % len(ring)] = np.load(path_of(folder, numbers), allow_pickle=False)


def path_of(folder: Path, numbers: np.ndarray) -> Path:
    """Returns the file of a ring saved in `folder` that holds these items."""
    return folder / SEGMENTS / f"{numbers[0]:012d}-{numbers[-1] + 1:012d}.npy"
