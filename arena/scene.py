"""What a person who plays sees: the game, and beside it the score, the keys, and the others' scores on this seed."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence

import numpy as np

from arena.fonts import dejavu
from arena.keymap import Keymap
from arena.overlay import number_text
from arena.pen import BACKGROUND, CHOSEN, DIM, LINE, MARGIN, PANEL_WIDTH, TEXT, Pen, stamp
from arena.pictures import scaled

_KEYS_TOP, _ROW = 148, 19
_SIGN_WIDTH = 76


class Scene:
    """Draws the pictures.

    Attributes:
      game: which one it is, in words.
      others: (name, return) of the others on this game's seed.
    """

    def __init__(self, env_id: str, keymap: Keymap) -> None:
        self._env_id, self._legend = env_id, keymap.legend
        self.game = ""
        self.others: Sequence[tuple[str, float]] = ()
        self._stamp = functools.lru_cache(1024)(stamp)

    def draw(
        self, picture: np.ndarray, step: int, score: float, held: Collection[str], lines: Sequence[str] = ()
    ) -> np.ndarray:
        """Returns an [H, W, 3] uint8 picture; the game is dimmed where there are `lines` to read on it."""
        from PIL import Image, ImageDraw

        picture = scaled(picture)
        others_top = _KEYS_TOP + _ROW * len(self._legend) + 14
        height = max(picture.shape[0], others_top + _ROW * (len(self.others) + 1) + 44)
        left = picture.shape[1]
        image = Image.new("RGB", (left + PANEL_WIDTH, height), BACKGROUND)
        top = (height - picture.shape[0]) // 2
        image.paste(Image.fromarray(picture // 4 if lines else picture), (0, top))
        draw = ImageDraw.Draw(image)
        for place, line in enumerate(lines):
            size = 17 if place else 26
            middle = (left // 2, height // 2 + 34 * place - 17 * (len(lines) - 1))
            draw.text(middle, line, TEXT, dejavu(size, "" if place else "bold"), "mm")
        pen = Pen(image, draw, left + MARGIN, left + PANEL_WIDTH - MARGIN, self._stamp)
        self._draw_score(pen, step, score)
        for place, hint in enumerate(self._legend):
            colour = CHOSEN if hint.keys and hint.keys <= set(held) else TEXT if hint.keys else DIM
            y = _KEYS_TOP + _ROW * place
            pen.text(y, hint.sign, 13, colour, width=_SIGN_WIDTH)
            pen.text(y, hint.meaning, 13, colour, indent=_SIGN_WIDTH, width=pen.right - pen.left - _SIGN_WIDTH)
        if self.others:
            pen.text(others_top, "ON THIS SEED", 10, DIM)
            for place, (name, ret) in enumerate(self.others):
                y = others_top + 18 + _ROW * place
                pen.text(y, name, 13, width=150)
                pen.text(y, number_text(ret), 13, align="right")
        pen.text(height - 28, "P pauses   R gives up   Esc leaves", 11, DIM)
        return np.asarray(image)

    def _draw_score(self, pen: Pen, step: int, score: float) -> None:
        pen.text(14, "you", 17, bold=True)
        pen.text(39, self._env_id, 12, DIM, width=150)
        pen.text(39, self.game, 12, DIM, align="right")
        pen.rectangle(pen.left, 62, pen.right, 62, LINE)
        pen.text(74, "SCORE", 10, DIM)
        pen.text(87, number_text(score), 22, bold=True, width=130)
        pen.text(74, "STEP", 10, DIM, align="right")
        pen.text(87, str(step), 22, align="right")
        pen.text(130, "KEYS", 10, DIM)
