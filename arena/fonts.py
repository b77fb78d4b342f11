"""The fonts of pictures: DejaVu, which comes with matplotlib."""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import ImageFont


@functools.cache
def dejavu(size: int, style: str = "") -> ImageFont.FreeTypeFont:
    """Returns DejaVu Sans of `size` pixels; `style` is "", "bold" or "mono"."""
    from PIL import ImageFont

    found = importlib.util.find_spec("matplotlib")  # found without importing it
    assert found is not None and found.origin is not None
    name = {"": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf", "mono": "DejaVuSansMono.ttf"}[style]
    return ImageFont.truetype(str(Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / name), size)
