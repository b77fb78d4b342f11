"""Pictures of games: a drawn board where it is known, and what the game prints of itself where it is not."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from arena.fonts import dejavu
from envs.games.boards import CHESSMEN, Board, Piece, board_of, look_of

if TYPE_CHECKING:
    pass

SIZE = 560  # pixels, the longer side
_FINE = 2  # drawn so many times larger, for smooth edges
_MARGIN = 30

_BACKGROUND = (21, 23, 28)
_TEXT = (233, 236, 240)
_DIM = (142, 149, 161)
_LAST = (255, 179, 71)
_NOBODY = (92, 99, 112)
_LIGHT, _DARK = (240, 217, 181), (181, 136, 99)
_WOOD, _WOOD_LINE = (222, 184, 120), (96, 72, 40)
_BLUE, _HOLE = (38, 84, 160), (24, 40, 74)
_GREEN, _GREEN_LINE = (36, 118, 74), (22, 82, 50)
_PANE, _PANE_LINE = (38, 42, 50), (80, 87, 100)
_RED, _YELLOW, _SKY = (226, 74, 74), (246, 200, 68), (98, 164, 240)
_BLACK, _WHITE = (28, 28, 32), (245, 245, 242)

#: Colours of the seats' pieces on each kind of board.
COLOURS: dict[str, tuple[tuple[int, int, int], ...]] = {
    "marks": (_RED, _SKY),
    "holes": (_RED, _YELLOW),
    "stones": (_BLACK, _WHITE),
    "discs": (_BLACK, _WHITE),
    "squares": (_BLACK, _WHITE),
    "hexagons": (_RED, _SKY),
}


def draw(game: str, text: str, before: str | None = None) -> np.ndarray:
    """Returns the picture of a position as [H, W, 3] uint8 RGB.

    Args:
      game: the short name.
      text: what OpenSpiel prints of the position.
      before: and of the position before the last move, which is marked.
    """
    board = board_of(game, text)
    if board is None:
        return _draw_text(text)
    earlier = board_of(game, before) if before is not None else None
    return _Drawing(board, earlier).picture()


def seat_colours(game: str) -> tuple[tuple[int, int, int], ...]:
    """Returns the colours of the seats' pieces, () where they are not known."""
    return COLOURS.get(look_of(game), ())


