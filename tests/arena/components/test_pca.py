"""Principal components, by hand and on MNIST."""

import math

import numpy as np
import pytest

from arena import components
from arena.components.data import load
from arena.components.pca import num_dimensions
from arena.errors import InvalidValue

# Centred, with orthogonal columns of lengths 6, 3 and 1: these are the singular values, and the axes the directions.
DIAGONAL = np.array([[6, 0, 0], [-6, 0, 0], [0, 3, 0], [0, -3, 0], [0, 0, 1], [0, 0, -1]], np.float32) / np.sqrt(2)


def test_the_singular_values_are_those_of_the_centred_data():
    pca = components.create("pca", keep_info=1.0).fit(DIAGONAL + 5)
    assert pca.singular_values_ == pytest.approx([6, 3, 1])
    assert np.abs(pca.components_) == pytest.approx(np.eye(3), abs=1e-6)
    assert pca.mean_ == pytest.approx([5, 5, 5])


@pytest.mark.parametrize(("keep_info", "kept"), [(0.5, 1), (0.6, 1), (0.61, 2), (0.9, 2), (0.95, 3), (1.0, 3)])
def test_keep_info_is_a_share_of_the_summed_singular_values(keep_info, kept):
    # 6 + 3 + 1 = 10: one direction holds 60%, two 90%.
    assert num_dimensions(np.array([6.0, 3.0, 1.0]), keep_info) == kept
    assert len(components.create("pca", keep_info=keep_info).fit(DIAGONAL).components_) == kept


def test_a_reconstruction_loses_what_was_left_out():
    pca = components.create("pca", n_dimensions=2).fit(DIAGONAL)
    assert pca.transform(DIAGONAL).shape == (6, 2)
    assert pca.reconstruct(DIAGONAL)[:4] == pytest.approx(DIAGONAL[:4], abs=1e-6)
    assert pca.reconstruct(DIAGONAL)[4:] == pytest.approx(np.zeros((2, 3)), abs=1e-6)
    # Two examples lose a coordinate of 1 / sqrt 2 each: 2 * (1 / 2) / (6 * 3) numbers.
    assert pca.score(DIAGONAL) == pytest.approx(-1 / 18)


def test_the_number_of_dimensions_has_one_source():
    with pytest.raises(InvalidValue, match="give n_dimensions or keep_info, not both"):
        components.create("pca", n_dimensions=2, keep_info=0.5)
    with pytest.raises(InvalidValue, match="n_dimensions = 4 is too many"):
        components.create("pca", n_dimensions=4).fit(DIAGONAL)
    with pytest.raises(InvalidValue, match=r"keep_info = 1\.5"):
        components.create("pca", keep_info=1.5)


def test_the_shipped_one_keeps_most_of_mnist(real_data):
    dataset = load(real_data / "mnist", ["mnist"])
    metrics = components.load("pca").evaluate(dataset)
    assert metrics["dimensions"] == 50
    assert metrics["mse"] < 0.012
    assert math.isclose(metrics["explained_variance"], 0.83, abs_tol=0.01)
