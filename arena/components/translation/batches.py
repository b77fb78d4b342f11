"""Batches of sentences of about the same length, by tf.data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from arena.components import neural
from arena.components.translation.vocabulary import END, START

_BUCKET = 3  # words by which the lengths in a bucket may differ


class Batches(NamedTuple):
    """Batches without end.

    Attributes:
      dataset: of tf.data; source [B, T], target from START on [B, S], and what follows each word of it [B, S], int32.
      num: how many make up a pass over all pairs.
    """

    dataset: Any
    num: int


def bucketed(
    sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]], batch_size: int, max_length: int, seed: int
) -> Batches:
    """Returns batches of pairs of like length, in another order in every pass.

    What is shorter than the longest of a batch is filled up with END: see mask().

    Args:
      sources: [N] sentences, the numbers of their words.
      targets: [N] their translations.
      batch_size: pairs in a batch; the last one of a bucket has fewer.
      max_length: pairs with a longer sentence are left out. At least one pair must be left.
      seed: of the orders.
    """
    tf = neural.tensorflow()
    pairs = [(s, t) for s, t in zip(sources, targets, strict=True) if 0 < max(len(s), len(t)) <= max_length]
    lengths = np.array([max(len(s), len(t)) for s, t in pairs])
    boundaries = list(range(_BUCKET + 1, max_length + 1, _BUCKET))
    source, target = (tf.ragged.constant([pair[side] for pair in pairs], dtype=tf.int32) for side in (0, 1))

    def one_pass(number: Any) -> Any:
        order = tf.random.experimental.stateless_shuffle(tf.range(len(pairs)), [seed, number])
        return (
            tf.data.Dataset.from_tensor_slices(order)
            .map(lambda k: (source[k], target[k]))
            .bucket_by_sequence_length(
                lambda source, target: tf.maximum(tf.size(source), tf.size(target)),
                boundaries,
                [batch_size] * (len(boundaries) + 1),
                padded_shapes=([None], [None]),
                padding_values=END,
            )
        )

    dataset = tf.data.Dataset.counter(dtype=tf.int32).flat_map(one_pass).map(_with_shifted).prefetch(2)
    counts = np.bincount(np.searchsorted(boundaries, lengths, side="right"))
    return Batches(dataset, int(np.sum(-(-counts // batch_size))))


def _with_shifted(source: Any, target: Any) -> tuple[Any, Any, Any]:
    tf = neural.tensorflow()
    column = tf.ones_like(target[:, :1])
    return source, tf.concat([START * column, target], 1), tf.concat([target, END * column], 1)


def mask(target: Any) -> Any:
    """Returns which of the words of targets from START on [B, S] are followed by something that is to be learned."""
    return target != END
