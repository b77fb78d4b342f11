"""Restricted Boltzmann machines, and how they are trained: by contrastive divergence, in NumPy.

A machine joins D visible and K hidden units, of which those of one kind do not know each other:

    E(v, h) = -v W h - b v - c h                  visible units of 0 and 1 (or probabilities)
    E(v, h) = |v - b|^2 / 2 - v W h - c h         Gaussian ones, for numbers of variance 1

Sources: Hinton (2002), "Training products of experts by minimizing contrastive divergence"; Tieleman (2008) for the
persistent chains; Hinton (2010), "A practical guide to training restricted Boltzmann machines", for all the rest.

Deliberate deviation from the first: visible units stay probabilities (means) within a chain, as the guide recommends;
hidden ones are drawn, the last ones apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from arena.components.activations import logit, sigmoid

PARAMETERS = ("kernel", "visible_bias", "hidden_bias")  # of a machine

_FIRST_MOMENTUM, _FIRST_EPOCHS = 0.5, 2  # momentum is halved until the first steep descent is over
_INITIAL_SCALE = 0.01


@dataclass(frozen=True)
class Plan:
    """How a machine is trained.

    Attributes:
      num_hidden: K.
      epochs: passes over the examples.
      batch_size: examples to an update; also the number of persistent chains.
      learning_rate: of the first epoch; it falls linearly, to a tenth in the last one.
      momentum: of the updates, after the first epochs.
      weight_decay: share of the weights that an update takes off, times the learning rate.
      num_steps: Gibbs steps between the data and the sample that is held against them: the k of CD-k.
      persistent: chains go on from update to update instead of starting at the data.
      gaussian: visible units are Gaussian.
    """

    num_hidden: int
    epochs: int
    batch_size: int = 100
    learning_rate: float = 0.1
    momentum: float = 0.5
    weight_decay: float = 0.0
    num_steps: int = 1
    persistent: bool = False
    gaussian: bool = False


@dataclass(frozen=True)
class Machine:
    """A restricted Boltzmann machine.

    Attributes:
      kernel: [D, K] float32, W above.
      visible_bias: [D] float32, b.
      hidden_bias: [K] float32, c.
      gaussian: visible units are Gaussian of variance 1.
    """

    kernel: np.ndarray
    visible_bias: np.ndarray
    hidden_bias: np.ndarray
    gaussian: bool = False

    def hidden(self, visible: np.ndarray) -> np.ndarray:
        """Returns [N, K]: the probabilities of hidden units, given [N, D] visible ones."""
        return sigmoid(visible @ self.kernel + self.hidden_bias)

    def visible(self, hidden: np.ndarray) -> np.ndarray:
        """Returns [N, D]: the probabilities (Gaussian: means) of visible units, given [N, K] hidden ones."""
        activations: np.ndarray = hidden @ self.kernel.T + self.visible_bias
        return activations if self.gaussian else sigmoid(activations)

    def free_energy(self, visible: np.ndarray) -> np.ndarray:
        """Returns [N]: F(v) = -log sum_h exp(-E(v, h)); the lower, the likelier the machine holds v to be."""
        soft = np.logaddexp(0, visible @ self.kernel + self.hidden_bias).sum(axis=1)
        if self.gaussian:
            energy: np.ndarray = 0.5 * np.square(visible - self.visible_bias).sum(axis=1) - soft
            return energy
        energy = -visible @ self.visible_bias - soft
        return energy

    def walk(self, hidden: np.ndarray, num_steps: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Returns ([N, D] visible, [N, K] hidden probabilities) after some Gibbs steps from [N, K] hidden ones."""
        visible = np.empty(0)
        for _ in range(num_steps):
            visible = self.visible(drawn(hidden, rng))
            hidden = self.hidden(visible)
        return visible, hidden


def train(
    rows: np.ndarray,
    plan: Plan,
    rng: np.random.Generator,
    on_epoch: Callable[[int, Machine, float], None] = lambda epoch, machine, error: None,
) -> Machine:
    """Returns a machine that has learned [N, D] float32 examples: probabilities, or numbers of variance 1.

    After each epoch `on_epoch` is told its number from 1, the machine, which goes on changing, and the mean squared
    error of the last Gibbs step's visible units against the data. Source of the start: Hinton (2010), section 8.
    """
    kernel = rng.standard_normal((rows.shape[1], plan.num_hidden), np.float32) * np.float32(_INITIAL_SCALE)
    mean = rows.mean(axis=0)
    visible_bias = mean if plan.gaussian else logit(mean)
    machine = Machine(kernel, visible_bias.astype(np.float32), np.zeros(plan.num_hidden, np.float32), plan.gaussian)
    parameters = (machine.kernel, machine.visible_bias, machine.hidden_bias)
    velocities = [np.zeros_like(parameter) for parameter in parameters]
    chains = np.full((min(plan.batch_size, len(rows)), plan.num_hidden), 0.5, np.float32)
    for epoch in range(plan.epochs):
        momentum = np.float32(plan.momentum if epoch >= _FIRST_EPOCHS else min(plan.momentum, _FIRST_MOMENTUM))
        rate = np.float32(plan.learning_rate * (1 - 0.9 * epoch / max(1, plan.epochs - 1)))
        error = 0.0
        for batch in batches(len(rows), plan.batch_size, rng):
            data = rows[batch]
            hidden = machine.hidden(data)
            start = chains if plan.persistent else hidden
            sample, chains = machine.walk(start, plan.num_steps, rng)
            kernel *= np.float32(1 - rate * plan.weight_decay)
            gradients = _gradients(data, hidden, sample, chains)
            for parameter, velocity, gradient in zip(parameters, velocities, gradients, strict=True):
                gradient *= rate
                velocity *= momentum
                velocity += gradient
                parameter += velocity
            shown = machine.visible(hidden) if plan.persistent else sample
            error += float(np.square(shown - data).mean()) * len(data) / len(rows)
        on_epoch(epoch + 1, machine, error)
    return machine


def _gradients(data: np.ndarray, hidden: np.ndarray, sample: np.ndarray, chains: np.ndarray) -> tuple[np.ndarray, ...]:
    """Returns what the data's statistics exceed the sample's by, in the order of a machine's parameters."""
    signed = np.concatenate((hidden / len(data), chains / -len(sample)))
    return np.concatenate((data, sample)).T @ signed, data.mean(axis=0) - sample.mean(axis=0), signed.sum(axis=0)


def batches(num: int, size: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Yields the numbers below `num` in random order, `size` at a time; the last ones may be fewer."""
    order = rng.permutation(num)
    for start in range(0, num, size):
        yield order[start : start + size]


def drawn(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Returns 0s and 1s in float32, each 1 with its probability."""
    return (rng.random(probabilities.shape, np.float32) < probabilities).astype(np.float32)
