"""Several agents side by side on one film: each on a screen of its own, all on the same seed, in lockstep."""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import envs
from arena import montage, registry
from arena.archive import file_safe
from arena.encoder import Encoder
from arena.errors import InvalidValue
from arena.montage import Montage, Take
from arena.overlay import number_text
from arena.pace import AS_IT_IS, HOLD_S, Look, Pace
from arena.pen import BACKGROUND, CHOSEN, LINE, TEXT, Pen, stamp
from arena.pictures import even

if TYPE_CHECKING:
    from PIL import Image

_WIDTH = 960  # of a film for which none is asked
_GAP = 6
_DIMMED = 0.6
_NARROW = 220  # screens with less than this have smaller names
_NAME_LENGTH = 80  # of the agents' names in the film's


def record_grid(
    refs: Sequence[str],
    env_id: str,
    *,
    seed: int = 0,
    out: Path | str = Path("recordings"),
    fmt: str = "mp4",
    look: Look = AS_IT_IS,
    mode: str | None = None,
    preprocess: str | None = None,
    env_settings: Mapping[str, Any] | None = None,
    trust: bool = False,
    on_progress: Callable[[float, str], None] = lambda fraction, text: None,
) -> Montage:
    """Films the first game that `evaluate` reports of every agent, side by side, until the last one has ended.

    A game that has ended is dimmed and shows its final score. Where agents see the environment at different
    frame skips, the same time passes on all screens.

    Args:
      refs: agent references (see arena.registry).
      env_id: an environment id.
      seed: the root from which the game has its seed.
      out: the folder to write to.
      fmt: mp4 or gif.
      look: size, speed and length of the film.
      mode, preprocess: of all agents; each one's own when left out.
      env_settings: keywords for the environment's maker.
      trust: whether models that can hold code may be loaded (in processes of their own).
      on_progress: called with the fraction of the games that have ended, and how many those are.

    Raises:
      ArenaError: in one clear line, whatever was wrong; no half file is left.
    """
    if len(refs) < 2:
        raise InvalidValue(f"a grid takes two agents or more, not {len(refs)}")
    montage.check(seed, fmt)
    references = [registry.resolve(ref, env_id) for ref in refs]
    names = _told_apart([reference.name for reference in references], refs)
    with contextlib.ExitStack() as stack:
        takes = []
        for reference, name in zip(references, names, strict=True):
            own = preprocess or reference.preprocess
            env = envs.make(env_id, 1, preprocess=own, settings=env_settings, render=True)
            stack.callback(env.close)
            ways: dict[str, Any] = {"seed": seed, "mode": mode, "env_settings": env_settings, "trust": trust}
            takes.append(stack.enter_context(montage.opened(reference, env, name=name, **ways)))
        who = "_".join(map(file_safe, names))[:_NAME_LENGTH]
        video = Path(out) / f"{file_safe(env_id)}_grid_{who}_seed{seed}.{fmt}"
        _write(takes, video, look, on_progress)
        return montage.finished(video, [take.game() for take in takes])


def _write(takes: Sequence[Take], video: Path, look: Look, on_progress: Callable[[float, str], None]) -> None:
    pace = Pace(max(take.fps for take in takes), look, video.suffix[1:])
    height, width = takes[0].shot.picture.shape[:2]
    sheet = Sheet(len(takes), width, height, look.width)
    with Encoder(video, pace.fps) as encoder:
        for num_over in in_lockstep(takes):
            if pace.wants():
                encoder.write(sheet.draw(takes))
            on_progress(num_over / len(takes), f"{num_over} of {len(takes)} games ended")
        encoder.hold(sheet.draw(takes), HOLD_S)


def in_lockstep(takes: Sequence[Take]) -> Iterator[int]:
    """Yields the number of games that are over, at every moment of the fastest one; all advance between two of them.

    A take of fewer moments a second stands still for some of these, so that the same time passes in all.
    """
    fps = max(take.fps for take in takes)
    for moment in itertools.count(1):
        num_over = sum(take.is_over for take in takes)
        yield num_over
        if num_over == len(takes):
            return
        for take in takes:
            if not take.is_over and take.num_moments * fps <= moment * take.fps:
                take.advance()


class Sheet:
    """Draws screens in rows and columns, each below its agent's name and score.

    Args:
      num_screens: how many.
      picture_width, picture_height: of the games' pictures.
      width: of the whole in pixels; None for what shows pictures at a whole multiple of their size, if that is near.
    """

    def __init__(self, num_screens: int, picture_width: int, picture_height: int, width: int | None = None) -> None:
        self.num_rows = math.isqrt(num_screens)
        self.num_columns = math.ceil(num_screens / self.num_rows)
        room = ((width or _WIDTH) - _GAP * (self.num_columns - 1)) // self.num_columns
        if width is None and room > picture_width:
            room -= room % picture_width
        self._width, self._height = room, round(picture_height * room / picture_width)
        self._size, self._top = (12, 20) if room < _NARROW else (15, 26)
        self._stamp = functools.lru_cache(1024)(stamp)
        self._ended: dict[int, Image.Image] = {}

    def draw(self, takes: Sequence[Take]) -> np.ndarray:
        """Returns the [H, W, 3] uint8 picture of a moment, with even sides."""
        from PIL import Image

        across, down = self._width + _GAP, self._top + self._height + _GAP
        sheet = Image.new("RGB", (self.num_columns * across - _GAP, self.num_rows * down - _GAP), BACKGROUND)
        for number, take in enumerate(takes):
            screen = self._ended.get(number) or self._screen(take)
            if take.is_over:
                self._ended[number] = screen
            row, column = divmod(number, self.num_columns)
            sheet.paste(screen, (column * across, row * down))
        return even(np.asarray(sheet))

    def _screen(self, take: Take) -> Image.Image:
        from PIL import Image, ImageDraw

        size = (self._width, self._height)
        picture = Image.fromarray(take.shot.picture).resize(size, Image.Resampling.BOX)
        if take.is_over:
            picture = Image.blend(picture, Image.new("RGB", size, BACKGROUND), _DIMMED)
        screen = Image.new("RGB", (self._width, self._top + self._height), LINE)
        screen.paste(picture, (0, self._top))
        pen = Pen(screen, ImageDraw.Draw(screen), 8, self._width - 8, self._stamp)
        y, score = (self._top - round(1.2 * self._size)) // 2, number_text(take.shot.score)
        text, colour = (f"final {score}", CHOSEN) if take.is_over else (score, TEXT)
        pen.text(y, text, self._size, colour, bold=True, align="right", width=self._width // 2)
        room = self._width - 24 - self._stamp(text, self._size, True, self._width // 2).width
        pen.text(y, take.name, self._size, bold=True, width=room)
        return screen


def _told_apart(names: Sequence[str], refs: Sequence[str]) -> list[str]:
    """Returns the names; where several are the same, what their references end with."""
    return [name if list(names).count(name) == 1 else Path(ref).name for name, ref in zip(names, refs, strict=True)]
