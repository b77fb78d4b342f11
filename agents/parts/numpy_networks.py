"""Networks in NumPy: while it learns, an agent acts in these, without a call of TensorFlow for every step.

A call of a `tf.function` takes 0.3 to 1 ms beside the work itself. Here an mlp of 256-256 answers in 15 us, and the
network of Mnih et al. (2015) in 0.4 ms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from agents.parts.cells import GRU, LSTM

CLIP_NORMALISED = 10.0
_ACTIVATIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda x: np.maximum(x, 0.0, out=x),
    "tanh": lambda x: np.tanh(x, out=x),
    "linear": lambda x: x,
}


class Dense(NamedTuple):
    """A dense layer: [inputs, units], [units], and relu, tanh or linear."""

    kernel: np.ndarray
    bias: np.ndarray
    activation: str

    def __call__(self, x: np.ndarray) -> np.ndarray:
        y = x @ self.kernel
        y += self.bias
        return _ACTIVATIONS[self.activation](y)


class Convolution(NamedTuple):
    """A convolution without padding, and relu: [k, k, channels, filters], [filters], and its stride."""

    kernel: np.ndarray
    bias: np.ndarray
    stride: int

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Returns [N, H', W', filters] for [N, H, W, channels]."""
        size, _, channels, filters = self.kernel.shape
        windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (1, 2))[:, :: self.stride, :: self.stride]
        num, height, width = windows.shape[:3]
        patches = windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, size * size * channels)
        y = patches.astype(np.float32, copy=False) @ self.kernel.reshape(-1, filters)
        y += self.bias
        return np.maximum(y, 0.0, out=y).reshape(num, height, width, filters)


class NumpyNetwork(NamedTuple):
    """A function from [N, ...] observations to heads of [N, units].

    Attributes:
      convolutions: of [N, C, H, W] images; none for other observations.
      trunks: hidden layers by the head they belong to, or by "" where all heads share them.
      heads: the last layers.
      num_discrete: categories of observations that are one-hot encoded; 0 for arrays.
      mean, scale: by which arrays are standardised, or None.
      cells: what remembers, after the hidden layers of each trunk; none in a network without memory.
    """

    convolutions: Sequence[Convolution]
    trunks: Mapping[str, Sequence[Dense]]
    heads: Mapping[str, Dense]
    num_discrete: int
    mean: np.ndarray | None
    scale: np.ndarray | None
    cells: Mapping[str, LSTM | GRU] = {}

    def __call__(self, obs: np.ndarray) -> dict[str, np.ndarray]:
        return self._answers(self._hidden(obs))

    def step(self, obs: np.ndarray, state: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Returns the heads and the [N, S] state after a step, of a network with memory."""
        hidden = self._hidden(obs)
        before = np.split(state, len(self.cells), -1)
        after = [cell(hidden[name], part) for (name, cell), part in zip(self.cells.items(), before, strict=True)]
        outputs = {name: part[:, : cell.units] for (name, cell), part in zip(self.cells.items(), after, strict=True)}
        return self._answers(outputs), np.concatenate(after, -1)

    def _hidden(self, obs: np.ndarray) -> dict[str, np.ndarray]:
        x = self._encoded(obs)
        hidden = {}
        for name, layers in self.trunks.items():
            h = x
            for layer in layers:
                h = layer(h)
            hidden[name] = h
        return hidden

    def _answers(self, hidden: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: head(hidden[name if name in hidden else ""]) for name, head in self.heads.items()}

    def _encoded(self, obs: np.ndarray) -> np.ndarray:
        """Returns [N, inputs] float32: what the dense layers see."""
        if self.num_discrete:
            return np.eye(self.num_discrete, dtype=np.float32)[obs]
        if self.convolutions:
            x = np.ascontiguousarray(obs.transpose(0, 2, 3, 1))
            for convolution in self.convolutions:
                x = convolution(x)
            return x.reshape(len(x), -1)
        x = obs
        if x.ndim != 2 or x.dtype != np.float32:
            x = x.reshape(len(obs), -1).astype(np.float32)
        if obs.dtype == np.uint8 and obs.ndim == 4:
            x /= 255.0
        if self.mean is not None:
            x = np.clip((x - self.mean) * self.scale, -CLIP_NORMALISED, CLIP_NORMALISED)
        return x
