"""How a network learns to write a text on: compiled steps over characters that are all at hand."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from arena.components import neural, recurrent
from arena.seeding import derived_seed, generator

_STEPS = 20  # in one call
_WARM_UP = 200  # steps in which the learning rate rises
_JUDGING_ROWS = 64


class Plan(NamedTuple):
    """How a network is to learn; see arena.components.char_rnn.CharRNNSettings."""

    method: str
    epochs: int
    batch_size: int
    unroll: int
    stride: int
    dropout: float
    learning_rate: float
    clip_norm: float
    seed: int


class Progress(NamedTuple):
    """What was done since the last one.

    Attributes:
      step: done since the beginning.
      loss: nats per character, with dropout.
      characters_per_s: that were learned from.
    """

    step: int
    loss: float
    characters_per_s: float


def starts(plan: Plan, num: int, epoch: int) -> np.ndarray:
    """Returns [K, B] int32: where in a text of `num` characters the sequences of every step of an epoch begin.

    carried: each row goes on where it was; the B rows share the text out among them, from another place in each epoch.
    sequences: every stride-th place, in random order.
    """
    rng = generator(plan.seed, f"char-rnn epoch {epoch}")
    length = min(plan.unroll, num - 1)
    if plan.method == "sequences":
        places = rng.permutation(np.arange(0, num - length, plan.stride, dtype=np.int32))
        rows = min(plan.batch_size, len(places))
        return places[: len(places) // rows * rows].reshape(-1, rows)
    rows = max(1, min(plan.batch_size, (num - 1) // length))
    share = (num - 1) // rows
    offset = int(rng.integers(share % length + 1))
    return (offset + np.arange(rows) * share + np.arange(share // length)[:, None] * length).astype(np.int32)


class Learner:
    """Trains a Keras model of arena.components.char_rnn.

    Args:
      model: whose weights are changed.
      text: [N] int32, the characters' numbers.
      plan: how.
    """

    def __init__(self, model: Any, text: np.ndarray, plan: Plan) -> None:
        tf = neural.tensorflow()
        import keras

        self._plan, self._model, self._num = plan, model, len(text)
        self._length = min(plan.unroll, len(text) - 1)
        self._variables = model.trainable_variables
        self._optimizer = keras.optimizers.Adam(plan.learning_rate)
        self._optimizer.build(self._variables)
        self._root = derived_seed(plan.seed, "char-rnn dropout")
        self._text = tf.constant(text)
        self._layers = [layer for layer in model.layers if isinstance(layer, keras.layers.LSTM)]
        specs = [tf.TensorSpec([None, None], tf.int32), tf.TensorSpec([2 * len(self._layers), None, None], tf.float32)]
        self._compiled = tf.function(self._steps, input_signature=specs, autograph=False)
        self._judging = tf.function(self._judge, autograph=False, reduce_retracing=True)

    def steps(self) -> Iterator[Progress]:
        """Learns; yields after every 20 steps."""
        plan, done = self._plan, 0
        for epoch in range(plan.epochs):
            table = starts(plan, self._num, epoch)
            state = self._no_state(table.shape[1])
            for first in range(0, len(table), _STEPS):
                chunk = table[first : first + _STEPS]
                start_s = time.perf_counter()
                self._optimizer.learning_rate.assign(self._rate(done, plan.epochs * len(table)))
                total, state = self._compiled(chunk, state)
                loss = float(total) / len(chunk)
                done += len(chunk)
                speed = chunk.size * self._length / (time.perf_counter() - start_s)
                yield Progress(done, loss, speed)

    def judge(self, text: np.ndarray) -> float:
        """Returns the nats per character of another text, [N] int32, read in 64 parts side by side."""
        plan = self._plan._replace(method="carried", batch_size=_JUDGING_ROWS)
        table, total = starts(plan, len(text), 0), 0.0
        state = self._no_state(table.shape[1])
        for row in table:
            places = row + np.arange(min(plan.unroll, len(text) - 1))[:, None]
            loss, state = self._judging(text[places], text[places + 1], state)
            total += float(loss)
        return total / len(table)

    def _rate(self, step: int, num_steps: int) -> float:
        rising = min(1.0, (step + 1) / _WARM_UP)
        return self._plan.learning_rate * rising * 0.5 * (1 + math.cos(math.pi * step / num_steps))

    def _no_state(self, rows: int) -> Any:
        return np.zeros((2 * len(self._layers), rows, self._layers[0].units), np.float32)

    def _steps(self, table: Any, state: Any) -> tuple[Any, Any]:
        """Returns the sum of the losses of as many steps as there are rows in [K, B] starts, and the state after."""
        tf = neural.tensorflow()

        def body(k: Any, total: Any, state: Any) -> tuple[Any, Any, Any]:
            loss, after = self._step(table[k], state)
            return k + 1, total + loss, after if self._plan.method == "carried" else state

        shapes = (tf.TensorShape([]), tf.TensorShape([]), tf.TensorShape([2 * len(self._layers), None, None]))
        _, total, state = tf.while_loop(
            lambda k, *_: k < tf.shape(table)[0], body, (0, 0.0, state), shapes, parallel_iterations=1
        )
        return total, state

    def _step(self, places: Any, state: Any) -> tuple[Any, Any]:
        tf = neural.tensorflow()
        places = places + tf.range(self._length)[:, None]
        inputs, targets = tf.gather(self._text, places), tf.gather(self._text, places + 1)
        with tf.GradientTape() as tape:
            losses, after = self._losses(inputs, targets, state, self._plan.dropout)
            loss = tf.reduce_mean(losses if self._plan.method == "carried" else losses[-1])
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, self._variables), self._plan.clip_norm)
        self._optimizer.apply(gradients, self._variables)
        return loss, after

    def _judge(self, inputs: Any, targets: Any, state: Any) -> tuple[Any, Any]:
        tf = neural.tensorflow()
        losses, after = self._losses(inputs, targets, state, 0.0)
        return tf.reduce_mean(losses), after

    def _losses(self, inputs: Any, targets: Any, state: Any, dropout: float) -> tuple[Any, Any]:
        """Returns the nats [T, B] of targets, and the state [2L, B, U] after the sequences."""
        tf = neural.tensorflow()
        embedding, output = (self._model.get_layer(name) for name in ("embedding", "output"))
        x: Any = None
        after: list[Any] = []
        for k, layer in enumerate(self._layers):
            kernel, recurrent_kernel, bias = (tf.convert_to_tensor(weight) for weight in layer.trainable_variables)
            if k:
                projected = tf.tensordot(self._dropped(x, dropout, k), kernel, 1) + bias
            else:  # a table of what each character adds to the gates
                projected = tf.gather(tf.matmul(tf.convert_to_tensor(embedding.embeddings), kernel) + bias, inputs)
            x, cells = recurrent.lstm(projected, state[2 * k], state[2 * k + 1], recurrent_kernel)
            after += [x[-1], cells[-1]]
        x = self._dropped(x, dropout, len(self._layers))
        logits = tf.tensordot(x, tf.convert_to_tensor(output.kernel), 1) + output.bias
        return tf.nn.sparse_softmax_cross_entropy_with_logits(targets, logits), tf.stack(after)

    def _dropped(self, x: Any, rate: float, number: int) -> Any:
        if not rate:
            return x
        tf = neural.tensorflow()
        seed = tf.stack([self._root + number, tf.cast(self._optimizer.iterations, tf.int32)])
        return tf.nn.experimental.stateless_dropout(x, rate, seed, rng_alg="philox")
