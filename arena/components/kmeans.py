"""k-means: k centres, each the mean of the examples that are nearest to it.

Sources: Lloyd (1982), "Least squares quantization in PCM"; Arthur & Vassilvitskii (2007), "k-means++"; Sculley (2010),
"Web-scale k-means clustering" for the mini-batches; Dhillon & Modha (2001), "Concept decompositions for large sparse
text data using clustering" for the cosine. scikit-learn computes them.

Deliberate deviation: with the cosine, examples and, in the end, centres are scaled to length 1; Dhillon and Modha scale
the centres in every step.
"""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pydantic

from arena.components import base, distances
from arena.components.base import SILENT, Component, Watch
from arena.errors import InvalidValue
from arena.seeding import derived_seed

if TYPE_CHECKING:
    from arena.components.data import Dataset, Split

_MOST_CLUSTERS_SHOWN = 10  # on the elbow plot
_NUM_SHOWN = 2_000  # examples, on pictures
_BEST_OF, _MAX_EXAMPLES = 50, 10_000  # restarts that an evaluation is compared with, of sets up to this size


class KMeansSettings(base.Settings):
    """Settings of k-means.

    Attributes:
      num_clusters: how many centres.
      metric: euclidean, or cosine, which looks at directions alone.
      batch_size: learns from so many examples at a time; all at once when left out.
      restarts: from other first centres; the best is kept.
      max_iterations: of each.
    """

    num_clusters: pydantic.PositiveInt = 3
    metric: Literal["euclidean", "cosine"] = "euclidean"
    batch_size: pydantic.PositiveInt | None = None
    restarts: pydantic.PositiveInt = 10
    max_iterations: pydantic.PositiveInt = 300


class KMeans(Component):
    """k-means.

    Attributes:
      centres_: [K, D]; of length 1 with the cosine.
    """

    name = "kmeans"
    Settings = KMeansSettings
    LEARNED = ("centres_",)
    datasets = ("iris", "mnist", "colours", "fer2013")

    centres_: np.ndarray

    def fit(
        self, data: Any, labels: np.ndarray | None = None, *, validation: Split | None = None, watch: Watch = SILENT
    ) -> Self:
        """Finds the centres with the smallest sum of squared errors in all restarts."""
        rows = self._scaled(self.fit_rows(data))
        number = self.settings.num_clusters
        if number > len(rows):
            raise InvalidValue(f"num_clusters = {number} is too many for {len(rows)} examples")
        best = np.inf
        for restart in range(self.settings.restarts):
            centres, sse = self._fit_once(rows, number, restart)
            if sse < best:
                best, self.centres_ = sse, centres
            watch.step(restart + 1, self.settings.restarts, sse=best)
        return self

    def transform(self, data: np.ndarray) -> np.ndarray:
        """Returns [N, K] float32: the distance to each centre; with the cosine, 1 - cosine."""
        rows = self._scaled(self.rows(data))
        squares = distances.squared(rows, self.centres_)
        return squares / 2 if self.settings.metric == "cosine" else np.sqrt(squares)

    def predict(self, data: np.ndarray) -> np.ndarray:
        """Returns [N] int64: the nearest centre of each example."""
        nearest: np.ndarray = self.transform(data).argmin(axis=1)
        return nearest

    def reconstruct(self, data: np.ndarray) -> np.ndarray:
        """Returns [N, D] float32: the nearest centre in place of each example."""
        nearest: np.ndarray = self.centres_[self.predict(data)]
        return nearest

    def outputs(self, data: np.ndarray) -> np.ndarray:
        """Returns the nearest centre of each example."""
        return self.predict(data)

    def score(self, data: np.ndarray) -> float:
        """Returns minus the sum of squared errors."""
        return -self.sse(data)

    def sse(self, data: np.ndarray) -> float:
        """Returns the sum of the squared distances to the nearest centre; with the cosine, of scaled examples."""
        rows = self._scaled(self.rows(data))
        return float(np.square(rows - self.reconstruct(data)).sum(dtype=np.float64))

    def evaluate(self, dataset: Dataset) -> dict[str, float]:
        """Returns sse, the best one of 50 restarts, and accuracy.

        For the accuracy each cluster stands for the commonest label of the training examples in it.
        """
        train, test = dataset.train, dataset.test
        metrics = {"sse": self.sse(test.inputs)}
        if len(train) <= _MAX_EXAMPLES:
            best = self._with(restarts=_BEST_OF, batch_size=None).fit(train.inputs)
            metrics["sse_best_of_50"] = best.sse(test.inputs)
        if train.labels is not None and test.labels is not None:
            label_of = distances.commonest(self.predict(train.inputs), train.labels, len(self.centres_))
            metrics["accuracy"] = float((label_of[self.predict(test.inputs)] == test.labels).mean())
        return metrics

    def pictures(self, dataset: Dataset) -> dict[str, np.ndarray]:
        """Returns the elbow plot and the clusters in two dimensions; of images also the centres."""
        from arena.components import charts, pictures
        from arena.components.pca import PCA

        inputs = dataset.train.inputs[:_NUM_SHOWN]
        numbers = range(1, min(_MOST_CLUSTERS_SHOWN, len(inputs)) + 1)
        curve = [-self._with(num_clusters=k, restarts=3).fit(inputs).score(inputs) for k in numbers]
        mark = self.settings.num_clusters - 1 if self.settings.num_clusters in numbers else None
        shown = {"elbow": charts.curve(numbers, curve, "clusters", "sum of squared errors", mark)}
        flat = PCA(n_dimensions=min(2, *self.rows(inputs).shape)).fit(inputs).transform(inputs)
        if flat.shape[1] == 2:
            names = [f"cluster {k}" for k in range(self.settings.num_clusters)]
            shown["clusters"] = charts.scatter(flat, self.predict(inputs), names, "principal component")
        with contextlib.suppress(InvalidValue):  # no images
            shown["centres"] = pictures.tiles(pictures.as_images(self.centres_[:400], self.shape_), 20)
        return shown

    def _with(self, **settings: Any) -> KMeans:
        return type(self)(**self.settings.model_dump() | settings)

    def _fit_once(self, rows: np.ndarray, number: int, restart: int) -> tuple[np.ndarray, float]:
        """Returns [K, D] centres and their sum of squared errors."""
        from sklearn import cluster, exceptions

        settings = self.settings
        options = {
            "n_init": 1,
            "max_iter": settings.max_iterations,
            "random_state": derived_seed(settings.seed, f"kmeans restart {restart}"),
        }
        if settings.batch_size:
            estimator = cluster.MiniBatchKMeans(number, batch_size=settings.batch_size, **options)
        else:
            estimator = cluster.KMeans(number, **options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", exceptions.ConvergenceWarning)  # of examples that are alike
            found = estimator.fit(rows)
        centres = self._scaled(found.cluster_centers_)
        return centres, float(found.inertia_)

    def _scaled(self, rows: np.ndarray) -> np.ndarray:
        """Returns rows of length 1 where the cosine is asked for."""
        if self.settings.metric == "euclidean":
            return rows
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not lengths.all():
            where = int(np.flatnonzero(lengths == 0)[0])
            raise InvalidValue(f"example {where} is all zeros, which has no direction: the cosine cannot place it")
        return np.asarray(rows / lengths)
