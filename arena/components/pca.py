"""Principal component analysis: the orthogonal directions in which the data vary most, by singular values.

Source: Pearson (1901), "On lines and planes of closest fit to systems of points in space"; scikit-learn computes it.
The rule of `keep_info`, and MNIST in three dimensions, are the cookbook's.

Deliberate deviation: the data are centred first; the cookbook decomposes them as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pydantic

from arena.components import base
from arena.components.base import SILENT, Component, Watch
from arena.errors import InvalidValue

if TYPE_CHECKING:
    from arena.components.data import Dataset, Split

_NUM_SHOWN = 2_000  # points in the plot and in the Projector
_DEFAULT_DIMENSIONS = 50


class PCASettings(base.Settings):
    """Settings of the principal component analysis; give one of the first two, or none for 50 dimensions.

    Attributes:
      n_dimensions: how many directions are kept.
      keep_info: keeps as few as hold this share of the summed singular values.
    """

    n_dimensions: pydantic.PositiveInt | None = None
    keep_info: float | None = pydantic.Field(None, gt=0, le=1)

    @pydantic.model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.n_dimensions is not None and self.keep_info is not None:
            raise ValueError("give n_dimensions or keep_info, not both")
        return self


class PCA(Component):
    """Principal component analysis.

    Attributes:
      mean_: [D], of the data.
      components_: [K, D], the directions, each of length 1.
      singular_values_: of the centred data: all of them where they had to be known (keep_info), else the first K.
    """

    name = "pca"
    Settings = PCASettings
    LEARNED = ("mean_", "components_", "singular_values_")
    datasets = ("mnist", "iris", "colours", "fer2013")
    num_projected = _NUM_SHOWN

    mean_: np.ndarray
    components_: np.ndarray
    singular_values_: np.ndarray

    def fit(
        self, data: Any, labels: np.ndarray | None = None, *, validation: Split | None = None, watch: Watch = SILENT
    ) -> Self:
        """Finds the directions."""
        from sklearn import decomposition

        rows = self.fit_rows(data)
        most = min(rows.shape)
        wanted = self.settings.n_dimensions
        if wanted is not None and wanted > most:
            raise InvalidValue(f"n_dimensions = {wanted} is too many: {list(rows.shape)} examples have at most {most}")
        if wanted is None and self.settings.keep_info is None:
            wanted = min(_DEFAULT_DIMENSIONS, most)
        found = decomposition.PCA(wanted, random_state=self.settings.seed).fit(rows)
        number = wanted or num_dimensions(found.singular_values_, self.settings.keep_info)
        self.mean_, self.components_ = found.mean_, found.components_[:number]
        self.singular_values_ = found.singular_values_
        watch.step(1, 1, dimensions=number)
        return self

    def transform(self, data: np.ndarray) -> np.ndarray:
        """Returns [N, K] float32: the examples' coordinates along the directions."""
        codes: np.ndarray = (self.rows(data) - self.mean_) @ self.components_.T
        return codes

    def inverse_transform(self, codes: np.ndarray) -> np.ndarray:
        """Returns the [N, D] float32 points that lie at these coordinates."""
        self.check_fitted()
        points: np.ndarray = np.asarray(codes, np.float32) @ self.components_ + self.mean_
        return points

    def evaluate(self, dataset: Dataset) -> dict[str, float]:
        """Returns mse, of reconstructions, and explained_variance, the share of the test part's variance they keep."""
        inputs = self.rows(dataset.test.inputs)
        mse = base.mean_squared_error(self.reconstruct(inputs), inputs)
        variance = base.mean_squared_error(inputs, self.mean_)
        return {"mse": mse, "explained_variance": 1 - mse / variance, "dimensions": len(self.components_)}

    def pictures(self, dataset: Dataset) -> dict[str, np.ndarray]:
        """Returns the first dimensions as a plot; of images also the directions, and some reconstructions."""
        from arena.components import charts, pictures

        test = dataset.test
        labels = None if test.labels is None else test.labels[:_NUM_SHOWN]
        codes = self.transform(test.inputs[:_NUM_SHOWN])
        shown = (
            {"dimensions": charts.scatter(codes, labels, dataset.classes, "dimension")} if codes.shape[1] > 1 else {}
        )
        try:
            shown["reconstructions"] = self.show(test.inputs)
        except InvalidValue:  # no images
            return shown
        first = self.components_[:16]
        spread = np.abs(first).max(axis=1, keepdims=True)
        shown["directions"] = pictures.tiles(pictures.as_images(0.5 + first / (2 * spread), self.shape_), 8)
        return shown


def num_dimensions(singular_values: np.ndarray, keep_info: float) -> int:
    """Returns how few of the falling singular values make up a share `keep_info` of their sum."""
    share = np.cumsum(singular_values, dtype=np.float64)
    share /= share[-1]
    return int(np.argmax(share >= keep_info - 1e-6)) + 1
