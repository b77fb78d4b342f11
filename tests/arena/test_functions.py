"""NumPy functions: arithmetic by hand, and rows that do not depend on their batch."""

import numpy as np
import pytest

from arena import functions
from arena.functions import RBF, Linear, Table


def test_a_table_looks_its_rows_up():
    table = Table(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))
    assert table(np.array([2, 0]))["q"].tolist() == [[5.0, 6.0], [1.0, 2.0]]


def test_a_linear_function_is_a_product_and_a_bias():
    function = Linear(np.array([[1, 2], [3, 4]], np.float32), np.array([10, 20], np.float32))
    # [1, 2] w = [1 + 6, 2 + 8]; the observation's own shape does not matter.
    assert function(np.array([[[1], [2]]], np.float32))["logits"].tolist() == [[17.0, 30.0]]


def test_rbf_features_are_cosines_of_the_standardised_observation():
    function = RBF(
        mean=np.array([1.0]),
        scale=np.array([2.0]),
        w=np.array([[0.0, np.pi]]),
        b=np.array([0.0, np.pi / 2]),
        q=np.asfortranarray([[1.0, 2.0], [10.0, 20.0]], np.float32),
    )
    # x = (2 - 1) / 2 = 1/2; cos(0) = 1, cos(pi/2 + pi/2) = -1; q = [1 - 10, 2 - 20].
    assert function(np.array([[2.0]]))["q"] == pytest.approx(np.array([[-9.0, -18.0]]), abs=1e-5)


def random_functions() -> list[tuple[functions.Table | Linear | RBF, np.ndarray]]:
    random = np.random.default_rng(0)
    vectors = random.normal(size=(64, 7)).astype(np.float32)
    rbf = RBF(*(random.normal(size=shape) for shape in ((7,), (7,), (7, 50), (50,))), random.normal(size=(50, 3)))
    linear = Linear(random.normal(size=(7, 3)).astype(np.float32), random.normal(size=3).astype(np.float32))
    return [(Table(random.normal(size=(9, 3))), random.integers(9, size=64)), (linear, vectors), (rbf, vectors)]


@pytest.mark.parametrize("case", range(3))
def test_a_row_is_the_same_bits_in_every_batch(case):
    function, obs = random_functions()[case]
    (together,) = function(obs).values()
    for start, stop in ((0, 1), (5, 6), (3, 40), (63, 64)):
        (alone,) = function(obs[start:stop]).values()
        assert np.array_equal(alone, together[start:stop])


@pytest.mark.parametrize("case", range(3))
def test_a_function_is_made_again_from_its_name_and_arrays(case):
    function, obs = random_functions()[case]
    again = functions.FUNCTIONS[functions.name_of(function)](**functions.arrays_of(function))
    for before, after in zip(function(obs).values(), again(obs).values(), strict=True):
        assert np.array_equal(before, after)
