"""What all games share: rows of tables, openings, histories, and the observation's mapping of arrays."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import gymnasium as gym
import numpy as np

from arena import seeding
from arena.agent import Spec
from arena.errors import InvalidValue
from arena.nests import replaced
from envs.rows import Rows, Step

_MAX_DRAWS = 1000  # openings that end the game before it began, in a row


class Table(abc.ABC):
    """One game that is being played."""

    @abc.abstractmethod
    def begin(self, seed: int) -> None:
        """Sets up the game."""

    @abc.abstractmethod
    def play(self, action: int) -> Sequence[float] | None:
        """Plays a legal move of the seat whose move it is; returns the rewards by seat, None for none at all."""

    @abc.abstractmethod
    def is_over(self) -> bool:
        """Whether the game has come to its end."""

    def is_cut_off(self) -> bool:
        """Whether the game, being over, was cut off before its own end."""
        return False

    @abc.abstractmethod
    def seat(self) -> int:
        """Returns whose move it is; asked only while the game is on."""

    @abc.abstractmethod
    def legal(self) -> Sequence[int]:
        """Returns the legal moves; asked only while the game is on."""

    @abc.abstractmethod
    def look(self, seat: int, out: np.ndarray) -> None:
        """Writes what `seat` sees into `out`."""

    def num_hidden(self) -> int:
        """Returns how many of the latest moves the seat to move must not know: those of a simultaneous choice."""
        return 0

    def name_of(self, action: int) -> str:
        """Returns what people call a legal move."""
        return str(action)

    def draw(self) -> np.ndarray:
        """Returns the picture of the game as [H, W, 3] uint8 RGB."""
        raise NotImplementedError

    def close(self) -> None:  # noqa: B027  nothing to free is the common case
        """Frees what the game holds."""


def observation_space(view: tuple[int, ...], num_actions: int, num_seats: int, history: int) -> gym.spaces.Dict:
    """Returns the space of one row's observation; `view` is the shape of what a seat sees."""
    return gym.spaces.Dict(
        {
            "observation": gym.spaces.Box(-np.inf, np.inf, view, np.float32),
            "legal": gym.spaces.MultiBinary(num_actions),
            "seat": gym.spaces.Discrete(num_seats),
            "history": gym.spaces.Box(-1, num_actions - 1, (history,), np.int32),
        }
    )


class GameRows(Rows):
    """N tables of one game.

    Args:
      make: sets up one table.
      spec: what the game is, as the agents see it.
      num_rows: how many tables.
      opening_plies: how many moves reset() plays, drawn from the seed.

    Raises InvalidValue, from reset(), where no opening of so many plies leaves a game to be played.
    """

    def __init__(self, make: Callable[[], Table], spec: Spec, num_rows: int, opening_plies: int = 0) -> None:
        self.spec, self.num_rows = spec, num_rows
        self._tables = [make() for _ in range(num_rows)]
        self._opening_plies = opening_plies
        self._last = _zeros(spec, num_rows)
        self._history = self._last["history"].copy()
        self._running = np.zeros(num_rows, bool)
        self._plies = np.zeros(num_rows, np.int64)  # the opening's included
        self._cap = opening_plies + spec.max_episode_steps

    def reset(self, rows: np.ndarray, seeds: np.ndarray) -> dict[str, np.ndarray]:
        first = _zeros(self.spec, len(rows))
        for k, (row, seed) in enumerate(zip(rows.tolist(), seeds.tolist(), strict=True)):
            table = self._tables[row]
            opening = self._open(table, seed)
            seat = table.seat()
            self._history[row] = -1
            self._history[row, : len(opening)] = opening
            first["history"][k] = self._history[row]
            if hidden := table.num_hidden():
                first["history"][k, len(opening) - hidden : len(opening)] = -1
            first["seat"][k] = seat
            first["legal"][k, table.legal()] = True
            table.look(seat, first["observation"][k, ...])
        self._running[rows] = True
        self._plies[rows] = self._opening_plies
        self._last = replaced(self._last, rows, first)
        return first

    def step(self, actions: np.ndarray) -> Step:
        rows = np.flatnonzero(self._running)
        obs = {name: self._last[name].copy() for name in ("observation", "legal", "seat")}
        views, seats = obs["observation"], obs["seat"]
        reward = np.zeros((self.num_rows, self.spec.num_seats))
        terminated, truncated = np.zeros(self.num_rows, bool), np.zeros(self.num_rows, bool)
        legal: list[Sequence[int]] = []
        hides: list[tuple[int, int]] = []
        for row, action in zip(rows.tolist(), actions[rows].tolist(), strict=True):
            table = self._tables[row]
            rewards = table.play(action)
            if rewards is not None:
                reward[row] = rewards
            if table.is_over():
                (truncated if table.is_cut_off() else terminated)[row] = True
                legal.append(())
            else:
                seats[row] = table.seat()
                legal.append(table.legal())
            table.look(int(seats[row]), views[row, ...])
            if hidden := table.num_hidden():
                hides.append((row, hidden))
        self._history[rows, self._plies[rows]] = actions[rows]
        self._plies[rows] += 1
        obs["history"] = self._history.copy()
        for row, hidden in hides:
            obs["history"][row, self._plies[row] - hidden : self._plies[row]] = -1
        obs["legal"][rows] = False
        obs["legal"][np.repeat(rows, [len(moves) for moves in legal]), list(chain.from_iterable(legal))] = True
        cut = self._running & ~terminated & (self._plies >= self._cap)
        if cut.any():
            truncated |= cut
            obs["legal"][cut] = False
        self._running &= ~(terminated | truncated)
        self._last = obs
        return Step(obs, reward, terminated, truncated)

    def moves(self) -> dict[int, str]:
        """Returns the legal moves of row 0, and what people call them."""
        return {move: self._tables[0].name_of(move) for move in np.flatnonzero(self._last["legal"][0]).tolist()}

    def render(self) -> np.ndarray:
        return self._tables[0].draw()

    def close(self) -> None:
        for table in self._tables:
            table.close()

    def _open(self, table: Table, seed: int) -> list[int]:
        """Begins a game and plays its opening; one that ends the game is drawn again. Returns the moves."""
        if not self._opening_plies:
            table.begin(seed)
            return []
        draws = seeding.generator(seed, "opening")
        for _ in range(_MAX_DRAWS):
            table.begin(seed)
            moves: list[int] = []
            while len(moves) < self._opening_plies and not table.is_over():
                legal = table.legal()
                moves.append(legal[int(draws.integers(len(legal)))])
                table.play(moves[-1])
            if not table.is_over():
                return moves
        raise InvalidValue(
            f"opening_plies of {self.spec.env_id} is {self._opening_plies}: every opening that was drawn ends the game"
        )


def _zeros(spec: Spec, num_rows: int) -> dict[str, np.ndarray]:
    space: Any = spec.observation_space
    return {
        "observation": np.zeros((num_rows, *space["observation"].shape), np.float32),
        "legal": np.zeros((num_rows, spec.num_actions), bool),
        "seat": np.zeros(num_rows, np.int64),
        "history": np.full((num_rows, *space["history"].shape), -1, np.int32),
    }
