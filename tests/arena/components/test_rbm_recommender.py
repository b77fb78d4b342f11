"""The recommender as a component, and its command."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from arena import components
from arena.components import data, film_lists, store
from arena.components.data import Dataset, Split
from arena.components.rbm_recommender import RBMRecommender
from arena.errors import ArenaError, InvalidValue

NUM_USERS, NUM_FILMS = 60, 20


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    """Even users rate mostly even films, and like those of the first ten best; odd users the odd ones."""
    rng = np.random.default_rng(2)
    rows = [
        (user, film, 5 if film < 10 else 2)
        for user in range(NUM_USERS)
        for film in range(NUM_FILMS)
        if rng.random() < (0.7 if user % 2 == film % 2 else 0.05)
    ]
    ratings = rng.permutation(np.array(rows, np.int32))
    about = {
        "titles": [f"Film {k + 1}, the" for k in range(NUM_FILMS)],
        "genres": ["Drama"] * NUM_FILMS,
        "num_users": NUM_USERS,
        "num_films": NUM_FILMS,
    }
    return Dataset("films", {"train": Split(ratings[60:]), "test": Split(ratings[:60])}, about=about)


@pytest.fixture(scope="module")
def fitted(dataset: Dataset) -> RBMRecommender:
    recommender = RBMRecommender(num_films=NUM_FILMS, num_hidden=6, epochs=60, batch_size=10, momentum=0.5)
    return recommender.fit(dataset.train.inputs)


def test_it_beats_biases_and_popularity(fitted: RBMRecommender, dataset: Dataset) -> None:
    metrics = fitted.evaluate(dataset)
    assert metrics["rmse"] < 0.5
    assert metrics["hit_rate_at_10"] > metrics["hit_rate_at_10_popular"]
    assert metrics.keys() == {"rmse", "rmse_baseline", "hit_rate_at_10", "hit_rate_at_10_popular"}


def test_a_code_stands_for_the_stars_of_all_films(fitted: RBMRecommender, dataset: Dataset) -> None:
    known = dataset.train.inputs
    stars = fitted.reconstruct(known)
    assert stars.shape == (NUM_USERS, NUM_FILMS)
    np.testing.assert_allclose(fitted.predict(known, known), stars[known[:, 0], known[:, 1]], rtol=1e-5)
    assert fitted.score(known) == pytest.approx(-np.square(fitted.predict(known, known) - known[:, 2]).mean(), rel=1e-4)


def test_a_new_user_is_recommended_films_of_the_same_taste(fitted: RBMRecommender) -> None:
    liked = np.array([[0, 5], [2, 5], [12, 2]])
    found = fitted.recommend(liked, 3)
    assert all(film % 2 == 0 and film < 10 and film not in (0, 2) for film, _, _ in found)
    assert [chance for _, _, chance in found] == sorted((chance for _, _, chance in found), reverse=True)
    assert len(fitted.recommend(liked, 100)) == NUM_FILMS - 3


def test_a_user_of_many_is_ranked_as_if_alone(fitted: RBMRecommender, dataset: Dataset) -> None:
    known = dataset.train.inputs
    together = fitted.chances(known, np.array([3, 8]))
    alone = fitted.chances(known[known[:, 0] == 8], np.array([8]))
    np.testing.assert_allclose(together[1], alone[0], rtol=1e-5)


def test_a_saved_one_expects_the_same(fitted: RBMRecommender, dataset: Dataset, tmp_path: Path) -> None:
    loaded = components.load(components.save(fitted, tmp_path / "recommender"))
    np.testing.assert_allclose(
        loaded.reconstruct(dataset.train.inputs), fitted.reconstruct(dataset.train.inputs), atol=0.02
    )


@pytest.mark.slow
def test_the_exported_one_computes_the_same(fitted: RBMRecommender) -> None:
    from ai_edge_litert.interpreter import Interpreter

    known = np.array([[0, 0, 5], [0, 2, 5], [0, 12, 2]])
    row = np.zeros((1, NUM_FILMS), np.float32)
    row[0, known[:, 1]] = known[:, 2]
    exported = Interpreter(model_content=fitted.to_litert()).get_signature_runner()(ratings=row)
    np.testing.assert_allclose(exported["codes"], fitted.transform(known), atol=1e-4)
    np.testing.assert_allclose(exported["stars"], fitted.reconstruct(known), atol=1e-3)
    np.testing.assert_allclose(exported["chances"], fitted.chances(known, np.zeros(1, int)), atol=1e-4)


def test_a_chart_shows_the_errors(fitted: RBMRecommender, dataset: Dataset) -> None:
    shown = fitted.pictures(dataset)
    assert shown.keys() == {"errors"} and shown["errors"].dtype == np.uint8


def test_users_that_nothing_is_known_of_are_named(fitted: RBMRecommender, dataset: Dataset) -> None:
    with pytest.raises(InvalidValue, match="user 900 has no known ratings"):
        fitted.predict(dataset.train.inputs, np.array([[900, 0]]))
    with pytest.raises(InvalidValue, match="learned nothing"):
        RBMRecommender().transform(np.array([[0, 0, 5]]))


@pytest.fixture
def at_hand(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(film_lists.sets, "load", lambda where, choices: dataset)


@pytest.mark.usefixtures("at_hand")
def test_a_list_has_titles_in_three_formats(fitted: RBMRecommender, dataset: Dataset, tmp_path: Path) -> None:
    everything = np.concatenate([dataset.train.inputs, dataset.test.inputs])
    rated = set(everything[everything[:, 0] == 4, 1])
    line = fitted.run("5", tmp_path / "new" / "films.json")
    found = json.loads((tmp_path / "new" / "films.json").read_text())
    assert found["user"] == "5"
    assert not rated & {film["movie_id"] - 1 for film in found["films"]}
    first = found["films"][0]
    assert first["title"] == f"Film {first['movie_id']}, the" and 1 <= first["stars"] <= 5
    assert f"for 5, who rated {len(rated)}" in line

    fitted.run("5", tmp_path / "films.csv")
    with (tmp_path / "films.csv").open(newline="") as file:
        assert next(iter(csv.DictReader(file)))["title"] == first["title"]
    fitted.run("5", tmp_path / "films.txt")
    assert (tmp_path / "films.txt").read_text().splitlines()[0] == f"{first['stars']:.1f}  {first['title']}"


@pytest.mark.usefixtures("at_hand")
def test_ones_own_ratings_come_from_a_table(fitted: RBMRecommender, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("1,5\n3,5\n13,2\n")  # films 0, 2 and 12
    fitted.run(str(tmp_path / "mine.csv"), tmp_path / "films.json")
    found = json.loads((tmp_path / "films.json").read_text())["films"]
    assert [film["movie_id"] - 1 for film in found[:3]] == [
        film for film, _, _ in fitted.recommend(np.array([[0, 5], [2, 5], [12, 2]]), 3)
    ]


@pytest.mark.usefixtures("at_hand")
@pytest.mark.parametrize(
    ("source", "out", "message"),
    [
        ("5", "films.png", "must end in .json, .csv, .txt; given"),
        ("5", None, "given 'none'"),
        ("0", "films.csv", "films has no user 0; they are 1 to 60"),
        ("61", "films.csv", "films has no user 61"),
        ("me", "films.csv", "the number of a user, or a .csv file"),
        ("none.csv", "films.csv", "there is no file none.csv"),
    ],
)
def test_what_is_no_user_is_named(
    fitted: RBMRecommender, source: str, out: str | None, message: str, tmp_path: Path
) -> None:
    with pytest.raises(ArenaError, match=message):
        fitted.run(source, None if out is None else tmp_path / out)
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("at_hand")
@pytest.mark.parametrize("text", ["1,5,3\n", "", "1,9\n", "900,5\n"])
def test_a_table_that_holds_no_ratings_is_refused(fitted: RBMRecommender, text: str, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(text)
    with pytest.raises(ArenaError):
        fitted.run(str(tmp_path / "mine.csv"), tmp_path / "films.csv")


def test_the_shipped_one_beats_what_it_has_to(real_data: Path) -> None:
    if "rbm-recommender" not in store.pretrained():
        pytest.skip("rbm-recommender comes without weights")
    metrics = components.load("rbm-recommender").evaluate(
        data.load(real_data / "movielens_1m", RBMRecommender.datasets)
    )
    assert metrics["rmse"] <= 0.90
    assert metrics["rmse"] < metrics["rmse_baseline"]
    assert metrics["hit_rate_at_10"] > metrics["hit_rate_at_10_popular"]
