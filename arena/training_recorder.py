"""Films of a training: which episodes are filmed, and filming them without touching what is learned."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import envs
from arena.agent import Spec
from arena.archive import Recording, best_in, keep
from arena.errors import InvalidValue
from arena.film import NotReproducible
from arena.gamelog import Game, GameLog
from arena.loop import Event, RowStart

_BEST = "best_"


class Schedule(NamedTuple):
    """Which episodes of a training are filmed: none, cubic, every (with its period) or best."""

    kind: str
    period: int = 0

    def wants(self, episode: int) -> bool:
        """Returns whether an episode may be filmed. Cubic: 0, 1, 8, 27 ... 1000, then every 1,000th.

        Source: Gymnasium's capped_cubic_video_schedule.
        """
        if self.kind == "cubic":
            return episode % 1000 == 0 if episode >= 1000 else round(episode ** (1 / 3)) ** 3 == episode
        if self.kind == "every":
            return episode % self.period == 0
        return self.kind == "best"


def parse_schedule(text: str) -> Schedule:
    """Returns the schedule that `text` names: none, cubic, every=N or best."""
    if text in ("none", "cubic", "best"):
        return Schedule(text)
    match = re.fullmatch(r"every=([0-9]+)", text)
    if match and int(match[1]) > 0:
        return Schedule("every", int(match[1]))
    raise InvalidValue(f"what to record is none, cubic, best or every=N with N of at least 1, not {text!r}")


class TrainingRecorder:
    """Folds over the training loop's events and films episodes by playing them again, in an environment of its own.

    The first episode that is not reproducible is told through `on_warning`, in one line, and no other is
    filmed. (Filming live would mean training in another environment.)

    The best episode so far is filmed by flush() and close(), not at once: early in a training almost
    every episode is the best so far. Call flush() at checkpoints. Of equals, the first is kept.

    Args:
      schedule: which episodes (see parse_schedule).
      folder: where the films go; a resumed run finds the best so far there.
      agent: the learner's name, for people.
      spec: of the environment that is trained in. The rendering one is made at once, so that what
        cannot be rendered fails before the training begins.
      env_settings: with which the environment was made.
      starts: what the loop was given as `starts` (a resumed run).
      fmt: mp4 or gif.
      overlay: with the panel of arena.overlay.
      on_video: called with each recording made.
      on_warning: called with one line.
    """

    def __init__(
        self,
        schedule: str,
        folder: Path,
        *,
        agent: str,
        spec: Spec,
        env_settings: Mapping[str, Any] | None = None,
        starts: Sequence[RowStart | None] | None = None,
        fmt: str = "mp4",
        overlay: bool = True,
        on_video: Callable[[Recording], None] | None = None,
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        self._schedule = parse_schedule(schedule)
        self._folder, self._fmt, self._overlay = folder, fmt, overlay
        self._on_video, self._on_warning = on_video, on_warning
        self._is_off = self._schedule.kind == "none"
        self._is_best = self._schedule.kind == "best"
        self._best = best_in(folder, _BEST, fmt) if self._is_best else None
        self._candidate: tuple[Game, int] | None = None
        self._env = None
        if self._is_off:
            return
        self._env = envs.make(spec.env_id, 1, preprocess=spec.preprocess, settings=env_settings, render=True)
        self._log = GameLog(
            agent,
            spec.env_id,
            preprocess=spec.preprocess,
            env_settings=env_settings,
            protocol=spec.protocol,
            wants=self._schedule.wants,
            with_extras=overlay,
            starts=starts,
        )

    def add(self, event: Event, first_step: int = 0) -> None:
        """Takes in one event; films the wanted episodes that ended with it.

        Args:
          event: of the training loop.
          first_step: environment steps taken before the loop began (a resumed run).
        """
        if self._is_off:
            return
        for game in self._log.add(event):
            if not self._is_best:
                self._film(game, first_step + event.step)
            elif game.ret > self._best_return():
                self._candidate = (game, first_step + event.step)

    def flush(self) -> None:
        """Films the best episode so far where it is not filmed yet, and deletes the film that it replaces."""
        if self._candidate is None or self._is_off:
            return
        (game, step), self._candidate = self._candidate, None
        recording = self._film(game, step, _BEST)
        if recording is None:
            return
        if self._best is not None and self._best.video != recording.video:
            self._best.delete()
        self._best = recording

    def close(self) -> None:
        """Films what is left to film and frees the rendering environment."""
        try:
            self.flush()
        finally:
            self._is_off = True
            if self._env is not None:
                self._env.close()

    def _best_return(self) -> float:
        if self._candidate is not None:
            return self._candidate[0].ret
        return self._best.game.ret if self._best is not None else float("-inf")

    def _film(self, game: Game, step: int, prefix: str = "") -> Recording | None:
        assert self._env is not None
        stem = f"{prefix}episode{game.episode:06d}_step{step:09d}"
        try:
            recording = keep(game, self._folder, stem, env=self._env, fmt=self._fmt, overlay=self._overlay)
        except NotReproducible as error:
            self._is_off = True
            if self._on_warning:
                self._on_warning(f"no more episodes are filmed: {error}")
            return None
        if self._on_video:
            self._on_video(recording)
        return recording
