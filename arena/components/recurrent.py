"""Recurrent layers: an LSTM for training over whole sequences, in TensorFlow, and single steps in NumPy.

Weights are in the layout of Keras: a kernel [F, 4U], a recurrent kernel [U, 4U] and a bias [4U] of an LSTM, its gates
input, forget, candidate and output side by side; [F, 3U], [U, 3U] and [2, 3U] of a GRU with reset_after, its gates
update, reset and candidate. So they are interchangeable with keras.layers.LSTM and keras.layers.GRU.

Sources: Hochreiter & Schmidhuber (1997), "Long short-term memory", with the forget gate of Gers et al. (2000); Cho et
al. (2014), "Learning phrase representations using RNN encoder-decoder", for the GRU.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from arena.components import neural
from arena.components.activations import sigmoid
from arena.seeding import derived_seed

Weights = Mapping[str, np.ndarray]


def lstm(projected: Any, hidden: Any, cell: Any, recurrent_kernel: Any) -> tuple[Any, Any]:
    """Returns what an LSTM layer makes of a sequence, ready for a gradient tape: hidden states and cells [T, B, U].

    The gradient is written out: what does not depend on the step after is computed of all steps at once, that of the
    recurrent kernel as one matrix product.

    Args:
      projected: [T, B, 4U] float32, the inputs through the kernel, with the bias.
      hidden: [B, U] before the first step.
      cell: [B, U] before the first step.
      recurrent_kernel: [U, 4U] tensor.
    """
    tf = neural.tensorflow()

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def layer(projected: Any, hidden: Any, cell: Any, kernel: Any) -> Any:
        gates, hiddens, cells = _forwards(projected, hidden, cell, kernel)

        def gradient(of_hiddens: Any, of_cells: Any) -> tuple[Any, Any, Any, Any]:
            hiddens_before = tf.concat([hidden[None], hiddens[:-1]], 0)
            cells_before = tf.concat([cell[None], cells[:-1]], 0)
            of_projected, of_hidden, of_cell = _backwards(gates, cells, cells_before, kernel, of_hiddens, of_cells)
            units, width = kernel.shape
            of_kernel = tf.matmul(
                tf.reshape(hiddens_before, [-1, units]), tf.reshape(of_projected, [-1, width]), transpose_a=True
            )
            return of_projected, of_hidden, of_cell, of_kernel

        return (hiddens, cells), gradient

    found: tuple[Any, Any] = layer(projected, hidden, cell, recurrent_kernel)
    return found


def lstm_layer(units: int, name: str, seed: int, *, go_backwards: bool = False) -> Any:
    """Returns a keras.layers.LSTM that computes by lstm(), several times as fast.

    Called with [B, T, F] it returns hidden states [B, T, U], each where its input is (Keras reverses those of one that
    goes backwards), and the last hidden state and cell, [B, U]. A mask [B, T] is true up to a sequence's end: there it
    ends, or begins if it goes backwards. What stands beyond it means nothing.
    """
    tf = neural.tensorflow()
    import keras

    class LSTM(keras.layers.LSTM):  # type: ignore[misc]
        """As the one that it is made of."""

        supports_jit = False  # XLA wants to know how long sequences are

        def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
            size, length = tf.shape(sequences)[0], tf.shape(sequences)[1]
            lengths = tf.fill([size], length) if mask is None else tf.reduce_sum(tf.cast(mask, tf.int32), 1)
            start = tf.zeros([size, self.units])
            hidden, cell = (start, start) if initial_state is None else initial_state
            ordered = tf.reverse_sequence(sequences, lengths, 1) if self.go_backwards else sequences
            projected = tf.tensordot(tf.transpose(ordered, [1, 0, 2]), self.cell.kernel, 1) + self.cell.bias
            hiddens, cells = lstm(projected, hidden, cell, tf.convert_to_tensor(self.cell.recurrent_kernel))
            ends = tf.stack([tf.maximum(lengths - 1, 0), tf.range(size)], 1)
            outputs = tf.transpose(hiddens, [1, 0, 2])
            if self.go_backwards:
                outputs = tf.reverse_sequence(outputs, lengths, 1)
            return outputs, tf.gather_nd(hiddens, ends), tf.gather_nd(cells, ends)

    return LSTM(
        units,
        kernel_initializer=keras.initializers.GlorotUniform(derived_seed(seed, f"{name} kernel")),
        recurrent_initializer=keras.initializers.Orthogonal(seed=derived_seed(seed, f"{name} recurrent kernel")),
        return_sequences=True,
        return_state=True,
        go_backwards=go_backwards,
        name=name,
    )


def step_of(layer: Any, x: Any, hidden: Any, cell: Any) -> tuple[Any, Any]:
    """Returns hidden state and cell [B, U] after a step of a lstm_layer() with x [B, F], for Keras models of one."""
    layer.build((None, 1, x.shape[-1]))
    layer.cell.name = f"{layer.name}_cell"  # names of operations must differ; those of the weights stay
    _, (hidden, cell) = layer.cell(x, [hidden, cell])
    return hidden, cell


def _forwards(projected: Any, hidden: Any, cell: Any, kernel: Any) -> tuple[Any, Any, Any]:
    """Returns the gates' activations [T, B, 4U], hidden states and cells [T, B, U]."""
    tf = neural.tensorflow()
    length = tf.shape(projected)[0]

    def step(t: Any, hidden: Any, cell: Any, *found: Any) -> Any:
        sums = projected[t] + tf.matmul(hidden, kernel)
        entry, forget, candidate, output = tf.split(sums, 4, -1)
        entry, forget = tf.sigmoid(entry), tf.sigmoid(forget)
        candidate, output = tf.tanh(candidate), tf.sigmoid(output)
        cell = forget * cell + entry * candidate
        hidden = output * tf.tanh(cell)
        gates = tf.concat([entry, forget, candidate, output], -1)
        new = (gates, hidden, cell)
        return t + 1, hidden, cell, *(array.write(t, one) for array, one in zip(found, new, strict=True))

    arrays = [tf.TensorArray(tf.float32, length) for _ in range(3)]
    *_, gates, hiddens, cells = tf.while_loop(
        lambda t, *_: t < length, step, (0, hidden, cell, *arrays), parallel_iterations=1
    )
    return gates.stack(), hiddens.stack(), cells.stack()


