"""Replay: a ring of transitions over a ring of frames, in which every frame is stored once.

An observation of K stacked frames shares K - 1 of them with the next one. So a transition keeps the
places of its frames, and its two observations are put together when it is sampled, bit for bit as
they were: whatever an environment stacks at a reset is compared, not assumed. A plain observation
is a stack of one frame; it is then stored once too, as the end of one transition and the start of the next.

Sources: Mnih et al. (2015), "Human-level control through deep reinforcement learning" (the memory and its uniform
sampling); Hessel et al. (2018), "Rainbow: combining improvements in deep reinforcement learning" (multi-step returns).
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from agents.parts import segments
from arena.agent import Spec
from arena.errors import DamagedFile, InvalidValue

STACKING = ("atari", "cookbook-dqn")  # preprocessings whose observations are [K, H, W], the newest frame last
TRANSITIONS = "transitions.npz"


class Batch(NamedTuple):
    """Sampled transitions, of one step or of several; arrays are [..., *shape] with the leading shape asked for."""

    obs: np.ndarray
    action: np.ndarray  # int32
    reward: np.ndarray  # float32, discounted and summed over the steps
    discount: np.ndarray  # float32, of the value of next_obs: 0 where the episode terminated
    next_obs: np.ndarray


class Replay:
    """Holds the newest transitions of all rows and samples them uniformly, with replacement.

    Args:
      shape: of one observation.
      dtype: in which observations are stored and sampled.
      capacity: in transitions; frames have 1% to spare for the starts of episodes, and where
        episodes are so short that this is too little, the oldest transitions leave earlier.
      num_rows: how many transitions come with each add().
      num_frames: K, how many stacked frames the first axis of an observation is; 1 for no stack.
      num_steps: how many steps a sampled transition spans, fewer where its episode, or what is known of it, ends.

    Attributes:
      num_added: how many transitions have come, ever; the newest one has the number before it.
      first: the number of the oldest transition that is still there.

    Raises:
      InvalidValue: the capacity does not hold one transition of every row.
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        *,
        capacity: int,
        num_rows: int = 1,
        num_frames: int = 1,
        num_steps: int = 1,
    ) -> None:
        if capacity < num_rows:
            raise InvalidValue(f"a replay of {capacity} transitions is too small for {num_rows} rows")
        self._shape, self._dtype, self._stack_size = shape, dtype, num_frames
        self._frame_shape = self._shape[1:] if num_frames > 1 else self._shape
        # The last term keeps the frames of the rows' latest stacks, even if no two of them share one.
        spare = capacity // 100 + (2 * num_frames + 1) * (num_frames + 1) * num_rows
        self._frames = np.zeros((capacity + spare, *self._frame_shape), self._dtype)
        self._stacks = np.zeros((capacity, 2, num_frames), np.int32)  # places of the frames of obs and next_obs
        self._action = np.zeros(capacity, np.int32)
        self._reward = np.zeros(capacity, np.float32)
        self._discount = np.zeros(capacity, np.float32)
        self._ended = np.zeros(capacity, bool)  # with this transition the episode did, or it was given up
        self.num_rows, self._num_steps = num_rows, num_steps
        self._oldest = np.zeros(capacity, np.int64)  # no frame of this transition, or of a later one, is older
        self._num_stored = 0  # frames, ever; frame i is at place i % len(frames)
        self.num_added = 0  # transitions, ever
        self.first = 0  # the oldest transition that is still there
        self._live = np.zeros((num_rows, num_frames), np.int64)  # the frames of the latest next_obs
        self._last = np.zeros((num_rows, *self._shape), self._dtype)  # the latest next_obs

    def __len__(self) -> int:
        return self.num_added - self.first

    @property
    def nbytes(self) -> int:
        """The bytes that a full replay takes."""
        rings = (self._frames, *self._filled(len(self._action)).values())
        return sum(ring.nbytes for ring in rings)

    def add(
        self,
        obs: np.ndarray,
        action: np.ndarray,
        reward: np.ndarray,
        discount: np.ndarray,
        ended: np.ndarray,
        next_obs: np.ndarray,
    ) -> None:
        """Takes in one transition of every row, [N, ...]. `next_obs` is kept until the next call, unchanged.

        `discount` is that of the next value, 0 where the episode terminated; it `ended` there, or where it was cut off.
        """
        if obs is not self._last:  # where no episode has ended, the loop hands on the same array
            stored, last = obs.astype(self._dtype, copy=False), self._last.astype(self._dtype, copy=False)
            begun = ~_rows_equal(stored, last) | (self.num_added == 0)
            if begun.any():
                self._live[begun] = self._store_stacks(self._stacked(obs[begun]))
        following = self._follow(self._stacked(obs), self._stacked(next_obs))
        num_rows, num_places = len(action), len(self._frames)
        slots = np.arange(self.num_added, self.num_added + num_rows) % len(self._action)
        self._stacks[slots, 0] = self._live % num_places
        self._stacks[slots, 1] = following % num_places
        self._action[slots] = action
        self._reward[slots] = reward
        self._discount[slots] = discount
        self._ended[slots] = ended
        self._oldest[slots] = self._live.min()
        self._live, self._last = following, next_obs
        self.num_added += num_rows
        self.first = max(self.first, self.num_added - len(self._action))
        while self._oldest[self.first % len(self._action)] < self._num_stored - num_places:
            self.first += 1

    def new_batch(self, *leading: int) -> Batch:
        """Returns an empty batch of [*leading] transitions, to be filled by sample() again and again."""
        return new_batch(self._shape, self._dtype, *leading)

    def cut(self) -> None:
        """Ends the rows' episodes: what is added next begins others."""
        cut(self._ended, self.num_added, self.num_rows)

    def sample(self, random: np.random.Generator, batch: Batch) -> Batch:
        """Fills `batch` with transitions drawn uniformly and returns it. The replay must not be empty."""
        picked = random.integers(self.first, self.num_added, size=batch.action.size)
        reward, discount, last = self.span(picked, self.num_added)
        self._fill(picked % len(self._action), last % len(self._action), batch)
        batch.reward.reshape(-1)[:] = reward
        batch.discount.reshape(-1)[:] = discount
        return batch

    def span(self, picked: np.ndarray, stop: np.ndarray | int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns what accumulated() does, of the steps before `stop`, for the [B] numbers of transitions held."""
        rings = self._reward, self._discount, self._ended
        return accumulated(picked, stop, self.num_rows, self._num_steps, *rings)

    def take(self, picked: np.ndarray, batch: Batch) -> np.ndarray:
        """Fills in the observations and actions of single steps, [B] numbers; returns [B] whether episodes ended there.

        What their rewards come to is span()'s to say.
        """
        places = picked % len(self._action)
        self._fill(places, places, batch)
        return self._ended[places]

    def _fill(self, first: np.ndarray, last: np.ndarray, batch: Batch) -> None:
        """Writes the observations and actions at the places `first` and the observations after those at `last`."""
        stacks = self._stacks[first, 0], self._stacks[last, 1]
        for places, observations in zip(stacks, (batch.obs, batch.next_obs), strict=True):
            out = observations.reshape(-1, *self._frame_shape)
            np.take(self._frames, places.ravel(), axis=0, out=out, mode="clip")  # "raise" would buffer
        np.take(self._action, first, out=batch.action.reshape(-1), mode="clip")

    def save(self, folder: Path) -> None:
        """Writes everything that sample() and add() depend on into `folder`, which may hold what was saved before.

        Frames go into segments: files that are written once, and removed when no transition needs them.
        """
        segments.save(folder, self._frames, self._segments())
        cursors = np.array([self._num_stored, self.num_added, self.first])
        rest = {"live": self._live, "last": self._last.astype(self._dtype)}
        with (folder / TRANSITIONS).open("wb") as file:
            np.savez(file, cursors=cursors, **rest, **self._filled(self.num_added))  # type: ignore[arg-type]

    def restore(self, folder: Path) -> None:
        """Reads what save() wrote. Raises DamagedFile where it is broken or of another shape."""
        into: dict[str, np.ndarray]
        try:
            with np.load(folder / TRANSITIONS, allow_pickle=False) as saved:
                arrays = {name: saved[name] for name in saved.files}
            num_stored, num_added, first = (int(value) for value in arrays.pop("cursors"))
            last = np.empty((len(self._live), *self._shape), self._dtype)  # self._last may be the environment's
            into = {"live": self._live, "last": last, **self._filled(num_added)}
            if _described(arrays) != _described(into):
                raise DamagedFile(f"{folder} holds a replay of other observations, another capacity or other rows")
            for name, array in into.items():
                array[...] = arrays[name]
            self._last, self._num_stored, self.num_added, self.first = last, num_stored, num_added, first
            segments.load(folder, self._frames, self._segments())
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            raise DamagedFile(f"{folder} holds no readable replay ({str(error).splitlines()[0]})") from error

    def _segments(self) -> list[np.ndarray]:
        """Returns the numbers of the frames that are still needed."""
        if not self.num_added:
            return []
        oldest = int(min(self._oldest[self.first % len(self._action)], self._live.min()))
        return segments.cut_up(oldest, self._num_stored, segments.size_for(self._frames))

    def _filled(self, num_added: int) -> dict[str, np.ndarray]:
        rings = {
            "stacks": self._stacks,
            "action": self._action,
            "reward": self._reward,
            "discount": self._discount,
            "ended": self._ended,
            "oldest": self._oldest,
        }
        return {name: ring[:num_added] for name, ring in rings.items()}

    def _stacked(self, obs: np.ndarray) -> np.ndarray:
        """Returns [N, K, *frame shape]."""
        return obs if self._stack_size > 1 else obs[:, None]

    def _follow(self, stacks: np.ndarray, next_stacks: np.ndarray) -> np.ndarray:
        """Stores what is new in `next_stacks` after `stacks`; returns the [N, K] frames that they consist of."""
        following = np.empty_like(self._live)
        following[:, :-1] = self._live[:, 1:]
        following[:, -1] = self._store(next_stacks[:, -1])
        if self._stack_size > 1:
            jumped = ~_rows_equal(stacks[:, 1:], next_stacks[:, :-1])
            if jumped.any():
                following[jumped] = self._store_stacks(next_stacks[jumped])
        return following

    def _store_stacks(self, stacks: np.ndarray) -> np.ndarray:
        """Stores [M, K, ...] whole stacks, a frame that repeats the one before it only once; returns [M, K] frames."""
        is_new = np.ones(stacks.shape[:2], bool)
        for k in range(1, self._stack_size):
            is_new[:, k] = ~_rows_equal(stacks[:, k], stacks[:, k - 1])
        numbers = self._num_stored - 1 + np.cumsum(is_new).reshape(is_new.shape)
        self._store(stacks[is_new])
        return numbers

    def _store(self, frames: np.ndarray) -> np.ndarray:
        """Stores [M, ...] frames; returns their [M] numbers."""
        numbers = np.arange(self._num_stored, self._num_stored + len(frames))
        self._frames[numbers % len(self._frames)] = frames
        self._num_stored += len(frames)
        return numbers


def new_batch(shape: tuple[int, ...], dtype: np.dtype[Any], *leading: int) -> Batch:
    """Returns a batch of [*leading] transitions between observations of `shape`, all zero."""
    obs, next_obs = (np.zeros((*leading, *shape), dtype) for _ in range(2))
    reward, discount = (np.zeros(leading, np.float32) for _ in range(2))
    return Batch(obs, np.zeros(leading, np.int32), reward, discount, next_obs)


def accumulated(
    picked: np.ndarray,
    stop: np.ndarray | int,
    num_rows: int,
    num_steps: int,
    reward: np.ndarray,
    discount: np.ndarray,
    ended: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Follows transitions through their episodes for `num_steps` steps, or as far as they are known.

    Args:
      picked: [B] numbers of transitions; number i is at place i % C of the rings, number i + num_rows comes next.
      stop: the number before which to end: the one that the next transition will have, or [B] of them.
      num_rows: how many rows' transitions take turns.
      num_steps: 1 for the transitions themselves.
      reward, discount, ended: [C] rings.

    Returns:
      [B] discounted sums of the rewards, [B] products of the discounts, [B] numbers of the last transitions.
    """
    capacity, last = len(reward), picked
    slots = picked % capacity
    total, factor = reward[slots], discount[slots]
    for _ in range(num_steps - 1):
        goes_on = ~ended[slots] & (last + num_rows < stop)
        last = np.where(goes_on, last + num_rows, last)
        slots = last % capacity
        total += np.where(goes_on, factor * reward[slots], 0.0)
        factor *= np.where(goes_on, discount[slots], 1.0)
    return total, factor, last


def cut(ended: np.ndarray, num_added: int, num_rows: int) -> None:
    """Marks the newest transition of every row in the ring `ended`, where there is one."""
    ended[np.arange(max(0, num_added - num_rows), num_added) % len(ended)] = True


def stack_size(spec: Spec) -> int:
    """Returns how many frames an observation is stacked of; 1 where it is none."""
    space = spec.observation_space
    if spec.preprocess not in STACKING or not isinstance(space, gym.spaces.Box):
        return 1
    return int(space.shape[0]) if space.dtype == np.uint8 and len(space.shape) == 3 else 1


def _rows_equal(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns [N] bool: equal in everything but the first axis."""
    return np.asarray((a == b).reshape(len(a), -1).all(1))


def _described(arrays: dict[str, np.ndarray]) -> dict[str, tuple[tuple[int, ...], str]]:
    return {name: (array.shape, array.dtype.str) for name, array in arrays.items()}
