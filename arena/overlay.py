"""The pictures of a game as people see them: scaled up, with a panel beside it that tells what the player thinks."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from arena.agent import Spec
from arena.loop import Episode
from arena.pen import BACKGROUND, CHOSEN, DIM, LINE, MARGIN, PANEL_WIDTH, TEXT, Pen, stamp
from arena.pictures import even, scaled
from envs.games.pictures import seat_colours

_ROWS_TOP = 190
_MAX_ROWS = 18
_MAX_BEST = 10  # moves of a game
_BEST_TOP, _BEST_HEIGHT = 206, 24

_TRACK = (38, 42, 50)
_BAR = (88, 108, 142)

_TITLES = {"q": "ACTION VALUES", "probs": "ACTION PROBABILITIES", "mean": "MEAN ACTION"}

#: What actions mean, from each environment's page in Gymnasium's documentation.
_MEANINGS = {
    "CartPole": ("left", "right"),
    "MountainCar": ("left", "coast", "right"),
    "Acrobot": ("torque -1", "torque 0", "torque +1"),
    "LunarLander": ("coast", "left engine", "main engine", "right engine"),
    "FrozenLake": ("left", "down", "right", "up"),
    "FrozenLake8x8": ("left", "down", "right", "up"),
    "CliffWalking": ("up", "right", "down", "left"),
    "CliffWalkingSlippery": ("up", "right", "down", "left"),
    "CarRacing": ("coast", "right", "left", "gas", "brake"),
    "Taxi": ("south", "north", "east", "west", "pick up", "drop off"),
    "Blackjack": ("stick", "hit"),
    "arena/CartPoleNoVelocity": ("left", "right"),
    "arena/TMaze": ("north", "east", "south", "west"),
}


class Shot(NamedTuple):
    """One moment of a game: the picture, and what the player did in it.

    Attributes:
      picture: [H, W, 3] uint8, as rendered.
      episode: the game's number.
      step: steps taken so far.
      score: the raw return so far.
      action: what the player chose here; in the last picture, what it chose last.
      extras: [A] "q", "probs" or "mean" of that choice, where there are any.
      finished: the finished episode, in its last picture.
      to_move: in a game of several seats, whose move it is; None when it is over.
      moves: in a game, what people call the legal actions.
    """

    picture: np.ndarray
    episode: int
    step: int
    score: float
    action: np.ndarray
    extras: Mapping[str, np.ndarray]
    finished: Episode | None = None
    to_move: int | None = None
    moves: Mapping[int, str] = MappingProxyType({})


def action_names(spec: Spec) -> list[str]:
    """Returns the meaning of every discrete action, or its number; one name a dimension where they are continuous."""
    space = spec.action_space
    if isinstance(space, gym.spaces.Box):
        return [str(i) for i in range(int(np.prod(space.shape)))]
    if not isinstance(space, gym.spaces.Discrete):
        return []
    meanings: tuple[str, ...] = _MEANINGS.get(spec.env_id.rpartition("-v")[0], ())
    if spec.env_id.startswith("ALE/"):
        meanings = _atari_meanings(spec.env_id, int(space.n))
    return list(meanings) if len(meanings) == space.n else [str(i) for i in range(int(space.n))]


def _atari_meanings(env_id: str, num_actions: int) -> tuple[str, ...]:
    import ale_py

    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    ale = ale_py.ALEInterface()
    rom = ale_py.roms.get_rom_path(gym.spec(env_id).kwargs["game"])
    assert rom is not None
    ale.loadROM(rom)
    minimal = ale.getMinimalActionSet()
    actions = minimal if len(minimal) == num_actions else ale.getLegalActionSet()
    return tuple(" ".join(re.findall("noop|up|down|left|right|fire", action.name.lower())) for action in actions)


class Panel:
    """Draws shots with a panel at their right: agent, score, step, action, and the values behind it as bars.

    Bars of action values are as long as the best action's, less what an action is worth below it, on the
    scale of the widest spread met so far: near-ties look like ties. Probabilities run from 0 to 1, means of
    continuous actions from -1 to 1, with a tick at the action taken.
    """

    def __init__(self, agent: str, spec: Spec, players: tuple[str, ...] = ()) -> None:
        self._agent, self._spec, self._players = agent, spec, players
        self._names = action_names(spec)
        self._is_discrete = isinstance(spec.action_space, gym.spaces.Discrete)
        self._colours = seat_colours(spec.env_id) or (_TRACK,) * spec.num_seats
        self._widest_spread = 1e-6
        self._stamp = functools.lru_cache(4096)(stamp)

    def draw(self, shot: Shot) -> np.ndarray:
        """Returns the shot as a [H', W', 3] uint8 frame with even sides; the game itself is not covered."""
        from PIL import Image, ImageDraw

        picture = scaled(shot.picture)
        num_rows = min(len(self._names), _MAX_BEST if self._players else _MAX_ROWS)
        least = _BEST_TOP + _BEST_HEIGHT * num_rows if self._players else _ROWS_TOP + 14 * num_rows
        height = max(picture.shape[0], least + 8)
        left = picture.shape[1]
        image = Image.new("RGB", (left + PANEL_WIDTH, height + height % 2), BACKGROUND)
        image.paste(Image.fromarray(picture), (0, (height - picture.shape[0]) // 2))
        pen = Pen(image, ImageDraw.Draw(image), left + MARGIN, left + PANEL_WIDTH - MARGIN, self._stamp)
        if self._players:
            self._draw_match(pen, shot)
            return even(np.asarray(image))
        self._draw_header(pen, shot)
        if num_rows:
            self._draw_rows(pen, shot, range(num_rows), min(24, (height - _ROWS_TOP - 8) // num_rows))
        return even(np.asarray(image))

    def _draw_header(self, pen: Pen, shot: Shot) -> None:
        pen.text(14, self._agent, 17, bold=True)
        pen.text(39, self._spec.env_id, 12, DIM, width=150)
        pen.text(39, f"game {shot.episode}", 12, DIM, align="right")
        pen.rectangle(pen.left, 62, pen.right, 62, LINE)
        pen.text(74, "SCORE", 10, DIM)
        pen.text(87, number_text(shot.score), 22, bold=True, width=130)
        pen.text(74, "STEP", 10, DIM, align="right")
        pen.text(87, str(shot.step), 22, align="right")
        pen.text(123, "ACTION", 10, DIM)
        pen.text(136, self._describe(shot.action), 15, CHOSEN, bold=True, width=pen.right - pen.left)
        if self._names:
            pen.text(168, _TITLES.get(self._values(shot)[0], "ACTIONS"), 10, DIM)

    def _draw_match(self, pen: Pen, shot: Shot) -> None:
        """Draws who plays whom, whose move it is, and how it ended."""
        pen.text(14, self._spec.env_id, 12, DIM, width=150)
        pen.text(14, f"game {shot.episode}", 12, DIM, align="right")
        for seat, name in enumerate(self._players):
            top, is_moving = 40 + 34 * seat, shot.to_move == seat
            pen.disc(pen.left + 7, top + 12, 7, self._colours[seat])
            pen.text(top, name, 17, CHOSEN if is_moving else TEXT, bold=True, width=150, indent=24)
            if shot.finished:
                pen.text(top, number_text(shot.finished.returns[seat]), 17, bold=True, align="right")
        pen.rectangle(pen.left, 116, pen.right, 116, LINE)
        pen.text(130, "MOVE" if shot.to_move is not None else "LAST MOVE", 10, DIM)
        pen.text(143, shot.moves.get(int(shot.action), str(shot.action)), 20, CHOSEN, bold=True, width=150)
        pen.text(130, "PLY", 10, DIM, align="right")
        pen.text(143, str(shot.step), 20, align="right")
        if shot.finished:
            pen.text(184, self._outcome(shot.finished), 15, bold=True, width=pen.right - pen.left)
        else:
            self._draw_best(pen, shot)

    def _draw_best(self, pen: Pen, shot: Shot) -> None:
        """Draws the legal moves of the highest values, where the player tells their values."""
        shown, values = self._values(shot)
        if values is None or not shot.moves:
            return
        legal = np.array(list(shot.moves))
        best = legal[np.argsort(-values[legal], kind="stable")][:_MAX_BEST]
        pen.text(184, _TITLES[shown], 10, DIM)
        self._draw_rows(pen, shot, best.tolist(), _BEST_HEIGHT, _BEST_TOP)

    def _outcome(self, episode: Episode) -> str:
        best = max(episode.returns)
        winners = [name for name, ret in zip(self._players, episode.returns, strict=True) if ret == best]
        how = " (cut off)" if episode.truncated else ""
        return (f"{winners[0]} wins" if len(winners) == 1 else "drawn") + how

    def _describe(self, action: np.ndarray) -> str:
        if self._is_discrete:
            return self._names[int(action)]
        return "  ".join(number_text(float(part)) for part in np.ravel(action))

    def _draw_rows(
        self, pen: Pen, shot: Shot, rows: Sequence[int], row_height: int, first_top: int = _ROWS_TOP
    ) -> None:
        shown, values = self._values(shot)
        lengths = np.zeros(len(self._names)) if values is None else self._lengths(shown, values)
        ticks = None if self._is_discrete else _unit(self._spec.action_space, shot.action)
        bar_left, bar_right = pen.left + (86 if self._is_discrete else 26), pen.right - 56
        for place, row in enumerate(rows):
            top = first_top + place * row_height
            is_chosen = self._is_discrete and row == int(shot.action)
            middle = top + row_height // 2
            pen.text(
                middle - 7,
                shot.moves.get(row, self._names[row]),
                11,
                CHOSEN if is_chosen else DIM,
                width=bar_left - pen.left - 6,
            )
            if values is None:
                continue
            pen.rectangle(bar_left, middle - 4, bar_right, middle + 4, _TRACK)
            if self._is_discrete:
                self._draw_bar(pen, bar_left, bar_right, middle, 0.0, lengths[row], CHOSEN if is_chosen else _BAR)
            elif ticks is not None:
                self._draw_bar(pen, bar_left, bar_right, middle, 0.5, 0.5 + lengths[row] / 2, _BAR)
                tick = round(bar_left + (0.5 + ticks[row] / 2) * (bar_right - bar_left))
                pen.rectangle(tick - 1, middle - 6, tick + 1, middle + 6, CHOSEN)
            colour = CHOSEN if is_chosen else TEXT
            pen.text(middle - 7, number_text(float(values[row])), 11, colour, align="right")

    @staticmethod
    def _draw_bar(
        pen: Pen, left: int, right: int, middle: int, start: float, end: float, colour: tuple[int, int, int]
    ) -> None:
        first, last = sorted((round(left + start * (right - left)), round(left + end * (right - left))))
        if last > first:
            pen.rectangle(first, middle - 4, last, middle + 4, colour)

    def _values(self, shot: Shot) -> tuple[str, np.ndarray | None]:
        """Returns what the bars show: its name, and one value an action (or dimension); ("", None) for nothing."""
        for name, values in shot.extras.items():
            if values.size == len(self._names) and not np.isnan(values).all():
                return name, np.nan_to_num(np.ravel(values))
        return "", None if self._is_discrete else np.ravel(shot.action)

    def _lengths(self, shown: str, values: np.ndarray) -> np.ndarray:
        if shown == "q":
            self._widest_spread = max(self._widest_spread, float(np.ptp(values)))
            return np.asarray(np.clip(1.0 - (values.max() - values) / self._widest_spread, 0.02, 1.0))
        if not shown:
            return _unit(self._spec.action_space, values)
        return np.asarray(np.clip(values, 0.0 if self._is_discrete else -1.0, 1.0))


def number_text(value: float) -> str:
    """Returns a score, or a value behind a choice, in few characters."""
    if value == int(value) if np.isfinite(value) else False:
        return str(int(value))
    return f"{value:.0f}" if abs(value) >= 10_000 else f"{value:.2f}"


def _unit(space: gym.Space[Any], action: np.ndarray) -> np.ndarray:
    """Returns continuous actions scaled from the space's bounds into [-1, 1], flat."""
    assert isinstance(space, gym.spaces.Box)
    low, high = np.ravel(space.low), np.ravel(space.high)
    half_range = np.where(np.isfinite(high - low), (high - low) / 2, 1.0)
    middle = np.where(np.isfinite(high - low), low + half_range, 0.0)
    return np.clip((np.ravel(action) - middle) / half_range, -1.0, 1.0)
