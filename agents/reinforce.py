"""REINFORCE: the policy gradient from whole episodes.

Source: Williams (1992), "Simple statistical gradient-following algorithms for connectionist
reinforcement learning"; on Pong the cookbook's network and Karpathy's (2016) returns.

Deliberate deviations:
- The gradient is the mean over the steps of several episodes, without the factor discount^t, and
  returns are normalised over these episodes: steps are smaller and comparable between tasks.
- Truncated episodes: with a baseline the return goes on with the value of what would have come
  next; without one it ends there, as if the episode had terminated.
- Rows run independently, and only complete episodes enter an update. With several rows an episode
  that was under way at an update was begun by an older policy, and enters the next one as it is;
  with one row every episode is wholly the policy's own.
- The baseline predicts returns in standard deviations from the mean of the latest update's.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field, PositiveInt

from agents.parts import returns, state
from agents.parts.actor import Actor
from agents.parts.cells import CELLS
from agents.parts.episodes import EpisodeBuffer
from agents.parts.optimizers import adam, clip_by_global_norm
from agents.parts.tensorflow import load
from agents.parts.variables import load_variables, save_variables
from arena import agent
from arena.agent import Agent, Decision, Settings, Spec, Transition
from arena.errors import InvalidValue
from arena.policy import Policy


class ReinforceSettings(Settings):
    """The settings of REINFORCE.

    Attributes:
      episodes_per_update: complete episodes that an update waits for.
      normalize_returns: over the episodes of an update.
      reset_on_reward: returns begin anew at every reward that is not 0 (Pong: at every point).
      baseline: "value" learns a state's expected return and subtracts it.
      max_gradient_norm: gradients are scaled down to it; None for as they are.
      initializer: of the kernels: Xavier's (normal), or orthogonal with a policy head near 0.
      initial_log_std: of a Gaussian over actions in [-1, 1].
      chunk: steps that one compiled call takes; what an update computes does not depend on it.
      play: the mode of the policy.
    """

    episodes_per_update: int = Field(8, ge=1)
    discount: float = Field(0.99, ge=0.0, le=1.0)
    normalize_returns: bool = True
    reset_on_reward: bool = False
    baseline: Literal["none", "value"] = "none"
    value_coefficient: float = Field(0.5, ge=0.0)
    entropy_coefficient: float = Field(0.0, ge=0.0)
    learning_rate: float = Field(1e-3, gt=0.0)
    learning_rate_schedule: Literal["constant", "linear"] = "constant"
    optimizer: Literal["adam", "rmsprop"] = "adam"
    rmsprop_decay: float = Field(0.99, gt=0.0, lt=1.0)
    max_gradient_norm: float | None = Field(None, gt=0.0)
    network: str = "auto"
    hidden: tuple[PositiveInt, ...] = (64, 64)
    activation: Literal["tanh", "relu"] = "tanh"
    initializer: Literal["xavier", "orthogonal"] = "orthogonal"
    initial_log_std: float = 0.0
    chunk: int = Field(512, ge=1)
    play: Literal["greedy", "sample"] = "greedy"


class Reinforce(Agent):
    """Learns a policy from the returns of whole episodes; discrete and continuous actions."""

    Settings = ReinforceSettings

    def __init__(self, spec: Spec, *, seed: int, settings: Mapping[str, Any] | agent.Settings | None = None) -> None:
        super().__init__(spec, seed=seed, settings=settings)
        s: ReinforceSettings = self.settings
        if s.network in CELLS:
            raise InvalidValue(f"reinforce has no memory: network={s.network} is for ppo and dqn")
        self._has_value = s.baseline == "value"
        self._actor = Actor(
            spec,
            seed=seed,
            has_value=self._has_value,
            log_std=s.initial_log_std,
            kind=s.network,
            hidden=s.hidden,
            activation=s.activation,
            shared=False,
            initializer="glorot_normal" if s.initializer == "xavier" else s.initializer,
            head_gains={"logits": 0.01, "mean": 0.01, "value": 1.0},
        )
        # The cookbook's difference frames hold -1, 0 and 1 only: a quarter of the memory as int8.
        dtype = np.int8 if spec.preprocess == "cookbook-pong" else spec.observation_space.dtype
        self._episodes = EpisodeBuffer(spec.num_rows, np.dtype(dtype))
        self._return_mean, self._return_std = 0.0, 1.0
        self._optimizer = _optimizer(s, self._actor.trainable_variables)
        self._accumulate, self._apply = _compile_update(self._actor, self._optimizer, s)

    def act(self, obs: np.ndarray, state: Any) -> Decision:
        return self._actor.act(obs)

    def observe(self, transition: Transition) -> None:
        final = np.zeros(len(transition.reward))
        if self._has_value and (transition.truncated & ~transition.terminated).any():
            value = self._actor.value(transition.next_obs) * self._return_std + self._return_mean
            final = np.where(transition.terminated, 0.0, value)
        extras = {"value": np.zeros(len(final), np.float32)} | dict(transition.extras)
        step = {
            "obs": transition.obs,
            "sample": extras["sample"],
            "value": extras["value"],
            "reward": transition.reward,
            "bootstrap": final,
        }
        self._episodes.add(step, transition.done)

    def learn(self) -> Mapping[str, Any]:
        s = self.settings
        if self._episodes.num_complete < s.episodes_per_update:
            return {}
        episodes = self._episodes.take()
        target = np.concatenate([self._returns(episode) for episode in episodes])
        if s.normalize_returns:
            self._return_mean, self._return_std = float(target.mean()), float(target.std()) + 1e-8
            target = (target - self._return_mean) / self._return_std
        advantage = target
        if self._has_value:
            advantage = target - np.concatenate([episode["value"] for episode in episodes])
            advantage = returns.normalise(advantage) if s.normalize_returns else advantage
        rate = s.learning_rate * {"constant": 1.0, "linear": 1.0 - self.progress}[s.learning_rate_schedule]
        self._optimizer.learning_rate = rate
        batch = {name: np.concatenate([episode[name] for episode in episodes]) for name in ("obs", "sample")}
        loss, entropy = self._train(batch["obs"], batch["sample"], advantage, target)
        mean_return = float(np.mean([episode["reward"].sum() for episode in episodes]))
        return {"loss": loss, "entropy": entropy, "mean_return": mean_return, "learning_rate": rate}

    def _returns(self, episode: Mapping[str, np.ndarray]) -> np.ndarray:
        return returns.discounted_returns(
            episode["reward"],
            self.settings.discount,
            bootstrap=float(episode["bootstrap"][-1]),
            reset_on_reward=self.settings.reset_on_reward,
        )

    def _train(self, obs: np.ndarray, sample: np.ndarray, advantage: np.ndarray, target: np.ndarray) -> Any:
        """Makes one update from [B, ...] steps, in chunks of one shape; returns [2] loss and entropy."""
        chunk, size = self.settings.chunk, len(obs)
        weight = np.full(size, 1.0 / size, np.float32)
        steps = (obs, sample, advantage.astype(np.float32), target.astype(np.float32), weight)
        totals = 0.0
        for start in range(0, size, chunk):
            totals += self._accumulate(*(_padded(array[start : start + chunk], chunk) for array in steps))
        self._apply()
        self._actor.refresh()
        return load().unstack(totals)

    def policy(self) -> Policy:
        return self._actor.policy("reinforce", self.settings.play, self.settings)

    def weights(self) -> Mapping[str, np.ndarray]:
        return self._actor.weights()

    def load_weights(self, folder: Path) -> None:
        self._actor.load_weights(folder)

    def save_state(self, folder: Path) -> None:
        self._actor.save(folder)
        save_variables(folder / "optimizer.npz", self._optimizer.variables)
        self._episodes.save(folder / "episodes.npz")
        state.save(folder, {}, self._values())

    def restore_state(self, folder: Path) -> None:
        _, values = state.load(folder, {}, self._values())
        rng = state.generator_from(values["rng"])
        self._episodes.restore(folder / "episodes.npz")
        load_variables(folder / "optimizer.npz", self._optimizer.variables)
        self._actor.restore(folder)
        self._actor.rng = rng
        self._return_mean, self._return_std = values["return_mean"], values["return_std"]

    def forget_unfinished(self) -> None:
        self._episodes.forget_unfinished()

    def _values(self) -> dict[str, Any]:
        rng = self._actor.rng.bit_generator.state
        return {"rng": rng, "return_mean": self._return_mean, "return_std": self._return_std}


def _padded(array: np.ndarray, length: int) -> np.ndarray:
    """Returns `array` with zeros behind it, `length` long; a weight of 0 takes these out of the sums."""
    if len(array) == length:
        return array
    return np.concatenate([array, np.zeros((length - len(array), *array.shape[1:]), array.dtype)])


def _compile_update(actor: Actor, optimizer: Any, s: ReinforceSettings) -> tuple[Any, Any]:
    """Returns (adds the gradient of one chunk and returns its [loss, entropy], applies the sum and clears it)."""
    tf = load()
    variables, distribution = actor.trainable_variables, actor.distribution
    sums = [tf.Variable(tf.zeros(v.shape), trainable=False) for v in variables]
    dtype = actor.network.model.inputs[0].dtype

    def accumulate(obs: Any, sample: Any, advantage: Any, target: Any, weight: Any) -> Any:
        with tf.GradientTape() as tape:
            outputs = actor.network(tf.cast(obs, dtype))
            log_prob = distribution.log_prob(outputs, sample)
            entropy = tf.reduce_sum(weight * distribution.entropy(outputs))
            loss = -tf.reduce_sum(weight * advantage * log_prob) - s.entropy_coefficient * entropy
            if s.baseline == "value":
                error = tf.square(target - outputs["value"][:, 0])
                loss += s.value_coefficient * tf.reduce_sum(weight * error)
        for total, gradient in zip(sums, tape.gradient(loss, variables), strict=True):
            total.assign_add(gradient)
        return tf.stack([loss, entropy])

    def apply() -> None:
        gradients = [tf.identity(total) for total in sums]
        if s.max_gradient_norm is not None:
            gradients = clip_by_global_norm(gradients, s.max_gradient_norm)
        optimizer.apply(gradients, variables)
        for total in sums:
            total.assign(tf.zeros_like(total))

    return tf.function(accumulate, jit_compile=actor.network.kind == "mlp"), tf.function(apply)


def _optimizer(s: ReinforceSettings, variables: list[Any]) -> Any:
    import keras

    if s.optimizer == "adam":
        return adam(s.learning_rate, variables, epsilon=1e-7)
    # Keras adds epsilon under the root, and gradients are means over thousands of steps: 7e-6 for a weight in Pong.
    optimizer = keras.optimizers.RMSprop(s.learning_rate, rho=s.rmsprop_decay, epsilon=1e-16)
    optimizer.build(variables)
    return optimizer
