"""Ratings of films by people: checks, the plain predictions that a model has to beat, and the measure of a list.

Ratings are [N, 3] integers: user and film, numbered from 0, and 1 to 5 stars.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from arena.errors import InvalidValue

NUM_STARS = 5
LIKED = 4  # stars, from which on a film was liked
_SWEEPS = 15
_USER_PRIOR, _FILM_PRIOR = 5, 2  # ratings of an average user and film that each bias starts with


def checked(ratings: Any, num_films: int) -> np.ndarray:
    """Returns ratings as [N, 3] int64. Raises InvalidValue where they are none."""
    array = np.asarray(ratings)
    if array.ndim != 2 or array.shape[1] != 3 or not len(array):
        raise InvalidValue(f"ratings are rows of user, film and stars, [N, 3]; given {list(array.shape)}")
    if array.dtype.kind not in "iu" and not (array.dtype.kind == "f" and np.array_equal(array, np.floor(array))):
        raise InvalidValue(f"ratings are whole numbers; given {array.dtype}")
    whole = array.astype(np.int64)
    if whole.min() < 0 or whole[:, 1].max() >= num_films:
        found = int(whole[:, 1].max())
        raise InvalidValue(
            f"films are numbered from 0 to {num_films - 1} (num_films), users from 0; given film {found}"
        )
    if whole[:, 2].min() < 1 or whole[:, 2].max() > NUM_STARS:
        raise InvalidValue(f"stars are 1 to {NUM_STARS}; given {whole[:, 2].min()} to {whole[:, 2].max()}")
    return whole


def bias_predictions(known: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Returns [M] stars for [M, 2 or more] pairs of user and film: the mean, plus a bias of the user and of the film.

    The biases are those of least squares over the `known` ratings, shrunk towards 0 as if each user had given 5 more
    ratings, and each film got 2 more, without any bias. Source: Koren, Bell & Volinsky (2009), "Matrix factorization
    techniques for recommender systems", equation 3.
    """
    users, films, stars = known.T
    num_users, num_films = (int(max(known[:, k].max(), pairs[:, k].max())) + 1 for k in (0, 1))
    of_user, of_film = np.zeros(num_users), np.zeros(num_films)
    mean = stars.mean()
    per_user = np.bincount(users, minlength=num_users) + _USER_PRIOR
    per_film = np.bincount(films, minlength=num_films) + _FILM_PRIOR
    for _ in range(_SWEEPS):
        of_film = np.bincount(films, stars - mean - of_user[users], num_films) / per_film
        of_user = np.bincount(users, stars - mean - of_film[films], num_users) / per_user
    predictions: np.ndarray = np.clip(mean + of_user[pairs[:, 0]] + of_film[pairs[:, 1]], 1, NUM_STARS)
    return predictions


def root_mean_squared_error(predictions: np.ndarray, ratings: np.ndarray) -> float:
    """Returns the root mean squared error in stars."""
    return float(np.sqrt(np.mean(np.square(predictions - ratings[:, 2]), dtype=np.float64)))


def hit_rate(known: np.ndarray, held_out: np.ndarray, scores_of: Callable[[np.ndarray], np.ndarray], at: int) -> float:
    """Returns the share of users with a held-out film they liked (4 stars or more) among the `at` best of a list.

    A user's list ranks all films but those they rated in `known`; users without a held-out film they liked do not
    count. `scores_of` returns [B, num_films] scores for [B] users.
    """
    liked = held_out[held_out[:, 2] >= LIKED]
    users, place = np.unique(liked[:, 0], return_inverse=True)
    hits = np.zeros(len(users), bool)
    for start in range(0, len(users), 500):
        chosen = users[start : start + 500]
        scores = np.array(scores_of(chosen), np.float64)
        rows = np.searchsorted(chosen, known[:, 0])
        seen = (rows < len(chosen)) & (chosen[np.minimum(rows, len(chosen) - 1)] == known[:, 0])
        scores[rows[seen], known[seen, 1]] = -np.inf
        best = np.argpartition(-scores, min(at, scores.shape[1]) - 1, axis=1)[:, :at]
        on_list = np.zeros(scores.shape, bool)
        np.put_along_axis(on_list, best, True, axis=1)
        here = (place >= start) & (place < start + len(chosen))
        np.logical_or.at(hits, place[here], on_list[place[here] - start, liked[here, 1]])
    return float(hits.mean())


def errors_by_count(counts: np.ndarray, ratings: np.ndarray, sides: Mapping[str, np.ndarray]) -> np.ndarray:
    """Returns a chart of errors on films that were rated often, and seldom, [H, W, 3] uint8.

    Args:
      counts: [M] how many ratings of the film there were to learn from.
      ratings: [M, 3].
      sides: [M] predictions of each side, by name.
    """
    from arena.components import charts
    from arena.plots import COLOURS

    edges = [0, *(2**k for k in range(3, 11)), int(counts.max()) + 1]
    bins = [(low, high) for low, high in itertools.pairwise(edges) if ((counts >= low) & (counts < high)).any()]

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for (name, predictions), colour in zip(sides.items(), COLOURS, strict=False):
            chosen = [(counts >= low) & (counts < high) for low, high in bins]
            errors = [root_mean_squared_error(predictions[few], ratings[few]) for few in chosen]
            axes.plot(errors, "o-", color=colour, markersize=4, label=name)
        axes.set_xticks(range(len(bins)), [f"{low} to {high - 1}" for low, high in bins], rotation=45, ha="right")
        axes.set(xlabel="ratings of the film to learn from", ylabel="root mean squared error in stars")
        axes.legend()

    return charts.render(draw)
