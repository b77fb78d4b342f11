"""Gradient descent on examples that are all at hand: a whole epoch is one compiled call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pydantic

from arena.components import base, neural
from arena.seeding import derived_seed

_MANY_STEPS = 1_000

Objective = Callable[..., Mapping[str, Any]]
Prepare = Callable[..., Sequence[Any]]


class DescentSettings(base.Settings):
    """Settings of a fit by gradient descent.

    Attributes:
      epochs: passes over the examples.
      batch_size: examples that make one step.
      learning_rate: of Adam; it falls to zero along half a cosine.
    """

    epochs: pydantic.PositiveInt = 20
    batch_size: pydantic.PositiveInt = 128
    learning_rate: pydantic.PositiveFloat = 1e-3


def epochs(
    objective: Objective,
    variables: Sequence[Any],
    examples: Sequence[np.ndarray],
    settings: DescentSettings,
    stream: str,
    prepare: Prepare = lambda seed, *batch: batch,
    num_epochs: int | None = None,
    is_fused: bool = True,
) -> Iterator[dict[str, float]]:
    """Lowers an objective; yields after every epoch the means of its values over that epoch.

    Every epoch takes the examples in a new order, and leaves out those that would make a batch of less than
    batch_size.

    Args:
      objective: from what `prepare` returns to named scalars; the one called "loss" is lowered.
      variables: of Keras, which are changed.
      examples: arrays of N examples each, such as inputs and labels; batches are cut from all of them alike.
      settings: how far and how fast.
      stream: name of the descent's randomness.
      prepare: from a seed, [2] int32 and new in each step, and the batches to what the objective takes: noise, say. It
        stays out of XLA, whose random numbers are 20 times slower.
      num_epochs: another number than the settings'.
      is_fused: XLA fuses the steps, where these are many. It takes a third off the time of small dense layers, but
        takes seconds to compile; convolutions and large layers are much slower with it.

    Source: Kingma & Ba (2015), "Adam"; Loshchilov & Hutter (2017), "SGDR", for the cosine, here without restarts.
    """
    tf = neural.tensorflow()
    import keras

    num_epochs = settings.epochs if num_epochs is None else num_epochs
    num = len(examples[0])
    batch_size = min(settings.batch_size, num)
    num_steps = num // batch_size
    variables = list(variables)
    rate = keras.optimizers.schedules.CosineDecay(settings.learning_rate, max(1, num_epochs * num_steps))
    optimizer = keras.optimizers.Adam(rate)
    optimizer.build(variables)
    at_hand = [tf.constant(array) for array in examples]
    root = derived_seed(settings.seed, stream)

    def update(*prepared: Any) -> Mapping[str, Any]:
        with tf.GradientTape() as tape:
            values = objective(*prepared)
        optimizer.apply(tape.gradient(values["loss"], variables), variables)
        return values

    is_worth_fusing = is_fused and num_epochs * num_steps >= _MANY_STEPS
    compiled_update = tf.function(update, autograph=False, jit_compile=is_worth_fusing)

    def step(chosen: Any, seed: Any) -> Mapping[str, Any]:
        values: Mapping[str, Any] = compiled_update(*prepare(seed, *(tf.gather(array, chosen) for array in at_hand)))
        return values

    def epoch(number: Any) -> Mapping[str, Any]:
        order = tf.random.experimental.stateless_shuffle(tf.range(num), [root, number])
        chosen = tf.reshape(order[: num_steps * batch_size], [num_steps, batch_size])
        seeds = tf.random.stateless_uniform([num_steps, 2], [root, -1 - number], None, None, tf.int32)

        def following(k: Any, totals: Mapping[str, Any]) -> tuple[Any, Mapping[str, Any]]:
            values = step(chosen[k], seeds[k])
            return k + 1, {name: totals[name] + values[name] for name in totals}

        first = step(chosen[0], seeds[0])
        _, totals = tf.while_loop(lambda k, _: k < num_steps, following, (1, first), parallel_iterations=1)
        return {name: total / num_steps for name, total in totals.items()}

    compiled = tf.function(epoch, autograph=False).get_concrete_function(tf.TensorSpec([], tf.int32))
    for number in range(num_epochs):
        yield {name: float(value) for name, value in compiled(tf.constant(number)).items()}
