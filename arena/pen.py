"""Drawing on the panel beside a game: text, bars and discs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from arena.fonts import dejavu

if TYPE_CHECKING:
    from PIL import Image

PANEL_WIDTH, MARGIN = 260, 16
BACKGROUND = (21, 23, 28)
LINE = (52, 57, 67)
TEXT = (233, 236, 240)
DIM = (142, 149, 161)
CHOSEN = (255, 179, 71)


class Pen:
    """Draws between `left` and `right` of one image, in pixels; `stamp` is stamp() or a cache of it."""

    def __init__(self, image: Image.Image, draw: Any, left: int, right: int, stamp: Any) -> None:
        self.image, self.draw, self.left, self.right, self._stamp = image, draw, left, right, stamp

    def rectangle(self, x0: int, y0: int, x1: int, y1: int, colour: tuple[int, int, int]) -> None:
        """Fills a rectangle."""
        self.draw.rectangle((x0, y0, x1, y1), fill=colour)

    def disc(self, x: int, y: int, radius: int, colour: tuple[int, int, int]) -> None:
        """Fills a circle, with a thin edge."""
        self.draw.ellipse((x - radius, y - radius, x + radius, y + radius), colour, DIM)

    def text(
        self,
        y: int,
        text: str,
        size: int,
        colour: tuple[int, int, int] = TEXT,
        *,
        bold: bool = False,
        align: str = "left",
        indent: int = 0,
        width: int = PANEL_WIDTH - 2 * MARGIN,
    ) -> None:
        """Writes one line whose top is at `y`, cut short where it is wider than `width`."""
        mask = self._stamp(text, size, bold, width)
        x = self.left + indent if align == "left" else self.right - mask.width
        self.image.paste(colour, (x, y, x + mask.width, y + mask.height), mask)


def stamp(text: str, size: int, bold: bool, width: int) -> Image.Image:
    """Returns a mask of one line of text, cut short where it is wider than `width` pixels."""
    from PIL import Image, ImageDraw

    font = dejavu(size, "bold" if bold else "")
    if font.getlength(text) > width:
        while text and font.getlength(text + "…") > width:
            text = text[:-1]
        text += "…"
    mask = Image.new("L", (max(1, int(np.ceil(font.getlength(text)))), round(size * 1.4)))
    ImageDraw.Draw(mask).text((0, 0), text, fill=255, font=font)
    return mask
