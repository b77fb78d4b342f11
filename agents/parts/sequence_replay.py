"""Replay of sequences for networks with a memory, over any replay of transitions.

A sequence is a number of successive steps of one row, with the memory that the agent had before the first of them.
Every step that is followed by enough others may be the first; which one is drawn uniformly.

A sequence does not stop where an episode ends: the row's next episode follows, and `begins` says where the memory is
emptied. So every step of a sequence is learned from, whatever the length of episodes. Kapturowski et al. pad a sequence
that an episode's end cuts short; of episodes of twenty steps and sequences of eighty, that would be most of a batch.

Sources: Hausknecht & Stone (2015), "Deep recurrent Q-learning for partially observable MDPs" (sequences that begin
anywhere); Kapturowski et al. (2019), "Recurrent experience replay in distributed reinforcement learning" (the stored
memory, burn-in).
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from agents.parts import segments
from agents.parts.replay import Batch, Replay
from agents.parts.transition_replay import TransitionReplay
from arena.errors import DamagedFile, InvalidValue

MEMORY = "memory"


class Sequences(NamedTuple):
    """Sampled sequences; arrays are [T, *leading, *shape] with the leading shape asked for."""

    obs: np.ndarray
    action: np.ndarray  # int32
    reward: np.ndarray  # float32, discounted and summed over the steps that a target spans
    discount: np.ndarray  # float32, of the value that the target leans on: 0 where the episode terminated
    next_obs: np.ndarray  # of the step itself
    begins: np.ndarray  # bool: an episode begins with this step; False at the first, whose memory is given
    leans_on: np.ndarray  # int32: the step of this sequence whose next_obs the target leans on, in [0, T)
    memory: np.ndarray  # [*leading, *memory's shape], before the first step


class SequenceReplay:
    """Holds the newest transitions of all rows, and the memory before each; samples sequences of equal length.

    Args:
      transitions: an empty replay; it sums rewards over its number of steps, here within a sequence only.
      capacity: of `transitions`.
      memory_shape: of the memory of one row, float32.
      length: T, of a sequence, in steps.

    Raises:
      InvalidValue: the capacity does not hold one sequence of every row.
    """

    def __init__(
        self, transitions: Replay | TransitionReplay, *, capacity: int, memory_shape: tuple[int, ...], length: int
    ) -> None:
        num_rows = transitions.num_rows
        if capacity < length * num_rows:
            rows = f" of {num_rows} rows" if num_rows > 1 else ""
            raise InvalidValue(f"a replay of {capacity} transitions is too small for sequences of {length} steps{rows}")
        self._transitions, self._length = transitions, length
        self._memory = np.zeros((capacity, *memory_shape), np.float32)
        self._offsets = num_rows * np.arange(length)

    def __len__(self) -> int:
        """The number of sequences that can be drawn."""
        return max(0, len(self._transitions) - int(self._offsets[-1]))

    @property
    def nbytes(self) -> int:
        """The bytes that a full replay takes."""
        return self._transitions.nbytes + self._memory.nbytes

    def add(
        self,
        obs: np.ndarray,
        action: np.ndarray,
        reward: np.ndarray,
        discount: np.ndarray,
        ended: np.ndarray,
        next_obs: np.ndarray,
        memory: np.ndarray,
    ) -> None:
        """Takes in one transition of every row, [N, ...], and the memory with which its action was chosen."""
        start = self._transitions.num_added
        self._memory[np.arange(start, start + len(action)) % len(self._memory)] = memory
        self._transitions.add(obs, action, reward, discount, ended, next_obs)

    def new_batch(self, *leading: int) -> Sequences:
        """Returns an empty batch of [*leading] sequences, to be filled by sample() again and again."""
        steps = (self._length, *leading)
        batch, memory = self._transitions.new_batch(*steps), np.zeros((*leading, *self._memory.shape[1:]), np.float32)
        return Sequences(*batch, begins=np.zeros(steps, bool), leans_on=np.zeros(steps, np.int32), memory=memory)

    def cut(self) -> None:
        """Ends the rows' episodes: what is added next begins others."""
        self._transitions.cut()

    def sample(self, random: np.random.Generator, batch: Sequences) -> Sequences:
        """Fills `batch` with sequences drawn uniformly, with replacement, and returns it. There must be one."""
        replay, first = self._transitions, self._transitions.first
        starts = random.integers(first, first + len(self), size=batch.action.shape[1:])
        np.take(self._memory, starts % len(self._memory), axis=0, out=batch.memory, mode="clip")
        picked = np.add.outer(self._offsets, starts)  # [T, *leading]
        stops = np.broadcast_to(picked[-1] + 1, picked.shape)
        ended = replay.take(picked.ravel(), Batch(*batch[: len(Batch._fields)]))
        batch.begins[1:] = ended.reshape(picked.shape)[:-1]
        reward, discount, last = replay.span(picked.ravel(), stops.ravel())
        batch.reward[...] = reward.reshape(picked.shape)
        batch.discount[...] = discount.reshape(picked.shape)
        batch.leans_on[...] = (last.reshape(picked.shape) - starts) // replay.num_rows
        return batch

    def save(self, folder: Path) -> None:
        """Writes everything that sample() and add() depend on into `folder`, which may hold what was saved before."""
        self._transitions.save(folder)
        segments.save(folder / MEMORY, self._memory, self._segments())

    def restore(self, folder: Path) -> None:
        """Reads what save() wrote. Raises DamagedFile where it is broken or of another shape."""
        self._transitions.restore(folder)
        try:
            segments.load(folder / MEMORY, self._memory, self._segments())
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise DamagedFile(f"{folder} holds no readable memories ({str(error).splitlines()[0]})") from error

    def _segments(self) -> list[np.ndarray]:
        replay = self._transitions
        return segments.cut_up(replay.first, replay.num_added, segments.size_for(self._memory))
