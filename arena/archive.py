"""Recordings on disk: a film, and under the same name a `.json` that tells of the game and an `.npz` that is it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from arena.agent import Player
from arena.errors import ArenaError
from arena.film import NotReproducible, film, film_live
from arena.gamelog import Game
from arena.pace import AS_IT_IS, Look
from envs.rows import Rows


@dataclass(frozen=True)
class Recording:
    """A filmed game.

    Attributes:
      video: the film.
      data: JSON: agent, env, protocol, seed, episode, return, length, ...
      log: the game as Game.load reads it; None where it was filmed live, as it cannot be played again.
      game: the game; without actions where it was filmed live.
    """

    video: Path
    data: Path
    log: Path | None
    game: Game

    def to_json(self) -> dict[str, Any]:
        """Returns what is known of the game and where its files are, as JSON."""
        log = None if self.log is None else str(self.log)
        return {"video": str(self.video), "data": str(self.data), "log": log, **self.game.summary()}

    def delete(self) -> None:
        """Removes its files."""
        for path in (self.video, self.data, self.log):
            if path is not None:
                path.unlink(missing_ok=True)


def keep(
    game: Game,
    folder: Path,
    stem: str,
    *,
    env: Rows,
    fmt: str = "mp4",
    overlay: bool = True,
    look: Look = AS_IT_IS,
    player: Player | None = None,
    on_frame: Callable[[int], None] | None = None,
) -> Recording:
    """Films a game into `folder` under a name that begins with `stem` and ends with its return.

    Args:
      env: one row of the game's environment, made with render=True.
      player: plays another game on the same seed, filmed live, where this one is not reproducible.

    Raises:
      NotReproducible: it is not, and there is no player.
      ArenaError: a file could not be written.
    """
    is_live = False
    video = _named(folder, stem, game.ret, fmt)
    try:
        film(game, video, overlay=overlay, look=look, env=env, on_frame=on_frame)
    except NotReproducible:
        if player is None:
            raise
        is_live = True
        part = folder / f".{stem}.live.{fmt}"
        ended = film_live(
            player,
            env,
            part,
            seed=game.seed,
            agent=game.agent,
            episode=game.episode,
            overlay=overlay,
            look=look,
            on_frame=on_frame,
        )
        game = replace(game, actions=game.actions[:0], extras={}, ret=ended.ret)
        game = replace(game, length=ended.length, truncated=ended.truncated)
        video = _named(folder, stem, game.ret, fmt)
        os.replace(part, video)
    data, log = (video.with_name(video.name.removesuffix(fmt) + suffix) for suffix in ("json", "npz"))
    try:
        if not is_live:
            game.save(log)
        about = {"video": video.name, "log": None if is_live else log.name, **game.summary()}
        _write_json(data, about)
    except OSError as error:
        raise ArenaError(f"could not write {data}: {error.strerror}") from error
    return Recording(video, data, None if is_live else log, game)


def best_in(folder: Path, prefix: str, fmt: str) -> Recording | None:
    """Returns the recording of the highest return among those whose names begin with `prefix`, if there is any."""
    found = []
    for log in sorted(folder.glob(f"{prefix}*.npz")):
        data, video = (log.with_name(log.name.removesuffix("npz") + suffix) for suffix in ("json", fmt))
        found.append(Recording(video, data, log, Game.load(log)))
    return max(found, key=lambda recording: recording.game.ret, default=None)


def file_safe(name: str) -> str:
    """Returns a name without what a file's name cannot hold or what separates its parts: ALE/Pong-v5 is ALE-Pong-v5."""
    return re.sub(r"[^A-Za-z0-9.+-]+", "-", name).strip("-.") or "agent"


def _named(folder: Path, stem: str, ret: float, fmt: str) -> Path:
    return folder / f"{stem}_return{ret:+09.2f}.{fmt}"


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_text(json.dumps(content, indent=2, default=str) + "\n")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
