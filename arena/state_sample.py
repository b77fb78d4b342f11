"""A sample of the states that an agent visits, with what each is worth to it."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import gymnasium as gym
import numpy as np

from arena.agent import Spec
from arena.errors import DoesNotFit
from arena.loop import Event
from arena.seeding import derived_seed, row_keys, row_uniform

DISCOUNT = 0.99
ACTION_VALUE = "greatest action value"
RETURN = f"discounted return that followed ({DISCOUNT} a step)"
Kind = Literal["vectors", "pictures", "numbers"]
_MAX_SIDE = 128  # pixels of a picture that is kept; larger ones are thinned out


@dataclass(frozen=True)
class States:
    """A sample of N states, in the order of their games and steps.

    Attributes:
      observations: [N, D] float32 of vectors; [N, H, W] or [N, H, W, 3] uint8 of pictures, of stacked frames the
        newest one; [N, S] float32 of numbers, the successor features of each among the S that were met.
      kind: what the observations are in the environment.
      actions: [N] or [N, A], what the agent did there.
      episodes, steps: [N] int64, where it was.
      values: [N] float64.
      value_is: what the values are: the greatest action value where the agent tells action values, else the
        discounted raw return that followed in its game, with nothing after a game's end, be it cut off or not.
      num_visited: how many states the sample was drawn from.
    """

    observations: np.ndarray
    kind: Kind
    actions: np.ndarray
    episodes: np.ndarray
    steps: np.ndarray
    values: np.ndarray
    value_is: str
    num_visited: int


@dataclass
class Sampler:
    """Draws `size` of the states in a stream of events, each as likely as any other.

    Every state has a random number that depends on `seed`, its game and its step alone, and the smallest ones are
    kept: so the sample does not depend on the rows that games were played in, and no other observations are held.
    """

    spec: Spec
    size: int
    seed: int
    num_visited: int = 0
    _kept: list[Any] = field(default_factory=list)  # a heap of (-draw, episode, step, observation, action, value)
    _rewards: dict[int, list[float]] = field(default_factory=dict)  # by episode
    _numbers: dict[int, list[int]] = field(default_factory=dict)  # observed, by episode; only where they are numbers

    def add(self, event: Event) -> None:
        """Takes what one step of all rows gave."""
        transition = event.transition
        rows = np.flatnonzero(event.live)
        episodes = event.episodes[rows].tolist()
        games = [self._rewards.setdefault(episode, []) for episode in episodes]
        steps = [len(game) for game in games]
        draws = self._draws(episodes, steps)
        kind = kind_of(self.spec)
        if kind == "numbers":
            for number, episode in zip(transition.obs[rows].tolist(), episodes, strict=True):
                self._numbers.setdefault(episode, []).append(number)
        q = transition.extras.get("q")
        for row, episode, game, step, draw in zip(rows.tolist(), episodes, games, steps, draws, strict=True):
            game.append(float(transition.reward[row]))
            if len(self._kept) == self.size and -draw <= self._kept[0][0]:
                continue
            obs = view(transition.obs[row], kind)
            value = None if q is None else float(q[row].max())
            entry = (-draw, episode, step, obs, np.array(transition.action[row]), value)
            (heapq.heappush if len(self._kept) < self.size else heapq.heappushpop)(self._kept, entry)
        self.num_visited += len(rows)

    def _draws(self, episodes: Sequence[int], steps: Sequence[int]) -> list[float]:
        places = np.asarray(episodes, np.int64) << 32 | np.asarray(steps, np.int64)
        salt = row_keys(np.array([derived_seed(self.seed, "states")]))
        draws: list[float] = row_uniform(row_keys(places) ^ salt)[0].tolist()
        return draws

    def states(self) -> States:
        """Returns the sample, once the games are over."""
        kept = sorted(self._kept, key=lambda entry: entry[1:3])
        _, episodes, steps, observations, actions, values = zip(*kept, strict=True)
        value_is = ACTION_VALUE
        if None in values:
            value_is = RETURN
            returns = {episode: discounted_returns(self._rewards[episode]) for episode in set(episodes)}
            values = tuple(returns[episode][step] for episode, step in zip(episodes, steps, strict=True))
        kind = kind_of(self.spec)
        seen = np.stack(observations)
        return States(
            successor_features(seen, self._numbers.values()) if kind == "numbers" else seen,
            kind,
            np.stack(actions),
            np.array(episodes),
            np.array(steps),
            np.array(values, np.float64),
            value_is,
            self.num_visited,
        )


def discounted_returns(rewards: Sequence[float], discount: float = DISCOUNT) -> list[float]:
    """Returns for every step of a game the sum of its reward and those that followed, each discounted once a step."""
    backwards = itertools.accumulate(reversed(rewards), lambda later, reward: reward + discount * later)
    return list(backwards)[::-1]


def successor_features(numbers: np.ndarray, games: Iterable[Sequence[int]]) -> np.ndarray:
    """Returns [N, S] float32: how often each of the S states follows one of [N] states, discounted once a step.

    States are near each other where they lead to the same ones: numbers alone say nothing of that.

    Args:
      numbers: of the states, all of which are met in the games.
      games: the states of each, in order.

    Source: Dayan (1993), "Improving generalization for temporal difference learning: the successor representation";
    here the mean over all visits.
    """
    games = [list(game) for game in games]
    columns = {state: index for index, state in enumerate(sorted(set(itertools.chain(*games))))}
    wanted, where = np.unique(numbers, return_inverse=True)
    sums = {state: np.zeros(len(columns), np.float32) for state in wanted.tolist()}
    visits = dict.fromkeys(sums, 0)
    for game in games:
        following = np.zeros(len(columns), np.float32)
        for state in reversed(game):
            following *= DISCOUNT
            following[columns[state]] += 1.0
            if state in sums:
                sums[state] += following
                visits[state] += 1
    features: np.ndarray = np.stack([sums[state] / visits[state] for state in sums])[where]
    return features


def kind_of(spec: Spec) -> Kind:
    """Returns what the observations are. Raises DoesNotFit where they are neither arrays nor numbers."""
    space = spec.observation_space
    if isinstance(space, gym.spaces.Discrete):
        return "numbers"
    if not space.shape:
        raise DoesNotFit(f"a map takes observations that are arrays or whole numbers; {spec.env_id} has {space}")
    return "pictures" if len(space.shape) == 3 and space.dtype == np.uint8 else "vectors"


def view(obs: Any, kind: Kind) -> np.ndarray:
    """Returns a copy of one observation as it is kept: vectors flat, of stacked frames the newest one."""
    if kind == "numbers":
        return np.array(obs)
    if kind == "vectors":
        return np.array(obs, np.float32).ravel()
    picture = obs if obs.shape[-1] == 3 else obs[-1]
    apart = -(-max(picture.shape[:2]) // _MAX_SIDE)
    return np.array(picture[::apart, ::apart])
