"""DQN: Q-learning with a network, a replay and a target network; Double DQN and multi-step returns are options.

Sources: Mnih et al. (2013), "Playing Atari with deep reinforcement learning"; Mnih et al. (2015), "Human-level
control through deep reinforcement learning"; van Hasselt et al. (2016), "Deep reinforcement learning with double
Q-learning"; Hessel et al. (2018), "Rainbow: combining improvements in deep reinforcement learning" (multi-step returns,
not corrected for exploration).

Deliberate deviations:
- Adam (Kingma & Ba 2015) in place of RMSProp, and the gradient's norm is clipped, as today's implementations do. Adam's
  epsilon is added to the square root before the bias correction, as at the end of their section 2.
- The papers clip the error term to [-1, 1]; here it is the Huber loss, whose gradient that is.
- Several updates in a row run as one compiled loop; the target network does not change within it.
- An episode that is cut off bootstraps with the value of its last observation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import gymnasium as gym
import numpy as np
import pydantic

from agents.parts import state
from agents.parts.networks import Network, load_variables, save_variables
from agents.parts.optimizers import adam
from agents.parts.replay import Replay, stack_size
from agents.parts.schedules import linear
from agents.parts.td import compiled_copy, compiled_updates
from agents.parts.transition_replay import TransitionReplay
from arena import agent, policy, seeding
from arena.agent import Decision, Mode, Player, Spec, Transition
from arena.errors import DoesNotFit

_SMALL_BYTES = 4_096  # observations up to which it is better to store two of a transition than to share them
WEIGHTS, TARGET, OPTIMIZER, REPLAY = "weights.npz", "target.npz", "optimizer.npz", "replay"


class Settings(agent.Settings):
    """Settings of DQN. All periods count environment steps, those of all rows together.

    Attributes:
      learning_rate: Adam's.
      batch_size: transitions per update.
      buffer_size: transitions that the replay holds.
      learning_starts: steps before the first update.
      discount: of the next step's value.
      num_steps: how many rewards a target sums before it leans on a value.
      target_period_steps: the target network is brought up to date this often.
      train_period_steps: updates are made this often.
      updates_per_training: updates that are made then.
      epsilon_start: chance of a random action at the start.
      epsilon_end: chance of a random action in the end.
      epsilon_fraction: part of the training over which it falls from the one to the other, in a line.
      network: auto is cnn-2015 for images, else mlp.
      hidden: widths of an mlp's hidden layers.
      double: choose the next action with the online network and value it with the target network.
      loss: of the temporal-difference error.
      reward_clip: learn from rewards clipped to [-1, 1].
      max_gradient_norm: longer gradients are scaled down to it; 0 leaves them.
      adam_epsilon: Adam's epsilon.
      play_epsilon: chance of a random action when the policy plays; 0 is greedy.
    """

    learning_rate: float = pydantic.Field(1e-3, gt=0)
    batch_size: int = pydantic.Field(64, gt=0)
    buffer_size: int = pydantic.Field(50_000, gt=0)
    learning_starts: int = pydantic.Field(1_000, ge=0)
    discount: float = pydantic.Field(0.99, ge=0, le=1)
    num_steps: int = pydantic.Field(1, ge=1)
    target_period_steps: int = pydantic.Field(500, gt=0)
    train_period_steps: int = pydantic.Field(4, gt=0)
    updates_per_training: int = pydantic.Field(4, gt=0)
    epsilon_start: float = pydantic.Field(1.0, ge=0, le=1)
    epsilon_end: float = pydantic.Field(0.05, ge=0, le=1)
    epsilon_fraction: float = pydantic.Field(0.15, gt=0, le=1)
    network: Literal["auto", "mlp", "cnn-2013", "cnn-2015"] = "auto"
    hidden: tuple[pydantic.PositiveInt, ...] = pydantic.Field((256, 256), min_length=1)
    double: bool = False
    loss: Literal["huber", "squared"] = "huber"
    reward_clip: bool = False
    max_gradient_norm: float = pydantic.Field(10.0, ge=0)
    adam_epsilon: float = pydantic.Field(1e-7, gt=0)
    play_epsilon: float = pydantic.Field(0.0, ge=0, le=1)


class DQN(agent.Agent):
    """Learns action values from replayed transitions; acts epsilon-greedily.

    Raises DoesNotFit where actions are not discrete, or observations neither discrete nor a Box.
    """

    Settings = Settings

    def __init__(self, spec: Spec, *, seed: int, settings: Mapping[str, Any] | agent.Settings | None = None) -> None:
        super().__init__(spec, seed=seed, settings=settings)
        self._num_actions = spec.num_actions
        if not isinstance(spec.observation_space, gym.spaces.Box | gym.spaces.Discrete):
            raise DoesNotFit(f"dqn takes Box or Discrete observations; {spec.env_id} has {spec.observation_space}")
        chosen = self.settings
        self._random = seeding.generator(seed, "dqn exploration")
        self._replay_random = seeding.generator(seed, "dqn replay")
        self._network, self._target = self._new_network(), self._new_network()
        self._target.copy_from(self._network)
        variables = self._network.trainable_variables
        self._optimizer = adam(chosen.learning_rate, variables, epsilon=chosen.adam_epsilon)
        self._update_target = compiled_copy(self._network, self._target)
        self._update = compiled_updates(
            self._network,
            self._target,
            self._optimizer,
            double=chosen.double,
            loss=chosen.loss,
            max_gradient_norm=chosen.max_gradient_norm,
            xla=self._network.kind == "mlp" and chosen.updates_per_training > 1,
        )
        self._replay = _new_replay(spec, chosen.buffer_size, chosen.num_steps)
        self._batch = self._replay.new_batch(chosen.updates_per_training, chosen.batch_size)
        self._num_steps = 0  # observed
        self._learned_at = 0  # the number of steps at the last learn()
        self._is_target_behind = False

    def act(self, obs: np.ndarray, state: Any) -> Decision:
        q = self._network.act(obs)["q"]
        action = q.argmax(-1)
        explores = self._random.random(len(obs)) < self._epsilon()
        if explores.any():
            action = np.where(explores, self._random.integers(self._num_actions, size=len(obs)), action)
        return Decision(action, state, {"q": q})

    def observe(self, transition: Transition) -> None:
        reward = transition.reward.clip(-1.0, 1.0) if self.settings.reward_clip else transition.reward
        discount = np.where(transition.terminated, 0.0, self.settings.discount)
        self._replay.add(transition.obs, transition.action, reward, discount, transition.done, transition.next_obs)
        self._num_steps += len(reward)

    def learn(self) -> Mapping[str, Any]:
        """Makes the updates that are due; returns metrics if there were any."""
        chosen = self.settings
        before, self._learned_at = self._learned_at, self._num_steps
        if self._num_steps <= chosen.learning_starts:
            return {}
        if self._is_target_behind and _times(before, self._num_steps, chosen.target_period_steps):
            self._update_target()
            self._is_target_behind = False
        trainings = _times(before, self._num_steps, chosen.train_period_steps)
        if not trainings:
            return {}
        for _ in range(trainings):
            loss, mean_q = self._update(*self._replay.sample(self._replay_random, self._batch))
        self._network.refresh()
        self._is_target_behind = True
        return {"loss": loss, "mean_q": mean_q, "epsilon": self._epsilon()}

    def policy(self) -> Player:
        mode = Mode("epsilon", self.settings.play_epsilon) if self.settings.play_epsilon else Mode()
        card = policy.Card.of("dqn", self.spec, str(mode), self.settings.model_dump(mode="json"))
        return policy.Policy(policy.LiteRTFunction(self._network.to_litert(["q"])), card)

    def weights(self) -> Mapping[str, np.ndarray]:
        return self._network.weights()

    def load_weights(self, folder: Path) -> None:
        self._network.load(folder / WEIGHTS)
        self._target.copy_from(self._network)

    def forget_unfinished(self) -> None:
        self._replay.cut()

    def save_state(self, folder: Path) -> None:
        for name, variables in self._variables().items():
            save_variables(folder / name, variables)
        self._replay.save(folder / REPLAY)
        state.save(folder, {}, self._progress())

    def restore_state(self, folder: Path) -> None:
        _, values = state.load(folder, {}, self._progress())
        self._random = state.generator_from(values["generator"])
        self._replay_random = state.generator_from(values["replay_generator"])
        for name, variables in self._variables().items():
            load_variables(folder / name, variables)
        self._replay.restore(folder / REPLAY)
        self._network.refresh()
        self._num_steps, self._learned_at = values["num_steps"], values["learned_at"]
        self._is_target_behind = values["is_target_behind"]

    def _progress(self) -> dict[str, Any]:
        return {
            "generator": self._random.bit_generator.state,
            "replay_generator": self._replay_random.bit_generator.state,
            "num_steps": self._num_steps,
            "learned_at": self._learned_at,
            "is_target_behind": self._is_target_behind,
        }

    def _variables(self) -> dict[str, list[Any]]:
        return {
            WEIGHTS: self._network.model.weights,
            TARGET: self._target.model.weights,
            OPTIMIZER: self._optimizer.variables,
        }

    def _epsilon(self) -> float:
        chosen = self.settings
        return linear(self.progress, chosen.epsilon_start, chosen.epsilon_end, chosen.epsilon_fraction)

    def _new_network(self) -> Network:
        return Network(
            self.spec.observation_space,
            {"q": self._num_actions},
            kind=self.settings.network,
            hidden=self.settings.hidden,
            initializer="fan_in",
            seed=seeding.derived_seed(self.seed, "dqn network"),
        )


def _new_replay(spec: Spec, capacity: int, num_steps: int) -> Replay | TransitionReplay:
    space, num_frames = spec.observation_space, stack_size(spec)
    shape, dtype = tuple(space.shape or ()), _stored_dtype(space)
    if num_frames == 1 and math.prod(shape) * dtype.itemsize <= _SMALL_BYTES:
        return TransitionReplay(shape, dtype, capacity=capacity, num_rows=spec.num_rows, num_steps=num_steps)
    rows = {"num_rows": spec.num_rows, "num_frames": num_frames}
    return Replay(shape, dtype, capacity=capacity, num_steps=num_steps, **rows)


def _stored_dtype(space: gym.Space[Any]) -> np.dtype[Any]:
    """Returns the type that the network takes, so that sampled arrays need no cast."""
    if isinstance(space, gym.spaces.Discrete):
        return np.dtype(np.int32)
    return np.dtype(np.uint8 if space.dtype == np.uint8 else np.float32)


def _times(before: int, now: int, period: int) -> int:
    """Returns how many multiples of `period` lie in (before, now]."""
    return now // period - before // period
