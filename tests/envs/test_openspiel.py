"""OpenSpiel's games as rows: what a seat sees, whose move it is, openings, ends, and settings that cannot be."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from arena.errors import DoesNotFit, InvalidValue, MissingExtra, UnknownName
from envs import Rows, make

pyspiel = pytest.importorskip("pyspiel", reason="needs the extra two-player")


def begun(env_id: str, seeds: list[int], **settings: Any) -> tuple[Rows, dict[str, np.ndarray]]:
    env = make(env_id, len(seeds), settings=settings)
    return env, env.reset(np.arange(len(seeds)), np.array(seeds))


def test_a_seat_sees_the_board_the_legal_moves_its_turn_and_the_history():
    env, obs = begun("tic_tac_toe", [0])
    # The planes of OpenSpiel's tic-tac-toe: empty, o, x.
    assert obs["observation"][0].tolist() == [[[1.0] * 3] * 3, [[0.0] * 3] * 3, [[0.0] * 3] * 3]
    assert (obs["seat"].tolist(), obs["legal"].tolist(), obs["history"].tolist()) == ([0], [[True] * 9], [[-1] * 9])
    obs, reward, terminated, truncated = env.step(np.array([4]))
    empty, o, x = obs["observation"][0].tolist()
    assert (empty, o, x) == ([[1, 1, 1], [1, 0, 1], [1, 1, 1]], [[0] * 3] * 3, [[0, 0, 0], [0, 1, 0], [0, 0, 0]])
    assert obs["seat"].tolist() == [1]
    assert np.flatnonzero(obs["legal"][0]).tolist() == [0, 1, 2, 3, 5, 6, 7, 8]
    assert obs["history"][0].tolist() == [4] + [-1] * 8
    assert (reward.tolist(), terminated.tolist(), truncated.tolist()) == ([[0.0, 0.0]], [False], [False])


def test_the_end_gives_both_returns_and_leaves_no_move():
    env, _ = begun("tic_tac_toe", [0])
    for action in (0, 3, 1, 4):
        env.step(np.array([action]))
    obs, reward, terminated, truncated = env.step(np.array([2]))  # x has the top row
    assert (reward.tolist(), terminated.tolist(), truncated.tolist()) == ([[1.0, -1.0]], [True], [False])
    assert not obs["legal"].any()
    assert obs["seat"].tolist() == [0]  # who moved last
    assert obs["history"][0].tolist() == [0, 3, 1, 4, 2, -1, -1, -1, -1]


def test_a_seat_may_move_twice_running():
    env, _ = begun("dots_and_boxes", [0], num_rows=1, num_cols=1)
    seats = [env.step(np.array([action])).obs["seat"][0] for action in range(4)]
    assert seats == [1, 0, 1, 1]  # whoever closes the box moves again; here nothing is left


def test_settings_are_the_games_own_parameters():
    env, obs = begun("connect_four", [0], rows=5, columns=6)
    assert env.spec.num_actions == 6
    assert obs["observation"].shape == (1, 3, 5, 6)
    assert env.spec.max_episode_steps == obs["history"].shape[1] == 30
    game = pyspiel.load_game(env.spec.protocol["game"])
    assert game.get_parameters() == env._tables[0]._game.get_parameters()
    assert game.num_distinct_actions() == 6


def test_a_cap_cuts_a_game_off():
    env, _ = begun("connect_four", [0], max_episode_steps=2)
    assert not env.step(np.array([0])).truncated[0]
    obs, reward, terminated, truncated = env.step(np.array([1]))
    assert (reward.tolist(), terminated.tolist(), truncated.tolist()) == ([[0.0, 0.0]], [False], [True])
    assert not obs["legal"].any()


def test_an_opening_is_legal_and_drawn_from_the_seed_alone():
    env, first = begun("connect_four", [3, 4, 3], opening_plies=5)
    assert (first["history"][:, :5] >= 0).all()
    assert (first["history"][:, 5:] == -1).all()
    assert first["seat"].tolist() == [1, 1, 1]  # five moves were played
    assert first["history"][0].tolist() == first["history"][2].tolist() != first["history"][1].tolist()
    again = make("connect_four", 1, settings={"opening_plies": 5}).reset(np.array([0]), np.array([4]))
    assert again["history"][0].tolist() == first["history"][1].tolist()
    state = pyspiel.load_game("connect_four").new_initial_state()
    for action in first["history"][0, :5]:
        state.apply_action(action)
    assert np.flatnonzero(first["legal"][0]).tolist() == state.legal_actions()
    assert first["observation"][0].ravel().tolist() == state.observation_tensor(1)
    assert env.spec.max_episode_steps == 37  # 42 less the opening


def test_openings_cover_the_moves_there_are():
    _, obs = begun("tic_tac_toe", list(range(200)), opening_plies=1)
    # 200 draws of probability 1/9 miss a given move with (8/9)^200 = 6e-11.
    assert set(obs["history"][:, 0].tolist()) == set(range(9))


def test_an_opening_never_ends_the_game():
    # Of random games of tic-tac-toe 77% are over within 8 moves: nearly all of 50 openings are drawn again.
    _, obs = begun("tic_tac_toe", list(range(50)), opening_plies=8)
    assert obs["legal"].sum(1).tolist() == [1] * 50


def test_openings_that_always_end_the_game_are_told_in_one_line():
    with pytest.raises(InvalidValue, match="opening_plies of connect_four is 1: every opening") as caught:
        begun("connect_four", [0], x_in_row=1, opening_plies=1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("env_id", "settings", "error", "line"),
    [
        ("connect_four", {"rowz": 3}, UnknownName, "unknown setting of connect_four 'rowz'; did you mean 'rows'"),
        ("connect_four", {"rows": "five"}, InvalidValue, "rows of connect_four is a number, not 'five'"),
        ("connect_four", {"rows": 2.5}, InvalidValue, "rows of connect_four is a whole number of at least 0, not 2.5"),
        ("connect_four", {"rows": -1}, InvalidValue, "rows of connect_four is a whole number of at least 0, not -1"),
        ("connect_four", {"rows": 0}, InvalidValue, "connect_four does not take rows=0: there would be no move"),
        ("checkers", {"rows": 0}, InvalidValue, r"checkers does not take rows=0: rows_ >= 1$"),
        ("go", {"board_size": 40}, InvalidValue, "go does not take board_size=40: .* up to 19"),
        ("tic_tac_toe", {"opening_plies": 9}, InvalidValue, "opening_plies of tic_tac_toe is less than .* 9, not 9"),
        ("tic_tac_toe", {"opening_plies": -1}, InvalidValue, "at least 0, not -1"),
        ("tic_tac_toe", {"max_episode_steps": 0}, InvalidValue, "at least 1, not 0"),
        ("chinese_checkers", {"players": 3}, DoesNotFit, "chinese_checkers with players=3 is for 3 players"),
        ("kuhn_poker", {}, DoesNotFit, "kuhn_poker has moves of chance; the arena plays"),
        ("dark_hex", {}, DoesNotFit, "dark_hex hides information"),
        ("matrix_rps", {}, DoesNotFit, "matrix_rps is not played in turns"),
        ("connect_for", {}, UnknownName, "did you mean 'connect_four'"),
    ],
)
def test_what_cannot_be_made_is_told_in_one_line(env_id, settings, error, line, capfd):
    with pytest.raises(error, match=line) as caught:
        make(env_id, settings=settings)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")  # OpenSpiel prints its errors, too


def test_preprocessing_is_for_screens():
    with pytest.raises(DoesNotFit, match="connect_four takes 'none' only"):
        make("connect_four", preprocess="atari")


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspiel", None)
    with pytest.raises(MissingExtra, match="connect_four needs the extra 'two-player'; install it with: pip install"):
        make("connect_four")
