"""Small networks in NumPy: while it learns, an agent acts in these without a call of TensorFlow for every step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

CLIP_NORMALISED = 10.0
_ACTIVATIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda x: np.maximum(x, 0.0, out=x),
    "tanh": lambda x: np.tanh(x, out=x),
    "linear": lambda x: x,
}


class Layer(NamedTuple):
    """A dense layer: [inputs, units], [units], and relu, tanh or linear."""

    kernel: np.ndarray
    bias: np.ndarray
    activation: str

    def __call__(self, x: np.ndarray) -> np.ndarray:
        y = x @ self.kernel
        y += self.bias
        return _ACTIVATIONS[self.activation](y)


class NumpyMLP(NamedTuple):
    """A function from [N, ...] observations to heads of [N, units].

    Attributes:
      trunks: hidden layers by the head they belong to, or by "" where all heads share them.
      heads: the last layers.
      num_discrete: categories of observations that are one-hot encoded; 0 for arrays.
      mean, scale: by which arrays are standardised, or None.
    """

    trunks: Mapping[str, Sequence[Layer]]
    heads: Mapping[str, Layer]
    num_discrete: int
    mean: np.ndarray | None
    scale: np.ndarray | None

    def __call__(self, obs: np.ndarray) -> dict[str, np.ndarray]:
        x = np.eye(self.num_discrete, dtype=np.float32)[obs] if self.num_discrete else obs
        if x.ndim != 2 or x.dtype != np.float32:
            x = x.reshape(len(obs), -1).astype(np.float32)
        if self.mean is not None:
            x = np.clip((x - self.mean) * self.scale, -CLIP_NORMALISED, CLIP_NORMALISED)
        hidden = {}
        for name, layers in self.trunks.items():
            h = x
            for layer in layers:
                h = layer(h)
            hidden[name] = h
        return {name: head(hidden[name if name in hidden else ""]) for name, head in self.heads.items()}
