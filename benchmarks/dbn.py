"""Deep belief networks side by side: with pretraining and without, with standardised images and without.

    arena component train dbn --data DIR --out pretrained
    arena component train dbn --data DIR --set pretraining_epochs=0 --out random
    python benchmarks/dbn.py pretrained random [more folders ...] [--picture FILE.png]

Takes what the trainings left: the metrics of what was saved, on both test parts, and the curve of fine-tuning, which is
the accuracy on the first thousands of private test faces after each epoch. Nothing is chosen by it.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import common

from arena.components import charts, pictures, store

_CURVE = "training/validation_accuracy"


def fine_tuning(folder: Path) -> list[float]:
    """Returns the accuracy after each epoch of the fine-tuning that a training's events tell of."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.util.tensor_util import make_ndarray

    events = EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()
    return [round(float(make_ndarray(event.tensor_proto)), 4) for event in events.Tensors(_CURVE)]


def drawn(curves: Mapping[str, Sequence[float]]) -> Any:
    """Returns a picture of accuracies after 1, 2, ... epochs, [H, W, 3] uint8."""

    def draw(figure: Any) -> None:
        axes = figure.subplots()
        for name, accuracies in curves.items():
            axes.plot(range(1, len(accuracies) + 1), accuracies, "o-", markersize=3, label=name)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.set(xlabel="epoch of fine-tuning", ylabel="accuracy on test faces")
        axes.legend()

    return charts.render(draw)


def main() -> None:
    """Reads the folders, writes the picture and the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, help="of trainings, named as the curves are to be")
    parser.add_argument("--picture", type=Path)
    args = parser.parse_args()
    curves = {folder.name: fine_tuning(folder) for folder in args.folders}
    cards = {folder.name: store.read_card(store.locate(folder)) for folder in args.folders}
    told = {
        name: {key: card[key] for key in ("settings", "seconds", "metrics")} | {"curve": curves[name]}
        for name, card in cards.items()
    }
    common.write("dbn", {"networks": told})
    if args.picture:
        pictures.write(args.picture, drawn(curves))


if __name__ == "__main__":
    main()