class _Drawing:
    def __init__(self, board: Board, before: Board | None) -> None:
        from PIL import Image, ImageDraw

        self._board, self._before = board, before
        height, width = len(board.squares), len(board.squares[0])
        self._is_hex = board.look == "hexagons"
        columns = width + (height - 1) / 2 if self._is_hex else width
        tall = 1 + (height - 1) * math.sqrt(0.75) if self._is_hex else height
        self._unit = _FINE * (SIZE - 2 * _MARGIN) / max(columns, tall)
        margin = _FINE * _MARGIN
        self._left, self._top = margin, margin
        size = round(columns * self._unit + 2 * margin), round(tall * self._unit + 2 * margin)
        self._image = Image.new("RGB", size, _BACKGROUND)
        self._pen = ImageDraw.Draw(self._image)

    def picture(self) -> np.ndarray:
        from PIL import Image

        squares = self._board.squares
        getattr(self, f"_draw_{self._board.look}")()
        for row, line in enumerate(squares):
            for column, piece in enumerate(line):
                if piece is not None:
                    self._draw_piece(row, column, piece)
                if self._before is not None and self._before.squares[row][column] != piece:
                    self._mark(row, column)
        self._draw_names()
        small = self._image.size[0] // _FINE, self._image.size[1] // _FINE
        return np.asarray(self._image.resize(small, Image.Resampling.LANCZOS))

    def _centre(self, row: int, column: int) -> tuple[float, float]:
        if self._is_hex:
            return (
                self._left + (column + 0.5 + row / 2) * self._unit,
                self._top + (0.5 + row * math.sqrt(0.75)) * self._unit,
            )
        return self._left + (column + 0.5) * self._unit, self._top + (row + 0.5) * self._unit

    def _circle(self, row: int, column: int, radius: float, colour: Any, outline: Any = None, width: float = 0) -> None:
        x, y = self._centre(row, column)
        r = radius * self._unit
        self._pen.ellipse((x - r, y - r, x + r, y + r), colour, outline, round(width * self._unit))

    def _square(self, row: int, column: int, colour: Any, outline: Any = None, width: int = 0) -> None:
        x, y = self._centre(row, column)
        r = self._unit / 2
        self._pen.rectangle((round(x - r), round(y - r), round(x + r) - 1, round(y + r) - 1), colour, outline, width)

    def _places(self) -> list[tuple[int, int]]:
        return [(row, column) for row, line in enumerate(self._board.squares) for column in range(len(line))]

    def _draw_squares(self) -> None:
        for row, column in self._places():
            self._square(row, column, _DARK if (row + column) % 2 else _LIGHT)

    def _draw_discs(self) -> None:
        for row, column in self._places():
            self._square(row, column, _GREEN, _GREEN_LINE, _FINE)

    def _draw_holes(self) -> None:
        width, height = self._image.size
        edge = 4 * _FINE
        self._pen.rounded_rectangle((edge, edge, width - edge, height - edge), 0.25 * self._unit, _BLUE)
        for row, column in self._places():
            self._circle(row, column, 0.4, _HOLE)

    def _draw_marks(self) -> None:
        squares = self._board.squares
        for row, column in self._places():
            self._square(row, column, _PANE, _PANE_LINE, _FINE)
        for i in range(3, len(squares), 3):  # the big board of ultimate tic-tac-toe
            at = i * self._unit + self._left
            end = self._left + len(squares) * self._unit
            self._pen.line((self._left, at, end, at), _DIM, 3 * _FINE)
            self._pen.line((at, self._top, at, end), _DIM, 3 * _FINE)

    def _draw_stones(self) -> None:
        width, height = self._image.size
        edge = _FINE * _MARGIN
        self._pen.rectangle((edge, edge, width - edge, height - edge), _WOOD)
        last_row, last_column = len(self._board.squares) - 1, len(self._board.squares[0]) - 1
        for row in range(last_row + 1):
            self._pen.line((*self._centre(row, 0), *self._centre(row, last_column)), _WOOD_LINE, _FINE)
        for column in range(last_column + 1):
            self._pen.line((*self._centre(0, column), *self._centre(last_row, column)), _WOOD_LINE, _FINE)

    def _draw_hexagons(self) -> None:
        squares = self._board.squares
        radius = self._unit / math.sqrt(3)
        corners = [(math.sin(angle), math.cos(angle)) for angle in (math.pi / 3 * i for i in range(6))]
        for row, column in self._places():
            x, y = self._centre(row, column)
            shape = [(x + radius * dx, y + radius * dy) for dx, dy in corners]
            self._pen.polygon(shape, _PANE, _PANE_LINE, 2 * _FINE)
        ends = {0: [(0, c) for c in range(len(squares[0]))], 1: [(r, 0) for r in range(len(squares))]}
        for seat, places in ends.items():  # the sides that each seat is to join
            colour = COLOURS["hexagons"][seat]
            for row, column in places:
                self._side(row, column, seat, colour, False)
                opposite = (len(squares) - 1, column) if seat == 0 else (row, len(squares[0]) - 1)
                self._side(*opposite, seat, colour, True)

    def _side(self, row: int, column: int, seat: int, colour: Any, is_far: bool) -> None:
        x, y = self._centre(row, column)
        radius = self._unit / math.sqrt(3) * (-1 if is_far else 1)
        angles = (4 / 6, 1, 8 / 6) if seat == 0 else (8 / 6, 10 / 6, 12 / 6)
        points = [(x + radius * math.sin(math.pi * a), y + radius * math.cos(math.pi * a)) for a in angles]
        self._pen.line(points, colour, 3 * _FINE)

    def _draw_piece(self, row: int, column: int, piece: Piece) -> None:
        look = self._board.look
        if piece.seat is None:
            return self._square(row, column, _NOBODY)
        colour = COLOURS[look][piece.seat]
        if look == "marks":
            return self._draw_mark(row, column, piece.seat, colour)
        if piece.sign in CHESSMEN.values():
            return self._glyph(row, column, piece, 0.86)
        shade = tuple(round(part * 0.72) if part > 90 else part + 44 for part in colour)
        radius = {"stones": 0.46, "hexagons": 0.36}.get(look, 0.4)
        self._circle(row, column, radius, colour, shade, 0.05)
        if piece.sign:
            self._glyph(row, column, Piece(1 - piece.seat, piece.sign), 0.5)
        return None

    def _draw_mark(self, row: int, column: int, seat: int, colour: Any) -> None:
        if seat == 1:
            return self._circle(row, column, 0.32, None, colour, 0.1)
        x, y = self._centre(row, column)
        r = 0.28 * self._unit
        for sign in (1, -1):
            self._pen.line((x - r, y - sign * r, x + r, y + sign * r), colour, round(0.11 * self._unit))
        return None

    def _glyph(self, row: int, column: int, piece: Piece, size: float) -> None:
        x, y = self._centre(row, column)
        font = dejavu(round(size * self._unit))
        fill, stroke = (_WHITE, _BLACK) if piece.seat else (_BLACK, _WHITE)
        self._pen.text((x, y), piece.sign, fill, font, "mm", stroke_width=_FINE, stroke_fill=stroke)

    def _mark(self, row: int, column: int) -> None:
        """Marks a square that the last move changed."""
        if self._board.look in ("stones", "holes", "discs", "hexagons"):
            return self._circle(row, column, 0.14, _BLACK if self._board.look == "holes" else _LAST)
        return self._square(row, column, None, _LAST, round(0.05 * self._unit))

    def _draw_names(self) -> None:
        font = dejavu(14 * _FINE)
        height = self._image.size[1]
        for column, name in enumerate(self._board.columns):
            x, _ = self._centre(0, column)
            self._pen.text((x, height - self._top / 2), name, _DIM, font, "mm")
        for row, name in enumerate(self._board.rows):
            _, y = self._centre(row, 0)
            self._pen.text((self._left / 2, y), name, _DIM, font, "mm")


def _draw_text(text: str) -> np.ndarray:
    """Returns the lines in letters of equal width, as large as fits."""
    from PIL import Image, ImageDraw

    lines = [line.rstrip() for line in re.sub(r"\x1b\[[0-9;]*m", "", text).rstrip().splitlines()] or [""]
    lines = [part for line in lines for part in _wrapped(line)]
    longest = max(map(len, lines))
    room = SIZE - 2 * _MARGIN
    size = max(8, min(28, int(room / (0.61 * max(longest, 1))), int(room / (1.25 * len(lines)))))
    image = Image.new("RGB", (SIZE, SIZE), _BACKGROUND)
    height = round(1.25 * size)
    top, left = (SIZE - height * len(lines)) // 2, max(4, round(SIZE - 0.602 * size * longest) // 2)
    pen = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        pen.text((left, top + number * height), line, _TEXT, dejavu(size, "mono"))
    return np.asarray(image)


def _wrapped(line: str, width: int = 46) -> list[str]:
    return [line[start : start + width] for start in range(0, max(len(line), 1), width)]
