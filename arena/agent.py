"""The contract: what an agent is to the arena. No TensorFlow here.

A `Player` plays; an `Agent` is a player that learns. Both see batches of rows only: one environment
is N = 1. Everything that differs between episodes travels in the state, never in the player, so a
row's play depends neither on the rows around it nor on the order in which games are played.
"""

from __future__ import annotations

import abc
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

import gymnasium as gym
import numpy as np
import pydantic

from arena.errors import ArenaError, DoesNotFit, InvalidValue

NO_EXTRAS: Mapping[str, np.ndarray] = MappingProxyType({})
SEGMENTS = "segments"  # the folder of files that are written once; see Agent.save_state


@dataclass(frozen=True)
class Spec:
    """What an agent knows of its environment before it plays.

    Attributes:
      env_id: the environment's id, as given.
      observation_space: of one row, after preprocessing.
      action_space: of one row.
      preprocess: the name of the preprocessing.
      num_rows: how many rows a learner is trained on; players take any number.
      max_episode_steps: the cap on an episode's length, in steps.
      num_seats: how many play in one row, each in turn: 1, or 2 in a two-player game.
      protocol: everything else that a score depends on, for people to read (sticky actions, ...).
    """

    env_id: str
    observation_space: gym.Space[Any]
    action_space: gym.Space[Any]
    preprocess: str = "none"
    num_rows: int = 1
    max_episode_steps: int = 10_000
    protocol: Mapping[str, Any] = field(default_factory=dict)
    num_seats: int = 1

    @property
    def num_actions(self) -> int:
        """The number of discrete actions. Raises DoesNotFit where actions are not discrete."""
        if not isinstance(self.action_space, gym.spaces.Discrete):
            raise DoesNotFit(f"{self.env_id} has actions {self.action_space}, not a discrete set")
        return int(self.action_space.n)


class Mode(NamedTuple):
    """How a policy turns its outputs into an action: greedy, sample, or epsilon-greedy."""

    name: str = "greedy"
    epsilon: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Mode:
        """Returns the mode that `text` names: greedy, sample or epsilon=X with X in [0, 1]."""
        if text in ("greedy", "sample"):
            return cls(text)
        match = re.fullmatch(r"epsilon=([0-9.eE+-]+)", text)
        try:
            epsilon = float(match[1]) if match else -1.0
        except ValueError:
            epsilon = -1.0
        if not 0.0 <= epsilon <= 1.0:
            raise InvalidValue(f"a mode is greedy, sample or epsilon=X with X from 0 to 1, not {text!r}")
        return cls("epsilon", epsilon)

    def __str__(self) -> str:
        return f"epsilon={self.epsilon:g}" if self.name == "epsilon" else self.name


class Decision(NamedTuple):
    """What a player answers.

    Attributes:
      action: [N] int64, or [N, A] float32 in the environment's units.
      state: carried to the next act(); () if memoryless.
      extras: [N, ...] what learning needs later (log_prob, value) or what a viewer shows: "q" for
        action values, "probs" for action probabilities.
    """

    action: np.ndarray
    state: Any = ()
    extras: Mapping[str, np.ndarray] = NO_EXTRAS


class Transition(NamedTuple):
    """One step of every row; all arrays are [N, ...].

    In a game of S seats, observations are mappings of arrays (see envs.games) and `reward` is [N, S].
    `next_obs` is the true successor, never the first observation of the next episode. Bootstrap
    with 0 where `terminated`, with the value of `next_obs` where `truncated`. `reward` is raw.
    """

    obs: Any
    action: np.ndarray
    reward: np.ndarray  # float64
    terminated: np.ndarray  # bool
    truncated: np.ndarray  # bool
    next_obs: Any
    extras: Mapping[str, np.ndarray]

    @property
    def done(self) -> np.ndarray:
        """[N] bool: the episode ended here, for either reason."""
        done: np.ndarray = self.terminated | self.truncated
        return done


