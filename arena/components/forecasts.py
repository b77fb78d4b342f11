"""Forecasts of signals: windows, what they are measured in, the baselines, and pictures of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from arena.components import charts
from arena.errors import InvalidValue
from arena.plots import BLUE, COLOURS, GREY, INK, VERMILLION

_SMALLEST = 0.01  # of the mean: what a signal's standard deviation is held to be at least


def windows(signals: np.ndarray, num_past: int, num_future: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns all windows of signals [T, S]: past [N, num_past, S], and future [N, num_future, S], which follows it.

    Raises InvalidValue where T is too small for one.
    """
    num = num_past + num_future
    if len(signals) < num:
        raise InvalidValue(f"signals of {len(signals)} steps are too short: {num_past} + {num_future} are needed")
    found = np.lib.stride_tricks.sliding_window_view(signals, num, axis=0).swapaxes(1, 2)
    return found[:, :num_past], found[:, num_past:]


def level(past: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns mean and standard deviation of each window and signal, [N, 1, S]; the latter at least 1% of the mean."""
    middle = past.mean(1, keepdims=True, dtype=np.float64)
    spread = past.std(1, keepdims=True, dtype=np.float64)
    return middle, np.maximum(spread, np.maximum(_SMALLEST * np.abs(middle), 1e-12))


def normalised(past: np.ndarray, future: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns windows in standard deviations of their past from its mean, float32."""
    middle, scale = level(past)
    return ((past - middle) / scale).astype(np.float32), ((future - middle) / scale).astype(np.float32)


def squared_errors(predicted: np.ndarray, past: np.ndarray, future: np.ndarray) -> np.ndarray:
    """Returns [N, F, S], in the squared standard deviations of each window's past."""
    _, scale = level(past)
    errors: np.ndarray = np.square((predicted - future) / scale)
    return errors


def last_value(past: np.ndarray, num_future: int) -> np.ndarray:
    """Returns [N, num_future, S]: nothing moves."""
    return np.repeat(past[:, -1:], num_future, 1)


def drift(past: np.ndarray, num_future: int) -> np.ndarray:
    """Returns [N, num_future, S]: it goes on as it went from the first to the last step of the past."""
    slope = (past[:, -1:] - past[:, :1]) / (past.shape[1] - 1)
    found: np.ndarray = past[:, -1:] + slope * np.arange(1, num_future + 1)[:, None]
    return found


def mean(past: np.ndarray, num_future: int) -> np.ndarray:
    """Returns [N, num_future, S]: the mean of the past."""
    return np.repeat(past.mean(1, keepdims=True), num_future, 1)


BASELINES = {"last_value": last_value, "drift": drift, "mean": mean}


def drawn(
    past: np.ndarray, predicted: np.ndarray, names: Sequence[str], future: np.ndarray | None = None
) -> np.ndarray:
    """Returns a picture of windows [N, ., S]: a row for each signal, a column for each window."""
    num_past, num_future = past.shape[1], predicted.shape[1]
    behind, ahead = np.arange(1 - num_past, 1), np.arange(1, num_future + 1)

    def draw(figure: Any) -> None:
        grid = figure.subplots(len(names), len(past), squeeze=False, sharex=True)
        for s, name in enumerate(names):
            for n, axes in enumerate(grid[s]):
                axes.plot(behind, past[n, :, s], color=GREY, label="past")
                if future is not None:
                    axes.plot(ahead, future[n, :, s], color=BLUE, label="truth")
                axes.plot(ahead, predicted[n, :, s], color=VERMILLION, label="prediction")
            grid[s, 0].set_ylabel(name)
        for axes in grid[-1]:
            axes.set_xlabel("days")
        grid[0, 0].legend()

    return charts.render(draw, 1 + 3.2 * len(past), 0.6 + 2.2 * len(names))


def drawn_errors(errors: Mapping[str, np.ndarray]) -> np.ndarray:
    """Returns a picture of mean squared errors [F] by name, over the days that they look ahead."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for (name, values), colour in zip(errors.items(), (INK, *COLOURS), strict=False):
            axes.plot(np.arange(1, len(values) + 1), values, color=colour, label=name)
        axes.set(xlabel="days ahead", ylabel="squared error, in the past's variance", ylim=(0, None))
        axes.legend()

    return charts.render(draw)
