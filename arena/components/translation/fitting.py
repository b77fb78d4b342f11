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
            losses, smoothed = cross_entropies(logits, following, plan.label_smoothing)
            is_word = tf.cast(batching.mask(target), tf.float32)
            num = tf.reduce_sum(is_word)
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


def cross_entropies(logits: Any, targets: Any, smoothing: float) -> tuple[Any, Any]:
    """Returns the nats [B, S] of targets [B, S], given logits [B, S, V]; without smoothing, and with it.

    The gradient, of the second alone, is written out: with thousands of words TensorFlow's takes several times as long.

    Source: Szegedy et al. (2016), "Rethinking the inception architecture for computer vision", section 7.
    """
    tf = neural.tensorflow()

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def computed(logits: Any) -> Any:
        size = tf.shape(logits)[-1]
        flat, numbers = tf.reshape(logits, [-1, size]), tf.reshape(targets, [-1])
        places = tf.stack([tf.range(tf.size(numbers)), numbers], 1)
        probabilities = tf.nn.softmax(flat)
        nats = -tf.math.log(tf.maximum(tf.gather_nd(probabilities, places), 1e-30))
        spread = smoothing * (tf.gather_nd(flat, places) - tf.reduce_mean(flat, -1))

        def gradient(_: Any, of_smoothed: Any) -> Any:
            weights = tf.reshape(of_smoothed, [-1])
            found = (probabilities - smoothing / tf.cast(size, tf.float32)) * weights[:, None]
            found = tf.tensor_scatter_nd_sub(found, places, (1 - smoothing) * weights)
            return tf.reshape(found, tf.shape(logits))

        return (tf.reshape(nats, tf.shape(targets)), tf.reshape(nats + spread, tf.shape(targets))), gradient

    found: tuple[Any, Any] = computed(logits)
    return found
