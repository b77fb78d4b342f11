"""The functions that a policy is made of when it is no network: from observations to outputs, in NumPy.

Each is a plain object with its arrays as attributes and one call, [N, ...] observations to a
mapping of named [N, ...] outputs. Rows are computed one by one where a matrix product would make
a row's result depend on the size of the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    """Action values linear in random Fourier features of the standardised observation, in float32.

    Attributes:
      mean, scale: [D], the observation is standardised to (obs - mean) / scale.
      w: [D, F] frequencies. b: [F] phases. Not to be changed afterwards: the call uses them in a folded form.
      q: [F, A] float32, the weights that are learned; Fortran order keeps an action's weights together.

    Source: Rahimi & Recht (2007), "Random features for large-scale kernel machines".
    """

    mean: np.ndarray
    scale: np.ndarray
    w: np.ndarray
    b: np.ndarray
    q: np.ndarray

    def __post_init__(self) -> None:
        self._slope = (self.w / self.scale[:, None]).astype(np.float32)
        self._offset = (self.b - (self.mean / self.scale) @ self.w).astype(np.float32)

    def features(self, obs: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """Returns cos(x w + b), the [F] float32 features of one [D] observation, in `out` if given."""
        out = np.dot(obs.astype(np.float32, copy=False), self._slope, out=out)
        np.add(out, self._offset, out=out)
        return np.cos(out, out=out)

    def __call__(self, obs: np.ndarray) -> Outputs:
        return {"q": np.stack([self.features(row) @ self.q for row in obs])}


@dataclass
class Nearest:
    """The number of the centre that is nearest to the standardised observation, as its code.

    Attributes:
      centres: [K, D] float32. mean, scale: [D], the observation is standardised to (obs - mean) / scale.
    """

    centres: np.ndarray
    mean: np.ndarray
    scale: np.ndarray

    def __call__(self, obs: np.ndarray) -> Outputs:
        rows = (obs.reshape(len(obs), -1) - self.mean) / self.scale
        return {"codes": np.array([np.square(self.centres - row).sum(1).argmin() for row in rows], np.int64)}


@dataclass
class Projection:
    """Coordinates of the observation, from its mean on, as its code. `mean`: [D]; `axes`: [K, D], float32."""

    mean: np.ndarray
    axes: np.ndarray

    def __call__(self, obs: np.ndarray) -> Outputs:
        rows = obs.reshape(len(obs), -1).astype(np.float32, copy=False) - self.mean
        return {"codes": np.stack([self.axes @ row for row in rows])}


@dataclass
class Encoded:
    """A function of codes, after the one that makes them of observations. `state_size`: of its memory, 0 for none."""

    encoder: Callable[[np.ndarray], Outputs]
    function: Callable[..., Outputs]

    def __post_init__(self) -> None:
        self.state_size: int = getattr(self.function, "state_size", 0)

    def __call__(self, obs: np.ndarray, *state: np.ndarray) -> Outputs:
        return self.function(self.encoder(obs)["codes"], *state)


FUNCTIONS = {"table": Table, "linear": Linear, "rbf": RBF, "nearest": Nearest, "projection": Projection}


def name_of(function: object) -> str:
    """Returns the name under which `function` is saved."""
    return next(name for name, kind in FUNCTIONS.items() if type(function) is kind)


def arrays_of(function: object) -> dict[str, np.ndarray]:
    """Returns the arrays of a function by name."""
    return {field.name: getattr(function, field.name) for field in fields(function)}  # type: ignore[arg-type]
