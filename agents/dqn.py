"""DQN: Q-learning with a network, a replay and a target network; Double DQN, multi-step returns and memory are options.

Sources: Mnih et al. (2013), "Playing Atari with deep reinforcement learning"; Mnih et al. (2015), "Human-level
control through deep reinforcement learning"; van Hasselt et al. (2016), "Deep reinforcement learning with double
Q-learning"; Hessel et al. (2018), "Rainbow: combining improvements in deep reinforcement learning" (multi-step returns,
not corrected for exploration); Hausknecht & Stone (2015), "Deep recurrent Q-learning for partially observable MDPs"
and Kapturowski et al. (2019), "Recurrent experience replay in distributed reinforcement learning" (R2D2: memory).

Deliberate deviations:
- Adam (Kingma & Ba 2015) in place of RMSProp, and the gradient's norm is clipped, as today's implementations do. Adam's
  epsilon is added to the square root before the bias correction, as at the end of their section 2.
- The papers clip the error term to [-1, 1]; here it is the Huber loss, whose gradient that is.
- Several updates in a row run as one compiled loop; the target network does not change within it.
- An episode that is cut off bootstraps with the value of its last observation.
- Of R2D2 these are the stored memory, the burn-in and, as an option, rescaled values. Sequences are drawn uniformly,
  begin at any step and go on over the end of an episode with an empty memory; the network sees observations alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import gymnasium as gym
import numpy as np
import pydantic

from agents.parts import state
from agents.parts.networks import Network
from agents.parts.optimizers import adam
from agents.parts.replays import new_replay, new_sequence_replay
from agents.parts.schedules import linear
from agents.parts.td import compiled_copy, compiled_sequence_updates, compiled_updates
from agents.parts.variables import load_variables, save_variables
from arena import agent, policy, seeding
from arena.agent import Decision, Mode, Player, Spec, Transition
from arena.errors import DoesNotFit, InvalidValue

WEIGHTS, TARGET, OPTIMIZER, REPLAY = "weights.npz", "target.npz", "optimizer.npz", "replay"


class Settings(agent.Settings):
    """Settings of DQN. All periods count environment steps, those of all rows together.

    Attributes:
      learning_rate: Adam's.
      batch_size: transitions per update; with memory, sequences of them.
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
      network: auto is cnn-2015 for images, else mlp; lstm and gru are auto with such a cell after it, which remembers.
      hidden: widths of an mlp's hidden layers.
      memory_size: units of the cell.
      sequence_length: steps in a row that a network with memory learns from at a time.
      burn_in: steps before them that only bring its memory up to date.
      normalize_observations: standardise vector observations by the mean and deviation of those that were replayed.
      double: choose the next action with the online network and value it with the target network.
      rescale_values: learn about the square root of values, where returns are in the hundreds; the values that the
        agent and its policy tell are then such ones.
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
    network: Literal["auto", "mlp", "cnn-2013", "cnn-2015", "lstm", "gru"] = "auto"
    hidden: tuple[pydantic.PositiveInt, ...] = pydantic.Field((256, 256), min_length=1)
    memory_size: int = pydantic.Field(64, gt=0)
    sequence_length: int = pydantic.Field(20, gt=0)
    burn_in: int = pydantic.Field(10, ge=0)
    normalize_observations: bool = False
    double: bool = False
    rescale_values: bool = False
    loss: Literal["huber", "squared"] = "huber"
    reward_clip: bool = False
    max_gradient_norm: float = pydantic.Field(10.0, ge=0)
    adam_epsilon: float = pydantic.Field(1e-7, gt=0)
    play_epsilon: float = pydantic.Field(0.0, ge=0, le=1)


