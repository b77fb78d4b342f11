"""The functions that a policy is made of when it is no network: from observations to outputs, in NumPy.

Each is a plain object with its arrays as attributes and one call, [N, ...] observations to a
mapping of named [N, ...] outputs. Rows are computed one by one where a matrix product would make
a row's result depend on the size of the batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

Outputs = Mapping[str, np.ndarray]


@dataclass
class Table:
    """Action values of a discrete observation. `q`: [S, A]."""

    q: np.ndarray

    def __call__(self, obs: np.ndarray) -> Outputs:
        return {"q": self.q[obs]}


@dataclass
class Linear:
    """One layer of action preferences: softmax(x w + b). `w`: [D, A]; `b`: [A], float32."""

    w: np.ndarray
    b: np.ndarray

    def __call__(self, obs: np.ndarray) -> Outputs:
        flat = obs.reshape(len(obs), -1)
        return {"logits": np.stack([row @ self.w for row in flat]) + self.b}


@dataclass
class RBF:
    """Action values linear in random Fourier features of the scaled observation.

    Attributes:
      mean, scale: [D], the observation is (obs - mean) / scale.
      w: [D, F] frequencies. b: [F] phases. q: [F, A] the weights that are learned.

    Source: Rahimi & Recht (2007), "Random features for large-scale kernel machines".
    """

    mean: np.ndarray
    scale: np.ndarray
    w: np.ndarray
    b: np.ndarray
    q: np.ndarray

    def features(self, obs: np.ndarray) -> np.ndarray:
        """Returns [F] features of one [D] observation, of squared norm about 1 per kernel."""
        return np.cos(((obs - self.mean) / self.scale) @ self.w + self.b)

    def __call__(self, obs: np.ndarray) -> Outputs:
        return {"q": np.stack([self.features(row) @ self.q for row in obs])}


FUNCTIONS = {"table": Table, "linear": Linear, "rbf": RBF}


def name_of(function: object) -> str:
    """Returns the name under which `function` is saved."""
    return next(name for name, kind in FUNCTIONS.items() if type(function) is kind)


def arrays_of(function: object) -> dict[str, np.ndarray]:
    """Returns the arrays of a function by name."""
    return {field.name: getattr(function, field.name) for field in fields(function)}  # type: ignore[arg-type]
