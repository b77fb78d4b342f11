"""Recurrent cells: one step in TensorFlow and in NumPy, and whole sequences with episodes that begin inside them.

The state of a cell is one array of a row: [h | c] of an LSTM (Hochreiter & Schmidhuber 1997, "Long short-term memory",
with the forget gate of Gers et al. 2000, "Learning to forget"), h of a GRU (Cho et al. 2014, "Learning phrase
representations using RNN encoder-decoder", the reset gate after the product). Its first part is the cell's output.
Gates stand side by side in the kernels, as in Keras: input, forget, candidate, output; update, reset, candidate.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from agents.parts.tensorflow import load

#: Kinds of cells, and how many arrays of `units` their state is.
CELLS = {"lstm": 2, "gru": 1}
_GATES = {"lstm": 4, "gru": 3}


def lstm_step(projected: Any, state: Any, recurrent_kernel: Any) -> Any:
    """Returns the [N, 2 units] state after a step.

    Args:
      projected: [N, 4 units], the input through the kernel, with the bias.
      state: [N, 2 units], h and c.
      recurrent_kernel: [units, 4 units].
    """
    tf = load()
    h, c = tf.split(state, 2, -1)
    entry, forget, candidate, output = tf.split(projected + tf.matmul(h, recurrent_kernel), 4, -1)
    c = tf.sigmoid(forget) * c + tf.sigmoid(entry) * tf.tanh(candidate)
    return tf.concat([tf.sigmoid(output) * tf.tanh(c), c], -1)


def gru_step(projected: Any, state: Any, recurrent_kernel: Any, recurrent_bias: Any) -> Any:
    """Returns the [N, units] state after a step.

    Args:
      projected: [N, 3 units], the input through the kernel, with the bias.
      state: [N, units].
      recurrent_kernel: [units, 3 units].
      recurrent_bias: [3 units].
    """
    tf = load()
    update, reset, candidate = tf.split(projected, 3, -1)
    from_update, from_reset, from_candidate = tf.split(tf.matmul(state, recurrent_kernel) + recurrent_bias, 3, -1)
    update = tf.sigmoid(update + from_update)
    candidate = tf.tanh(candidate + tf.sigmoid(reset + from_reset) * from_candidate)
    return update * state + (1.0 - update) * candidate


def first_bias(kind: str, units: int, span: int, seed: int) -> np.ndarray:
    """Returns the bias with which a cell begins.

    An LSTM's forget gate begins open (Jozefowicz et al. 2015, "An empirical exploration of recurrent network
    architectures"), so that half is left after two steps. With a `span` of at least 3 each unit begins by remembering
    for about as many steps as it draws, uniformly from 1 to span - 1, and takes in as little at a time (Tallec &
    Ollivier 2018, "Can recurrent neural networks warp time?", section 2).
    """
    bias = np.zeros((_GATES[kind], units), np.float32)
    kept = np.log(np.random.default_rng(seed).uniform(1.0, span - 1.0, units)) if span > 2 else 1.0
    if kind == "lstm":
        bias[1] = kept
        bias[0] = -kept if span > 2 else 0.0
    elif span > 2:
        bias[0] = kept
    return bias.ravel()


def new_cell(kind: str, units: int, kernel_initializer: Any, seed: int, span: int = 0, name: str | None = None) -> Any:
    """Returns a Keras layer that is a cell: of inputs [N, F] and a state it makes the state after a step.

    Its unroll() takes sequences. The recurrent kernel begins orthogonal; for `span` see first_bias().
    """
    tf = load()
    import keras

    step = {"lstm": lstm_step, "gru": gru_step}[kind]
    width = _GATES[kind] * units

    def bias(shape: Any, dtype: Any = None) -> Any:
        return first_bias(kind, units, span, seed)

    class Cell(keras.layers.Layer):  # type: ignore[misc]
        def build(self, input_shape: Any, *_: Any) -> None:
            orthogonal = keras.initializers.Orthogonal(seed=seed)
            self.kernel = self.add_weight(shape=(input_shape[-1], width), initializer=kernel_initializer, name="kernel")
            self.bias = self.add_weight(shape=(width,), initializer=bias, name="bias")
            recurrent = {"recurrent_kernel": ((units, width), orthogonal)}
            if kind == "gru":
                recurrent["recurrent_bias"] = ((width,), "zeros")
            self.recurrent = [
                self.add_weight(shape=shape, initializer=start, name=name) for name, (shape, start) in recurrent.items()
            ]

        def call(self, x: Any, state: Any) -> Any:
            recurrent = [tf.convert_to_tensor(variable) for variable in self.recurrent]
            return step(tf.matmul(x, self.kernel) + self.bias, state, *recurrent)

        def unroll(self, x: Any, state: Any, begins: Any) -> Any:
            """Returns the states [T, N, S] after the steps of [T, N, F] inputs; see unrolled()."""
            recurrent = [tf.convert_to_tensor(variable) for variable in self.recurrent]
            return scan(tf.tensordot(x, self.kernel, 1) + self.bias, state, begins, *recurrent)

    def scan(projected: Any, state: Any, begins: Any, *recurrent: Any) -> Any:
        return unrolled(lambda x, before: step(x, before, *recurrent), projected, state, begins)

    scan = tf.function(scan, jit_compile=True, autograph=False)
    return Cell(name=name)


def unrolled(step: Any, x: Any, state: Any, begins: Any) -> Any:
    """Returns the states after the steps of a sequence.

    Where an episode begins, the state is zero whatever came before: nothing leaks from one episode into the next, nor
    does a gradient flow back.

    Args:
      step: a state from [N, F] inputs and the state before.
      x: [T, N, F].
      state: [N, S] before the first step.
      begins: [T, N] bool, the steps that are the first of their episodes.

    Returns:
      [T, N, S].
    """
    tf = load()
    length, rows, size = x.shape[0], *state.shape
    keeps = tf.cast(tf.logical_not(begins), state.dtype)

    def body(t: Any, state: Any, states: Any) -> tuple[Any, Any, Any]:
        state = step(x[t], state * keeps[t][:, None])
        return t + 1, state, states.write(t, state)

    states = tf.TensorArray(state.dtype, length, element_shape=(rows, size))
    start = (tf.constant(0), state, states)
    *_, states = tf.while_loop(lambda t, *_: t < length, body, start, maximum_iterations=length)
    return states.stack()


class LSTM(NamedTuple):
    """An LSTM in NumPy: [inputs, 4 units], [4 units], [units, 4 units]."""

    kernel: np.ndarray
    bias: np.ndarray
    recurrent_kernel: np.ndarray

    @property
    def units(self) -> int:
        """How much of a state is output."""
        return len(self.recurrent_kernel)

    def __call__(self, x: np.ndarray, state: np.ndarray) -> np.ndarray:
        """Returns the [N, 2 units] state after a step."""
        units = self.units
        gates = x @ self.kernel
        gates += state[:, :units] @ self.recurrent_kernel
        gates += self.bias
        candidate = np.tanh(gates[:, 2 * units : 3 * units])
        entry, forget, _, output = np.split(_sigmoid(gates), 4, -1)
        after = np.empty_like(state)
        c = after[:, units:]
        np.multiply(forget, state[:, units:], out=c)
        c += entry * candidate
        np.multiply(output, np.tanh(c), out=after[:, :units])
        return after


class GRU(NamedTuple):
    """A GRU in NumPy: [inputs, 3 units], [3 units], [units, 3 units], [3 units]."""

    kernel: np.ndarray
    bias: np.ndarray
    recurrent_kernel: np.ndarray
    recurrent_bias: np.ndarray

    @property
    def units(self) -> int:
        """How much of a state is output: all of it."""
        return len(self.recurrent_kernel)

    def __call__(self, x: np.ndarray, state: np.ndarray) -> np.ndarray:
        """Returns the [N, units] state after a step."""
        units = self.units
        projected = x @ self.kernel + self.bias
        recurrent = state @ self.recurrent_kernel + self.recurrent_bias
        gates = _sigmoid(projected[:, : 2 * units] + recurrent[:, : 2 * units])
        update, reset = gates[:, :units], gates[:, units:]
        candidate = np.tanh(projected[:, 2 * units :] + reset * recurrent[:, 2 * units :])
        after: np.ndarray = candidate + update * (state - candidate)
        return after


def _sigmoid(x: np.ndarray) -> np.ndarray:
    """Returns 1 / (1 + exp(-x)), without overflow."""
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * x))


NUMPY_CELLS = {"lstm": LSTM, "gru": GRU}
