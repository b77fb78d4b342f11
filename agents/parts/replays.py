"""Which replay an environment's observations go into."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np

from agents.parts.replay import Replay, stack_size
from agents.parts.sequence_replay import SequenceReplay
from agents.parts.transition_replay import TransitionReplay
from arena.agent import Spec

_SMALL_BYTES = 4_096  # observations up to which it is better to store two of a transition than to share them


def new_replay(spec: Spec, capacity: int, num_steps: int) -> Replay | TransitionReplay:
    """Returns an empty replay of transitions of `num_steps` steps; see Replay."""
    space, num_frames = spec.observation_space, stack_size(spec)
    shape, dtype = tuple(space.shape or ()), _stored_dtype(space)
    if num_frames == 1 and math.prod(shape) * dtype.itemsize <= _SMALL_BYTES:
        return TransitionReplay(shape, dtype, capacity=capacity, num_rows=spec.num_rows, num_steps=num_steps)
    rows = {"num_rows": spec.num_rows, "num_frames": num_frames}
    return Replay(shape, dtype, capacity=capacity, num_steps=num_steps, **rows)


def new_sequence_replay(spec: Spec, capacity: int, num_steps: int, *, state_size: int, length: int) -> SequenceReplay:
    """Returns an empty replay of sequences of `length` steps, for a memory of `state_size`; see SequenceReplay."""
    transitions = new_replay(spec, capacity, num_steps)
    return SequenceReplay(transitions, capacity=capacity, memory_shape=(state_size,), length=length)


def _stored_dtype(space: gym.Space[Any]) -> np.dtype[Any]:
    """Returns the type that the network takes, so that sampled arrays need no cast."""
    if isinstance(space, gym.spaces.Discrete):
        return np.dtype(np.int32)
    return np.dtype(np.uint8 if space.dtype == np.uint8 else np.float32)
