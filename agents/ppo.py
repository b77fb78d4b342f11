"""Proximal policy optimisation.

Source: Schulman et al. (2017), "Proximal policy optimization algorithms", with the details of
Huang et al. (2022), "The 37 implementation details of proximal policy optimization", those of its LSTM among them.

Deliberate deviations:
- Samples left over when a rollout does not divide into minibatches sit out that epoch: compiled
  shapes stay fixed. A minibatch larger than the rollout is the whole rollout.
- With `target_kl` the updates of a rollout end after the minibatch that went 1.5 times beyond it.
- Observations are standardised by the statistics of the rollouts before this one, so that the
  policy that is improved is the one that acted.
- Continuous actions are Gaussian in [-1, 1], clipped and scaled to the action space.
- With memory, gradients go back to the start of the rollout (truncated backpropagation: Williams & Peng 1990, "An
  efficient gradient-based algorithm for on-line training of recurrent network trajectories"). Minibatches are of
  rows, whose steps stay in order, as many rows as `batch_size` has room for and at least one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, PositiveInt

from agents.parts import returns, state
from agents.parts.actor import Actor
from agents.parts.clipped_updates import METRICS, OF_TEACHER, compiled_updates
from agents.parts.optimizers import adam
from agents.parts.teacher import Teacher
from agents.parts.tensorflow import load
from agents.parts.variables import load_variables, save_variables
from arena import agent
from arena.agent import Agent, Decision, Settings, Spec, Transition
from arena.errors import InvalidValue
from arena.policy import Policy


class PPOSettings(Settings):
    """The settings of PPO.

    Attributes:
      num_steps: rollout length of each row; an update follows every num_steps x num_envs steps. With memory also how
        far back it learns to remember.
      batch_size: of a minibatch, in steps.
      gae_lambda: of the advantages, and of the targets of the values where there is no value_lambda.
      value_lambda: of the targets of the values; None for gae_lambda. A smaller gae_lambda beside it leaves less noise
        in the advantages, and the values still learn from rewards that are far away (Aitchison & Sweetser 2022, "DNA:
        Proximal policy optimization with a dual network architecture").
      clip: how far a probability ratio may go from 1.
      value_clip: how far a value may go from the one before the update; None for no limit.
      target_kl: end a rollout's updates early beyond 1.5 times this; None for never.
      network: auto is cnn-2015 for images, else mlp; lstm and gru are auto with such a cell after it, which remembers.
      hidden: widths of an mlp's hidden layers.
      memory_size: units of the cell.
      memory_span: for how many steps, at most, they begin by remembering; 0 for the usual few.
      initial_log_std: of a Gaussian over actions in [-1, 1].
      reward_clip: learn from rewards clipped to [-reward_clip, reward_clip]; None for raw ones.
      reset_on_reward: returns begin anew at every reward that is not 0 (Pong: at every point).
      teacher: a policy whose probabilities of the actions it learns too, on its own observations: a policy's file, a
        run's folder or zoo:AGENT/ENV (Schmitt et al. 2018, "Kickstarting deep reinforcement learning").
      teacher_coefficient: of the cross-entropy from the teacher's probabilities to its own, in the loss.
      play: the mode of the policy.
    """

    num_steps: int = Field(128, ge=1)
    epochs: int = Field(4, ge=1)
    batch_size: int = Field(256, ge=2)
    discount: float = Field(0.99, ge=0.0, le=1.0)
    gae_lambda: float = Field(0.95, ge=0.0, le=1.0)
    value_lambda: float | None = Field(None, ge=0.0, le=1.0)
    clip: float = Field(0.2, gt=0.0)
    clip_schedule: Literal["constant", "linear"] = "constant"
    value_clip: float | None = Field(None, gt=0.0)
    entropy_coefficient: float = Field(0.0, ge=0.0)
    entropy_schedule: Literal["constant", "linear"] = "constant"
    value_coefficient: float = Field(0.5, ge=0.0)
    learning_rate: float = Field(3e-4, gt=0.0)
    learning_rate_schedule: Literal["constant", "linear"] = "constant"
    max_gradient_norm: float = Field(0.5, gt=0.0)
    target_kl: float | None = Field(None, gt=0.0)
    network: str = "auto"
    hidden: tuple[PositiveInt, ...] = (64, 64)
    memory_size: int = Field(64, ge=1, le=4_096)
    memory_span: int = Field(0, ge=0)
    activation: Literal["tanh", "relu"] = "tanh"
    initial_log_std: float = 0.0
    normalize_observations: bool = False
    normalize_rewards: bool = False
    reward_clip: float | None = Field(None, gt=0.0)
    reset_on_reward: bool = False
    teacher: str | None = None
    teacher_coefficient: float = Field(1.0, ge=0.0)
    teacher_schedule: Literal["constant", "linear"] = "linear"
    play: Literal["greedy", "sample"] = "greedy"


class PPO(Agent):
    """Learns a policy and a value function from rollouts of all rows; discrete and continuous actions."""

    Settings = PPOSettings

    def __init__(self, spec: Spec, *, seed: int, settings: Mapping[str, Any] | agent.Settings | None = None) -> None:
        super().__init__(spec, seed=seed, settings=settings)
        s: PPOSettings = self.settings
        self._size = s.num_steps * spec.num_rows
        if self._size < 2:
            raise InvalidValue("a rollout of one step has no spread to normalise: raise num_steps or --num-envs")
        self._actor = Actor(
            spec,
            seed=seed,
            has_value=True,
            log_std=s.initial_log_std,
            kind=s.network,
            hidden=s.hidden,
            memory_size=s.memory_size,
            memory_span=s.memory_span,
            activation=s.activation,
            shared=False,
            initializer="orthogonal",
            head_gains={"logits": 0.01, "mean": 0.01, "value": 1.0},
            normalize=s.normalize_observations,
        )
        self._teacher = None if s.teacher is None else Teacher(s.teacher, spec)
        self._rollout = _empty_rollout(spec, s.num_steps, self._actor)
        self._num_filled = 0
        self._reward_scale = returns.RewardScale(spec.num_rows, s.discount)
        self._optimizer = adam(s.learning_rate, self._actor.trainable_variables, epsilon=1e-5)
        self._update = compiled_updates(
            self._actor,
            self._optimizer,
            value_clip=s.value_clip,
            value_coefficient=s.value_coefficient,
            max_gradient_norm=s.max_gradient_norm,
            target_kl=s.target_kl,
        )
        self._memory = self._actor.network.initial_state(spec.num_rows)  # for the next step of every row
        self._is_restored = False  # and no episode has gone on or begun since

    def initial_state(self, seeds: np.ndarray) -> Any:
        return self._actor.network.initial_state(len(seeds))

    def begin(self, episodes: np.ndarray, seeds: np.ndarray) -> Any:
        """Returns initial_state(), but at first after a restore what the rows remembered."""
        if self._is_restored:
            self._is_restored = False
            return self._memory
        return self.initial_state(seeds)

    def act(self, obs: np.ndarray, state: Any) -> Decision:
        return self._actor.act(obs, state)

    def observe(self, transition: Transition) -> None:
        rollout, t = self._rollout, self._num_filled
        reward = transition.reward
        if self.settings.reward_clip is not None:
            reward = np.clip(reward, -self.settings.reward_clip, self.settings.reward_clip)
        rollout["obs"][t] = transition.obs
        rollout["reward"][t] = reward
        rollout["terminated"][t] = transition.terminated
        rollout["done"][t] = transition.done
        for name in ("sample", "log_prob", "value"):
            rollout[name][t] = transition.extras[name]
        if t:  # where an episode went on, the successor is the observation that was acted on next
            before = rollout["done"][t - 1]
            rollout["next_value"][t - 1] = np.where(before, rollout["next_value"][t - 1], rollout["value"][t])
        if transition.truncated.any() or t == self.settings.num_steps - 1:
            rollout["next_value"][t] = self._actor.value(transition.next_obs, transition.extras.get("next_memory", ()))
        if self._has_memory:
            if t == 0:
                rollout["memory"][...] = transition.extras["memory"]
            self._memory = np.where(transition.done[:, None], np.float32(0.0), transition.extras["next_memory"])
        self._num_filled += 1

    def learn(self) -> Mapping[str, Any]:
        s, rollout = self.settings, self._rollout
        if self._num_filled < s.num_steps:
            return {}
        self._num_filled = 0
        remaining = {"constant": 1.0, "linear": 1.0 - self.progress}
        rate = s.learning_rate * remaining[s.learning_rate_schedule]
        clip = s.clip * remaining[s.clip_schedule]
        entropy = s.entropy_coefficient * remaining[s.entropy_schedule]
        teacher = s.teacher_coefficient * remaining[s.teacher_schedule]
        reward, value = rollout["reward"], rollout["value"]
        ends = (reward != 0.0) & s.reset_on_reward
        terminated, done = rollout["terminated"] | ends, rollout["done"] | ends
        if s.normalize_rewards:
            reward = self._reward_scale(reward, done)
        successors = (rollout["next_value"], terminated, done)
        advantage = returns.gae(reward, value, *successors, s.discount, s.gae_lambda)
        target = advantage + value
        if s.value_lambda is not None:
            target = returns.gae(reward, value, *successors, s.discount, s.value_lambda) + value
        numbers = np.stack([rollout["log_prob"], value, advantage, target], -1, dtype=np.float32, casting="same_kind")
        if self._teacher is not None:
            numbers = np.concatenate([numbers, [self._teacher(obs) for obs in rollout["obs"]]], -1, dtype=np.float32)
        arrays = [rollout["obs"], rollout["sample"], numbers]
        flat = [np.reshape(array, (self._size, *array.shape[2:])) for array in arrays]
        given = [*arrays, self._begins(), rollout["memory"]] if self._has_memory else flat
        constant = load().constant  # a compiled function takes tensors sooner than arrays
        rates = np.array([clip, entropy, teacher, rate], np.float32)
        indices = constant(self._shuffled())
        means, weights = self._update([constant(array) for array in given], indices, constant(rates))
        self._actor.refresh([weight.numpy() for weight in weights])
        if s.normalize_observations:
            self._actor.network.update_statistics(flat[0])
        names = METRICS if self._teacher is None else (*METRICS, OF_TEACHER)
        metrics = dict(zip(names, means.numpy().tolist(), strict=True))
        return metrics | {"explained_variance": returns.explained_variance(value, target), "learning_rate": rate}

    @property
    def _has_memory(self) -> bool:
        return bool(self._actor.network.memory)

    def _begins(self) -> np.ndarray:
        """Returns [num_steps, N] bool, the steps before which an episode ended; at the first, its state says so."""
        begins = np.zeros_like(self._rollout["done"])
        begins[1:] = self._rollout["done"][:-1]
        return begins

    def _shuffled(self) -> np.ndarray:
        """Returns [epochs * minibatches, batch] int32 indices: every epoch goes through the rollout in a new order.

        They are of steps, or with memory of rows.
        """
        batch, size = self.settings.batch_size, self._size
        if self._has_memory:
            batch, size = max(1, batch // self.settings.num_steps), self.spec.num_rows
        batch = min(batch, size)
        used = size // batch * batch
        orders = [self._actor.rng.permutation(size)[:used] for _ in range(self.settings.epochs)]
        return np.concatenate(orders).reshape(-1, batch).astype(np.int32)

    def policy(self) -> Policy:
        return self._actor.policy("ppo", self.settings.play, self.settings)

    def weights(self) -> Mapping[str, np.ndarray]:
        return self._actor.weights()

    def load_weights(self, folder: Path) -> None:
        self._actor.load_weights(folder)

    def save_state(self, folder: Path) -> None:
        self._actor.save(folder)
        save_variables(folder / "optimizer.npz", self._optimizer.variables)
        state.save(folder, self._arrays(), self._values())

    def forget_unfinished(self) -> None:
        self._num_filled = 0
        self._reward_scale.returns[:] = 0.0
        self._memory = self._actor.network.initial_state(self.spec.num_rows)

    def restore_state(self, folder: Path) -> None:
        arrays, values = state.load(folder, self._arrays(), self._values())
        rng = state.generator_from(values["rng"])
        load_variables(folder / "optimizer.npz", self._optimizer.variables)
        self._actor.restore(folder)
        self._actor.rng, self._num_filled = rng, values["num_filled"]
        for name, array in self._arrays().items():
            array[...] = arrays[name]
        self._is_restored = True

    def _arrays(self) -> dict[str, np.ndarray]:
        scale = self._reward_scale
        carried = {"carried_memory": self._memory} if self._has_memory else {}
        return {**self._rollout, **carried, "running_returns": scale.returns, "return_moments": scale.moments}

    def _values(self) -> dict[str, Any]:
        return {"num_filled": self._num_filled, "rng": self._actor.rng.bit_generator.state}


def _empty_rollout(spec: Spec, num_steps: int, actor: Actor) -> dict[str, np.ndarray]:
    """Returns [num_steps, N, ...] arrays for one rollout, by name; `memory` is the [N, S] state at its start."""
    shape = (num_steps, spec.num_rows)
    space, distribution = spec.observation_space, actor.distribution
    rollout = {
        "obs": np.zeros((*shape, *(space.shape or ())), space.dtype),
        "sample": np.zeros((*shape, *distribution.sample_shape), distribution.sample_dtype),
        "log_prob": np.zeros(shape, np.float32),
        "value": np.zeros(shape, np.float32),
        "next_value": np.zeros(shape, np.float32),  # of the true successor, where the episode did not just go on
        "reward": np.zeros(shape),
        "terminated": np.zeros(shape, bool),
        "done": np.zeros(shape, bool),
    }
    if actor.network.memory:
        rollout["memory"] = actor.network.initial_state(spec.num_rows)
    return rollout