class Settings(pydantic.BaseModel):
    """Base of an agent's settings: typed, checked, unknown keys refused."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Player(abc.ABC):
    """All that a tournament needs; the smallest plugin overrides act() alone.

    Raise DoesNotFit from __init__ where the spaces in `spec` are not ones the player can handle.
    """

    Settings: ClassVar[type[Settings]] = Settings

    def __init__(
        self, spec: Spec, *, seed: int, settings: Mapping[str, Any] | pydantic.BaseModel | None = None
    ) -> None:
        self.spec = spec
        self.seed = seed
        self.settings: Any = self.Settings.model_validate(
            settings.model_dump() if isinstance(settings, pydantic.BaseModel) else dict(settings or {})
        )

    def initial_state(self, seeds: np.ndarray) -> Any:
        """Returns the state in which episodes with these [N] seeds begin: a nest of [N, ...] arrays."""
        return ()

    def begin(self, episodes: np.ndarray, seeds: np.ndarray) -> Any:
        """Returns initial_state(seeds): how a player that is to know the [N] episodes' numbers is told them."""
        return self.initial_state(seeds)

    @abc.abstractmethod
    def act(self, obs: Any, state: Any) -> Decision:
        """Returns the decision for [N, ...] observations and the state from the step before.

        In games `obs` is a mapping of such arrays: observation, legal, seat, history (see envs.games).
        """

    @property
    def mode(self) -> Mode | None:
        """The mode of play, or None where the player knows only one."""
        return None

    def with_mode(self, mode: Mode) -> Player:
        """Returns this player in another mode of play. Raises ArenaError where it has no modes."""
        raise ArenaError(f"{type(self).__name__} plays in one mode only; leave out --mode {mode}")


class Agent(Player):
    """A player that learns. Its act() explores; its policy() is what is evaluated.

    Raises DoesNotFit for games of several seats.
    """

    #: Fraction of the training's steps that is spent, in [0, 1]; the trainer sets it before learn().
    progress: float = 0.0

    def __init__(
        self, spec: Spec, *, seed: int, settings: Mapping[str, Any] | pydantic.BaseModel | None = None
    ) -> None:
        if spec.num_seats > 1:
            raise DoesNotFit(f"{type(self).__name__} learns alone; {spec.env_id} is a game for two")
        super().__init__(spec, seed=seed, settings=settings)

    @abc.abstractmethod
    def observe(self, transition: Transition) -> None:
        """Takes in one step of every row."""

    @abc.abstractmethod
    def learn(self) -> Mapping[str, Any]:
        """Makes zero or more updates; returns metrics (floats, or scalars that float() can read later)."""

    @abc.abstractmethod
    def policy(self) -> Player:
        """Returns what plays: frozen, free of TensorFlow, saveable (see arena.policy)."""

    @abc.abstractmethod
    def save_state(self, folder: Path) -> None:
        """Writes everything that learning depends on into `folder`.

        The folder is empty, but for what lay in folders called SEGMENTS, at any depth, in the checkpoint that this
        training saved last or was restored from: those files are there again, as links that cost nothing. So a
        large memory appends: it writes the files that are new and removes those it no longer needs. A file in such
        a folder is written once, under a name that says what it holds, and never changed.
        """

    @abc.abstractmethod
    def restore_state(self, folder: Path) -> None:
        """Reads what save_state wrote. Raises DamagedFile where it does not fit."""

    def forget_unfinished(self) -> None:
        """Forgets the steps of episodes that have not ended. Called after restore_state() where they cannot go on.

        Environments that are not reproducible cannot be brought back: their rows begin new episodes. What chains the
        steps of a row (a rollout, an episode's return) must not go on with it; transitions that stand alone may stay.
        """

    @property
    def is_finished(self) -> bool:
        """True when the agent has nothing more to learn (a search that has tried its candidates)."""
        return False

    def weights(self) -> Mapping[str, np.ndarray]:
        """Returns named arrays for histograms; may be empty."""
        return {}

    def load_weights(self, folder: Path) -> None:
        """Starts from the weights in a folder that save_state() wrote, and from nothing else in it.

        Raises DoesNotFit where they do not fit.
        """
        raise DoesNotFit(f"{type(self).__name__} cannot start from another run's weights")
