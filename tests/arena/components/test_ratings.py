"""Ratings: their checks, the baseline, and the measure of lists, by hand."""

import numpy as np
import pytest

from arena.components import ratings
from arena.errors import InvalidValue


def test_errors_are_in_stars() -> None:
    # errors 1 and 2: the root of (1 + 4) / 2
    given = np.array([[0, 0, 3], [0, 1, 3]])
    assert ratings.root_mean_squared_error(np.array([4.0, 5.0]), given) == pytest.approx(2.5**0.5)


def test_biases_are_shrunk_towards_the_mean() -> None:
    # The mean is 3. One user gave 2 and 4 to two films: no bias of the user; the films' are -1 and +1, of which one
    # rating beside a prior of two leaves a third. Nothing of that moves the user's bias again.
    known = np.array([[0, 0, 2], [0, 1, 4]])
    np.testing.assert_allclose(ratings.bias_predictions(known, known), [3 - 1 / 3, 3 + 1 / 3])


def test_a_user_and_a_film_without_ratings_get_the_mean() -> None:
    known = np.array([[0, 0, 2], [0, 1, 4]])
    assert ratings.bias_predictions(known, np.array([[7, 5]]))[0] == 3


def test_a_hit_is_a_liked_film_among_the_best_that_were_not_rated() -> None:
    scores = np.array([[9.0, 8, 7, 6], [9, 8, 7, 6], [9, 8, 7, 6], [9, 8, 7, 6]])
    known = np.array([[0, 0, 5], [1, 3, 5]])
    held_out = np.array(
        [
            [0, 1, 4],  # film 0 is known, so 1 is user 0's best: a hit
            [0, 3, 5],
            [1, 2, 5],  # user 1's best is 0: a miss
            [2, 0, 3],  # user 2 liked nothing and does not count
            [3, 0, 5],  # nothing is known of user 3, whose best is 0: a hit
        ]
    )
    assert ratings.hit_rate(known, held_out, lambda users: scores[users], 1) == pytest.approx(2 / 3)
    assert ratings.hit_rate(known, held_out, lambda users: scores[users], 3) == 1


def test_scores_are_left_as_they_are() -> None:
    scores = np.ones((1, 3))
    ratings.hit_rate(np.array([[0, 0, 5]]), np.array([[0, 1, 5]]), lambda users: scores, 1)
    assert (scores == 1).all()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.zeros((3, 2), int), r"\[N, 3\]; given \[3, 2\]"),
        (np.zeros((0, 3), int), r"given \[0, 3\]"),
        (np.array([[0, 0, 2.5]]), "whole numbers"),
        (np.array([[0, 0, np.nan]]), "whole numbers"),
        (np.array([["a", "b", "c"]]), "whole numbers"),
        (np.array([[0, 10, 3]]), r"0 to 9 \(num_films\), users from 0; given film 10"),
        (np.array([[0, 0, 6]]), "stars are 1 to 5; given 6 to 6"),
    ],
)
def test_what_is_no_rating_is_refused(given: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidValue, match=message):
        ratings.checked(given, 10)


def test_whole_numbers_may_come_as_floats() -> None:
    assert ratings.checked([[0.0, 1.0, 5.0]], 10).tolist() == [[0, 1, 5]]
