"""A run on one film: the same game played by the agent at 0, 1, 10 and 100% of its training, one after another."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import envs
from arena import milestones, montage, plots, registry, runs
from arena.archive import file_safe
from arena.encoder import Encoder
from arena.errors import ArenaError
from arena.film import fps_of
from arena.gamelog import Game
from arena.montage import Montage, Take
from arena.overlay import number_text
from arena.pace import AS_IT_IS, HOLD_S, Look, Pace
from arena.pen import BACKGROUND, CHOSEN, DIM, TEXT, Pen, stamp
from arena.pictures import even, fitted, scaled
from arena.registry import Reference
from arena.run_folder import load_config

if TYPE_CHECKING:
    from PIL import Image

_SECONDS = 10.0  # of each part, where nothing else is asked for
_TOP, _BOTTOM, _MARGIN = 56, 64, 12
_AHEAD = (88, 96, 110)


@dataclass(frozen=True)
class Part:
    """One part of a story.

    Attributes:
      reference: the policy that plays.
      title: how much of the training it has had.
      step: the environment steps that it was trained for.
    """

    reference: Reference
    title: str
    step: int


def record_story(
    run: Path | str,
    *,
    seed: int = 0,
    out: Path | str = Path("recordings"),
    fmt: str = "mp4",
    look: Look = AS_IT_IS,
    mode: str | None = None,
    on_progress: Callable[[float, str], None] = lambda fraction, text: None,
) -> Montage:
    """Films how an agent learned: the first game that `evaluate` reports, played by its policies of other times.

    Above the game stands how much of the training the policy has had, below it the run's learning curve. The last
    part is the final policy; while the run goes on, the best so far.

    Args:
      run: a run folder.
      seed: the root from which the game has its seed.
      out: the folder to write to.
      fmt: mp4 or gif.
      look: size and speed of the film, and after how many seconds each part is cut: 10 when left out.
      mode: greedy, sample or epsilon=X; the policies' own when left out.
      on_progress: called with the fraction of the parts that are filmed, and what is filmed now.

    Raises:
      ArenaError: in one clear line, whatever was wrong; no half file is left.
    """
    run = Path(run)
    montage.check(seed, fmt)
    config, parts = load_config(run), parts_of(run)
    look = replace(look, seconds=look.seconds or _SECONDS)
    pages = Pages(look.width, _curve(run))
    video = Path(out) / f"{file_safe(run.resolve().name)}_story_seed{seed}.{fmt}"
    games: list[Game] = []
    env = envs.make(config.env, 1, preprocess=config.preprocess, settings=config.env_settings, render=True)
    with contextlib.closing(env), Encoder(video, Pace(fps_of(env.spec), look, fmt).fps) as encoder:
        for number, part in enumerate(parts):
            on_progress(number / len(parts), part.title)
            settings = config.env_settings
            with montage.opened(part.reference, env, seed=seed, mode=mode, env_settings=settings) as take:
                _write(encoder, pages, part, take, Pace(take.fps, look, fmt))
                games.append(take.game())
    return montage.finished(video, games)


def parts_of(run: Path) -> list[Part]:
    """Returns the parts of a run's story. Raises ArenaError where it has kept no policies of its beginning."""
    config, kept = load_config(run), milestones.kept(run)
    if not kept:
        raise ArenaError(
            f"{run} has no policies of its beginning, which newer trainings keep; train it again with "
            f"`arena train {config.agent} --env {config.env}`"
        )
    is_finished = any(found["state"] == "finished" for found in runs.find(run) if found["folder"] == str(run))
    last = milestones.policy_at(run / ("final" if is_finished else "best"))
    parts = [_part(path, f"{percent}% of training") for percent, path in kept]
    if last is not None:
        parts.append(_part(last, "100% of training" if is_finished else "the best so far"))
    return parts


def _part(path: Path, title: str) -> Part:
    reference = registry.resolve(str(path))
    assert reference.policy is not None
    return Part(reference, title, reference.policy.card.step)


