"""Random search: try random one-layer networks, keep the one that does best.

Source: the cookbook's random search on Atari: ten candidates of ten episodes each; the action is drawn
from the network's outputs, and the network that lasts longest on average wins. For the idea in control see
Mania, Guy & Recht (2018), "Simple random search provides a competitive approach to reinforcement learning".

Deliberate deviations:
- Weights and biases are Gaussian, of a deviation that is a setting.
- A candidate may be judged by its return instead of its length.
- Discrete observations enter one-hot, as a table of preferences.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import gymnasium as gym
import numpy as np
import pydantic

from agents.parts import state as state_files
from arena import agent, functions, seeding
from arena.agent import Agent, Decision, Spec, Transition
from arena.errors import DamagedFile, DoesNotFit
from arena.policy import Card, Policy

UNASSIGNED = -1


class RandomSearchSettings(agent.Settings):
    """Settings of the search.

    Attributes:
      candidates: how many networks to try.
      episodes_per_candidate: how many episodes each plays.
      objective: what is best on average over a candidate's episodes: the longest length, or the highest return.
      play: whether actions are drawn from the outputs (sample) or the highest is taken (greedy).
      scale: standard deviation of the weights.
    """

    candidates: pydantic.PositiveInt = 10
    episodes_per_candidate: pydantic.PositiveInt = 10
    objective: Literal["length", "return"] = "length"
    play: Literal["sample", "greedy"] = "sample"
    scale: float = pydantic.Field(1.0, gt=0)


class SearchState(NamedTuple):
    """The state of the rows' episodes; all arrays are [N]."""

    seed: np.ndarray  # int64, of the episode
    keys: np.ndarray  # uint64, for the draws
    candidate: np.ndarray  # int64, who plays the episode; UNASSIGNED before its first step
    length: np.ndarray  # int64, steps taken so far


