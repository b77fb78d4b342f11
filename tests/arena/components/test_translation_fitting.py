"""Learning translations: the loss, and batches of like length."""

import numpy as np

from arena.components import neural
from arena.components.translation import batches, fitting
from arena.components.translation.vocabulary import END, START


def test_the_loss_and_its_gradient_are_those_of_the_definition():
    tf = neural.tensorflow()
    rng = np.random.default_rng(0)
    logits, targets = tf.constant(rng.normal(size=(2, 3, 5)), tf.float32), rng.integers(5, size=(2, 3)).astype(np.int32)
    weights = rng.random((2, 3)).astype(np.float32)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        nats, smoothed = fitting.cross_entropies(logits, targets, 0.1)
        mine = tf.reduce_sum(weights * smoothed)
        log_probs = tf.nn.log_softmax(logits)
        wanted = 0.9 * tf.one_hot(targets, 5) + 0.1 / 5
        expected = tf.reduce_sum(weights * -tf.reduce_sum(wanted * log_probs, -1))
    np.testing.assert_allclose(mine, expected, rtol=1e-5)
    np.testing.assert_allclose(nats, -tf.gather(log_probs, targets, batch_dims=2), atol=1e-5)
    np.testing.assert_allclose(tape.gradient(mine, logits), tape.gradient(expected, logits), atol=1e-6)


def test_batches_hold_every_pair_once_among_others_of_like_length():
    sources = [[5] * length for length in range(1, 13)]
    targets = [[6] * length for length in range(12, 0, -1)]
    found = batches.bucketed(sources, targets, batch_size=3, max_length=11, seed=0)
    lengths = []
    for source, target, following in found.dataset.take(found.num):
        assert len(source) <= 3
        assert (target[:, 0] == START).numpy().all()
        np.testing.assert_array_equal(target[:, 1:], following[:, :-1])
        assert (following[:, -1] == END).numpy().all()
        read, written = (source != END).numpy().sum(1), (following != END).numpy().sum(1)
        longest = np.maximum(read, written)
        assert longest.max() - longest.min() < 3
        lengths += zip(read.tolist(), written.tolist(), strict=True)
    assert sorted(lengths) == [(k, 13 - k) for k in range(2, 12)]  # the pairs of 1 and 12 words are too long


def test_every_pass_has_another_order():
    sources = [[number] for number in range(3, 43)]
    found = batches.bucketed(sources, sources, batch_size=40, max_length=5, seed=0)
    first, second = (source.numpy()[:, 0].tolist() for source, *_ in found.dataset.take(2))
    assert first != second
    assert sorted(first) == sorted(second)
