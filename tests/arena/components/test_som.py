"""Self-organising maps, by hand and on real sets."""

import numpy as np
import pytest

from arena import components
from arena.components import lattice, som
from arena.components.data import load


def toy(units, height, width):
    """A map with the units it is given."""
    made = components.create("som", height=height, width=width)
    made.shape_ = (1,)
    made.units_ = np.array(units, np.float32).reshape(-1, 1)
    return made


def test_the_topographic_error_counts_examples_whose_two_nearest_units_are_apart():
    # 2 x 3 units:  0 1 2
    #               3 4 9
    ordered = toy([0, 1, 2, 3, 4, 9], 2, 3)
    # 0.4: 0 and 1, neighbours. 1.6: 2 and 1, neighbours. 2.4: 2 (top right) and 3 (bottom left) are not. 3.4: 3 and 4.
    found = ordered.errors(np.array([[0.4], [1.6], [2.4], [3.4]]))
    assert found["topographic_error"] == 0.25
    assert found["quantisation_error"] == pytest.approx(0.4)


def test_diagonal_units_are_neighbours():
    # 0 5
    # 9 1: 0.4 is nearest to 0 and 1, which touch at a corner.
    assert toy([0, 5, 9, 1], 2, 2).errors(np.array([[0.4]]))["topographic_error"] == 0


def test_units_that_are_second_alike_count_as_any_of_them():
    # 0 1 9
    # 9 9 1: both ones are second to 0.1; one of them is a neighbour of 0.
    assert toy([0, 1, 9, 9, 9, 1], 2, 3).errors(np.array([[0.1]]))["topographic_error"] == 0


def test_codes_are_places_on_the_lattice():
    map_ = toy([0, 1, 2, 3, 4, 9], 2, 3)
    assert map_.transform(np.array([[8.0], [2.2]])).tolist() == [[1, 2], [0, 2]]
    assert map_.inverse_transform(np.array([[1, 2], [0, 2]])).tolist() == [[9], [2]]
    assert map_.reconstruct(np.array([[8.0]])).tolist() == [[9]]


def test_neighbourhoods_fall_with_the_distance():
    squares = np.array([0.0, 8.0, 16.0])
    assert som.neighbourhood("gaussian", squares, 2.0) == pytest.approx([1, np.exp(-1), np.exp(-2)])
    # The Mexican hat crosses zero where d^2 = 2 r^2, and is (1 - 2) exp(-2) at twice the radius.
    assert som.neighbourhood("mexican_hat", squares, 2.0) == pytest.approx([1, 0, -np.exp(-2)], abs=1e-7)


def test_units_are_pulled_to_the_weighted_mean_of_what_was_won():
    batch, winners = np.array([[0.0], [2.0], [6.0]], np.float32), np.array([1, 1, 0])
    won, sums, counts = som.grouped(batch, winners)
    assert (won.tolist(), sums.tolist(), counts.tolist()) == ([0, 1], [[6], [2]], [1, 2])
    # Unit 0 at 10, weight 1 for its own 6 and 1/2 for the other's 0 and 2: mean (6 + 0 + 1) / 2 = 3.5, 6.5 below it.
    weights = np.array([[1, 0.5], [0.5, 1]], np.float32)
    assert som.pull(np.array([[10.0], [0.0]], np.float32), sums, counts, weights)[0] == pytest.approx([-6.5])


@pytest.mark.parametrize(("neighbourhood", "highest_error"), [("gaussian", 0.10), ("mexican_hat", 0.15)])
def test_a_map_unfolds_over_a_square(neighbourhood, highest_error):
    points = np.random.default_rng(0).uniform(size=(500, 2)).astype(np.float32)
    fitted = components.create("som", height=6, width=6, iterations=60, neighbourhood=neighbourhood).fit(points)
    errors = fitted.errors(points)
    assert errors["quantisation_error"] < highest_error  # 36 units in a perfect grid: 0.064; one unit: 0.38
    assert errors["topographic_error"] < 0.05
    assert 0 <= fitted.units_.min() <= fitted.units_.max() <= 1


def test_one_dimension_and_few_examples_will_do():
    fitted = components.create("som", height=2, width=3, iterations=5).fit(np.array([[1.0], [2.0]]))
    assert np.isfinite(fitted.units_).all()


def test_gaps_are_mean_distances_to_neighbours():
    # 0 1 4 in a row over 0 1 4: right and left as they are, 0 up and down.
    found = lattice.gaps(np.array([[0.0], [1], [4], [0], [1], [4]]), 2, 3)
    assert found[0] == pytest.approx([(1 + 0) / 2, (1 + 3 + 0) / 3, (3 + 0) / 2])


def test_similar_colours_are_neighbours_on_the_map(real_data):
    colours = load(real_data / "colors", ["colours"])
    fitted = components.create("som", height=12, width=12, iterations=100).fit(colours.train.inputs)
    place = dict(zip(colours.classes, fitted.transform(colours.train.inputs), strict=True))
    assert np.linalg.norm(place["Gold"] - place["Orange"]) < np.linalg.norm(place["Gold"] - place["Navy"])
    assert fitted.errors(colours.train.inputs)["quantisation_error"] < 0.05
    assert lattice.picture(fitted, colours).shape[2] == 3


def test_the_shipped_map_of_mnist_is_whole_and_fine(real_data):
    metrics = components.load("som").evaluate(load(real_data / "mnist", ["mnist"]))
    assert metrics["topographic_error"] < 0.05
    assert metrics["quantisation_error"] <= 1.10 * metrics["quantisation_error_kmeans"]
    assert metrics["accuracy"] > 0.8
