import pytest

pytest.importorskip("pyspiel", reason="needs the extra 'two-player'")

from arena import notation
from arena.errors import InvalidValue
from envs.games.openspiel import load


def after(name: str, *moves: int, **parameters):
    """Returns the state of a game after these actions."""
    state = load(name, parameters).new_initial_state()
    for action in moves:
        state.apply_action(action)
    return state


def test_connect_fours_columns_are_numbered_from_one():
    state = after("connect_four", 0, 3, rows=4, columns=4)
    assert notation.board(state).split("\n") == [" . . . .", " . . . .", " . . . .", " x . . o", " 1 2 3 4"]
    assert [notation.name(state, action) for action in state.legal_actions()] == ["1", "2", "3", "4"]
    assert notation.parse(state, " 4 ") == 3


def test_wide_boards_keep_their_columns_aligned():
    state = after("connect_four", 10, rows=4, columns=11)
    *_, stones, numbers = notation.board(state).split("\n")
    assert numbers == "  1  2  3  4  5  6  7  8  9 10 11"
    assert stones.index("x") == numbers.index("11") + 1


def test_a_grids_cells_are_row_and_column():
    state = after("tic_tac_toe", 4, 2)
    assert notation.board(state).split("\n") == ["  0 1 2", "0 . . o", "1 . x .", "2 . . ."]
    assert notation.name(state, 7) == "2,1"
    for text in ("2,1", "2 1", "(2, 1)", "x(2,1)", "X(2,1)"):
        assert notation.parse(state, text) == 7


def test_a_full_column_is_named_as_such():
    state = after("connect_four", 0, 0, 0, 0, rows=4, columns=5)
    with pytest.raises(InvalidValue, match=r"^column 1 is full; legal: 2, 3, 4, 5$"):
        notation.parse(state, "1")
    with pytest.raises(InvalidValue, match=r"^'6' is not a legal move; legal: 2, 3, 4, 5$"):
        notation.parse(state, "6")


def test_what_all_moves_begin_with_may_be_left_out():
    # OpenSpiel calls this move "B c2".
    state = after("go", board_size=5)
    assert notation.parse(state, "c2") == notation.parse(state, "b C2") == notation.parse(state, "B c2")


def test_case_decides_only_where_it_must():
    state = after("chess")
    for move in ("g3", "h6", "BG2", "h5", "b4", "h4", "b5", "c6"):
        state.apply_action(notation.parse(state, move))
    pawn, bishop = notation.parse(state, "bxc6"), notation.parse(state, "Bxc6")
    assert pawn != bishop
    with pytest.raises(InvalidValue, match=r"^BXC6 can be (bxc6 or Bxc6|Bxc6 or bxc6); which one\?$"):
        notation.parse(state, "BXC6")


def test_only_some_of_many_legal_moves_are_named_in_an_error():
    with pytest.raises(InvalidValue, match=r"^'z9' is not a legal move; legal: a1, .*, \.\.\. \(\? lists all 121\)$"):
        notation.parse(after("hex"), "z9")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("chess", "8 r n b q k b n r"),
        ("hex", "   a b c d e f g h i j k"),
        ("othello", "4 - - - o x - - - 4"),
        ("breakthrough", " abcdefgh"),
    ],
)
def test_boards_have_labels(name, shown):
    assert shown in notation.board(after(name)).split("\n")


SMALL = {"go": {"board_size": 5}, "hex": {"board_size": 4}}


@pytest.mark.parametrize("name", ["chess", "go", "hex", "othello", "breakthrough", "clobber", "dots_and_boxes", "nim"])
def test_every_legal_move_can_be_typed_as_it_is_named(name):
    state = after(name, **SMALL.get(name, {}))
    for _ in range(12):
        for action in state.legal_actions():
            assert notation.parse(state, notation.name(state, action)) == action
        state.apply_action(state.legal_actions()[len(state.legal_actions()) // 2])
        if state.is_terminal():
            break


@pytest.mark.parametrize(
    ("name", "words"),
    [("connect_four", "a column's number"), ("tic_tac_toe", "row,column"), ("othello", "a move, as f5")],
)
def test_it_says_how_moves_are_typed(name, words):
    assert notation.form(after(name)) == words
