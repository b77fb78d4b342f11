"""From a component's name to a folder with its weights, curves and pictures; and from weights to metrics."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.components import pictures, projector, registry, store
from arena.components.base import Component, Watch
from arena.components.data import Dataset
from arena.errors import InvalidValue
from arena.monitor import Monitor


@dataclass(frozen=True)
class Trained:
    """What a training left.

    Attributes:
      path: of the weights.
      seconds: of the fit alone.
      metrics: of what was saved, on the test part.
    """

    path: Path
    seconds: float
    metrics: dict[str, float]


def train(
    name: str,
    dataset: Dataset,
    out: Path,
    settings: Mapping[str, Any] | None = None,
    on_progress: Callable[[float, str], None] = lambda fraction, text: None,
) -> Trained:
    """Fits a component and writes it to a folder: NAME.safetensors and .json, TensorBoard's events, pictures/*.png.

    Raises InvalidValue where the folder holds a component already.
    """
    component = registry.component_class(name)(**(settings or {}))
    path = out / f"{name}{store.SUFFIX}"
    if path.exists():
        raise InvalidValue(f"{path} exists already; give --out a new folder")
    monitor = Monitor(out)
    try:
        start_s = time.perf_counter()
        component.fit(
            dataset.train.inputs,
            dataset.train.labels,
            validation=dataset.splits.get("dev", dataset.test),
            watch=Watch(on_progress, monitor, lambda better: store.save(better, path, {"data": dataset.name})),
        )
        seconds = time.perf_counter() - start_s
        about = {"data": dataset.name, "seconds": round(seconds, 1)}
        saved = store.load(store.save(component, path, about))  # what is judged is what was written
        metrics = saved.evaluate(dataset)
        store.save(component, path, {**about, "metrics": metrics})
        monitor.hparams(component.settings.model_dump(), metrics)
        _show(saved, dataset, out, monitor)
    finally:
        monitor.close()
    return Trained(path, seconds, metrics)


def _show(component: Component, dataset: Dataset, out: Path, monitor: Monitor) -> None:
    for title, rgb in component.pictures(dataset).items():
        pictures.write(out / "pictures" / f"{title}.png", rgb)
        monitor.image(f"pictures/{title}", rgb, 0)
    if component.num_projected:
        projector.write_codes(out, component, dataset)
