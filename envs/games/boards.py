"""What is on the board, read from the text that OpenSpiel prints of a position."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

#: The signs of chessmen by their letters.
CHESSMEN = dict(zip("kqrbnp", "♚♛♜♝♞♟", strict=True))


class Piece(NamedTuple):
    """Something on a square: whose it is (None for nobody's), and the sign that tells its kind, "" for a plain one."""

    seat: int | None
    sign: str = ""


class Board(NamedTuple):
    """A position.

    Attributes:
      look: what the board is like: "marks", "holes", "stones", "discs", "squares" or "hexagons".
      squares: rows from the top, of what is on each square; None for an empty one.
      columns, rows: the names beside them, where they have names.
    """

    look: str
    squares: list[list[Piece | None]]
    columns: Sequence[str] = ()
    rows: Sequence[str] = ()


class _Reader(NamedTuple):
    look: str
    read: Callable[[str], Board]


def board_of(game: str, text: str) -> Board | None:
    """Returns the position that `text` shows, or None for a game whose board is not known here."""
    return _READERS[game].read(text) if game in _READERS else None


def look_of(game: str) -> str:
    """Returns what the game's board is like (see Board), "" for a game whose board is not known here."""
    return _READERS[game].look if game in _READERS else ""


def _plain(look: str, pieces: Mapping[str, Piece], *, number_columns: bool = False) -> _Reader:
    """Reads lines that hold a sign a square and nothing else."""

    def read(text: str) -> Board:
        signs = set(pieces) | {"."}
        lines = [line.replace(" ", "") for line in text.splitlines()]
        squares = [[pieces.get(sign) for sign in line] for line in lines if line and set(line) <= signs]
        return Board(look, squares, [str(i) for i in range(len(squares[0]))] if number_columns else ())

    return _Reader(look, read)


def _labelled(look: str, pieces: Mapping[str, Piece]) -> _Reader:
    """Reads lines that begin with their number, with or without spaces, above or below a line of letters."""

    def read(text: str) -> Board:
        squares, rows, columns = [], [], ""
        for line in text.splitlines():
            found = re.fullmatch(r"\s*(\d+)\s*(.*?)(\s+\d+)?\s*", line)
            if found:
                rows.append(found[1])
                squares.append([pieces.get(sign) for sign in found[2].replace(" ", "")])
            elif squares and (letters := line.replace(" ", "")).isalpha() and len(letters) == len(squares[0]):
                columns = letters
        return Board(look, squares, columns.lower(), rows)

    return _Reader(look, read)


def _fen(text: str) -> Board:
    """Reads a position of chess in Forsyth-Edwards notation. White, who begins, has seat 1 in OpenSpiel."""
    squares: list[list[Piece | None]] = []
    for line in text.split()[0].split("[")[0].replace("~", "").split("/")[:8]:
        row: list[Piece | None] = []
        for sign in line:
            row += [None] * int(sign) if sign.isdigit() else [Piece(int(sign.isupper()), CHESSMEN[sign.lower()])]
        squares.append(row)
    return Board("squares", squares, "abcdefgh", "87654321")


def _seats(first: str, second: str) -> dict[str, Piece]:
    return {first: Piece(0), second: Piece(1)}


_MEN = _seats("o", "+") | {"8": Piece(0, "★"), "*": Piece(1, "★")}  # crowned
_CHESS = _Reader("squares", _fen)
_READERS = {
    "amazons": _plain("squares", _seats("X", "O") | {"#": Piece(None)}),
    "antichess": _CHESS,
    "breakthrough": _labelled("squares", _seats("b", "w")),
    "checkers": _labelled("squares", _MEN),
    "chess": _CHESS,
    "clobber": _labelled("squares", _seats("o", "x")),
    "connect_four": _plain("holes", _seats("x", "o"), number_columns=True),
    "crazyhouse": _CHESS,
    "cursor_go": _labelled("stones", _seats("X", "O")),
    "go": _labelled("stones", _seats("X", "O")),
    "gomoku": _plain("stones", _seats("b", "w")),
    "hex": _plain("hexagons", _seats("x", "o")),
    "lines_of_action": _labelled("squares", _seats("x", "o")),
    "mnk": _plain("stones", _seats("x", "o")),
    "othello": _labelled("discs", _seats("x", "o")),
    "tic_tac_toe": _plain("marks", _seats("x", "o")),
    "ultimate_tic_tac_toe": _plain("marks", _seats("x", "o")),
}
