"""Which keys stand for which actions of an environment. No window here: keys are names, as SDL has them."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import gymnasium as gym
import numpy as np

from arena.agent import Spec
from arena.errors import DoesNotFit
from arena.overlay import action_names

#: What a name of an action, or a word of it, is on the keyboard; an empty tuple is what is played with no key held.
_KEYS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("noop", "coast", "torque 0"), ()),
    **dict.fromkeys(("left", "west", "left engine", "torque -1"), ("left",)),
    **dict.fromkeys(("right", "east", "right engine", "torque +1"), ("right",)),
    **dict.fromkeys(("up", "north", "main engine", "gas"), ("up",)),
    **dict.fromkeys(("down", "south", "brake"), ("down",)),
    **dict.fromkeys(("fire", "pick up"), ("space",)),
    "drop off": ("return",),
    "stick": ("s",),
    "hit": ("h",),
}
_OPPOSITE = {"left": "right", "right": "left", "up": "down", "down": "up"}
_ALIASES = {"w": "up", "a": "left", "s": "down", "d": "right"}
_SIGNS = {"left": "←", "right": "→", "up": "↑", "down": "↓", "return": "enter"}

#: Names that say what moves, not how: the paddle of Pong goes up for "right" and down for "left".
_RENAMED = {"ALE/Pong": {"right": "up", "left": "down"}}

#: Real time without an action that does nothing: with no key held these are played in turn, and cancel out.
_IN_TURN: Mapping[str, tuple[int, ...]] = {"CartPole": (0, 1), "arena/CartPoleNoVelocity": (0, 1)}


class Push(NamedTuple):
    """What a key does to a continuous action: `axis` goes to `part` of its range, from -1 (low) over 0 to 1 (high)."""

    key: str
    axis: int
    part: float
    name: str = ""


_LANDER = (
    Push("up", 0, 1.0, "main engine"),
    Push("left", 1, -1.0, "left engine"),
    Push("right", 1, 1.0, "right engine"),
)

#: By environment; the brake of CarRacing is no harder than in Gymnasium's own game, where it does not lock the wheels.
_PUSHES: Mapping[str, tuple[Push, ...]] = {
    "CarRacing": (
        Push("left", 0, -1.0, "steer left"),
        Push("right", 0, 1.0, "steer right"),
        Push("up", 1, 1.0, "gas"),
        Push("down", 2, 0.8, "brake"),
    ),
    "LunarLander": _LANDER,
    "LunarLanderContinuous": _LANDER,
    "Pendulum": (Push("left", 0, 1.0, "counterclockwise"), Push("right", 0, -1.0, "clockwise")),
}
_PAIRS = (("left", "right"), ("down", "up"), ("a", "d"), ("s", "w"))  # of the axes of any other environment


class Hint(NamedTuple):
    """A line of what the keys do, for people: which are held, how they are written, and what they do."""

    keys: frozenset[str]
    sign: str
    meaning: str


class Keymap(abc.ABC):
    """What the keys that are held mean.

    Attributes:
      keys: the names of the keys that have a meaning.
      legend: what they do.
    """

    keys: frozenset[str]
    legend: list[Hint]

    @abc.abstractmethod
    def choose(self, held: Sequence[str], step: int) -> np.ndarray | None:
        """Returns what the keys that are held stand for: [1] int64 or [1, A] float32; None to wait for another key.

        `held` has the newest key last; of two opposite keys that one counts.
        """

    @property
    @abc.abstractmethod
    def waits(self) -> bool:
        """Whether time stands still until a key is pressed."""

    def key(self, name: str) -> str:
        """Returns the key that a key stands for: an arrow for W, A, S and D, where they have no meaning themselves."""
        name = name.strip("[]")  # of the number pad
        return _ALIASES.get(name, name) if name not in self.keys else name


class Buttons(Keymap):
    """Discrete actions, each with the keys that are held for it.

    Keys that no action has together take turns, so that a lander steers and brakes.

    Args:
      names: of the actions.
      keys: of each action; none for what is done with no key held.
      idle: the actions that are played in turn with no key held; with none, time stands still.
    """

    def __init__(self, names: Sequence[str], keys: Sequence[frozenset[str]], idle: Sequence[int] = ()) -> None:
        self._keys, self._idle = keys, tuple(idle)
        self.keys = frozenset().union(*keys)
        alone = frozenset().union(*(held for held in keys if len(held) == 1))
        shown = [action for action, held in enumerate(keys) if len(held) == 1 or not held <= alone]
        self.legend = [Hint(keys[action], _sign(keys[action]), names[action]) for action in shown]
        if any(len(held) > 1 and held <= alone for held in keys):
            self.legend.append(Hint(frozenset(), "together", "both at once"))
        resting = " and ".join(names[action] for action in idle) + (" in turn" if len(self._idle) > 1 else "")
        self.legend.append(Hint(frozenset(), "no key", resting or "waits for you"))

    @property
    def waits(self) -> bool:
        return not self._idle

    def choose(self, held: Sequence[str], step: int) -> np.ndarray | None:
        held = [key for place, key in enumerate(held) if _OPPOSITE.get(key) not in held[place + 1 :]]
        fitting = [action for action, keys in enumerate(self._keys) if keys and keys <= set(held)]
        if self.waits:
            fitting = [action for action in fitting if held[-1] in self._keys[action]]
        most = max((len(self._keys[action]) for action in fitting), default=0)
        best = [action for action in fitting if len(self._keys[action]) == most] or self._idle
        return np.array([best[step % len(best)]]) if best else None


class Axes(Keymap):
    """Continuous actions, at rest but where a key is held that pushes."""

    def __init__(self, space: gym.spaces.Box, pushes: Sequence[Push]) -> None:
        self._rest = np.clip(np.zeros(space.shape, np.float32), space.low, space.high)
        self._pushes = {push.key: (push.axis, _at(space, push)) for push in pushes}
        self.keys = frozenset(self._pushes)
        self.legend = [
            Hint(keys, _sign(keys), push.name or f"action {push.axis} = {_at(space, push):g}")
            for push in pushes
            for keys in [frozenset([push.key])]
        ]
        self.legend.append(Hint(frozenset(), "no key", "at rest"))

    @property
    def waits(self) -> bool:
        return False

    def choose(self, held: Sequence[str], step: int) -> np.ndarray | None:
        action = self._rest.copy()
        for key in held:
            if key in self._pushes:
                axis, value = self._pushes[key]
                action[axis] = value
        return action[None]


def keymap_of(spec: Spec) -> Keymap:
    """Returns the keys for an environment. Raises DoesNotFit where it has more actions than hands can play."""
    family = spec.env_id.rpartition("-v")[0]
    space = spec.action_space
    if isinstance(space, gym.spaces.Box) and space.is_bounded() and space.shape and len(space.shape) == 1:
        num_axes = space.shape[0]
        if num_axes > len(_PAIRS):
            raise _unplayable(spec, f"has {num_axes} continuous actions, and the keys steer {len(_PAIRS)} at most")
        pushes = [
            Push(key, axis, part) for axis in range(num_axes) for key, part in zip(_PAIRS[axis], (-1, 1), strict=True)
        ]
        return Axes(space, _PUSHES.get(family, pushes))
    if not isinstance(space, gym.spaces.Discrete):
        raise _unplayable(spec, f"has actions {space}")
    renamed = _RENAMED.get(family, {})
    names = [" ".join(renamed.get(word, word) for word in name.split()) for name in action_names(spec)]
    keys = [_keys_of(name) for name in names]
    if all(held is not None for held in keys) and len(set(keys)) == len(keys):
        named = [held for held in keys if held is not None]
        idle = [action for action, held in enumerate(named) if not held]
        return Buttons(names, named, idle or _IN_TURN.get(family, ()))
    if len(names) > 10:
        raise _unplayable(spec, f"has {len(names)} actions, and there are 10 number keys")
    return Buttons([f"action {name}" for name in names], [frozenset(str(i)) for i in range(len(names))])


def _keys_of(name: str) -> frozenset[str] | None:
    """Returns the keys for an action's name, those of its words together, or None where it is not known."""
    if name in _KEYS:
        return frozenset(_KEYS[name])
    words = name.split()
    return frozenset(key for word in words for key in _KEYS[word]) if all(word in _KEYS for word in words) else None


def _sign(keys: frozenset[str]) -> str:
    return " + ".join(_SIGNS.get(key, key) for key in sorted(keys, reverse=True))


def _at(space: gym.spaces.Box, push: Push) -> float:
    return abs(push.part) * float((space.high if push.part > 0 else space.low)[push.axis])


def _unplayable(spec: Spec, why: str) -> DoesNotFit:
    return DoesNotFit(f"{spec.env_id} cannot be played by hand: it {why}; `arena watch` shows an agent play it")
