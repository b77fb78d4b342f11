"""Proximal policy optimisation.

Source: Schulman et al. (2017), "Proximal policy optimization algorithms", with the details of
Huang et al. (2022), "The 37 implementation details of proximal policy optimization".

Deliberate deviations:
- Samples left over when a rollout does not divide into minibatches sit out that epoch: compiled
  shapes stay fixed. A minibatch larger than the rollout is the whole rollout.
- With `target_kl` the updates of a rollout end after the minibatch that went 1.5 times beyond it.
- Observations are standardised by the statistics of the rollouts before this one, so that the
  policy that is improved is the one that acted.
- Continuous actions are Gaussian in [-1, 1], clipped and scaled to the action space.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, PositiveInt

from agents.parts import returns, state
from agents.parts.actor import Actor
from agents.parts.optimizers import adam, clip_by_global_norm
from agents.parts.tensorflow import load
from agents.parts.variables import load_variables, save_variables
from arena import agent
from arena.agent import Agent, Decision, Settings, Spec, Transition
from arena.errors import InvalidValue
from arena.policy import Policy

_METRICS = ("policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction")


class PPOSettings(Settings):
    """The settings of PPO.

    Attributes:
      num_steps: rollout length of each row; an update follows every num_steps x num_envs steps.
      batch_size: of a minibatch.
      clip: how far a probability ratio may go from 1.
      value_clip: how far a value may go from the one before the update; None for no limit.
      target_kl: end a rollout's updates early beyond 1.5 times this; None for never.
      initial_log_std: of a Gaussian over actions in [-1, 1].
      reward_clip: learn from rewards clipped to [-reward_clip, reward_clip]; None for raw ones.
      play: the mode of the policy.
    """

    num_steps: int = Field(128, ge=1)
    epochs: int = Field(4, ge=1)
    batch_size: int = Field(256, ge=2)
    discount: float = Field(0.99, ge=0.0, le=1.0)
    gae_lambda: float = Field(0.95, ge=0.0, le=1.0)
    clip: float = Field(0.2, gt=0.0)
    clip_schedule: Literal["constant", "linear"] = "constant"
    value_clip: float | None = Field(None, gt=0.0)
    entropy_coefficient: float = Field(0.0, ge=0.0)
    value_coefficient: float = Field(0.5, ge=0.0)
    learning_rate: float = Field(3e-4, gt=0.0)
    learning_rate_schedule: Literal["constant", "linear"] = "constant"
    max_gradient_norm: float = Field(0.5, gt=0.0)
    target_kl: float | None = Field(None, gt=0.0)
    network: str = "auto"
    hidden: tuple[PositiveInt, ...] = (64, 64)
    activation: Literal["tanh", "relu"] = "tanh"
    initial_log_std: float = 0.0
    normalize_observations: bool = False
    normalize_rewards: bool = False
    reward_clip: float | None = Field(None, gt=0.0)
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
            activation=s.activation,
            shared=False,
            initializer="orthogonal",
            head_gains={"logits": 0.01, "mean": 0.01, "value": 1.0},
            normalize=s.normalize_observations,
        )
        self._rollout = _empty_rollout(spec, s.num_steps, self._actor)
        self._num_filled = 0
        self._reward_scale = returns.RewardScale(spec.num_rows, s.discount)
        self._optimizer = adam(s.learning_rate, self._actor.trainable_variables, epsilon=1e-5)
        self._update = _compile_update(self._actor, self._optimizer, s)

    def act(self, obs: np.ndarray, state: Any) -> Decision:
        return self._actor.act(obs)

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
            rollout["next_value"][t] = self._actor.value(transition.next_obs)
        self._num_filled += 1

    def learn(self) -> Mapping[str, Any]:
        s, rollout = self.settings, self._rollout
        if self._num_filled < s.num_steps:
            return {}
        self._num_filled = 0
        remaining = {"constant": 1.0, "linear": 1.0 - self.progress}
        rate = s.learning_rate * remaining[s.learning_rate_schedule]
        clip = s.clip * remaining[s.clip_schedule]
        self._optimizer.learning_rate = rate
        reward = self._reward_scale(rollout["reward"], rollout["done"]) if s.normalize_rewards else rollout["reward"]
        value = rollout["value"]
        successors = (rollout["next_value"], rollout["terminated"], rollout["done"])
        advantage = returns.gae(reward, value, *successors, s.discount, s.gae_lambda)
        target = advantage + value
        flat = [
            np.reshape(array, (self._size, *array.shape[2:]))
            for array in (
                *(rollout[name] for name in ("obs", "sample", "log_prob", "value")),
                advantage.astype(np.float32),
                target.astype(np.float32),
            )
        ]
        tf = load()
        means = self._update(flat, self._shuffled(), tf.constant(clip, tf.float32))
        if s.normalize_observations:
            self._actor.network.update_statistics(flat[0])
        self._actor.refresh()
        metrics = dict(zip(_METRICS, means.numpy().tolist(), strict=True))
        return metrics | {"explained_variance": returns.explained_variance(value, target), "learning_rate": rate}

    def _shuffled(self) -> np.ndarray:
        """Returns [epochs * minibatches, batch] int32 indices: every epoch goes through the rollout in a new order."""
        batch = min(self.settings.batch_size, self._size)
        used = self._size // batch * batch
        orders = [self._actor.rng.permutation(self._size)[:used] for _ in range(self.settings.epochs)]
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

    def restore_state(self, folder: Path) -> None:
        arrays, values = state.load(folder, self._arrays(), self._values())
        rng = state.generator_from(values["rng"])
        load_variables(folder / "optimizer.npz", self._optimizer.variables)
        self._actor.restore(folder)
        self._actor.rng, self._num_filled = rng, values["num_filled"]
        for name, array in self._arrays().items():
            array[...] = arrays[name]

    def _arrays(self) -> dict[str, np.ndarray]:
        scale = self._reward_scale
        return {**self._rollout, "running_returns": scale.returns, "return_moments": scale.moments}

    def _values(self) -> dict[str, Any]:
        return {"num_filled": self._num_filled, "rng": self._actor.rng.bit_generator.state}


def clipped_policy_loss(log_prob: Any, old_log_prob: Any, advantage: Any, clip: Any) -> Any:
    """Returns the mean over [B] of -min(r A, clip(r, 1 - clip, 1 + clip) A), r = exp(log_prob - old_log_prob).

    Source: Schulman et al. (2017), equation 7.
    """
    tf = load()
    ratio = tf.exp(log_prob - old_log_prob)
    return -tf.reduce_mean(tf.minimum(ratio * advantage, tf.clip_by_value(ratio, 1.0 - clip, 1.0 + clip) * advantage))


def value_loss(value: Any, old_value: Any, target: Any, clip: float | None) -> Any:
    """Returns the mean squared error over [B]; with `clip` the larger of it and that of the clipped value."""
    tf = load()
    error = tf.square(value - target)
    if clip is not None:
        clipped = old_value + tf.clip_by_value(value - old_value, -clip, clip)
        error = tf.maximum(error, tf.square(clipped - target))
    return tf.reduce_mean(error)


def _compile_update(actor: Actor, optimizer: Any, s: PPOSettings) -> Any:
    """Returns a compiled function that makes all of a rollout's updates and returns the [5] means of _METRICS."""
    tf = load()
    variables, distribution = actor.trainable_variables, actor.distribution
    kl_limit = float("inf") if s.target_kl is None else 1.5 * s.target_kl

    def minibatch(batch: list[Any], clip: Any) -> Any:
        obs, sample, old_log_prob, old_value, advantage, target = batch
        advantage = (advantage - tf.reduce_mean(advantage)) / (tf.math.reduce_std(advantage) + 1e-8)
        with tf.GradientTape() as tape:
            outputs = actor.network(obs)
            log_prob = distribution.log_prob(outputs, sample)
            entropy = tf.reduce_mean(distribution.entropy(outputs))
            of_policy = clipped_policy_loss(log_prob, old_log_prob, advantage, clip)
            of_value = value_loss(outputs["value"][:, 0], old_value, target, s.value_clip)
            loss = of_policy + s.value_coefficient * of_value - s.entropy_coefficient * entropy
        gradients = clip_by_global_norm(tape.gradient(loss, variables), s.max_gradient_norm)
        optimizer.apply(gradients, variables)
        log_ratio = log_prob - old_log_prob
        kl = tf.reduce_mean(tf.exp(log_ratio) - 1.0 - log_ratio)  # Schulman (2020), "Approximating KL divergence"
        is_clipped = tf.cast(tf.abs(tf.exp(log_ratio) - 1.0) > clip, tf.float32)
        return tf.stack([of_policy, of_value, entropy, kl, tf.reduce_mean(is_clipped)])

    def update(rollout: list[Any], indices: Any, clip: Any) -> Any:
        def step(i: Any, totals: Any, kl: Any) -> Any:
            batch = [tf.gather(array, indices[i]) for array in rollout]
            metrics = minibatch(batch, clip)
            return i + 1, totals + metrics, metrics[3]

        def goes_on(i: Any, totals: Any, kl: Any) -> Any:
            return (i < len(indices)) & (kl <= kl_limit)

        count, totals, _ = tf.while_loop(goes_on, step, (tf.constant(0), tf.zeros(len(_METRICS)), tf.constant(0.0)))
        return totals / tf.cast(count, tf.float32)

    return tf.function(update, jit_compile=actor.network.kind == "mlp")


def _empty_rollout(spec: Spec, num_steps: int, actor: Actor) -> dict[str, np.ndarray]:
    """Returns [num_steps, N, ...] arrays for one rollout, by name."""
    shape = (num_steps, spec.num_rows)
    space, distribution = spec.observation_space, actor.distribution
    return {
        "obs": np.zeros((*shape, *(space.shape or ())), space.dtype),
        "sample": np.zeros((*shape, *distribution.sample_shape), distribution.sample_dtype),
        "log_prob": np.zeros(shape, np.float32),
        "value": np.zeros(shape, np.float32),
        "next_value": np.zeros(shape, np.float32),  # of the true successor, where the episode did not just go on
        "reward": np.zeros(shape),
        "terminated": np.zeros(shape, bool),
        "done": np.zeros(shape, bool),
    }
