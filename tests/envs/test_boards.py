"""Pictures of games: positions are read from what OpenSpiel prints, and drawn so that pieces are where they are."""

from __future__ import annotations

import numpy as np
import pytest

from envs import catalogue, make
from envs.games import pictures
from envs.games.boards import Piece, board_of, look_of

pyspiel = pytest.importorskip("pyspiel", reason="needs the extra two-player")

X, O = Piece(0), Piece(1)  # noqa: E741
GAMES = [entry.id for entry in catalogue.entries() if entry.num_seats == 2 and ":" not in entry.id]
BOARDS = {
    "amazons": (10, 10),
    "antichess": (8, 8),
    "breakthrough": (8, 8),
    "checkers": (8, 8),
    "chess": (8, 8),
    "clobber": (5, 6),
    "connect_four": (6, 7),
    "crazyhouse": (8, 8),
    "cursor_go": (19, 19),
    "go": (19, 19),
    "gomoku": (15, 15),
    "hex": (11, 11),
    "lines_of_action": (8, 8),
    "mnk": (15, 15),
    "othello": (8, 8),
    "tic_tac_toe": (3, 3),
    "ultimate_tic_tac_toe": (9, 9),
}


def text_after(game: str, *actions: int) -> str:
    state = pyspiel.load_game(game).new_initial_state()
    for action in actions:
        state.apply_action(action)
    return str(state)


def test_marks_stand_where_they_were_made():
    board = board_of("tic_tac_toe", text_after("tic_tac_toe", 0, 4, 5))
    assert board.squares == [[X, None, None], [None, O, X], [None, None, None]]


def test_a_board_with_names_beside_it():
    board = board_of("othello", text_after("othello"))
    assert (board.columns, board.rows) == ("abcdefgh", list("12345678"))
    assert board.squares[3][3:5] == [O, X]
    assert board.squares[4][3:5] == [X, O]
    assert sum(piece is not None for row in board.squares for piece in row) == 4


def test_numbers_of_two_digits_are_no_squares():
    board = board_of("go", text_after("go"))
    assert board.rows[0] == "19"
    assert board.columns == "abcdefghjklmnopqrst"


def test_chessmen_are_read_from_forsyth_edwards_notation():
    board = board_of("chess", "rnbqkbnr/pppp1ppp/8/4p3/4P3/8/PPPP1PPP/RNBQKBNR w KQkq - 0 2")
    assert board.squares[0][4] == Piece(0, "♚")  # black, who has seat 0
    assert board.squares[7][3] == Piece(1, "♛")
    assert board.squares[3] == [None] * 4 + [Piece(0, "♟")] + [None] * 3


@pytest.mark.parametrize("game", GAMES)
def test_every_game_is_drawn_from_beginning_to_end(game):
    env = make(game, settings={"opening_plies": 3})
    obs = env.reset(np.array([0]), np.array([1]))
    rng = np.random.default_rng(0)
    for _ in range(12):
        if obs["legal"].any():
            moves = env.moves()
            assert list(moves) == np.flatnonzero(obs["legal"][0]).tolist()
            assert all(moves.values())
            obs = env.step(rng.choice(list(moves), 1)).obs
    picture = env.render()
    assert picture.dtype == np.uint8
    assert max(picture.shape[:2]) == pictures.SIZE
    assert picture.std() > 5  # something is on it
    board = board_of(game, str(env._tables[0]._state))
    assert (board and (len(board.squares), len(board.squares[0]))) == BOARDS.get(game)
    assert len(pictures.seat_colours(game)) == (2 if look_of(game) else 0)


def test_pieces_have_their_seats_colours():
    picture = pictures.draw("connect_four", text_after("connect_four", 0, 6))
    red, yellow = pictures.seat_colours("connect_four")
    # 7 columns in 560 - 2 x 30 pixels: 71.4 each; the bottom row's middle is at 30 + 5.5 x 71.4 = 423.
    assert picture[423, 30 + 36].tolist() == list(red)
    assert picture[423, 30 + 464].tolist() == list(yellow)


def test_the_last_move_is_marked():
    before, after = text_after("connect_four", 0), text_after("connect_four", 0, 6)
    plain, marked = pictures.draw("connect_four", after), pictures.draw("connect_four", after, before)
    changed = np.argwhere((plain != marked).any(-1))
    assert len(changed) > 0
    assert (np.abs(changed - [423, 494]) < 36).all()  # within the square of the last move


def test_long_lines_are_broken():
    assert pictures.draw("hive", "word " * 100).shape == (560, 560, 3)
