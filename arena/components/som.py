"""Self-organising map: a lattice of units, on which neighbours come to stand for similar examples.

Source: Kohonen (2001), "Self-Organizing Maps", 3rd edition: sections 3.1 and 3.6 (the batch map). Topographic error:
Kiviluoto (1996), "Topology preservation in self-organizing maps". The colours on 30 x 30 units are the cookbook's.

Deliberate deviations:
- An iteration moves every unit by `rate` of the way to the weighted mean of a whole batch; the cookbook moves it for
  one example after the other.
- Units start on the plane of the two largest principal components, where there is one, not at random.
- The Mexican hat pushes units away from examples; they stay within the range of the data, or they would run off.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import pydantic

from arena.components import base, distances
from arena.components.base import SILENT, Component, Watch
from arena.errors import InvalidValue
from arena.seeding import generator

if TYPE_CHECKING:
    from arena.components.data import Dataset, Split

_NUM_FOR_PLANE = 3_000  # examples by which the first plane is found
_NUM_STEPS_TOLD = 50


class SOMSettings(base.Settings):
    """Settings of the self-organising map. Rate and radius fall exponentially from start to end.

    Attributes:
      height, width: of the lattice, in units.
      neighbourhood: how much a unit follows its neighbours, by their distance on the lattice.
      iterations: each with one batch.
      batch_size: examples of a batch, drawn at random; all where there are no more, or when left out.
      rate_start, rate_end: share of the way that a unit moves.
      radius_start, radius_end: of the neighbourhood, in units; half the longer side by default.
    """

    height: int = pydantic.Field(20, ge=2)
    width: int = pydantic.Field(20, ge=2)
    neighbourhood: Literal["gaussian", "mexican_hat"] = "gaussian"
    iterations: pydantic.PositiveInt = 150
    batch_size: pydantic.PositiveInt | None = 10_000
    rate_start: float = pydantic.Field(1.0, gt=0, le=1)
    rate_end: float = pydantic.Field(0.5, gt=0, le=1)
    radius_start: pydantic.PositiveFloat | None = None
    radius_end: pydantic.PositiveFloat = 0.97


class SelfOrganisingMap(Component):
    """Self-organising map; unit k is in row k // width and column k % width of the lattice.

    Attributes:
      units_: [height * width, D], what each unit stands for.
    """

    name = "som"
    Settings = SOMSettings
    LEARNED = ("units_",)
    datasets = ("mnist", "colours", "iris", "fer2013")

    units_: np.ndarray

    def fit(
        self, data: Any, labels: np.ndarray | None = None, *, validation: Split | None = None, watch: Watch = SILENT
    ) -> Self:
        """Unfolds the map over the data."""
        settings, rows = self.settings, self.fit_rows(data)
        chance = generator(settings.seed, "som")
        apart = lattice_distances(settings.height, settings.width)
        lowest, highest = rows.min(axis=0), rows.max(axis=0)
        self.units_ = self._first_units(rows, chance)
        size = min(settings.batch_size or len(rows), len(rows))
        for iteration in range(settings.iterations):
            done = iteration / max(1, settings.iterations - 1)
            radius_start = settings.radius_start or max(settings.height, settings.width) / 2
            radius = radius_start * (settings.radius_end / radius_start) ** done
            rate = settings.rate_start * (settings.rate_end / settings.rate_start) ** done
            batch = rows if size == len(rows) else rows[chance.choice(len(rows), size, replace=False)]
            squares = distances.squared(batch, self.units_)
            won, sums, counts = grouped(batch, squares.argmin(axis=1))
            weights = neighbourhood(settings.neighbourhood, apart[:, won], radius)
            moved = self.units_ + np.float32(rate) * pull(self.units_, sums, counts, weights)
            self.units_ = np.clip(moved, lowest, highest)
            if (iteration + 1) % max(1, settings.iterations // _NUM_STEPS_TOLD) == 0:
                error = float(np.sqrt(squares.min(axis=1)).mean())
                watch.step(iteration + 1, settings.iterations, quantisation_error=error, radius=radius)
        return self

    def predict(self, data: np.ndarray) -> np.ndarray:
        """Returns [N] int64: the unit nearest to each example."""
        nearest: np.ndarray = distances.squared(self.rows(data), self.units_).argmin(axis=1)
        return nearest

    def transform(self, data: np.ndarray) -> np.ndarray:
        """Returns [N, 2] float32: row and column of the nearest unit."""
        return np.stack(np.divmod(self.predict(data), self.settings.width), axis=1).astype(np.float32)

    def inverse_transform(self, codes: np.ndarray) -> np.ndarray:
        """Returns [N, D] float32: what the units at [N, 2] rows and columns stand for, the nearest ones on the map."""
        self.check_fitted()
        last = (self.settings.height - 1, self.settings.width - 1)
        row, column = np.clip(np.rint(codes), 0, last).astype(np.int64).T
        found: np.ndarray = self.units_[row * self.settings.width + column]
        return found

    def score(self, data: np.ndarray) -> float:
        """Returns minus the quantisation error."""
        return -self.errors(data)["quantisation_error"]

    def errors(self, data: np.ndarray) -> dict[str, float]:
        """Returns the mean distance to the nearest unit, and the share of examples whose two nearest are no neighbours.

        The eight units around one are its neighbours. Of several that are second nearest one may be any of them.
        """
        squares = distances.squared(self.rows(data), self.units_)
        is_neighbour = lattice_distances(self.settings.height, self.settings.width) <= 2
        np.fill_diagonal(is_neighbour, False)
        neighbours = np.where(is_neighbour[squares.argmin(axis=1)], squares, np.inf).min(axis=1)
        return {
            "topographic_error": float((neighbours > np.partition(squares, 1, axis=1)[:, 1]).mean()),
            "quantisation_error": float(np.sqrt(squares.min(axis=1)).mean(dtype=np.float64)),
        }

    def evaluate(self, dataset: Dataset) -> dict[str, float]:
        """Returns errors(), that of k-means with as many centres where one is shipped, and accuracy.

        For the accuracy each unit stands for the commonest label of the training examples nearest to it.
        """
        train, test = dataset.train, dataset.test
        metrics = self.errors(test.inputs)
        centres = _shipped_centres(dataset.name, self.units_.shape)
        if centres is not None:
            nearest = distances.squared(self.rows(test.inputs), centres).min(axis=1)
            metrics["quantisation_error_kmeans"] = float(np.sqrt(nearest).mean(dtype=np.float64))
        if train.labels is not None and test.labels is not None:
            label_of = distances.commonest(self.predict(train.inputs), train.labels, len(self.units_))
            metrics["accuracy"] = float((label_of[self.predict(test.inputs)] == test.labels).mean())
        return metrics

    def pictures(self, dataset: Dataset) -> dict[str, np.ndarray]:
        """Returns the map with labels; of images also what each unit stands for."""
        from arena.components import lattice, pictures

        shown = {"map": lattice.picture(self, dataset)}
        try:
            images = pictures.as_images(self.units_, self.shape_)
        except InvalidValue:
            return shown
        return shown | {"units": pictures.tiles(images, self.settings.width)}

    def _first_units(self, rows: np.ndarray, chance: np.random.Generator) -> np.ndarray:
        """Returns [U, D] units on the plane of the two largest principal components, two deviations to each side."""
        height, width = self.settings.height, self.settings.width
        some = rows if len(rows) <= _NUM_FOR_PLANE else rows[chance.choice(len(rows), _NUM_FOR_PLANE, replace=False)]
        mean = some.mean(axis=0)
        if min(some.shape) < 2:
            noise = chance.standard_normal((height * width, rows.shape[1])) * rows.std()
            return np.asarray(mean + noise, np.float32)
        _, singular, directions = np.linalg.svd(some - mean, full_matrices=False)
        across = 2 * singular[:2, None] * directions[:2] / np.sqrt(len(some))
        row, column = np.divmod(np.arange(height * width), width)
        place = np.stack([2 * row / (height - 1) - 1, 2 * column / (width - 1) - 1], axis=1)
        long_side_first = place if height >= width else place[:, ::-1]
        return np.asarray(mean + long_side_first @ across, np.float32)


def lattice_distances(height: int, width: int) -> np.ndarray:
    """Returns [U, U] squared distances between the units of a lattice."""
    row, column = np.divmod(np.arange(height * width), width)
    squares: np.ndarray = np.square(row[:, None] - row) + np.square(column[:, None] - column)
    return squares


def neighbourhood(kind: str, squares: np.ndarray, radius: float) -> np.ndarray:
    """Returns float32 weights of neighbours at these squared distances.

    gaussian: exp(-d^2 / 2 r^2); mexican_hat: (1 - d^2 / 2 r^2) exp(-d^2 / 2 r^2), whose sum over a plane is 0.
    """
    scaled = squares / (2 * radius**2)
    bell = np.exp(-scaled)
    return np.asarray(bell if kind == "gaussian" else (1 - scaled) * bell, np.float32)


def grouped(batch: np.ndarray, winners: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns the [W] units that won any of [N, D] examples, the [W, D] sums of these, and their [W] numbers."""
    order = winners.argsort(kind="stable")
    won, first, counts = np.unique(winners[order], return_index=True, return_counts=True)
    return won, np.add.reduceat(batch[order], first, axis=0), counts.astype(np.float32)


def pull(units: np.ndarray, sums: np.ndarray, counts: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Returns [U, D]: the weighted mean, over a batch, of the way from each of [U, D] units to each example.

    Args:
      units: [U, D].
      sums: [W, D], of the examples that each of W units has won.
      counts: [W], how many these are.
      weights: [U, W], of each unit for what the others have won; the sum of their sizes is divided by.
    """
    total = np.maximum(np.abs(weights) @ counts, np.finfo(np.float32).tiny)
    return np.asarray((weights @ sums - (weights @ counts)[:, None] * units) / total[:, None])


def _shipped_centres(data: str, shape: tuple[int, ...]) -> np.ndarray | None:
    """Returns the [K, D] centres of the pretrained k-means on a set, of the same number and size, if there is one."""
    from arena.components import store
    from arena.components.kmeans import KMeans

    path = store.PRETRAINED / f"kmeans-{data}-{shape[0]}{store.SUFFIX}"
    found = store.load(path) if path.is_file() else None
    return found.centres_ if isinstance(found, KMeans) and found.centres_.shape == shape else None
