"""A network learns translations that are known: compiled steps over batches of tf.data."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from arena.components import neural
from arena.components.translation import batches as batching
from arena.components.translation.batches import Batches
from arena.components.translation.vocabulary import END

_STEPS = 20  # in one call


class Plan(NamedTuple):
    """How a network is to learn.

    Attributes:
      epochs: passes over the pairs.
      learning_rate: of Adam, at first; it falls to zero along half a cosine.
      clip_norm: the largest norm of all gradients together.
      label_smoothing: the share of a word's probability that is spread over all words.
    """

    epochs: int
    learning_rate: float
    clip_norm: float
    label_smoothing: float


class Progress(NamedTuple):
    """What was done since the last one.

    Attributes:
      step: steps done since the beginning.
      num_steps: how many there will be.
      ends_epoch: all pairs have been seen as often.
      loss: cross-entropy in nats a word, without smoothing, with dropout.
      words_per_s: of both languages.
    """

    step: int
    num_steps: int
    ends_epoch: bool
    loss: float
    words_per_s: float


def steps(model: Any, batches: Batches, plan: Plan) -> Iterator[Progress]:
    """Trains a network of arena.components.translation.network; yields every 20 steps, and after every epoch."""
    tf = neural.tensorflow()
    import keras

    variables, num_steps = model.trainable_variables, plan.epochs * batches.num
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(plan.learning_rate, num_steps))
    optimizer.build(variables)

    def step(source: Any, target: Any, following: Any) -> Any:
        """Changes the weights; returns the sum of the losses, how many they are, and the words of both languages."""
        with tf.GradientTape() as tape:
            logits = model([source, target], training=True)["logits"]
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(following, logits)
            is_word = tf.cast(batching.mask(target), tf.float32)
            num = tf.reduce_sum(is_word)
            chosen = tf.gather(logits, following, batch_dims=2)
            smoothed = losses + plan.label_smoothing * (chosen - tf.reduce_mean(logits, -1))
            loss = tf.reduce_sum(smoothed * is_word) / num
        gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, variables), plan.clip_norm)
        optimizer.apply(gradients, variables)
        read = tf.reduce_sum(tf.cast(source != END, tf.float32))
        written = num - tf.cast(tf.shape(source)[0], tf.float32)
        return tf.stack([tf.reduce_sum(losses * is_word), num, read + written])

    @tf.function  # type: ignore[untyped-decorator]
    def run(iterator: Any, num: Any) -> Any:
        total = tf.zeros(3)
        for _ in tf.range(num):
            total += step(*next(iterator))
        return total

    iterator, done = iter(batches.dataset), 0
    while done < num_steps:
        num = min(_STEPS, batches.num - done % batches.num)
        start_s = time.perf_counter()
        loss, num_losses, num_words = run(iterator, tf.constant(num)).numpy().tolist()
        done += num
        speed = num_words / (time.perf_counter() - start_s)
        yield Progress(done, num_steps, done % batches.num == 0, loss / num_losses, speed)
