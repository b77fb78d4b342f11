"""Replay of observations that share nothing with their successors' frames: a plain ring of transitions.

Source: Lin (1992), "Self-improving reactive agents based on reinforcement learning, planning and teaching";
Mnih et al. (2015), "Human-level control through deep reinforcement learning" (its uniform sampling).
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from agents.parts.replay import TRANSITIONS, Batch, accumulated, cut, new_batch
from arena.errors import DamagedFile, InvalidValue


class TransitionReplay:
    """Holds the newest transitions of all rows and samples them uniformly, with replacement.

    An observation is stored twice, as the end of one transition and the start of the next: for vectors that costs
    little, and add() is five assignments. Stacks of frames belong into Replay, which stores each frame once.

    Args:
      shape: of one observation.
      dtype: in which observations are stored and sampled.
      capacity: in transitions.
      num_rows: how many transitions come with each add().
      num_steps: how many steps a sampled transition spans, fewer where its episode, or what is known of it, ends.

    Attributes:
      num_added: how many transitions have come, ever; the newest one has the number before it.

    Raises:
      InvalidValue: the capacity does not hold one transition of every row.
    """

    def __init__(
        self, shape: tuple[int, ...], dtype: np.dtype[Any], *, capacity: int, num_rows: int = 1, num_steps: int = 1
    ) -> None:
        if capacity < num_rows:
            raise InvalidValue(f"a replay of {capacity} transitions is too small for {num_rows} rows")
        self._shape, self._dtype = shape, dtype
        self._rings = new_batch(shape, dtype, capacity)
        self._ended = np.zeros(capacity, bool)  # with this transition the episode did, or it was given up
        self.num_rows, self._num_steps = num_rows, num_steps
        self.num_added = 0  # ever; transition i is at place i % capacity

    @property
    def first(self) -> int:
        """The number of the oldest transition that is still there."""
        return self.num_added - len(self)

    def __len__(self) -> int:
        return min(self.num_added, self._capacity)

    @property
    def nbytes(self) -> int:
        """The bytes that a full replay takes."""
        return sum(ring.nbytes for ring in (*self._rings, self._ended))

    def add(
        self,
        obs: np.ndarray,
        action: np.ndarray,
        reward: np.ndarray,
        discount: np.ndarray,
        ended: np.ndarray,
        next_obs: np.ndarray,
    ) -> None:
        """Takes in one transition of every row, [N, ...].

        `discount` is that of the next value, 0 where the episode terminated; it `ended` there, or where it was cut off.
        """
        rings, start = self._rings, self.num_added % self._capacity
        end = start + self.num_rows
        places: Any = slice(start, end) if end <= self._capacity else np.arange(start, end) % self._capacity
        rings.obs[places] = obs
        rings.action[places] = action
        rings.reward[places] = reward
        rings.discount[places] = discount
        rings.next_obs[places] = next_obs
        self._ended[places] = ended
        self.num_added += self.num_rows

    def new_batch(self, *leading: int) -> Batch:
        """Returns an empty batch of [*leading] transitions, to be filled by sample() again and again."""
        return new_batch(self._shape, self._dtype, *leading)

    def cut(self) -> None:
        """Ends the rows' episodes: what is added next begins others."""
        cut(self._ended, self.num_added, self.num_rows)

    def sample(self, random: np.random.Generator, batch: Batch) -> Batch:
        """Fills `batch` with transitions drawn uniformly and returns it. The replay must not be empty."""
        picked = random.integers(len(self), size=batch.action.size)
        self._fill(picked, batch)
        if self._num_steps > 1:
            self._span(picked, batch)
        return batch

    def _span(self, picked: np.ndarray, batch: Batch) -> None:
        """Makes the transitions of a batch, of the places `picked`, ones of several steps."""
        newest = self.num_added - 1
        reward, discount, last = self.span(newest - (newest - picked) % self._capacity, self.num_added)
        batch.reward.reshape(-1)[:] = reward
        batch.discount.reshape(-1)[:] = discount
        out = batch.next_obs.reshape(-1, *self._shape)
        np.take(self._rings.next_obs, last % self._capacity, axis=0, out=out, mode="clip")

    def span(self, picked: np.ndarray, stop: np.ndarray | int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns what accumulated() does, of the steps before `stop`, for the [B] numbers of transitions held."""
        rings = self._rings.reward, self._rings.discount, self._ended
        return accumulated(picked, stop, self.num_rows, self._num_steps, *rings)

    def take(self, picked: np.ndarray, batch: Batch) -> np.ndarray:
        """Fills `batch` with single steps, [B] numbers; returns [B] whether their episodes ended there."""
        places = picked % self._capacity
        self._fill(places, batch)
        return self._ended[places]

    def _fill(self, places: np.ndarray, batch: Batch) -> None:
        for ring, out in zip(self._rings, batch, strict=True):
            np.take(ring, places, axis=0, out=out.reshape(-1, *ring.shape[1:]), mode="clip")  # "raise" would buffer

    def save(self, folder: Path) -> None:
        """Writes the filled part of the rings into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        filled = self._filled(len(self))
        with (folder / TRANSITIONS).open("wb") as file:
            np.savez(file, num_added=np.array(self.num_added), **filled)  # type: ignore[arg-type]

    def restore(self, folder: Path) -> None:
        """Reads what save() wrote. Raises DamagedFile where it is broken or of another shape."""
        try:
            with (folder / TRANSITIONS).open("rb") as file, np.load(file, allow_pickle=False) as saved:
                arrays = {name: saved[name] for name in saved.files}
            num_added = int(arrays.pop("num_added"))
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DamagedFile(f"{folder} holds no readable replay ({str(error).splitlines()[0]})") from error
        filled = self._filled(num_added)
        if {n: (a.shape, a.dtype) for n, a in arrays.items()} != {n: (a.shape, a.dtype) for n, a in filled.items()}:
            raise DamagedFile(f"{folder} holds a replay of other observations, another capacity or other rows")
        for name, ring in filled.items():
            ring[...] = arrays[name]
        self.num_added = num_added

    def _filled(self, num: int) -> dict[str, np.ndarray]:
        return {name: ring[:num] for name, ring in (*self._rings._asdict().items(), ("ended", self._ended))}

    @property
    def _capacity(self) -> int:
        return len(self._rings.action)
