"""Action values that one temporal-difference error at a time moves, in NumPy: a table, and random Fourier features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import gymnasium as gym
import numpy as np

from arena import functions
from arena.errors import DoesNotFit

Arrays = dict[str, np.ndarray]


class ActionValues(Protocol):
    """What Q-learning asks of its action values."""

    @property
    def function(self) -> functions.Table | functions.RBF:
        """The function as it is now, sharing its arrays with the learner."""

    def encode(self, obs: Any) -> Any:
        """Returns what stands for one observation; it depends on nothing that is learned."""

    def of(self, x: Any) -> list[float]:
        """Returns the values of one encoded observation's actions; for so few, a list is faster than an array."""

    def move(self, x: Any, action: int, target: float) -> float:
        """Moves one action's value towards `target` by the learning rate; returns the error before."""

    def arrays(self) -> Arrays:
        """Returns all that is learned or was drawn, by name."""

    def set_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes over what arrays() gave."""


class TableValues:
    """One value for every pair of observation and action.

    Args:
      num_states: the number of observations.
      num_actions: the number of actions.
      initial_value: of every pair.
      learning_rate: of a pair's first visit.
      decay: the rate of visit n, counted from 0, is learning_rate / (1 + decay n).
    """

    def __init__(
        self, num_states: int, num_actions: int, *, initial_value: float, learning_rate: float, decay: float
    ) -> None:
        self._q = np.full((num_states, num_actions), initial_value)
        self._visits = np.zeros((num_states, num_actions), np.int64)
        self._learning_rate, self._decay = learning_rate, decay

    @property
    def function(self) -> functions.Table:
        return functions.Table(self._q)

    def encode(self, obs: Any) -> int:
        return int(obs)

    def of(self, x: int) -> list[float]:
        return self._q[x].tolist()

    def move(self, x: int, action: int, target: float) -> float:
        error = target - float(self._q[x, action])
        self._q[x, action] += error * self._learning_rate / (1.0 + self._decay * float(self._visits[x, action]))
        self._visits[x, action] += 1
        return error

    def arrays(self) -> Arrays:
        return {"q": self._q, "visits": self._visits}

    def set_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        self._q[:] = arrays["q"]
        self._visits[:] = arrays.get("visits", 0)


class FeatureValues:
    """Values linear in features that stand for kernels exp(-gamma |x - y|^2) of several widths.

    The features are plain cosines. Scaled by sqrt(2 / n), the n features of a kernel have a norm of
    about 1; here the scale is folded into the learned weights, and its square into the learning rate.

    Args:
      samples: [K, D] observations whose mean and deviation standardise the observations.
      num_actions: the number of actions.
      widths: gamma of each kernel.
      features_per_width: the number n of features that stand for one kernel.
      learning_rate: in units where each kernel has a norm of 1.
      generator: draws frequencies and phases.

    Source: Rahimi & Recht (2007), algorithm 1.
    """

    def __init__(
        self,
        samples: np.ndarray,
        num_actions: int,
        *,
        widths: tuple[float, ...],
        features_per_width: int,
        learning_rate: float,
        generator: np.random.Generator,
    ) -> None:
        kernels, size = len(widths), samples.shape[1]
        gammas = np.repeat(widths, features_per_width)
        function = functions.RBF(
            mean=samples.mean(0),
            scale=samples.std(0),
            w=np.sqrt(2.0 * gammas) * generator.standard_normal((size, kernels * features_per_width)),
            b=generator.uniform(0.0, 2.0 * np.pi, kernels * features_per_width),
            q=np.zeros((num_actions, kernels * features_per_width), np.float32).T,
        )
        self._rate = learning_rate * 2.0 / features_per_width
        self._step = np.empty(kernels * features_per_width, np.float32)  # scratch
        self._take(function)

    def _take(self, function: functions.RBF) -> None:
        self._function, self._q = function, function.q
        self._weights = list(function.q.T)  # views, one for each action
        self.encode = function.features

    @property
    def function(self) -> functions.RBF:
        return self._function

    def of(self, x: np.ndarray) -> list[float]:
        return x.dot(self._q).tolist()

    def move(self, x: np.ndarray, action: int, target: float) -> float:
        weights = self._weights[action]
        error = target - float(x.dot(weights))
        np.multiply(x, self._rate * error, out=self._step)
        np.add(weights, self._step, out=weights)
        return error

    def arrays(self) -> Arrays:
        return functions.arrays_of(self._function)

    def set_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        copies = {name: array.copy(order="K") for name, array in arrays.items()}
        self._take(functions.RBF(**copies))


def samples_of(space: gym.spaces.Box, kind: str, count: int, generator: np.random.Generator) -> np.ndarray:
    """Returns [count, D] uniform samples of a vector space: within its "bounds", or in the "unit" cube [0, 1).

    Raises:
      DoesNotFit: bounds are asked for and one is infinite.
    """
    low, high = np.zeros(space.shape), np.ones(space.shape)
    if kind == "bounds":
        low, high = space.low.astype(np.float64), space.high.astype(np.float64)
        if not (high - low < 1e30).all():
            raise DoesNotFit(f"observations {space} have no bounds to sample from: set samples to 'unit'")
    return generator.uniform(low, high, (count, *low.shape))
