"""A restricted Boltzmann machine whose visible units are films, each in one of five states or not rated at all.

Source: Salakhutdinov, Mnih & Hinton (2007), "Restricted Boltzmann machines for collaborative filtering": a film that
a user has not rated takes no part in that user's machine; weights are shared by all users.

Deliberate deviation: the learning rate of a film's weights is divided by the square root of the share of users who
rated it, for rarely rated films are learned too slowly otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from arena.components.activations import sigmoid, softmax
from arena.components.contrastive import Plan, batches, drawn
from arena.components.ratings import NUM_STARS

_FIRST_MOMENTUM, _FIRST_EPOCHS = 0.5, 3
_PRIOR = 5  # ratings, spread like all ratings, that each film's biases start with
_FEW = 20  # ratings that each film is held to have more than it has when its learning rate is set
_CHUNK = 20_000
_STARS = np.arange(1, NUM_STARS + 1, dtype=np.float32)


@dataclass(frozen=True)
class SoftmaxMachine:
    """The machine. Row 5 f + s - 1 of its kernel belongs to film f with s stars.

    Attributes:
      kernel: [5 F, K] float32.
      visible_bias: [5 F] float32.
      hidden_bias: [K] float32.
    """

    kernel: np.ndarray
    visible_bias: np.ndarray
    hidden_bias: np.ndarray

    def hidden(self, visible: sparse.csr_matrix) -> np.ndarray:
        """Returns [U, K]: the probabilities of users' hidden units, given [U, 5 F] their ratings."""
        return sigmoid(visible @ self.kernel + self.hidden_bias)

    def probabilities(self, hidden: np.ndarray, films: np.ndarray) -> np.ndarray:
        """Returns [M, 5]: the probabilities of 1 to 5 stars for [M] films, given [M, K] hidden units."""
        found = np.empty((len(films), NUM_STARS), np.float32)
        kernel = self.kernel.reshape(-1, NUM_STARS, self.kernel.shape[1])
        bias = self.visible_bias.reshape(-1, NUM_STARS)
        for start in range(0, len(films), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            found[chunk] = np.einsum("nsk,nk->ns", kernel[films[chunk]], hidden[chunk]) + bias[films[chunk]]
        return softmax(found)

    def of_all(self, hidden: np.ndarray) -> np.ndarray:
        """Returns [U, F, 5]: the probabilities of the stars of all films."""
        return softmax((hidden @ self.kernel.T + self.visible_bias).reshape(len(hidden), -1, NUM_STARS))

    def fantasy(self, hidden: np.ndarray, like: sparse.csr_matrix) -> sparse.csr_matrix:
        """Returns [U, 5 F]: the probabilities of the stars of those films that are rated in `like`, one a film."""
        films = like.indices // NUM_STARS
        users = np.repeat(np.arange(len(hidden)), np.diff(like.indptr))
        activations = (hidden @ self.kernel.T + self.visible_bias).reshape(len(hidden), -1, NUM_STARS)
        stars = softmax(activations[users, films])
        places = (films[:, None] * NUM_STARS + np.arange(NUM_STARS, dtype=films.dtype)).ravel()
        return sparse.csr_matrix((stars.ravel(), places, like.indptr * NUM_STARS), like.shape)


def train(
    visible: sparse.csr_matrix,
    plan: Plan,
    rng: np.random.Generator,
    on_epoch: Callable[[int, SoftmaxMachine], None] = lambda epoch, machine: None,
) -> SoftmaxMachine:
    """Returns a machine that has learned [U, 5 F] ratings by contrastive divergence; `on_epoch` is told of epochs."""
    counts = np.asarray(visible.sum(axis=0), np.float32).reshape(-1, NUM_STARS)
    machine = SoftmaxMachine(
        rng.standard_normal((visible.shape[1], plan.num_hidden), np.float32) * np.float32(0.01),
        _first_biases(counts).ravel(),
        np.zeros(plan.num_hidden, np.float32),
    )
    parameters = (machine.kernel, machine.visible_bias, machine.hidden_bias)
    velocities = [np.zeros_like(parameter) for parameter in parameters]
    pace = np.sqrt(visible.shape[0] / (counts.sum(axis=1) + _FEW)).repeat(NUM_STARS)
    for epoch in range(plan.epochs):
        momentum = np.float32(plan.momentum if epoch >= _FIRST_EPOCHS else min(plan.momentum, _FIRST_MOMENTUM))
        rate = np.float32(plan.learning_rate * (1 - 0.9 * epoch / max(1, plan.epochs - 1)))
        for batch in batches(visible.shape[0], plan.batch_size, rng):
            data = visible[batch]
            hidden = chained = machine.hidden(data)
            for _ in range(plan.num_steps):
                sample = machine.fantasy(drawn(chained, rng), data)
                chained = machine.hidden(sample)
            of_film = pace / len(batch)
            kernel = (data.T @ hidden - sample.T @ chained) * of_film[:, None]
            kernel -= plan.weight_decay * machine.kernel
            bias = np.asarray(data.sum(axis=0) - sample.sum(axis=0)).ravel() * of_film
            gradients = (kernel, bias, (hidden - chained).mean(axis=0))
            for parameter, velocity, gradient in zip(parameters, velocities, gradients, strict=True):
                gradient *= rate
                velocity *= momentum
                velocity += gradient
                parameter += velocity
        on_epoch(epoch + 1, machine)
    return machine


def one_hot(ratings: np.ndarray, num_users: int, num_films: int) -> sparse.csr_matrix:
    """Returns [U, 5 F] float32 of [N, 3] ratings: 1 where that user gave that film that many stars."""
    users, films, stars = ratings.T
    places = (users, films * NUM_STARS + stars - 1)
    return sparse.csr_matrix((np.ones(len(ratings), np.float32), places), (num_users, num_films * NUM_STARS))


def expected_stars(probabilities: np.ndarray) -> np.ndarray:
    """Returns [...] stars of [..., 5] probabilities."""
    stars: np.ndarray = probabilities @ _STARS
    return stars


def _first_biases(counts: np.ndarray) -> np.ndarray:
    shares = counts.sum(axis=0) + 1
    smoothed = counts + _PRIOR * shares / shares.sum()
    biases: np.ndarray = np.log(smoothed / smoothed.sum(axis=1, keepdims=True)).astype(np.float32)
    return biases
