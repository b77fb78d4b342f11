"""What signals do next: a stack of GRUs reads some steps of them, another one goes on from what it remembers.

Sources: Cho et al. (2014), "Learning phrase representations using RNN encoder-decoder"; the exercise on the prices of
bitcoin in USD and EUR, with windows normalised by their own past, is the cookbook's.

Deliberate deviations: the network tells how far the signals move from their last value, so it begins as the forecast
that nothing moves, which is hard to beat; the loss is Huber's (1964), for windows before great jumps have errors of
hundreds of their standard deviations.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pydantic

from arena import files
from arena.components import descent, forecasts, neural, prices, recurrent
from arena.components.base import SILENT, Watch
from arena.components.forecasts import BASELINES
from arena.components.neural import NeuralComponent
from arena.errors import InvalidValue
from arena.seeding import derived_seed

if TYPE_CHECKING:
    from arena.components.data import Dataset, Split


class ForecasterSettings(descent.DescentSettings):
    """Settings of the forecaster.

    Attributes:
      num_past: steps that it reads.
      num_future: steps that it tells.
      num_units: of each GRU.
      num_layers: GRUs on one another, of either stack.
      l2: penalty on the squared weights.
      huber: errors above count as they are, not squared: or the few days of great jumps would decide everything.
      epochs: passes over all windows.
    """

    num_past: int = pydantic.Field(40, ge=2)
    num_future: pydantic.PositiveInt = 40
    num_units: pydantic.PositiveInt = 32
    num_layers: int = pydantic.Field(2, ge=1, le=8)
    l2: pydantic.NonNegativeFloat = 1e-2
    huber: pydantic.PositiveFloat = 1.0
    epochs: pydantic.PositiveInt = 4


class Forecaster(NeuralComponent):
    """Learns from signals [T, S], step by step. Errors count in standard deviations of each window's own past."""

    name = "forecaster"
    Settings = ForecasterSettings
    datasets = ("bitcoin",)

    def fit(
        self, data: Any, labels: np.ndarray | None = None, *, validation: Split | None = None, watch: Watch = SILENT
    ) -> Self:
        """Learns from all windows of signals [T, S]; `validation` takes no part."""
        rows = self.fit_rows(data)
        tf, settings = neural.tensorflow(), self.settings
        past, future = forecasts.normalised(*self._windows(rows))
        model = self.build()
        kernels = [variable for variable in model.trainable_variables if "kernel" in variable.path]

        def objective(past: Any, future: Any) -> dict[str, Any]:
            errors = tf.abs(model(past, training=True)["future"] - future)
            within = tf.minimum(errors, settings.huber)
            loss = tf.reduce_mean(within * (errors - within / 2))
            penalty = settings.l2 * sum(tf.reduce_sum(tf.square(kernel)) for kernel in kernels)
            return {"loss": loss + penalty, "mse": tf.reduce_mean(tf.square(errors))}

        descended = descent.epochs(objective, model.trainable_variables, [past, future], settings, "forecaster descent")
        for number, values in enumerate(descended, 1):
            watch.step(number, settings.epochs, **values)
        self.take(model)
        return self

    def predict(self, past: np.ndarray) -> np.ndarray:
        """Returns [N, num_future, S] float32: what signals do after windows [N, num_past, S], in the signals' units."""
        self.check_fitted()
        wanted = (self.settings.num_past, *self.shape_)
        if past.shape[1:] != wanted:
            raise InvalidValue(f"forecaster reads windows [N, {wanted[0]}, {wanted[1]}], given {list(past.shape)}")
        middle, scale = forecasts.level(past)
        x = ((past - middle) / scale).astype(np.float32)
        last, states = x[:, -1], []
        steps = list(x.swapaxes(0, 1))
        for k in range(self.settings.num_layers):
            steps = self._layer(f"encoder_{k}", steps, np.zeros((len(x), self.settings.num_units), np.float32))
            states.append(steps[-1])
        steps = [last] * self.settings.num_future
        for k, state in enumerate(states):
            steps = self._layer(f"decoder_{k}", steps, state)
        moves = np.stack(steps, 1) @ self.weights_["moves/kernel"] + self.weights_["moves/bias"]
        found: np.ndarray = ((last[:, None] + moves) * scale + middle).astype(np.float32)
        return found

    def score(self, data: np.ndarray) -> float:
        """Returns minus the mean squared error over all windows of signals [T, S]."""
        past, future = self._windows(self.rows(data))
        return -float(forecasts.squared_errors(self.predict(past), past, future).mean())

    def evaluate(self, dataset: Dataset) -> dict[str, float]:
        """Returns mse, and that of the baselines, over all windows of the test part."""
        return {name: float(errors.mean()) for name, errors in self._errors(dataset).items()}

    def pictures(self, dataset: Dataset) -> dict[str, np.ndarray]:
        """Returns forecasts beside what came, and errors by how far ahead they look."""
        past, future = self._windows(self.rows(dataset.test.inputs))
        names = dataset.about.get("names", tuple(f"signal {k + 1}" for k in range(past.shape[2])))
        chosen = np.linspace(0, len(past) - 1, 4).astype(int)
        errors = {name: one.mean((0, 2)) for name, one in self._errors(dataset).items()}
        return {
            "forecasts": forecasts.drawn(past[chosen], self.predict(past[chosen]), names, future[chosen]),
            "errors": forecasts.drawn_errors(errors),
        }

    def run(self, source: str, out: Path | None, data: str | None = None) -> str:
        """Goes on from the last days of a .csv file: see arena.components.prices. `out` is a .csv or a .png file."""
        if out is None or out.suffix not in (".csv", ".png"):
            raise InvalidValue(f"--out must end in .csv, .png; given {str(out) if out else 'none'!r}")
        series, num_past = prices.read(Path(source)), self.settings.num_past
        rows = self.rows(series.values)
        if len(rows) < num_past:
            raise InvalidValue(f"{source} holds {len(rows)} days; {num_past} at least are needed to go on from")
        past = rows[None, -num_past:]
        future = self.predict(past)
        out.parent.mkdir(parents=True, exist_ok=True)
        told = f"{len(future[0])} days after {series.start + timedelta(len(rows) - 1)}"
        if out.suffix == ".png":
            from arena.components import pictures

            pictures.write(out, forecasts.drawn(past, future, series.names))
            return f"{told}: a picture of them is in {out}"
        days = (series.start + timedelta(len(rows) + k) for k in range(len(future[0])))
        lines = [
            ",".join([str(day), *(f"{value:.6g}" for value in row)]) for day, row in zip(days, future[0], strict=True)
        ]
        files.write_text(out, "\n".join([",".join(["date", *series.names]), *lines, ""]))
        return f"{told} are in {out}"

    def build(self, unroll: bool = False) -> Any:
        """Returns the Keras model "past" [B, num_past, S] to "future" [B, num_future, S], in standard deviations."""
        neural.tensorflow()
        import keras

        settings, (num_signals,) = self.settings, self.shape_

        def layer(name: str) -> Any:
            return keras.layers.GRU(
                settings.num_units,
                kernel_initializer=keras.initializers.GlorotUniform(self._derived(name)),
                recurrent_initializer=keras.initializers.Orthogonal(seed=self._derived(f"{name} recurrent")),
                return_sequences=True,
                return_state=True,
                unroll=unroll,
                name=name,
            )

        past = keras.Input((settings.num_past, num_signals), name="past")
        x, states, last = past, [], past[:, -1]
        for k in range(settings.num_layers):
            x, state = layer(f"encoder_{k}")(x)
            states.append(state)
        x = keras.layers.RepeatVector(settings.num_future, name="repeated")(last)
        for k, state in enumerate(states):
            x, _ = layer(f"decoder_{k}")(x, initial_state=state)
        moves = keras.layers.Dense(num_signals, kernel_initializer="zeros", name="moves")(x)
        return keras.Model(past, {"future": last[:, None] + moves}, name="forecaster")

    def exported(self) -> Any:
        """Returns the Keras model with its steps written out: LiteRT knows no loops over a batch of any size."""
        return self.filled(self.build(unroll=True))

    def _layer(self, name: str, inputs: list[np.ndarray], hidden: np.ndarray) -> list[np.ndarray]:
        kernel, recurrent_kernel, bias = (
            self.weights_[f"{name}/gru_cell/{part}"] for part in ("kernel", "recurrent_kernel", "bias")
        )
        outputs = []
        for x in inputs:
            hidden = recurrent.gru_step(x @ kernel + bias[0], hidden, recurrent_kernel, bias[1])
            outputs.append(hidden)
        return outputs

    def _windows(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return forecasts.windows(rows, self.settings.num_past, self.settings.num_future)

    def _errors(self, dataset: Dataset) -> dict[str, np.ndarray]:
        past, future = self._windows(self.rows(dataset.test.inputs))
        told = {"mse": self.predict(past)}
        told |= {f"mse_{name}": baseline(past, future.shape[1]) for name, baseline in BASELINES.items()}
        return {name: forecasts.squared_errors(found, past, future) for name, found in told.items()}

    def _derived(self, name: str) -> int:
        return derived_seed(self.settings.seed, f"forecaster {name}")
