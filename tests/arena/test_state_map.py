"""The map of states: its coordinates, the folder that it leaves, and the command."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

import arena as api
from arena import state_map
from arena.errors import InvalidValue

BRIEFLY = {"episodes": 2, "points": 20}


def test_coordinates_lie_along_the_greatest_variance():
    # Points at ±2 along (1, 1) and ±1 along (1, -1): variances of 2 and 0.5 (over all four), shares of 80% and 20%.
    points = np.array([[2, 2], [-2, -2], [1, -1], [-1, 1]]) / np.sqrt(2)
    coordinates, shares = state_map.principal_coordinates(points, 0, standardise=False)
    np.testing.assert_allclose(np.abs(coordinates), [[2, 0], [2, 0], [0, 1], [0, 1]], atol=1e-6)
    assert shares == pytest.approx((0.8, 0.2))


def test_standardised_features_count_alike_whatever_their_units():
    points = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    plain, shares = state_map.principal_coordinates(points, 0, standardise=True)
    scaled, same = state_map.principal_coordinates(points * [1e3, 1, 1e-3] + [5, 0, 0], 0, standardise=True)
    np.testing.assert_allclose(np.abs(scaled), np.abs(plain), atol=1e-3)
    assert same == pytest.approx(shares, abs=1e-4)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("points", [np.arange(5.0)[:, None], np.ones((4, 3))], ids=["one feature", "all the same"])
def test_what_has_one_direction_or_none_still_has_two_coordinates(points):
    coordinates, shares = state_map.principal_coordinates(points, 0, standardise=True)
    assert coordinates.shape[1] >= 2
    np.testing.assert_allclose(coordinates[:, 1], 0, atol=1e-6)
    assert shares == pytest.approx((float(np.ptp(points) > 0), 0.0), abs=1e-6)


def test_too_few_states_and_those_that_are_no_numbers_are_refused():
    with pytest.raises(InvalidValue, match="at least 3 states, not 2; take more points or games"):
        state_map.principal_coordinates(np.zeros((2, 4)), 0, standardise=True)
    with pytest.raises(InvalidValue, match="a map was given NaN or infinite numbers, first in example 1"):
        state_map.principal_coordinates(np.array([[0.0], [np.nan], [0.0]]), 0, standardise=True)


def test_pictures_are_taken_from_all_over_the_map():
    corners = [[0, 0], [0, 10], [10, 0], [10, 10]]
    places = np.array([*corners, [0.1, 0.1], [9.9, 9.9]])
    assert sorted(state_map.spread_out(places, 4, 0.5)) == [0, 1, 2, 3]
    assert len(state_map.spread_out(places, 6, 0.5)) == 4  # the others stand too near
    assert state_map.spread_out(np.zeros((3, 2)), 3, 0.1) == [0]


def test_a_map_leaves_a_picture_and_what_tensorboard_shows(tmp_path):
    drawn = api.map_states("random", "CartPole-v1", out=tmp_path / "map", **BRIEFLY)
    with Image.open(drawn.picture) as picture:
        assert picture.size == (900, 660)
    assert json.loads((tmp_path / "map" / "map.json").read_text()) == json.loads(json.dumps(drawn.to_json()))
    assert (drawn.points, drawn.agent, drawn.env) == (20, "random", "CartPole-v1")
    assert drawn.visited == sum(drawn.returns)  # a step of CartPole is worth 1
    assert 0 < drawn.variance[1] <= drawn.variance[0] < 1
    assert list((tmp_path / "map").glob("*tfevents*"))
    heading, *labels = (tmp_path / "map" / "projector" / "states-labels.tsv").read_text().splitlines()
    assert heading.split("\t") == ["value", "action", "step", "episode"]
    vectors = np.loadtxt(tmp_path / "map" / "projector" / "states.tsv")
    assert vectors.shape == (20, 4)
    assert len(labels) == 20


def test_the_same_seed_draws_the_same_map(tmp_path):
    first, again, other = (
        api.map_states("random", "CartPole-v1", seed=seed, out=tmp_path / name, **BRIEFLY)
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )
    assert first.picture.read_bytes() == again.picture.read_bytes() != other.picture.read_bytes()


def test_frames_come_with_their_pictures(tmp_path):
    pytest.importorskip("ale_py")
    settings = {"max_episode_steps": 12}
    drawn = api.map_states("random", "ALE/Pong-v5", episodes=1, points=10, env_settings=settings, out=tmp_path / "map")
    with Image.open(drawn.folder / "projector" / "states-sprites.png") as sheet:
        assert sheet.size == (4 * 84, 4 * 84)  # ten of them fit into four rows of four
    assert "single_image_dim: 84" in (drawn.folder / "projector_config.pbtxt").read_text()


def test_numbers_can_be_mapped(tmp_path):
    drawn = api.map_states("random", "FrozenLake-v1", episodes=10, out=tmp_path / "map")
    assert drawn.value.startswith("discounted return")


def test_the_command_says_where_the_map_is_and_how_to_open_it(arena, tmp_path):
    outcome = arena("map", "random", "--env", "CartPole-v1", "--episodes", 2, "--points", 10, "--out", "here")
    assert outcome.code == 0
    assert outcome.out.startswith("10 of ")
    assert outcome.out.endswith("states are on here/map.png; `arena board here` shows them in the Projector\n")
    printed = arena("map", "random", "--env", "CartPole-v1", "--episodes", 2, "--points", 10, "--json")
    told = json.loads(printed.out)
    assert told["folder"].startswith("maps/random-CartPole-v1-")
    assert (tmp_path / told["picture"]).is_file()


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("random --env CartPole-v1 --points 0", "points must be a whole number of at least 1, not 0"),
        ("random --env CartPole-v1 --points 9999", "points must be at most 4096, not 9999"),
        ("random --env CartPole-v1 --points 2", "at least 3 states, not 2"),
        ("random --env CartPole-v1 --episodes 0", "episodes must be a whole number of at least 1, not 0"),
        ("random --env CartPole-v1 --out taken", "taken exists already; give --out a new folder"),
        ("random --env CartPol-v1", "did you mean 'CartPole-v1'?"),
        ("q_learning --env Pendulum-v1", "not a discrete set"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(arena, tmp_path, options, line):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "map.png").touch()
    outcome = arena("map", *options.split())
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert line in outcome.err
    assert [path.name for path in tmp_path.rglob("*")] == ["taken", "map.png"]


def test_a_game_of_two_is_said_to_be_played_in_tournaments(arena):
    pytest.importorskip("pyspiel", reason="needs the extra two-player")
    outcome = arena("map", "random", "--env", "connect_four")
    assert outcome.code == 2
    assert "connect_four is a game for 2 players" in outcome.err