def _curve(run: Path) -> tuple[np.ndarray, np.ndarray]:
    """Returns the steps and the means of a run's evaluations."""
    columns = plots.read_columns(run / "evaluations.csv", ("step", "mean"))
    is_known = np.isfinite(columns["step"]) & np.isfinite(columns["mean"])
    return columns["step"][is_known], columns["mean"][is_known]


def _write(encoder: Encoder, pages: Pages, part: Part, take: Take, pace: Pace) -> None:
    """Films a part; what comes after the cut is played and not shown, but for the end."""
    while not take.is_over:
        if pace.wants():
            encoder.write(pages.draw(part, take))
        take.advance()
    encoder.hold(pages.draw(part, take), HOLD_S)


class Pages:
    """Draws a game below how much of the training its player has had, and above the run's learning curve.

    Args:
      width: of the whole in pixels; None for what is comfortable.
      curve: [T] steps and [T] mean returns of the run's evaluations; with fewer than two no curve is drawn.
    """

    def __init__(self, width: int | None, curve: tuple[np.ndarray, np.ndarray]) -> None:
        self._width = width
        self._steps, self._means = curve
        self._bottom = _BOTTOM if len(self._steps) > 1 else 0
        self._stamp = functools.lru_cache(1024)(stamp)
        self._footer = functools.lru_cache(2)(self._drawn_curve)

    def draw(self, part: Part, take: Take) -> np.ndarray:
        """Returns the [H, W, 3] uint8 picture of a moment, with even sides."""
        from PIL import Image, ImageDraw

        picture = fitted(scaled(take.shot.picture), self._width)
        height, width = picture.shape[:2]
        page = Image.new("RGB", (width, _TOP + height + self._bottom), BACKGROUND)
        page.paste(Image.fromarray(picture), (0, _TOP))
        if self._bottom:
            page.paste(self._footer(part.step, width), (0, _TOP + height))
        pen = Pen(page, ImageDraw.Draw(page), _MARGIN, width - _MARGIN, self._stamp)
        room = (width - 2 * _MARGIN) * 2 // 3
        pen.text(6, part.title, 20, bold=True, width=room)
        pen.text(34, f"{take.name} on {take.env_id} after {part.step:,} steps", 12, DIM, width=room)
        colour, what = (CHOSEN, "FINAL SCORE") if take.is_over else (TEXT, "SCORE")
        pen.text(9, what, 10, DIM, align="right")
        pen.text(24, number_text(take.shot.score), 20, colour, bold=True, align="right", width=width // 3)
        return even(np.asarray(page))

    def _drawn_curve(self, step: int, width: int) -> Image.Image:
        """Returns the learning curve, bright as far as `step`."""
        from PIL import Image, ImageDraw

        fine = 3  # drawn so many times as large, which makes lines smooth
        least, most, last = self._means.min(), self._means.max(), max(float(self._steps[-1]), step)
        heights = (self._means - least) / max(most - least, 1e-9)
        x = fine * (_MARGIN + self._steps / last * (width - 2 * _MARGIN))
        y = fine * (self._bottom - 10 - heights * (self._bottom - 34))
        now = fine * (_MARGIN + step / last * (width - 2 * _MARGIN))
        reached = [*zip(x[x <= now], y[x <= now], strict=True), (now, np.interp(now, x, y))]
        large = Image.new("RGB", (fine * width, fine * self._bottom), BACKGROUND)
        draw = ImageDraw.Draw(large)
        draw.line([*zip(x, y, strict=True)], _AHEAD, 2 * fine, joint="curve")
        if now >= x[0]:
            draw.line(reached, TEXT, 2 * fine, joint="curve")
        draw.line([(now, fine * 20), (now, fine * (self._bottom - 6))], CHOSEN, 2 * fine)
        footer = large.resize((width, self._bottom), Image.Resampling.LANCZOS)
        pen = Pen(footer, ImageDraw.Draw(footer), _MARGIN, width - _MARGIN, self._stamp)
        pen.text(4, "MEAN RETURN OF THE RUN'S EVALUATIONS", 9, DIM, width=width // 2)
        pen.text(4, f"{number_text(least)} to {number_text(most)}", 9, DIM, align="right", width=width // 3)
        return footer
