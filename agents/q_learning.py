"""Q-learning: tabular where observations are discrete, linear in random Fourier features where they are vectors.

Sources: Watkins & Dayan (1992), "Q-learning"; Rahimi & Recht (2007), "Random features for large-scale
kernel machines"; the settings of CartPole are those of the cookbook (four widths of 500 features each,
standardised on samples from the unit cube, epsilon 1/sqrt(n + 1), discount .97, a fall costs 400).

Deliberate deviations:
- The linear case is plain semi-gradient descent, without the cookbook's L2 penalty and falling learning rate.
- An episode that is cut off bootstraps with the value of its last observation; the cookbook treats it as an end.
- Several rows learn one after the other, each from what the rows before it have changed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import gymnasium as gym
import numpy as np
import pydantic

from agents.parts import action_values, state
from agents.parts.schedules import linear
from arena import agent, functions, seeding
from arena.agent import Decision, Spec, Transition
from arena.errors import DamagedFile, DoesNotFit
from arena.policy import Card, Policy

NUM_SAMPLES = 20_000  # for the mean and deviation of an observation


class QLearningSettings(agent.Settings):
    """Settings of Q-learning.

    Attributes:
      learning_rate: the step towards the target; with features, in units where each kernel has a norm of 1.
      learning_rate_decay: table only; the rate is learning_rate / (1 + decay * earlier visits of the pair).
      discount: of the next step's value.
      initial_value: table only; above what can be had, it makes the agent try everything.
      epsilon_schedule: how epsilon is set anew whenever an episode ends. inverse_sqrt: epsilon_start / sqrt(n + 1)
        after n episodes, but at least epsilon_end; linear: from epsilon_start to epsilon_end over epsilon_fraction
        of the training.
      fall_reward: takes the place of the reward when an episode terminates before its cap; None leaves it.
      widths: features only; one kernel exp(-gamma |x - y|^2) for each gamma.
      features_per_width: features only; how many random features stand for each kernel.
      samples: features only; observations are standardised on samples from the space's bounds or the unit cube.
    """

    learning_rate: float = pydantic.Field(0.05, gt=0)
    learning_rate_decay: float = pydantic.Field(0.0, ge=0)
    discount: float = pydantic.Field(0.99, ge=0, le=1)
    initial_value: float = 0.0
    epsilon_schedule: Literal["inverse_sqrt", "linear"] = "inverse_sqrt"
    epsilon_start: float = pydantic.Field(1.0, ge=0, le=1)
    epsilon_end: float = pydantic.Field(0.0, ge=0, le=1)
    epsilon_fraction: float = pydantic.Field(0.5, gt=0, le=1)
    fall_reward: float | None = None
    widths: tuple[pydantic.PositiveFloat, ...] = pydantic.Field((5.0, 2.0, 1.0, 0.5), min_length=1)
    features_per_width: pydantic.PositiveInt = 500
    samples: Literal["bounds", "unit"] = "bounds"


class QLearning(agent.Agent):
    """One temporal-difference update per step and row; epsilon-greedy in discrete actions.

    Raises DoesNotFit where actions are not discrete, or observations neither discrete from 0 nor vectors.
    """

    Settings = QLearningSettings

    def __init__(self, spec: Spec, *, seed: int, settings: Mapping[str, Any] | agent.Settings | None = None) -> None:
        super().__init__(spec, seed=seed, settings=settings)
        self._num_actions = spec.num_actions
        self._values = make_values(spec, self.settings, seeding.generator(seed, "q_learning features"))
        self._random = seeding.generator(seed, "q_learning exploration")
        self._encoded: list[Any] = []
        self._encoded_obs: np.ndarray | None = None  # what self._encoded stands for
        self._transition: Transition | None = None
        self._num_episodes = 0
        self._error_sum, self._error_count = 0.0, 0
        self._epsilon = self._scheduled_epsilon()

    def act(self, obs: np.ndarray, state: Any) -> Decision:
        return Decision(np.array([self._choose(x) for x in self._encode(obs)], np.int64), state)

    def _choose(self, x: Any) -> int:
        random = self._random.random
        if random() < self._epsilon:
            return int(random() * self._num_actions)
        values = self._values.of(x)
        return values.index(max(values))

    def _encode(self, obs: np.ndarray) -> list[Any]:
        # While no episode ends, the loop hands on next_obs itself as the next obs: its code is here already.
        if obs is not self._encoded_obs:
            self._encoded = [self._values.encode(row) for row in obs]
            self._encoded_obs = obs
        return self._encoded

    def observe(self, transition: Transition) -> None:
        self._transition = transition

    def learn(self) -> Mapping[str, float]:
        """Updates with the observed step, row by row; returns metrics when an episode has ended."""
        if self._transition is None:
            return {}
        transition, self._transition = self._transition, None
        obs, action, reward, terminated, truncated, next_obs, _ = transition
        values, discount, fall_reward = self._values, self.settings.discount, self.settings.fall_reward
        before, after = self._encode(obs), self._encode(next_obs)
        num_ended = 0
        for x, a, r, over, cut, next_x in zip(
            before, action.tolist(), reward.tolist(), terminated.tolist(), truncated.tolist(), after, strict=True
        ):
            if not over:
                r += discount * max(values.of(next_x))
            elif fall_reward is not None and not cut:
                r = fall_reward
            self._error_sum += abs(values.move(x, a, r))
            num_ended += over or cut
        self._error_count += len(before)
        return self._end_episodes(num_ended) if num_ended else {}

    def _end_episodes(self, num_ended: int) -> Mapping[str, float]:
        """Sets epsilon anew; returns the metrics since episodes last ended."""
        self._num_episodes += num_ended
        self._epsilon = self._scheduled_epsilon()
        td_error = self._error_sum / self._error_count
        self._error_sum, self._error_count = 0.0, 0
        return {"epsilon": self._epsilon, "td_error": td_error}

    def _scheduled_epsilon(self) -> float:
        settings = self.settings
        if settings.epsilon_schedule == "inverse_sqrt":
            return float(max(settings.epsilon_end, settings.epsilon_start / math.sqrt(self._num_episodes + 1)))
        return linear(self.progress, settings.epsilon_start, settings.epsilon_end, settings.epsilon_fraction)

    def policy(self) -> Policy:
        function = self._values.function
        frozen = {name: array.copy(order="K") for name, array in functions.arrays_of(function).items()}
        card = Card.of("q_learning", self.spec, "greedy", self.settings.model_dump(mode="json"))
        return Policy(type(function)(**frozen), card)

    def weights(self) -> Mapping[str, np.ndarray]:
        return {"q": self._values.function.q}

    def load_weights(self, folder: Path) -> None:
        """Starts from the values in `folder`, with their features; visits and exploration begin anew."""
        try:
            arrays, _ = state.load(folder, self._values.arrays(), self._numbers())
        except DamagedFile as error:
            raise DoesNotFit(f"q_learning cannot start from these weights: {error}") from error
        arrays.pop("visits", None)
        self._values.set_arrays(arrays)
        self._encoded_obs = None

    def save_state(self, folder: Path) -> None:
        state.save(folder, self._values.arrays(), self._numbers())

    def restore_state(self, folder: Path) -> None:
        arrays, numbers = state.load(folder, self._values.arrays(), self._numbers())
        self._random = state.generator_from(numbers["generator"])
        self._values.set_arrays(arrays)
        self._num_episodes, self._epsilon = numbers["num_episodes"], numbers["epsilon"]
        self._error_sum, self._error_count = numbers["error_sum"], numbers["error_count"]
        self._encoded_obs = self._transition = None

    def _numbers(self) -> dict[str, Any]:
        return {
            "generator": self._random.bit_generator.state,
            "num_episodes": self._num_episodes,
            "epsilon": self._epsilon,
            "error_sum": self._error_sum,
            "error_count": self._error_count,
        }


def make_values(spec: Spec, settings: QLearningSettings, generator: np.random.Generator) -> action_values.ActionValues:
    """Returns the action values that go with the observations. Raises DoesNotFit where none do."""
    space = spec.observation_space
    if isinstance(space, gym.spaces.Discrete) and space.start == 0:
        return action_values.TableValues(
            int(space.n),
            spec.num_actions,
            initial_value=settings.initial_value,
            learning_rate=settings.learning_rate,
            decay=settings.learning_rate_decay,
        )
    if isinstance(space, gym.spaces.Box) and len(space.shape) == 1:
        return action_values.FeatureValues(
            action_values.samples_of(space, settings.samples, NUM_SAMPLES, generator),
            spec.num_actions,
            widths=settings.widths,
            features_per_width=settings.features_per_width,
            learning_rate=settings.learning_rate,
            generator=generator,
        )
    raise DoesNotFit(f"q_learning needs discrete or vector observations; {spec.env_id} has {space}")
