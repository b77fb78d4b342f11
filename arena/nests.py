"""Rows of nested arrays: observations (arrays, or in games mappings of arrays) and players' states."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def row_of(obs: Any, row: int) -> Any:
    """Returns the observation of one row among [N, ...] observations, an array or a mapping of arrays."""
    return {name: values[row] for name, values in obs.items()} if isinstance(obs, Mapping) else obs[row]


def rows_of(nest: Any, rows: np.ndarray) -> Any:
    """Returns copies of [K] `rows` of a nest of [N, ...] arrays."""
    if isinstance(nest, np.ndarray):
        return nest[rows]
    if isinstance(nest, Mapping):
        return {name: rows_of(values, rows) for name, values in nest.items()}
    parts = [rows_of(part, rows) for part in nest]
    return type(nest)(*parts) if hasattr(nest, "_fields") else type(nest)(parts)


def assign_rows(state: Any, rows: np.ndarray, fresh: Any) -> None:
    """Overwrites [K] `rows` of a nest of [N, ...] arrays with a nest of [K, ...] arrays, in place.

    Raises TypeError, ValueError, KeyError or IndexError where they do not go together.
    """
    if isinstance(state, np.ndarray):
        if not np.can_cast(np.asarray(fresh).dtype, state.dtype, "same_kind"):
            raise TypeError(f"{np.asarray(fresh).dtype} does not go into {state.dtype}")
        state[rows] = fresh
    elif isinstance(state, dict):
        for key in state:
            assign_rows(state[key], rows, fresh[key])
    else:
        for part, fresh_part in zip(state, fresh, strict=True):
            assign_rows(part, rows, fresh_part)


def replaced(obs: Any, rows: np.ndarray, fresh: Any) -> Any:
    """Returns a copy of [N, ...] observations with [K] `rows` overwritten by [K, ...] `fresh`."""
    if isinstance(obs, Mapping):
        return {name: replaced(values, rows, fresh[name]) for name, values in obs.items()}
    obs = obs.copy()
    obs[rows] = fresh
    return obs


def blank(fresh: Any, num_rows: int) -> Any:
    """Returns [N, ...] zeros like [K, ...] observations."""
    if isinstance(fresh, Mapping):
        return {name: blank(values, num_rows) for name, values in fresh.items()}
    return np.zeros((num_rows, *fresh.shape[1:]), fresh.dtype)
