"""What an environment is, on its way to another process: spaces as JSON and arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np

from arena.agent import Spec
from arena.errors import DoesNotFit

_FIELDS = ("env_id", "preprocess", "num_rows", "max_episode_steps", "num_seats")
_SPACES = ("observation_space", "action_space")


def to_wire(spec: Spec) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Returns `spec` as plain data and arrays. Raises DoesNotFit where it has a space of an unusual kind."""
    arrays: dict[str, np.ndarray] = {}
    told: dict[str, Any] = {name: getattr(spec, name) for name in _FIELDS}
    told["protocol"] = {name: _plain(value) for name, value in spec.protocol.items()}
    for name in _SPACES:
        told[name] = _told(getattr(spec, name), spec.env_id, arrays)
    return told, arrays


def from_wire(told: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Spec:
    """Returns the spec that to_wire() told."""
    known: dict[str, Any] = {name: told[name] for name in (*_FIELDS, "protocol")}
    known |= {name: _space(told[name], arrays) for name in _SPACES}
    return Spec(**known)


def _told(space: gym.Space[Any], env_id: str, arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    def store(array: Any) -> str:
        array = np.asarray(array)
        is_even = array.size > 0 and bool((array == array.flat[0]).all())
        arrays[name := f"space {len(arrays)}"] = np.array(array.flat[0]) if is_even else array
        return name

    match space:
        case gym.spaces.Box():
            bounds = {"low": store(space.low), "high": store(space.high)}
            return {"kind": "box", "shape": space.shape, "dtype": space.dtype.str, **bounds}
        case gym.spaces.Discrete():
            return {"kind": "discrete", "n": int(space.n), "start": int(space.start)}
        case gym.spaces.MultiDiscrete():
            return {"kind": "multi-discrete", "shape": space.shape, "nvec": store(space.nvec)}
        case gym.spaces.MultiBinary():
            return {"kind": "multi-binary", "n": space.n}
        case gym.spaces.Dict():
            return {"kind": "dict", "parts": {key: _told(part, env_id, arrays) for key, part in space.spaces.items()}}
        case gym.spaces.Tuple():
            return {"kind": "tuple", "parts": [_told(part, env_id, arrays) for part in space.spaces]}
    raise DoesNotFit(f"{env_id} has a {type(space).__name__} space, for which no agent can have a process of its own")


def _space(told: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> gym.Space[Any]:
    def load(key: str) -> np.ndarray:
        return np.broadcast_to(arrays[told[key]], told["shape"]).copy()

    match told["kind"]:
        case "box":
            return gym.spaces.Box(load("low"), load("high"), dtype=np.dtype(told["dtype"]).type)
        case "discrete":
            return gym.spaces.Discrete(told["n"], start=told["start"])
        case "multi-discrete":
            return gym.spaces.MultiDiscrete(load("nvec"))
        case "multi-binary":
            return gym.spaces.MultiBinary(told["n"])
        case "dict":
            return gym.spaces.Dict({key: _space(part, arrays) for key, part in told["parts"].items()})
    return gym.spaces.Tuple([_space(part, arrays) for part in told["parts"]])


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value
