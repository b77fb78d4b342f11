"""Distributions over actions: drawn from in NumPy while acting, differentiated in TensorFlow while learning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from agents.parts.tensorflow import load
from arena.agent import Spec
from arena.errors import DoesNotFit
from arena.policy import scale_action

_LOG_2_PI = float(np.log(2.0 * np.pi))


class Draw(NamedTuple):
    """Actions that were drawn.

    Attributes:
      action: [N] int64, or [N, A] float32 in the environment's units.
      sample: what was drawn and log_prob() takes: [N] int64, or [N, A] float32 before it was clipped and scaled.
      log_prob: [N] float32.
      shown: what a viewer shows of the distribution.
    """

    action: np.ndarray
    sample: np.ndarray
    log_prob: np.ndarray
    shown: Mapping[str, np.ndarray]


class Categorical:
    """One of `num_actions` discrete actions, with probabilities softmax(logits)."""

    #: What its parameters are called in a policy's file, beside the network's own heads.
    constants: Mapping[str, np.ndarray] = {}

    def __init__(self, num_actions: int) -> None:
        self.num_actions = num_actions
        self.heads = {"logits": num_actions}
        self.sample_shape: tuple[int, ...] = ()
        self.sample_dtype = np.int64
        self.variables: list[Any] = []

    def draw(self, outputs: Mapping[str, np.ndarray], rng: np.random.Generator) -> Draw:
        """Returns one action a row for [N, num_actions] logits."""
        logits = outputs["logits"]
        shifted = logits - logits.max(-1, keepdims=True)
        weights = np.exp(shifted)
        cumulative = np.add.accumulate(weights, -1, np.float64)
        total = cumulative[:, -1:]
        action = (cumulative < rng.random((len(logits), 1)) * total).sum(-1)  # inverts the distribution function
        log_prob = shifted[np.arange(len(logits)), action] - np.log(total[:, 0]).astype(np.float32)
        return Draw(action, action, log_prob, {"probs": weights / total})

    def log_prob(self, outputs: Mapping[str, Any], sample: Any) -> Any:
        """Returns [B] log-probabilities as a tensor, for [B] samples."""
        tf = load()
        chosen = tf.one_hot(sample, self.num_actions)
        return tf.reduce_sum(tf.nn.log_softmax(outputs["logits"]) * chosen, -1)

    def entropy(self, outputs: Mapping[str, Any]) -> Any:
        """Returns [B] entropies in nats as a tensor."""
        tf = load()
        log_probs = tf.nn.log_softmax(outputs["logits"])
        return -tf.reduce_sum(tf.exp(log_probs) * log_probs, -1)

    def cross_entropy(self, outputs: Mapping[str, Any], probs: Any) -> Any:
        """Returns [B] cross-entropies in nats as a tensor, from [B, num_actions] probabilities to these."""
        tf = load()
        return -tf.reduce_sum(probs * tf.nn.log_softmax(outputs["logits"]), -1)

    def refresh(self) -> None:
        """Nothing to copy: all parameters come from the network."""


class Gaussian:
    """Independent normals around the network's mean in [-1, 1], clipped and scaled to the action space.

    The standard deviation does not depend on the state: `log_std` is a variable of its own. The
    log-probability is of the draw before it is clipped.

    Args:
      space: bounded, of shape [A].
      log_std: where the variable begins; 0 is a deviation of half the range.
    """

    def __init__(self, space: gym.spaces.Box, log_std: float) -> None:
        load()
        import keras

        size = int(space.shape[0])
        self.heads = {"mean": size}
        self.sample_shape: tuple[int, ...] = (size,)
        self.sample_dtype = np.float32
        self._low = space.low.astype(np.float32)
        self._half_range = (space.high.astype(np.float32) - self._low) / 2.0
        self._log_std = keras.Variable(np.full(size, log_std, np.float32), name="log_std")
        self.variables: list[Any] = [self._log_std]
        self.refresh()

    def refresh(self) -> None:
        """Copies log_std to where draw() reads it; call it after every update."""
        self.constants: Mapping[str, np.ndarray] = {"log_std": self._log_std.numpy()}

    def draw(self, outputs: Mapping[str, np.ndarray], rng: np.random.Generator) -> Draw:
        """Returns one action a row for [N, A] means."""
        mean, log_std = outputs["mean"], self.constants["log_std"]
        noise = rng.standard_normal(mean.shape, np.float32)
        sample = mean + np.exp(log_std) * noise
        log_prob = -(0.5 * noise**2 + log_std + 0.5 * _LOG_2_PI).sum(-1)
        return Draw(scale_action(sample, self._low, self._half_range), sample, log_prob, {"mean": mean})

    def log_prob(self, outputs: Mapping[str, Any], sample: Any) -> Any:
        """Returns [B] log-densities as a tensor, for [B, A] samples."""
        tf = load()
        log_std = tf.convert_to_tensor(self._log_std)
        noise = (sample - outputs["mean"]) * tf.exp(-log_std)
        return -tf.reduce_sum(0.5 * noise**2 + log_std + 0.5 * _LOG_2_PI, -1)

    def entropy(self, outputs: Mapping[str, Any]) -> Any:
        """Returns [B] differential entropies in nats as a tensor."""
        tf = load()
        entropy = tf.reduce_sum(tf.convert_to_tensor(self._log_std) + 0.5 * (1.0 + _LOG_2_PI))
        return tf.zeros_like(outputs["mean"][:, 0]) + entropy


def distribution_of(spec: Spec, log_std: float) -> Categorical | Gaussian:
    """Returns the distribution over the actions of `spec`.

    Raises:
      DoesNotFit: the actions are neither discrete nor a bounded vector.
    """
    space = spec.action_space
    if isinstance(space, gym.spaces.Box) and len(space.shape) == 1 and space.is_bounded():
        return Gaussian(space, log_std)
    if isinstance(space, gym.spaces.Discrete):
        return Categorical(spec.num_actions)
    raise DoesNotFit(f"{spec.env_id} has actions {space}; they should be Discrete or a bounded Box of one axis")
