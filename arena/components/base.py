"""What a component is: scikit-learn's conventions around a model that learns without rewards."""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pydantic

from arena.errors import DamagedFile, InvalidValue
from arena.validation import validated

if TYPE_CHECKING:
    from arena.components.data import Dataset, Split
    from arena.monitor import Monitor


class Settings(pydantic.BaseModel):
    """Base of a component's settings: typed, checked, unknown keys refused.

    Attributes:
      seed: the root of all randomness of a fit.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    seed: int = pydantic.Field(0, ge=0)


@dataclass(frozen=True)
class Watch:
    """What a fit tells of itself as it goes: to nobody, unless asked.

    Attributes:
      on_progress: called with the fraction that is done, and what to show beside it.
      monitor: where curves and pictures go.
      keep: called with the component whenever it is better than before, in a long fit that may be broken off.
    """

    on_progress: Callable[[float, str], None] = lambda fraction, text: None
    monitor: Monitor | None = None
    keep: Callable[[Component], object] = lambda component: None

    def step(self, done: int, total: int, **metrics: float) -> None:
        """Tells that `done` of `total` steps (epochs, iterations) are done, and what was measured then."""
        text = "  ".join(f"{name} {value:.4g}" for name, value in metrics.items())
        self.on_progress(done / total, f"{done}/{total}  {text}")
        if self.monitor is not None:
            self.monitor.scalars({f"training/{name}": value for name, value in metrics.items()}, done)

    def picture(self, name: str, draw: Callable[[], np.ndarray], step: int) -> None:
        """Writes the picture that `draw` returns, [H, W, 3] uint8; nothing is drawn where nobody looks."""
        if self.monitor is not None:
            self.monitor.image(f"pictures/{name}", draw(), step)


SILENT = Watch()


class Component(abc.ABC):
    """A model that learns from data alone. Construct it with its settings, then fit() it or load a pretrained one.

    Inputs are arrays of N examples in their own shape, images [N, H, W] say; uint8 stands for 0 to 1 in steps of
    1/255, other numbers are taken as they are. Rows of the right number of features are taken too.

    Attributes:
      name: as in the registry.
      Settings: its settings' class.
      ADJUSTABLE: names of the settings that say how a fitted one is used: `arena component run --set` changes these.
      LEARNED: names of the arrays that fit() sets and that make up a saved file.
      datasets: names of the sets it is made for (see arena.components.data); the first one is the default.
      num_projected: how many test examples' codes TensorBoard's Projector shows after a training.
      settings: checked; changed by adjust() alone.
      shape_: of one example, set by fit().

    Raises UnknownName or InvalidValue where a setting is wrong.
    """

    name: ClassVar[str]
    Settings: ClassVar[type[Settings]] = Settings
    ADJUSTABLE: ClassVar[tuple[str, ...]] = ()
    LEARNED: ClassVar[tuple[str, ...]] = ()
    datasets: ClassVar[tuple[str, ...]] = ("mnist",)
    num_projected: ClassVar[int] = 0

    shape_: tuple[int, ...]

    def __init__(self, **settings: Any) -> None:
        self.settings: Any = validated(self.Settings, settings, f"{self.name}'s settings")

    def adjust(self, settings: Mapping[str, Any]) -> None:
        """Changes how a fitted one is used. Raises InvalidValue for a setting of the fit, UnknownName for none."""
        fixed = [key for key in settings if key in self.Settings.model_fields and key not in self.ADJUSTABLE]
        if fixed:
            free = ", ".join(self.ADJUSTABLE) or "nothing"
            raise InvalidValue(f"{self.name} was fitted with its {fixed[0]}: of one that is there, {free} can be set")
        self.settings = validated(self.Settings, self.settings.model_dump() | settings, f"{self.name}'s settings")

    @abc.abstractmethod
    def fit(
        self, data: Any, labels: np.ndarray | None = None, *, validation: Split | None = None, watch: Watch = SILENT
    ) -> Self:
        """Learns from `data` and returns self. Nothing is learned from `validation`: curves and pictures show it."""

    def transform(self, data: np.ndarray) -> np.ndarray:
        """Returns [N, K] float32: the code of each example."""
        raise InvalidValue(f"{self.name} has no codes")

    def inverse_transform(self, codes: np.ndarray) -> np.ndarray:
        """Returns the [N, D] float32 examples that [N, K] codes stand for."""
        raise InvalidValue(f"{self.name} cannot make an example from a code")

    def reconstruct(self, data: np.ndarray) -> np.ndarray:
        """Returns [N, D] float32: each example as its code tells it."""
        return self.inverse_transform(self.transform(data))

    def score(self, data: np.ndarray) -> float:
        """Returns how well `data` are explained, higher is better: minus the mean squared error of reconstructions."""
        return -mean_squared_error(self.reconstruct(data), self.rows(data))

    @abc.abstractmethod
    def evaluate(self, dataset: Dataset) -> dict[str, float]:
        """Returns the metrics on the set's test part, by the names that `arena component eval` prints."""

    def pictures(self, dataset: Dataset) -> dict[str, np.ndarray]:
        """Returns [H, W, 3] uint8 pictures by name that show what was learned."""
        return {}

    def show(self, data: np.ndarray) -> np.ndarray:
        """Returns one [H, W, 3] uint8 picture of examples and what becomes of them."""
        from arena.components import pictures

        return pictures.pairs(self.rows(data), self.reconstruct(data), self.shape_)

    def outputs(self, data: np.ndarray) -> np.ndarray:
        """Returns what `arena component run` writes to a file of numbers: the codes."""
        return self.transform(data)

    def run(self, source: str, out: Path | None, data: str | None = None) -> str:
        """Applies the component to what stands on the command line; returns the line to print.

        `data` is the set that belongs to the input, where it needs one.
        """
        from arena.components import files

        return files.run(self, source, out)

    # Being saved and loaded: see arena.components.store.

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns all that was learned."""
        self.check_fitted()
        return {name.removesuffix("_"): np.asarray(getattr(self, name)) for name in self.LEARNED}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Takes what arrays() returned. Raises DamagedFile where some of it is not there."""
        missing = [name for name in self.LEARNED if name.removesuffix("_") not in arrays]
        if missing:
            raise DamagedFile(f"the weights of {self.name} lack {missing[0].removesuffix('_')!r}")
        for name in self.LEARNED:
            setattr(self, name, arrays[name.removesuffix("_")])

    # For the components themselves.

    def check_fitted(self) -> None:
        """Raises InvalidValue before fit() or a load."""
        if not hasattr(self, "shape_"):
            raise InvalidValue(f"{self.name} has learned nothing yet: fit it, or load a pretrained one")

    def fit_rows(self, data: np.ndarray) -> np.ndarray:
        """Returns examples to fit as [N, D] float32, and remembers their shape."""
        rows = as_rows(data, self.name)
        self.shape_ = tuple(np.shape(data)[1:])
        return rows

    def rows(self, data: np.ndarray) -> np.ndarray:
        """Returns examples as [N, D] float32. Raises InvalidValue unless they are such as were fitted."""
        self.check_fitted()
        rows = as_rows(data, self.name)
        given = tuple(np.shape(data)[1:])
        if given != self.shape_ and given != (int(np.prod(self.shape_)),):
            wanted, found = (", ".join(map(str, shape)) for shape in (self.shape_, given))
            raise InvalidValue(f"{self.name} takes inputs of shape [N, {wanted}], given [N, {found}]")
        return rows


def as_rows(data: Any, name: str) -> np.ndarray:
    """Returns [N, D] float32 of N examples, uint8 scaled to [0, 1].

    Raises InvalidValue where they are no numbers, none, or not finite; `name` is told in the message.
    """
    array = np.asarray(data)
    if array.dtype.kind not in "fiub":
        raise InvalidValue(f"{name} takes numbers, given {array.dtype}")
    if array.ndim < 2:
        raise InvalidValue(f"{name} takes examples as rows, [N, ...]; given {list(array.shape)}")
    if not array.size:
        raise InvalidValue(f"{name} was given no examples: the array is {list(array.shape)}")
    rows = array.reshape(len(array), -1)
    scaled = rows * np.float32(1 / 255) if array.dtype == np.uint8 else rows.astype(np.float32)
    if not np.isfinite(scaled).all():
        bad = int(np.flatnonzero(~np.isfinite(scaled).all(axis=1))[0])
        raise InvalidValue(f"{name} was given NaN or infinite numbers, first in example {bad}")
    return scaled


def mean_squared_error(predictions: np.ndarray, targets: np.ndarray) -> float:
    """Returns the mean over all examples and features."""
    return float(np.mean(np.square(predictions - targets), dtype=np.float64))
