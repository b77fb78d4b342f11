"""The machine of ratings: its arithmetic by hand, and that training finds who likes what."""

import numpy as np
import pytest

from arena.components.contrastive import Plan
from arena.components.softmax_machine import SoftmaxMachine, expected_stars, one_hot, train


@pytest.fixture
def machine() -> SoftmaxMachine:
    """Two films, one hidden unit, which is on with film 0's 5 stars, and makes them likelier."""
    kernel = np.zeros((10, 1), np.float32)
    kernel[4] = np.log(3)
    return SoftmaxMachine(kernel, np.zeros(10, np.float32), np.zeros(1, np.float32))


def test_each_rating_has_a_place_of_its_own() -> None:
    visible = one_hot(np.array([[0, 0, 5], [1, 1, 1]]), 2, 2).toarray()
    assert [list(np.flatnonzero(row)) for row in visible] == [[4], [5]]


def test_hidden_units_see_only_what_was_rated(machine: SoftmaxMachine) -> None:
    # log 3 gives 3/4; another film, or fewer stars, or nothing, give 1/2.
    visible = one_hot(np.array([[0, 0, 5], [1, 0, 4], [2, 1, 5]]), 4, 2)
    np.testing.assert_allclose(machine.hidden(visible), [[0.75], [0.5], [0.5], [0.5]], rtol=1e-6)


def test_stars_are_a_softmax_over_five_states(machine: SoftmaxMachine) -> None:
    # The unit on: odds 1, 1, 1, 1, 3, so 3/7 for 5 stars, (1 + 2 + 3 + 4 + 15) / 7 stars; off: 1/5 each, 3 stars.
    hidden, films = np.array([[1.0], [0.0], [1.0]], np.float32), np.array([0, 0, 1])
    found = machine.probabilities(hidden, films)
    np.testing.assert_allclose(found[0], [1 / 7] * 4 + [3 / 7], rtol=1e-6)
    np.testing.assert_allclose(expected_stars(found), [25 / 7, 3, 3], rtol=1e-6)
    np.testing.assert_allclose(machine.of_all(hidden)[np.arange(3), films], found, rtol=1e-6)


def test_a_fantasy_has_the_films_that_were_rated_and_no_others(machine: SoftmaxMachine) -> None:
    like = one_hot(np.array([[0, 0, 1], [1, 1, 2]]), 2, 2)
    found = machine.fantasy(np.ones((2, 1), np.float32), like).toarray()
    np.testing.assert_allclose(found[0], [1 / 7] * 4 + [3 / 7] + [0] * 5, rtol=1e-6)
    np.testing.assert_allclose(found[1], [0] * 5 + [0.2] * 5, rtol=1e-6)


@pytest.mark.parametrize("num_steps", [1, 3])
def test_training_finds_two_tastes(num_steps: int) -> None:
    rng = np.random.default_rng(1)
    users, films = (grid.ravel() for grid in np.meshgrid(np.arange(60), np.arange(8), indexing="ij"))
    stars = np.where(users % 2 == films % 2, 5, 1)
    ratings = np.column_stack((users, films, stars))
    shown = rng.random(len(ratings)) < 0.7
    visible = one_hot(ratings[shown], 60, 8)
    machine = train(visible, Plan(4, 60, batch_size=10, momentum=0.5, num_steps=num_steps), rng)
    hidden = machine.hidden(visible)
    hidden_ratings = ratings[~shown]
    found = expected_stars(machine.probabilities(hidden[hidden_ratings[:, 0]], hidden_ratings[:, 1]))
    assert np.abs(found - hidden_ratings[:, 2]).mean() < 0.5  # the mean, 3 stars, is wrong by 2


def test_a_film_nobody_rated_is_given_stars_as_all_films_are() -> None:
    visible = one_hot(np.array([[0, 0, 4], [1, 0, 4]]), 2, 2)
    machine = train(visible, Plan(1, 1), np.random.default_rng(0))
    # of two fours and one imagined rating of each star: shares 1/7, 1/7, 1/7, 3/7, 1/7
    stars = expected_stars(machine.probabilities(np.full((1, 1), 0.0, np.float32), np.array([1])))
    assert stars[0] == pytest.approx((1 + 2 + 3 + 12 + 5) / 7, abs=1e-3)