class RandomSearch(Agent):
    """Plays every candidate for its episodes; policy() is the best of those that are done.

    An episode belongs to the candidate that began it. Every candidate begins exactly its number of
    episodes, so rows that finish early do not favour short ones. Which candidate a row plays travels in
    its state, and reaches observe() in the extras. A row that finds all episodes taken plays the best
    candidate, uncounted, until the others are through.

    Raises DoesNotFit where actions are not discrete, or observations neither a box nor discrete from 0.
    """

    Settings = RandomSearchSettings

    def __init__(self, spec: Spec, *, seed: int, settings: Mapping[str, Any] | agent.Settings | None = None) -> None:
        super().__init__(spec, seed=seed, settings=settings)
        num, num_inputs, num_actions = self.settings.candidates, _num_inputs(spec), spec.num_actions
        random = seeding.generator(seed, "random_search candidates")
        scale = np.float32(self.settings.scale)
        # [C, D, A], with an action's weights side by side: a third of the time for images.
        self._w = scale * random.standard_normal((num, num_actions, num_inputs), np.float32).transpose(0, 2, 1)
        self._b = scale * random.standard_normal((num, num_actions), np.float32)
        self._num_finished = np.zeros(num, np.int64)
        self._length_sum = np.zeros(num, np.int64)
        self._return_sum = np.zeros(num)
        self._is_reported = np.zeros(num, bool)
        self._return = np.zeros(spec.num_rows)  # of the rows' episodes so far
        self._episodes = self._fresh(np.full(spec.num_rows, -1))  # the rows' after the last step
        self._resumed: dict[int, int] = {}  # the seeds of episodes to go on with, to their rows in self._episodes
        self._policies = self._make_policies()

    def initial_state(self, seeds: np.ndarray) -> SearchState:
        """Returns the state of episodes that begin; one that was cut off by a restore goes on, once."""
        state = self._fresh(seeds)
        for row, seed in enumerate(seeds):
            if (saved := self._resumed.pop(int(seed), None)) is not None:
                for array, values in zip(state, self._episodes, strict=True):
                    array[row] = values[saved]
        return state

    def _fresh(self, seeds: np.ndarray) -> SearchState:
        length = np.zeros(len(seeds), np.int64)
        return SearchState(np.array(seeds, np.int64), seeding.row_keys(seeds), np.full_like(length, UNASSIGNED), length)

    def act(self, obs: np.ndarray, state: SearchState) -> Decision:
        candidate = self._assign(state.candidate)
        action, keys = np.empty(len(obs), np.int64), np.empty_like(state.keys)
        for number in set(candidate.tolist()):
            rows = candidate == number
            policy = self._policies[number] if number < len(self._policies) else self.policy()
            action[rows], keys[rows], _ = policy.act(obs[rows], state.keys[rows])
        following = SearchState(state.seed, keys, candidate, state.length + 1)
        return Decision(action, following, {name: array.copy() for name, array in following._asdict().items()})

    def _assign(self, candidate: np.ndarray) -> np.ndarray:
        """Returns [N] candidates; an episode that begins gets the first with episodes left, else their number."""
        if candidate.min() > UNASSIGNED:
            return candidate
        num = len(self._policies)
        begun = self._num_finished + np.bincount(candidate[(candidate >= 0) & (candidate < num)], minlength=num)
        assigned = candidate.copy()
        for row in np.flatnonzero(candidate == UNASSIGNED):
            left = np.flatnonzero(begun < self.settings.episodes_per_candidate)
            assigned[row] = left[0] if len(left) else num
            begun[left[:1]] += 1
        return assigned

    def observe(self, transition: Transition) -> None:
        self._episodes = SearchState(**transition.extras)
        _, _, candidate, length = self._episodes
        self._return[length == 1] = 0.0
        self._return += transition.reward
        counted = transition.done & (candidate < len(self._policies))
        if counted.any():
            np.add.at(self._num_finished, candidate[counted], 1)
            np.add.at(self._length_sum, candidate[counted], length[counted])
            np.add.at(self._return_sum, candidate[counted], self._return[counted])

    def learn(self) -> Mapping[str, float]:
        """Returns the scores of a candidate that is through, once, beside those of the best."""
        unreported = self._is_through() & ~self._is_reported
        if not unreported.any():
            return {}
        number, best = int(unreported.argmax()), self.best
        self._is_reported[number] = True
        lengths, returns = self._means()
        return {
            "candidate": float(number),
            "candidate_length": float(lengths[number]),
            "candidate_return": float(returns[number]),
            "best": float(best),
            "best_length": float(lengths[best]),
            "best_return": float(returns[best]),
        }

    @property
    def best(self) -> int:
        """The number of the best candidate that is through, the first of equals; 0 before any is."""
        means = self._means()[0 if self.settings.objective == "length" else 1]
        return int(np.where(self._is_through(), means, -np.inf).argmax())

    @property
    def is_finished(self) -> bool:
        return bool(self._is_through().all())

    def _is_through(self) -> np.ndarray:
        through: np.ndarray = self._num_finished >= self.settings.episodes_per_candidate
        return through

    def _means(self) -> tuple[np.ndarray, np.ndarray]:
        """Returns the candidates' mean lengths and returns over the episodes they have finished."""
        num = np.maximum(self._num_finished, 1)
        return self._length_sum / num, self._return_sum / num

    def policy(self) -> Policy:
        return self._policies[self.best]

    def _make_policies(self) -> list[Policy]:
        card = Card.of("random_search", self.spec, self.settings.play, self.settings.model_dump(mode="json"))
        if isinstance(self.spec.observation_space, gym.spaces.Discrete):
            return [Policy(functions.Table(w + b), card) for w, b in zip(self._w, self._b, strict=True)]
        return [Policy(functions.Linear(w, b), card) for w, b in zip(self._w, self._b, strict=True)]

    def weights(self) -> Mapping[str, np.ndarray]:
        return {"w": self._w[self.best], "b": self._b[self.best]}

    def load_weights(self, folder: Path) -> None:
        """Makes the best candidate of the search in `folder` the first of this one."""
        other = RandomSearch(self.spec, seed=self.seed, settings=self.settings)
        try:
            other.restore_state(folder)
        except DamagedFile as error:
            raise DoesNotFit(f"random_search cannot start from these weights: {error}") from error
        self._w[0], self._b[0] = other._w[other.best], other._b[other.best]
        self._policies = self._make_policies()

    def save_state(self, folder: Path) -> None:
        state_files.save(folder, self._arrays(), {})

    def restore_state(self, folder: Path) -> None:
        arrays, _ = state_files.load(folder, self._arrays(), {})
        for name, array in self._arrays().items():
            array[...] = arrays[name]
        self._resumed = {int(seed): row for row, seed in enumerate(self._episodes.seed)}
        self._policies = self._make_policies()

    def _arrays(self) -> dict[str, np.ndarray]:
        return {
            "w": self._w,
            "b": self._b,
            "num_finished": self._num_finished,
            "length_sum": self._length_sum,
            "return_sum": self._return_sum,
            "is_reported": self._is_reported,
            "return": self._return,
            **self._episodes._asdict(),
        }


def _num_inputs(spec: Spec) -> int:
    """Returns the number of a network's inputs. Raises DoesNotFit where observations are of no kind it takes."""
    space = spec.observation_space
    if isinstance(space, gym.spaces.Discrete) and space.start == 0:
        return int(space.n)
    if isinstance(space, gym.spaces.Box):
        return int(np.prod(space.shape))
    raise DoesNotFit(f"random_search needs discrete or box observations; {spec.env_id} has {space}")
