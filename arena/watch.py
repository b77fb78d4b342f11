"""A game in a window: the same frames that are filmed, at the environment's own speed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import envs
from arena import registry
from arena.agent import Mode
from arena.errors import InvalidValue
from arena.evaluation import expect_one_seat
from arena.film import Frame, fps_of, frames_of
from arena.loop import Episode
from arena.seeding import Stream, check_seed, derived_seed, episode_seed
from arena.window import CLOSE, opened

_PAUSE_S = 1.0  # between two games, to read the final score
_CLOSING = ("escape", "q", CLOSE.name)


def watch(
    ref: str,
    env_id: str,
    *,
    seed: int = 0,
    mode: str | None = None,
    preprocess: str | None = None,
    env_settings: Mapping[str, Any] | None = None,
    trust: bool = False,
    overlay: bool = True,
    max_episodes: int | None = None,
) -> list[Episode]:
    """Shows games in a window until it is closed (or Esc or q is pressed); returns those that were played out.

    They are the games that `evaluate` with the same arguments reports. See arena.recording.record for the arguments.

    Args:
      max_episodes: ends after so many games; None for no end.

    Raises:
      ArenaError: there is no display.
    """
    if max_episodes is not None and max_episodes < 1:
        raise InvalidValue(f"max_episodes must be a whole number of at least 1, not {max_episodes!r}")
    check_seed(seed)
    parsed_mode = Mode.parse(mode) if mode is not None else None
    reference = registry.resolve(ref, env_id)
    env = envs.make(env_id, 1, preprocess=preprocess or reference.preprocess, settings=env_settings, render=True)
    try:
        expect_one_seat(env.spec)
        with reference.opened(env.spec, seed=derived_seed(seed, "player"), mode=parsed_mode, trust=trust) as player:
            frames = frames_of(
                env,
                player,
                lambda i: episode_seed(seed, Stream.EVALUATION, i),
                agent=reference.name,
                num_episodes=max_episodes,
                overlay=overlay,
            )
            return show(frames, fps_of(env.spec), f"{reference.name} · {env_id}")
    finally:
        env.close()


def show(frames: Iterator[Frame], fps: float, title: str) -> list[Episode]:
    """Shows frames in a window at `fps` until they or the viewer come to an end; returns the episodes that ended."""
    episodes: list[Episode] = []
    with opened(title, "`arena record` films it instead") as window:
        for frame in frames:
            window.show(frame.rgb)
            if frame.finished:
                episodes.append(frame.finished)
            for _ in range(max(1, round(_PAUSE_S * fps)) if frame.finished else 1):
                if any(key.is_down and key.name in _CLOSING for key in window.wait(fps)):
                    return episodes
    return episodes
