"""A game is its seed and its actions: what is kept of a game so that it can be played again, to the same frame."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from arena.errors import DamagedFile
from arena.loop import Episode, Event, RowStart, observation_digest
from arena.nests import row_of

#: The extras that a viewer shows; all others are left out of a log.
SHOWN = ("q", "probs", "mean")
_HEADER = "arena.game"


@dataclass(frozen=True)
class Game:
    """One finished game.

    Attributes:
      agent: the player's name, for people; in a game of several seats, their names.
      env_id, preprocess, env_settings: what envs.make needs to make its environment again.
      protocol: what the score depends on, for people.
      seed: the seed with which the environment was reset.
      episode: its number in the run that played it.
      actions: [T] int64 or [T, A] float32.
      extras: [T, ...] float32 by name, of those in SHOWN.
      ret: the raw, undiscounted return; in a game of several seats, of seat 0.
      truncated: True when it was cut off, False when it came to its own end.
      digest: observation_digest() of the last observation that was acted on; "" where it is not known.
      players, returns: in a game of several seats, the players' names and their returns by seat; else ().
    """

    agent: str
    env_id: str
    preprocess: str
    env_settings: Mapping[str, Any]
    protocol: Mapping[str, Any]
    seed: int
    episode: int
    actions: np.ndarray
    ret: float
    length: int
    truncated: bool
    extras: Mapping[str, np.ndarray] = field(default_factory=dict)
    digest: str = ""
    players: tuple[str, ...] = ()
    returns: tuple[float, ...] = ()

    def summary(self) -> dict[str, Any]:
        """Returns everything but the arrays, as JSON; the return is called "return"."""
        by_seat = {"players": list(self.players), "returns": list(self.returns)} if self.players else {}
        return by_seat | {
            "agent": self.agent,
            "env": self.env_id,
            "preprocess": self.preprocess,
            "env_settings": dict(self.env_settings),
            "protocol": dict(self.protocol),
            "seed": self.seed,
            "episode": self.episode,
            "return": self.ret,
            "length": self.length,
            "truncated": self.truncated,
            "digest": self.digest,
        }

    def save(self, path: Path) -> Path:
        """Writes the game as `.npz` without objects, atomically. Returns the path."""
        temporary = path.with_name(f".{path.name}.part")
        try:
            with temporary.open("wb") as file:
                arrays: dict[str, Any] = {f"extras.{name}": values for name, values in self.extras.items()}
                arrays[_HEADER] = np.array(json.dumps(self.summary(), default=str))
                np.savez_compressed(file, actions=self.actions, **arrays)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        return path

    @classmethod
    def load(cls, path: Path) -> Game:
        """Returns the game in a file. Raises DamagedFile where it is none."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                header = json.loads(str(arrays[_HEADER]))
                game = {"env_id": header.pop("env"), "ret": header.pop("return"), "actions": arrays["actions"]}
                extras = {n.removeprefix("extras."): arrays[n] for n in arrays.files if n.startswith("extras.")}
                game |= {key: tuple(header.pop(key)) for key in ("players", "returns") if key in header}
            return cls(**header, **game, extras=extras)
        except (OSError, EOFError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise DamagedFile(f"{path} is not a game of the arena, or is damaged ({reason})") from error


class GameLog:
    """Folds over the loop's events and gives the games that end; remembers actions, never observations.

    Args:
      agent, env_id, preprocess, env_settings, protocol: what the games say of themselves.
      wants: tells by its number whether an episode is to be kept; None keeps all.
      with_extras: also keep what a viewer shows (see SHOWN).
      starts: what the loop was given as `starts`. Games that were begun before have no extras.
      players: in games of several seats, the names of an episode's players by seat.
    """

    def __init__(
        self,
        agent: str,
        env_id: str,
        *,
        preprocess: str = "none",
        env_settings: Mapping[str, Any] | None = None,
        protocol: Mapping[str, Any] | None = None,
        wants: Callable[[int], bool] | None = None,
        with_extras: bool = False,
        starts: Sequence[RowStart | None] | None = None,
        players: Callable[[int], tuple[str, ...]] | None = None,
    ) -> None:
        self._players = players
        self._about: dict[str, Any] = {
            "agent": agent,
            "env_id": env_id,
            "preprocess": preprocess,
            "env_settings": dict(env_settings or {}),
            "protocol": dict(protocol or {}),
        }
        self._wants = wants
        self._with_extras = with_extras
        self._actions: list[np.ndarray] = []  # [N, ...] of each step since the oldest that is needed
        self._extras: list[dict[str, np.ndarray]] = []
        self._starts: dict[int, int] = {}  # row -> where in these lists its episode began
        self._before = {row: start.actions for row, start in enumerate(starts or ()) if start is not None}
        self._begun: tuple[int, ...] | None = None  # rows that begin an episode with the next event

    def add(self, event: Event) -> list[Game]:
        """Takes in one event; returns the wanted games that ended with it."""
        if self._begun is None:
            self._begun = tuple(np.flatnonzero(event.live).tolist())
        if self._begun:
            self._begin(event)
        if self._starts:
            self._actions.append(event.transition.action.copy())
            if self._with_extras:
                extras = event.transition.extras
                self._extras.append({name: np.array(extras[name], np.float32) for name in SHOWN if name in extras})
        if not event.finished:
            return []
        self._begun = tuple(episode.row for episode in event.finished)
        games = [self._game(episode, event.transition.obs) for episode in event.finished if episode.row in self._starts]
        self._forget()
        return games

    def _begin(self, event: Event) -> None:
        for row in self._begun or ():
            if event.live[row] and (self._wants is None or self._wants(int(event.episodes[row]))):
                self._starts[row] = len(self._actions)
        self._begun = ()

    def _game(self, episode: Episode, obs: np.ndarray) -> Game:
        start, row = self._starts.pop(episode.row), episode.row
        actions = np.stack([action[row] for action in self._actions[start:]])
        before = self._before.pop(row, None)
        if before is not None and len(before):
            actions = np.concatenate((before, actions))
        steps = self._extras[start:] if before is None else []
        names = [name for name in SHOWN if steps and (any if self._players else all)(name in step for step in steps)]
        shapes = {name: next(step[name][row].shape for step in steps if name in step) for name in names}
        nothing = {name: np.full(shape, np.nan, np.float32) for name, shape in shapes.items()}  # others' moves
        return Game(
            **self._about,
            seed=episode.seed,
            episode=episode.number,
            actions=actions,
            extras={
                name: np.stack([step[name][row] if name in step else nothing[name] for step in steps]) for name in names
            },
            ret=episode.ret,
            length=episode.length,
            truncated=episode.truncated,
            digest=observation_digest(row_of(obs, row)),
            players=self._players(episode.number) if self._players else (),
            returns=episode.returns if self._players else (),
        )

    def _forget(self) -> None:
        oldest = min(self._starts.values(), default=len(self._actions))
        if 2 * oldest >= len(self._actions):  # seldom, so that forgetting costs next to nothing a step
            del self._actions[:oldest], self._extras[:oldest]
            self._starts = {row: start - oldest for row, start in self._starts.items()}
