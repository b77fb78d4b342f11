"""k-means, by hand and on Iris."""

import numpy as np
import pytest

from arena import components
from arena.components import distances
from arena.components.data import load
from arena.errors import InvalidValue

SQUARE = np.array([[0, 0], [0, 2], [4, 0], [4, 2]], np.float32)


def test_two_clusters_of_a_long_rectangle_are_its_short_sides():
    kmeans = components.create("kmeans", num_clusters=2).fit(SQUARE)
    assert sorted(kmeans.centres_.tolist()) == [[0, 1], [4, 1]]
    assert kmeans.sse(SQUARE) == 4  # each corner is 1 from its centre
    assert kmeans.score(SQUARE) == -4
    left, right = kmeans.predict(SQUARE)[[0, 2]]
    assert kmeans.predict(SQUARE).tolist() == [left, left, right, right]
    assert kmeans.reconstruct(SQUARE).tolist() == [[0, 1], [0, 1], [4, 1], [4, 1]]
    # Corner (0, 0) is 1 from its own centre and sqrt(4^2 + 1) from the other.
    assert sorted(kmeans.transform(SQUARE)[0]) == pytest.approx([1, np.sqrt(17)])


def test_the_cosine_sees_directions_alone():
    rays = np.array([[1, 0], [9, 0], [0, 2], [0, 5]], np.float32)
    kmeans = components.create("kmeans", num_clusters=2, metric="cosine").fit(rays)
    assert sorted(kmeans.centres_.tolist()) == [[0, 1], [1, 0]]
    assert kmeans.sse(rays) == 0
    diagonal = kmeans.transform(np.array([[3, 3]], np.float32))
    assert diagonal[0] == pytest.approx([1 - np.sqrt(0.5)] * 2)  # 45 degrees from both
    with pytest.raises(InvalidValue, match="example 1 is all zeros, which has no direction"):
        kmeans.predict(np.array([[1, 0], [0, 0]], np.float32))


def test_mini_batches_come_close():
    generator = np.random.default_rng(0)
    blobs = np.concatenate([generator.normal(centre, 0.1, (200, 2)) for centre in ((0, 0), (5, 0), (0, 5))])
    whole, batched = (components.create("kmeans", batch_size=size).fit(blobs) for size in (None, 100))
    assert batched.sse(blobs) == pytest.approx(whole.sse(blobs), rel=0.02)


def test_the_same_seed_gives_the_same_centres():
    points = np.random.default_rng(1).normal(size=(60, 3))
    first, second = (components.create("kmeans", num_clusters=5, seed=3).fit(points).centres_ for _ in range(2))
    assert first.tolist() == second.tolist()


def test_more_clusters_than_examples_are_refused():
    with pytest.raises(InvalidValue, match="num_clusters = 5 is too many for 4 examples"):
        components.create("kmeans", num_clusters=5).fit(SQUARE)


def test_the_shipped_centres_of_iris_are_as_good_as_the_best_of_fifty_restarts():
    metrics = components.load("kmeans").evaluate(load(None, ["iris"]))
    assert metrics["sse"] <= 1.001 * metrics["sse_best_of_50"]
    assert metrics["sse"] == pytest.approx(78.85, abs=0.01)
    assert metrics["accuracy"] == pytest.approx(134 / 150)


def test_distances_are_exact_and_the_same_in_any_company():
    generator = np.random.default_rng(0)
    rows, centres = generator.normal(size=(50, 4)).astype(np.float32), generator.normal(size=(7, 4)).astype(np.float32)
    found = distances.squared(rows, centres)
    assert found[3, 2] == pytest.approx(sum((a - b) ** 2 for a, b in zip(rows[3], centres[2], strict=True)))
    assert distances.squared(rows[3:4], centres).tolist() == found[3:4].tolist()
    many = generator.normal(size=(4_200, 4)).astype(np.float32)  # formed by a matrix product
    assert distances.squared(rows, many)[5, 4_100] == pytest.approx(np.square(rows[5] - many[4_100]).sum(), rel=1e-4)


def test_a_cluster_stands_for_its_commonest_label():
    clusters, labels = np.array([0, 0, 0, 2, 2]), np.array([1, 1, 0, 2, 2])
    assert distances.commonest(clusters, labels, 4).tolist() == [1, -1, 2, -1]
