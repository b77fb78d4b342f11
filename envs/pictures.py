"""Pictures of this project's environments."""

from __future__ import annotations

import numpy as np

_WIDTH, _MARGIN, _FINE = 640, 24, 2  # drawn larger by _FINE, for smooth edges
_BACKGROUND, _FLOOR, _LINE = (21, 23, 28), (52, 57, 67), (38, 42, 50)
_SIGN, _AGENT, _GOAL, _WRONG = (255, 179, 71), (98, 164, 240), (98, 190, 120), (226, 74, 74)
_LARGEST, _SMALLEST = 40, 4  # pixels of a cell


def t_maze(length: int, position: int, *, is_north: bool, arm: int) -> np.ndarray:
    """Returns [H, W, 3] uint8: the corridor from above, the sign at its start, the arms at its end, and the agent.

    `arm` is 0 where the agent has gone north, 2 south, -1 where it is still in the corridor.
    """
    from PIL import Image, ImageDraw

    cell = max(_SMALLEST, min(_LARGEST, (_WIDTH - 2 * _MARGIN) // (length + 1))) * _FINE
    margin, height = _MARGIN * _FINE, 3 * cell + 2 * _MARGIN * _FINE
    image = Image.new("RGB", ((length + 1) * cell + 2 * margin, height), _BACKGROUND)
    draw = ImageDraw.Draw(image)

    def box(column: int, row: int) -> tuple[int, int, int, int]:
        x, y = margin + column * cell, margin + row * cell
        return x, y, x + cell - _FINE, y + cell - _FINE

    for column, row in [(column, 1) for column in range(length + 1)] + [(length, 0), (length, 2)]:
        draw.rectangle(box(column, row), _FLOOR, _LINE)
    goal, chosen = 0 if is_north else 2, {0: 0, 2: 2}.get(arm, 1)
    if arm >= 0:
        draw.rectangle(box(length, chosen), _GOAL if chosen == goal else _WRONG)
    left, top, right, bottom = box(0, 1)
    tip, base = (top, bottom) if is_north else (bottom, top)
    draw.polygon([(left, base), ((left + right) // 2, tip), (right, base)], _SIGN)
    x0, y0, x1, y1 = box(position, chosen)
    inset = (x1 - x0) // 5
    draw.ellipse((x0 + inset, y0 + inset, x1 - inset, y1 - inset), _AGENT)
    return np.asarray(image.resize((image.width // _FINE, height // _FINE), Image.Resampling.LANCZOS), np.uint8)
