"""Films of the games worth a look, small enough to be part of the page."""

from __future__ import annotations

import base64
import contextlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import envs
from arena.encoder import Encoder
from arena.errors import ArenaError
from arena.film import Replay, fps_of, frames_of
from arena.gamelog import Game
from arena.reports.choice import Chosen
from arena.reports.view import Clip
from arena.tournaments.films import game_of
from envs.rows import Rows, Step

_MOST_CLIPS = 12
_MOST_BYTES = 17_000_000  # of all films; base64 makes a third more of it
_MOST_FRAMES = 1_500
_MOST_STEPS = 10_000


def clips(
    games: Sequence[Chosen],
    folder: Path,
    *,
    most_bytes: int = _MOST_BYTES,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Clip]:
    """Returns the films of games of the tournament in `folder`, in order; one that cannot be had says why.

    Films are kept in `videos/report`, so that a page is soon made again. A long game is shown from near its end.

    Args:
      most_bytes: of all films together.
      on_progress: is told how many films are done, of how many.
    """
    made, size = [], 0
    for done, chosen in enumerate(games):
        if on_progress:
            on_progress(done, len(games))
        clip = Clip(chosen.title, chosen.text)
        again = f"arena record DIR --match {chosen.played.match.id} films it."
        if done >= _MOST_CLIPS:
            made.append(replace(clip, reason=f"The page holds {_MOST_CLIPS} films at most; {again}"))
            continue
        try:
            path, start = _film(chosen, folder)
        except ArenaError as error:
            made.append(replace(clip, reason=f"There is no film: {error}"))
            continue
        film = path.read_bytes()
        if size + len(film) > most_bytes:
            made.append(replace(clip, reason=f"The film would make the page too large; {again}"))
            continue
        size += len(film)
        text = f"{chosen.text} The film shows its last {chosen.game.length - start:,} steps." if start else chosen.text
        made.append(Clip(chosen.title, text, f"data:video/mp4;base64,{base64.b64encode(film).decode()}"))
    return made


def _film(chosen: Chosen, folder: Path) -> tuple[Path, int]:
    """Returns a game's film and at which step it begins."""
    length, match = chosen.game.length, chosen.played.match
    if length > _MOST_STEPS:
        raise ArenaError(f"the game has {length:,} steps, and more than {_MOST_STEPS:,} take too long for a report")
    start = max(0, length + 1 - _MOST_FRAMES)
    path = folder / "videos" / "report" / f"{match.id}-{chosen.index}.mp4"
    if not path.is_file():
        film_from(game_of(folder, match.id, chosen.index), start, path)
    return path, start


def film_from(game: Game, start: int, path: Path) -> None:
    """Films a game from its step number `start` to its end, without a panel, by playing it again.

    Raises ArenaError where it cannot be drawn, or is another game when played again.
    """
    env = envs.make(game.env_id, 1, preprocess=game.preprocess, settings=game.env_settings, render=True)
    with contextlib.closing(_Late(env, start)) as late, Encoder(path, fps_of(env.spec)) as encoder:
        replay = Replay(env.spec, game)
        frames = frames_of(late, replay, lambda _: game.seed, agent=game.agent, overlay=False)
        finished = None
        for frame in itertools.islice(frames, start, None):
            encoder.write(frame.rgb)
            finished = frame.finished
        if finished is None or (finished.ret, finished.length) != (game.ret, game.length):
            raise ArenaError(f"played again, the game of {game.agent} (seed {game.seed}) has another result")


class _Late(Rows):
    """One row that is drawn from step number `start` on."""

    _BLANK = np.zeros((2, 642, 3), np.uint8)  # too wide to be scaled up, which would take time

    def __init__(self, env: Rows, start: int) -> None:
        self.spec, self.num_rows = env.spec, 1
        self._env, self._start, self._steps = env, start, 0

    def reset(self, rows: np.ndarray, seeds: np.ndarray) -> Any:
        return self._env.reset(rows, seeds)

    def step(self, actions: np.ndarray) -> Step:
        self._steps += 1
        return self._env.step(actions)

    def render(self) -> np.ndarray:
        return self._env.render() if self._steps >= self._start else self._BLANK

    def close(self) -> None:
        self._env.close()
