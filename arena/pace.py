"""How a film is cut from a game: its width, its frame rate, its speed and its length."""

from __future__ import annotations

import math
from dataclasses import dataclass

from arena.errors import InvalidValue

#: How long the last picture of a game that was cut, or is one of several, stays, to read its score.
HOLD_S = 1.5
_GIF_FPS = 25.0  # browsers slow down what is much faster
_LEAST_WIDTH = 64


@dataclass(frozen=True)
class Look:
    """What a film is to look like. Raises InvalidValue for what no film can be.

    Attributes:
      width: of the film in pixels; None for as large as is comfortable.
      fps: frames shown in a second, at most; None for as many as the environment has, in a GIF no more than 25.
      speed: how many times as fast as the environment's own the games pass; frames are left out, not hurried.
      seconds: after so many the play is cut, and the picture with which the game ended follows; None for no limit.
    """

    width: int | None = None
    fps: float | None = None
    speed: float = 1.0
    seconds: float | None = None

    def __post_init__(self) -> None:
        width = self.width
        if width is not None and (isinstance(width, bool) or not isinstance(width, int) or width < _LEAST_WIDTH):
            raise InvalidValue(f"width must be a whole number of at least {_LEAST_WIDTH} pixels, not {width!r}")
        for name in ("fps", "speed", "seconds"):
            value = getattr(self, name)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if value is not None and not (is_number and 0 < value < math.inf):
                raise InvalidValue(f"{name} must be a number above 0, not {value!r}")


AS_IT_IS = Look()


class Pace:
    """Tells frame by frame which of a game's are shown.

    Args:
      own_fps: of the game: how many of its frames are a second of its own time.
      look: of the film.
      fmt: mp4 or gif.

    Attributes:
      fps: the film's.
    """

    def __init__(self, own_fps: float, look: Look, fmt: str) -> None:
        passing = own_fps * look.speed
        most = look.fps or min(own_fps, _GIF_FPS if fmt == "gif" else math.inf)
        self.fps = min(passing, most)
        self._stride = passing / self.fps
        self._limit = math.inf if look.seconds is None else look.seconds * self.fps
        self._num_frames = self._num_shown = 0

    def wants(self) -> bool:
        """Returns whether the next frame is shown."""
        is_due = not self.is_cut and self._num_frames >= round(self._num_shown * self._stride, 6)
        self._num_frames += 1
        self._num_shown += is_due
        return is_due

    @property
    def is_cut(self) -> bool:
        """True when all is shown that there is time for."""
        return self._num_shown >= self._limit