def _backwards(
    gates: Any, cells: Any, cells_before: Any, kernel: Any, of_hiddens: Any, of_cells: Any
) -> tuple[Any, Any, Any]:
    """Returns the gradients of the projected inputs [T, B, 4U], and of the first hidden state and cell [B, U]."""
    tf = neural.tensorflow()
    entry, forget, candidate, output = tf.split(gates, 4, -1)
    shown = tf.tanh(cells)
    through_cell = output * (1 - shown * shown)
    factors = tf.concat(
        [
            candidate * entry * (1 - entry),
            cells_before * forget * (1 - forget),
            entry * (1 - candidate * candidate),
            shown * output * (1 - output),
        ],
        -1,
    )

    def step(t: Any, of_hidden: Any, of_cell: Any, found: Any) -> Any:
        of_hidden += of_hiddens[t]
        of_cell += of_cells[t] + of_hidden * through_cell[t]
        of_sums = tf.concat([of_cell, of_cell, of_cell, of_hidden], -1) * factors[t]
        return t - 1, tf.matmul(of_sums, kernel, transpose_b=True), of_cell * forget[t], found.write(t, of_sums)

    length = tf.shape(gates)[0]
    start = (length - 1, tf.zeros_like(cells[0]), tf.zeros_like(cells[0]), tf.TensorArray(tf.float32, length))
    _, of_hidden, of_cell, found = tf.while_loop(lambda t, *_: t >= 0, step, start, parallel_iterations=1)
    return found.stack(), of_hidden, of_cell


def lstm_step(projected: np.ndarray, state: np.ndarray, recurrent_kernel: np.ndarray) -> np.ndarray:
    """Returns the state [N, 2U], hidden and cell side by side, after a step of an LSTM.

    Args:
      projected: [N, 4U], the inputs through the kernel, with the bias; it is overwritten.
      state: [N, 2U] before.
      recurrent_kernel: [U, 4U].
    """
    units = len(recurrent_kernel)
    projected += state[:, :units] @ recurrent_kernel
    candidate = np.tanh(projected[:, 2 * units : 3 * units])
    entry, forget, _, output = np.split(sigmoid(projected), 4, -1)
    after = np.empty_like(state)
    cell = after[:, units:]
    np.multiply(forget, state[:, units:], out=cell)
    cell += entry * candidate
    np.multiply(output, np.tanh(cell), out=after[:, :units])
    return after


def gru_step(projected: np.ndarray, hidden: np.ndarray, recurrent_kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    """Returns the hidden state [N, U] after a step of a GRU with reset_after.

    Args:
      projected: [N, 3U], the inputs through the kernel, with the first row of the bias.
      hidden: [N, U] before.
      recurrent_kernel: [U, 3U].
      bias: [3U], of the recurrent kernel: the second row of the bias.
    """
    units = len(recurrent_kernel)
    recurrent = hidden @ recurrent_kernel + bias
    update, reset = np.split(sigmoid(projected[:, : 2 * units] + recurrent[:, : 2 * units]), 2, -1)
    candidate = np.tanh(projected[:, 2 * units :] + reset * recurrent[:, 2 * units :])
    after: np.ndarray = candidate + update * (hidden - candidate)
    return after
