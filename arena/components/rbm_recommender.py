"""Films for people: restricted Boltzmann machines that learn from ratings.

Source: Salakhutdinov, Mnih & Hinton (2007), "Restricted Boltzmann machines for collaborative filtering"; see
arena.components.softmax_machine.

Deliberate addition: how many stars a user would give says little of what the user would come to see. So a second
machine, of the common kind, learns which films are rated by the same people, and a list is ranked by the probability
that a film is both rated and liked: P(rated) P(4 or 5 stars | rated).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import pydantic

from arena import seeding
from arena.components import base, contrastive, neural
from arena.components import ratings as measures
from arena.components.base import SILENT, Watch
from arena.components.neural import NeuralComponent
from arena.components.ratings import LIKED, NUM_STARS
from arena.errors import InvalidValue

if TYPE_CHECKING:
    from arena.components.data import Dataset, Split
    from arena.components.softmax_machine import SoftmaxMachine

_NUM_JUDGED = 20_000  # ratings by which training is followed
_LIST = 10
_SEEN_RATE, _SEEN_MOMENTUM = 0.05, 0.5


class RecommenderSettings(base.Settings):
    """Settings of the recommender.

    Attributes:
      num_films: films are numbered from 0 to num_films - 1.
      num_hidden: hidden units of either machine.
      epochs: passes over the users, of either machine.
      batch_size: users to an update.
      learning_rate: of the stars, in the first epoch; it falls linearly, to a tenth in the last one.
      momentum: of the updates, after the first epochs.
      weight_decay: share of the weights that an update takes off, times the learning rate.
      num_steps: Gibbs steps between the data and the sample held against them.
    """

    num_films: pydantic.PositiveInt = 3952
    num_hidden: pydantic.PositiveInt = 100
    epochs: pydantic.PositiveInt = 15
    batch_size: pydantic.PositiveInt = 100
    learning_rate: pydantic.PositiveFloat = 0.05
    momentum: float = pydantic.Field(0.9, ge=0, lt=1)
    weight_decay: pydantic.NonNegativeFloat = 0.005
    num_steps: pydantic.PositiveInt = 1


class Recommendation(NamedTuple):
    """A film for a user: its number from 0, the expected stars, and the probability of being rated and liked."""

    film: int
    stars: float
    chance: float


class RBMRecommender(NeuralComponent):
    """Learns ratings, [N, 3] integers: user and film, numbered from 0, and 1 to 5 stars.

    Nothing of a user is learned but through the shared weights: it recommends to whoever has some ratings. A code is
    the hidden units' probabilities of a user, [K]; what it stands for are the expected stars of all films.
    """

    name = "rbm-recommender"
    Settings = RecommenderSettings
    datasets = ("movielens-1m",)

    def fit(
        self, data: Any, labels: np.ndarray | None = None, *, validation: Split | None = None, watch: Watch = SILENT
    ) -> Self:
        """Learns from ratings; users in them are the examples."""
        from arena.components import softmax_machine

        settings = self.settings
        known = measures.checked(data, settings.num_films)
        self.shape_ = (3,)
        visible = softmax_machine.one_hot(known, int(known[:, 0].max()) + 1, settings.num_films)
        judged = known[:_NUM_JUDGED] if validation is None else _of_known_users(validation.inputs, known)[:_NUM_JUDGED]
        self.weights_ = {}

        def tell_seen(epoch: int, machine: contrastive.Machine, error: float) -> None:
            watch.step(epoch, 2 * settings.epochs, seen_error=error)

        def tell_stars(epoch: int, machine: SoftmaxMachine) -> None:
            self._take("stars", machine)
            error = measures.root_mean_squared_error(self.predict(known, judged), judged)
            watch.step(settings.epochs + epoch, 2 * settings.epochs, rmse=error)

        plan = contrastive.Plan(**settings.model_dump(exclude={"seed", "num_films"}))
        seen_plan = contrastive.Plan(
            settings.num_hidden, settings.epochs, settings.batch_size, _SEEN_RATE, _SEEN_MOMENTUM
        )
        rated = _rated(known, visible.shape[0], settings.num_films)
        self._take("seen", contrastive.train(rated, seen_plan, seeding.generator(settings.seed, "seen"), tell_seen))
        rng = seeding.generator(settings.seed, "stars")
        self._take("stars", softmax_machine.train(visible, plan, rng, tell_stars))
        return self

    def transform(self, data: np.ndarray) -> np.ndarray:
        """Returns [U, K] float32 from ratings: the hidden units of users 0 to the last one, in the stars' machine."""
        known = self._checked(data)
        return self._codes(known, int(known[:, 0].max()) + 1)

    def inverse_transform(self, codes: np.ndarray) -> np.ndarray:
        """Returns [U, num_films] float32: the expected stars of all films."""
        from arena.components import softmax_machine

        return softmax_machine.expected_stars(self._stars.of_all(np.asarray(codes, np.float32)))

    def predict(self, known: np.ndarray, pairs: np.ndarray) -> np.ndarray:
        """Returns [M] float32: the stars expected for [M, 2 or more] pairs of user and film.

        `known` are the ratings, [N, 3], of these users. Raises InvalidValue for a user who comes after all in it.
        """
        from arena.components import softmax_machine

        codes = self.transform(known)
        if pairs[:, 0].max() >= len(codes):
            raise InvalidValue(f"user {pairs[:, 0].max()} has no known ratings")
        return softmax_machine.expected_stars(self._stars.probabilities(codes[pairs[:, 0]], pairs[:, 1]))

    def score(self, data: np.ndarray) -> float:
        """Returns minus the mean squared error in stars of the ratings as their users' codes tell them."""
        known = self._checked(data)
        return -(measures.root_mean_squared_error(self.predict(known, known), known) ** 2)

    def chances(self, known: np.ndarray, users: np.ndarray) -> np.ndarray:
        """Returns [B, num_films]: the probabilities that [B] users, in rising order, rate a film and like it."""
        own = self._checked(known)
        own = own[np.isin(own[:, 0], users)]
        own = np.column_stack((np.searchsorted(users, own[:, 0]), own[:, 1:]))
        stars = self._stars.of_all(self._codes(own, len(users)))
        seen = self._seen
        rated = seen.visible(seen.hidden(_rated(own, len(users), self.settings.num_films)))
        chances: np.ndarray = rated * stars[..., LIKED - 1 :].sum(axis=-1)
        return chances

    def recommend(self, own: np.ndarray, count: int = _LIST) -> list[Recommendation]:
        """Returns the `count` best films among those that a user has not rated, best first.

        Args:
          own: [N, 2] the user's ratings: film and stars.
          count: length of the list.
        """
        known = np.column_stack((np.zeros(len(own), np.int64), own))
        chances = self.chances(known, np.zeros(1, np.int64))[0]
        stars = self.reconstruct(known)[0]
        chances[np.asarray(own)[:, 0].astype(np.int64)] = -1
        best = np.argsort(-chances, kind="stable")[: min(count, self.settings.num_films - len(own))]
        return [Recommendation(int(film), float(stars[film]), float(chances[film])) for film in best]

    def evaluate(self, dataset: Dataset) -> dict[str, float]:
        """Returns rmse and hit_rate_at_10 on the test part, and beside each what has to be beaten.

        rmse_baseline is that of the mean plus a bias of the user and one of the film; hit_rate_at_10_popular that of
        a list of the films with most ratings. See arena.components.ratings.hit_rate.
        """
        known, test = self._checked(dataset.train.inputs), self._checked(dataset.test.inputs)
        test = _of_known_users(test, known)
        popularity = np.bincount(known[:, 1], minlength=self.settings.num_films)

        def by_popularity(users: np.ndarray) -> np.ndarray:
            return np.tile(popularity, (len(users), 1))

        return {
            "rmse": measures.root_mean_squared_error(self.predict(known, test), test),
            "rmse_baseline": measures.root_mean_squared_error(measures.bias_predictions(known, test), test),
            "hit_rate_at_10": measures.hit_rate(known, test, lambda users: self.chances(known, users), _LIST),
            "hit_rate_at_10_popular": measures.hit_rate(known, test, by_popularity, _LIST),
        }

    def run(self, source: str, out: Path | None, data: str | None = None) -> str:
        """Writes the films recommended to a user: see arena.components.film_lists."""
        from arena.components import film_lists

        return film_lists.run(self, source, out, data)

    def pictures(self, dataset: Dataset) -> dict[str, np.ndarray]:
        """Returns the error on films by how often they were rated, beside the baseline's."""
        known = self._checked(dataset.train.inputs)
        test = _of_known_users(self._checked(dataset.test.inputs), known)
        sides = {"machine": self.predict(known, test), "biases": measures.bias_predictions(known, test)}
        counts = np.bincount(known[:, 1], minlength=self.settings.num_films)[test[:, 1]]
        return {"errors": measures.errors_by_count(counts, test, sides)}

    def build(self) -> Any:
        """Returns a Keras model, "ratings" [N, num_films] of 1 to 5, 0 where there is none, to three outputs.

        They are "codes" [N, K], the expected "stars" [N, num_films] and the "chances" [N, num_films].
        """
        neural.tensorflow()
        import keras

        num_films, num_hidden = self.settings.num_films, self.settings.num_hidden

        class Machine(keras.Layer):  # type: ignore[misc]
            """Codes, and the visible units' activations given them."""

            def build(self, shape: Any) -> None:
                sizes = ((shape[-1], num_hidden), (shape[-1],), (num_hidden,))
                for name, size in zip(contrastive.PARAMETERS, sizes, strict=True):
                    setattr(self, name, self.add_weight(shape=size, name=name, initializer="zeros"))

            def call(self, visible: Any) -> Any:
                codes = keras.ops.sigmoid(visible @ self.kernel + self.hidden_bias)
                return codes, keras.ops.matmul(codes, keras.ops.transpose(self.kernel)) + self.visible_bias

        ratings = keras.Input((num_films,), name="ratings")
        levels = np.arange(1, NUM_STARS + 1, dtype=np.float32)
        one_hot = keras.ops.cast(keras.ops.equal(keras.ops.expand_dims(ratings, -1), levels), "float32")
        codes, activations = Machine(name="stars")(keras.layers.Reshape((num_films * NUM_STARS,))(one_hot))
        shares = keras.ops.softmax(keras.layers.Reshape((num_films, NUM_STARS))(activations))
        _, rated = Machine(name="seen")(keras.ops.cast(keras.ops.greater(ratings, 0), "float32"))
        liked = keras.ops.sum(shares[..., LIKED - 1 :], axis=-1)
        outputs = {"codes": codes, "stars": keras.ops.sum(shares * levels, axis=-1)}
        return keras.Model(ratings, outputs | {"chances": keras.ops.sigmoid(rated) * liked}, name="recommender")

    @property
    def _stars(self) -> SoftmaxMachine:
        from arena.components.softmax_machine import SoftmaxMachine

        return SoftmaxMachine(**self._parameters("stars"))

    @property
    def _seen(self) -> contrastive.Machine:
        return contrastive.Machine(**self._parameters("seen"))

    def _parameters(self, machine: str) -> dict[str, Any]:
        self.check_fitted()
        return {name: self.weights_[f"{machine}/{name}"] for name in contrastive.PARAMETERS}

    def _take(self, name: str, machine: SoftmaxMachine | contrastive.Machine) -> None:
        self.weights_ |= {f"{name}/{parameter}": getattr(machine, parameter) for parameter in contrastive.PARAMETERS}

    def _codes(self, known: np.ndarray, num_users: int) -> np.ndarray:
        from arena.components import softmax_machine

        return self._stars.hidden(softmax_machine.one_hot(known, num_users, self.settings.num_films))

    def _checked(self, data: Any) -> np.ndarray:
        self.check_fitted()
        return measures.checked(data, self.settings.num_films)


def _rated(known: np.ndarray, num_users: int, num_films: int) -> np.ndarray:
    """Returns [U, F] float32: 1 where a user rated a film."""
    rated = np.zeros((num_users, num_films), np.float32)
    rated[known[:, 0], known[:, 1]] = 1
    return rated


def _of_known_users(held_out: np.ndarray, known: np.ndarray) -> np.ndarray:
    return held_out[np.isin(held_out[:, 0], known[:, 0])]