class DQN(agent.Agent):
    """Learns action values from replayed transitions, or with memory from sequences of them; acts epsilon-greedily.

    Raises DoesNotFit where actions are not discrete, or observations neither discrete nor a Box; InvalidValue where
    the replay does not hold a sequence of every row, or a sequence not the steps of a target.
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
        self._update = self._compiled_updates()
        self._replay = self._new_replay()
        self._batch = self._replay.new_batch(chosen.updates_per_training, chosen.batch_size)
        self._num_steps = 0  # observed
        self._learned_at = 0  # the number of steps at the last learn()
        self._is_target_behind = False
        self._memory = self._network.initial_state(spec.num_rows)  # for the next step of every row
        self._is_restored = False  # and no episode has gone on or begun since

    def initial_state(self, seeds: np.ndarray) -> Any:
        return self._network.initial_state(len(seeds))

    def begin(self, episodes: np.ndarray, seeds: np.ndarray) -> Any:
        """Returns initial_state(), but at first after a restore what the rows remembered."""
        if self._is_restored:
            self._is_restored = False
            return self._memory
        return self.initial_state(seeds)

    def act(self, obs: np.ndarray, state: Any) -> Decision:
        outputs, next_state = self._network.step(obs, state)
        q = outputs["q"]
        action = q.argmax(-1)
        explores = self._random.random(len(obs)) < self._epsilon()
        if explores.any():
            action = np.where(explores, self._random.integers(self._num_actions, size=len(obs)), action)
        if not self._network.memory:
            return Decision(action, state, {"q": q})
        return Decision(action, next_state, {"q": q, "memory": state, "next_memory": next_state})

    def observe(self, transition: Transition) -> None:
        reward = transition.reward.clip(-1.0, 1.0) if self.settings.reward_clip else transition.reward
        discount = np.where(transition.terminated, 0.0, self.settings.discount)
        memory: tuple[np.ndarray, ...] = ()
        done = transition.done
        if self._network.memory:
            memory = (transition.extras["memory"],)
            self._memory = np.where(done[:, None], np.float32(0.0), transition.extras["next_memory"])
        self._replay.add(transition.obs, transition.action, reward, discount, done, transition.next_obs, *memory)
        self._num_steps += len(reward)

    def learn(self) -> Mapping[str, Any]:
        """Makes the updates that are due; returns metrics if there were any."""
        chosen = self.settings
        before, self._learned_at = self._learned_at, self._num_steps
        if self._num_steps <= chosen.learning_starts or not len(self._replay):
            return {}
        if self._is_target_behind and _times(before, self._num_steps, chosen.target_period_steps):
            self._update_target()
            self._is_target_behind = False
        trainings = _times(before, self._num_steps, chosen.train_period_steps)
        if not trainings:
            return {}
        for _ in range(trainings):
            batch = self._replay.sample(self._replay_random, self._batch)
            loss, mean_q = self._update(*batch)
            if chosen.normalize_observations:
                obs = batch.obs
                self._network.update_statistics(obs.reshape(-1, obs.shape[-1]))
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
        self._memory = self._network.initial_state(self.spec.num_rows)

    def save_state(self, folder: Path) -> None:
        for name, variables in self._variables().items():
            save_variables(folder / name, variables)
        self._replay.save(folder / REPLAY)
        state.save(folder, self._arrays(), self._progress())

    def restore_state(self, folder: Path) -> None:
        arrays, values = state.load(folder, self._arrays(), self._progress())
        self._random = state.generator_from(values["generator"])
        self._replay_random = state.generator_from(values["replay_generator"])
        for name, variables in self._variables().items():
            load_variables(folder / name, variables)
        self._replay.restore(folder / REPLAY)
        self._network.refresh()
        self._num_steps, self._learned_at = values["num_steps"], values["learned_at"]
        self._is_target_behind = values["is_target_behind"]
        self._memory, self._is_restored = arrays.get("memory", ()), True

    def _arrays(self) -> dict[str, np.ndarray]:
        return {"memory": self._memory} if self._network.memory else {}

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

    def _new_replay(self) -> Any:
        chosen = self.settings
        how = self.spec, chosen.buffer_size, chosen.num_steps
        if not self._network.memory:
            return new_replay(*how)
        if chosen.num_steps > chosen.sequence_length:
            raise InvalidValue(f"num_steps {chosen.num_steps} is more than sequence_length {chosen.sequence_length}")
        length = chosen.burn_in + chosen.sequence_length
        return new_sequence_replay(*how, state_size=self._network.state_size, length=length)

    def _compiled_updates(self) -> Callable[..., Any]:
        chosen, of_mlp = self.settings, self._network.kind == "mlp"
        learners = self._network, self._target, self._optimizer
        how = {
            "double": chosen.double,
            "rescale": chosen.rescale_values,
            "loss": chosen.loss,
            "max_gradient_norm": chosen.max_gradient_norm,
        }
        if self._network.memory:
            return compiled_sequence_updates(*learners, burn_in=chosen.burn_in, xla=of_mlp, **how)
        return compiled_updates(*learners, xla=of_mlp and chosen.updates_per_training > 1, **how)

    def _epsilon(self) -> float:
        chosen = self.settings
        return linear(self.progress, chosen.epsilon_start, chosen.epsilon_end, chosen.epsilon_fraction)

    def _new_network(self) -> Network:
        return Network(
            self.spec.observation_space,
            {"q": self._num_actions},
            kind=self.settings.network,
            hidden=self.settings.hidden,
            memory_size=self.settings.memory_size,
            initializer="fan_in",
            normalize=self.settings.normalize_observations,
            seed=seeding.derived_seed(self.seed, "dqn network"),
        )


def _times(before: int, now: int, period: int) -> int:
    """Returns how many multiples of `period` lie in (before, now]."""
    return now // period - before // period
