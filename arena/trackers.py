"""Folds over the loop's events: the episode log, what each row is in the middle of, throughput."""

from __future__ import annotations

import collections
import csv
import os
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from arena.errors import DamagedFile
from arena.loop import Event, RowStart, observation_digest


class Table:
    """A CSV file that rows are appended to, and that a resumed run cuts back to where its checkpoint was."""

    def __init__(self, path: Path, columns: tuple[str, ...], *, keep_bytes: int | None = None) -> None:
        if keep_bytes is not None and path.exists():
            os.truncate(path, min(keep_bytes, path.stat().st_size))
        self._file = path.open("a", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file)
        if self._file.tell() == 0:
            self._writer.writerow(columns)

    def add(self, *values: Any) -> None:
        """Appends a row."""
        self._writer.writerow(values)

    def flush(self) -> int:
        """Writes out what is buffered, to survive a loss of power; returns the file's size in bytes."""
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


class RowTracker:
    """Keeps the actions of the episodes that are being played, so that a checkpoint can bring them back."""

    def __init__(self, num_rows: int, starts: list[RowStart | None] | None = None) -> None:
        self._before = [np.empty((0,)) if start is None else start.actions for start in starts or [None] * num_rows]
        self._history: list[np.ndarray] = []
        self._first = [0] * num_rows  # where in the history a row's episode began
        self._event: Event | None = None

    def add(self, event: Event) -> None:
        """Takes in one event."""
        self._history.append(event.transition.action)
        self._event = event
        if event.finished:
            for episode in event.finished:
                self._first[episode.row] = len(self._history)
                self._before[episode.row] = np.empty((0,))
            if (done := min(self._first)) > 10_000:
                del self._history[:done]
                self._first = [first - done for first in self._first]

    def starts(self, seed_of: Any) -> list[RowStart | None]:
        """Returns what each row is in the middle of, None for rows that are at an end or idle."""
        event = self._event
        if event is None:
            return [None] * len(self._first)
        ended = {episode.row for episode in event.finished} | set(np.flatnonzero(event.episodes < 0).tolist())
        rows: list[RowStart | None] = []
        for row, first in enumerate(self._first):
            if row in ended:
                rows.append(None)
                continue
            taken = [
                self._before[row],
                *([np.stack([a[row] for a in self._history[first:]])] if self._history[first:] else []),
            ]
            actions = np.concatenate([part for part in taken if len(part)]) if any(map(len, taken)) else taken[0]
            episode = int(event.episodes[row])
            rows.append(
                RowStart(episode, seed_of(episode), actions, observation_digest(event.transition.next_obs[row]))
            )
        return rows


def save_starts(starts: list[RowStart | None], path: Path) -> list[dict[str, Any] | None]:
    """Writes the rows' actions to an npz file; returns the rest of them as JSON."""
    actions: dict[str, Any] = {f"{i:05d}": start.actions for i, start in enumerate(starts) if start is not None}
    np.savez(path, **actions)
    return [s and {"episode": s.episode, "seed": s.seed, "digest": s.digest} for s in starts]


def load_starts(rows: list[dict[str, Any] | None], path: Path) -> list[RowStart | None]:
    """Returns what save_starts wrote. Raises DamagedFile where the file cannot be read."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as actions:
            return [None if row is None else RowStart(actions=actions[f"{i:05d}"], **row) for i, row in enumerate(rows)]
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise DamagedFile(f"{path} cannot be read ({error})") from error


class Throughput:
    """Environment steps per second since the last reading, the first one counted from `step`."""

    def __init__(self, step: int = 0) -> None:
        self._wall_s, self._step = time.perf_counter(), step

    def read(self, step: int) -> float:
        """Returns the speed since the last reading and starts anew."""
        now = time.perf_counter()
        speed = (step - self._step) / max(now - self._wall_s, 1e-9)
        self._wall_s, self._step = now, step
        return speed


class RecentReturns:
    """The mean return of the last `size` episodes."""

    def __init__(self, size: int = 100, values: list[float] | None = None) -> None:
        self.values: collections.deque[float] = collections.deque(values or (), maxlen=size)

    def add(self, value: float) -> None:
        """Takes in the return of one episode."""
        self.values.append(value)

    @property
    def mean(self) -> float:
        """The mean, NaN before the first episode."""
        return float(np.mean(self.values)) if self.values else float("nan")
