"""Whole episodes out of the steps of independent rows."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from arena.errors import DamagedFile

Steps = Mapping[str, np.ndarray]


class EpisodeBuffer:
    """Keeps the steps of all rows until their episodes are complete.

    Args:
      num_rows: how many rows there are.
      obs_dtype: what observations are kept as; it must hold their values.
    """

    def __init__(self, num_rows: int, obs_dtype: np.dtype) -> None:
        self._obs_dtype = obs_dtype
        self._steps: list[Steps] = []  # of all rows, since the oldest episode that is under way
        self._begin = [0] * num_rows  # of each row's episode, in _steps
        self._complete: list[Steps] = []

    @property
    def num_complete(self) -> int:
        """The number of episodes that take() would return."""
        return len(self._complete)

    def add(self, step: Steps, done: np.ndarray) -> None:
        """Takes in one step of every row: [N, ...] arrays, "obs" among them, and [N] which episodes it ended."""
        self._steps.append({**step, "obs": step["obs"].astype(self._obs_dtype, copy=False)})
        if not done.any():
            return
        for row in np.flatnonzero(done):
            taken = self._steps[self._begin[row] :]
            self._complete.append({name: np.stack([s[name][row] for s in taken]) for name in step})
            self._begin[row] = len(self._steps)
        oldest = min(self._begin)
        del self._steps[:oldest]
        self._begin = [begin - oldest for begin in self._begin]

    def take(self) -> list[Steps]:
        """Returns the complete episodes, arrays of [T, ...] by name, in the order they ended, and forgets them."""
        episodes, self._complete = self._complete, []
        return episodes

    def forget_unfinished(self) -> None:
        """Forgets the steps of episodes that are under way."""
        self._steps, self._begin = [], [0] * len(self._begin)

    def save(self, path: Path) -> None:
        """Writes everything to an npz file (compressed: observations repeat themselves)."""
        arrays = {"begin": np.array(self._begin), "lengths": np.array([len(e["reward"]) for e in self._complete], int)}
        for name in self._complete[0] if self._complete else ():
            arrays[f"complete/{name}"] = np.concatenate([episode[name] for episode in self._complete])
        for name in self._steps[0] if self._steps else ():
            arrays[f"steps/{name}"] = np.stack([step[name] for step in self._steps])
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]

    def restore(self, path: Path) -> None:
        """Reads what save() wrote. Raises DamagedFile where it is broken or of another number of rows."""
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            begin, ends = arrays["begin"].tolist(), np.cumsum(arrays["lengths"])[:-1]
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
            raise DamagedFile(f"{path} holds no readable episodes ({str(error).splitlines()[0]})") from error
        if len(begin) != len(self._begin):
            raise DamagedFile(f"{path} holds the episodes of {len(begin)} rows, not of {len(self._begin)}")
        self._begin = begin
        self._complete = _unzipped({k: np.split(v, ends) for k, v in _under("complete/", arrays).items()})
        self._steps = _unzipped({k: list(v) for k, v in _under("steps/", arrays).items()})


def _under(prefix: str, arrays: Steps) -> Steps:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _unzipped(columns: Mapping[str, list[np.ndarray]]) -> list[Steps]:
    """Returns a list of mappings from a mapping of lists."""
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
