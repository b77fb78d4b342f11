"""The sentence on top of the page."""

import numpy as np
import pytest

from arena.reports.headline import of_ranks


def apart(num, *pairs):
    matrix = np.zeros((num, num), bool)
    for i, j in pairs:
        matrix[i, j] = matrix[j, i] = True
    return matrix


@pytest.mark.parametrize(
    ("names", "pairs", "sentence"),
    [
        ("", [], "Nothing has been played yet."),
        ("a", [], "a played alone in X."),
        ("ab", [(0, 1)], "a beats b in X."),
        ("abc", [(0, 1), (0, 2)], "a beats b and c in X."),
        ("abc", [(0, 2), (1, 2)], "a and b cannot be told apart in X; both beat c."),
        ("abcd", [(0, 3), (1, 3), (2, 3)], "a, b and c cannot be told apart in X; all beat d."),
        ("abc", [], "a, b and c cannot be told apart in X."),
        ("abc", [(0, 2)], "a and b cannot be told apart in X; a beats c."),
    ],
)
def test_it_says_who_won_and_how_sure_that_is(names, pairs, sentence):
    assert of_ranks(list(names), apart(len(names), *pairs), "in X") == sentence
