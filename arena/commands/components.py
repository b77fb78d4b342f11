"""`arena component`: what learns without rewards."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer import Argument, Option

from arena.commands.options import Json, app

if TYPE_CHECKING:
    from arena.components.data import Dataset

component = typer.Typer(help="Use models that learn from data alone.", no_args_is_help=True)
app.add_typer(component, name="component")

Name = Annotated[str, Argument(metavar="NAME", help="A component's name, as `arena component list` shows it.")]
Trained = Annotated[str, Argument(metavar="NAME", help="A component's name, or the file or folder of one you trained.")]
Assignments = Annotated[
    list[str] | None, Option("--set", metavar="KEY=VALUE", help="A setting of the component; may be repeated.")
]
Data = Annotated[
    str | None,
    Option(
        "--data",
        metavar="DIR",
        help="The folder of the set or of a run, a .npy or .csv file, or a set's name (downloaded).",
    ),
]


@component.command("list")
def list_components(json: Json = False) -> None:
    """List components, and the sets they are made for."""
    from arena import terminal
    from arena.components import registry, store

    shipped = store.pretrained()
    rows = [
        {
            "name": name,
            "summary": entry.summary,
            "pretrained": [stem for stem, component in shipped.items() if component == name],
        }
        for name, entry in registry.ENTRIES.items()
    ]
    if json:
        return terminal.print_json({"components": rows})
    shown = [(str(row["name"]), ", ".join(row["pretrained"]), str(row["summary"])) for row in rows]
    terminal.table(("name", "pretrained", "what it does"), shown)


@component.command()
def train(
    name: Name,
    data: Data = None,
    assignments: Assignments = None,
    out: Annotated[Path | None, Option(metavar="DIR", help="A new folder; components/NAME-DATE by default.")] = None,
) -> None:
    """Train a component."""
    from arena import terminal
    from arena.components import registry, training
    from arena.config import parse_assignments

    settings = parse_assignments(assignments or ())
    registry.component_class(name)(**settings)  # a wrong setting is told before the set is read
    folder = out or Path("components") / f"{name}-{datetime.now():%Y%m%d-%H%M%S}"
    dataset = _dataset(name, data)
    with terminal.bar(f"{name} on {dataset.name}") as update:
        trained = training.train(name, dataset, folder, settings, update)
        update(1.0, "")
    _print_metrics(trained.metrics)
    terminal.out.print(f"{trained.seconds:.1f} s; the component is {trained.path}")


@component.command("eval")
def evaluate(ref: Trained, data: Data = None, json: Json = False) -> None:
    """Measure a component on the test part of a set."""
    from arena import components, terminal

    found = components.load(ref)
    dataset = _dataset(found.name, data)
    metrics = found.evaluate(dataset)
    if json:
        return terminal.print_json({"component": found.name, "data": dataset.name, "metrics": metrics})
    _print_metrics(metrics)


@component.command()
def run(
    ref: Trained,
    source: Annotated[
        str, Argument(metavar="INPUT", help="A .npy, .csv, .png or IDX (.gz) file; a user's number; a text.")
    ],
    out: Annotated[
        Path | None,
        Option(metavar="FILE", help="A .npy or .csv for numbers, .png for a picture, .json for films, .txt for text."),
    ] = None,
    data: Data = None,
    assignments: Assignments = None,
) -> None:
    """Apply a component to examples."""
    from arena import components, terminal
    from arena.config import parse_assignments

    found = components.load(ref)
    found.adjust(parse_assignments(assignments or ()))
    terminal.out.print(found.run(source, out, data))


def _dataset(name: str, data: str | None) -> Dataset:
    """Returns the set that --data stands for: of a run, what its policy sees."""
    from arena.components import registry
    from arena.components.data import load

    if data and (Path(data) / "config.toml").is_file():
        from arena import terminal, visited

        with terminal.bar(f"playing {data}") as update:
            return visited.dataset(Path(data), on_progress=lambda fraction: update(fraction, ""))
    return load(data, registry.component_class(name).datasets)


def _print_metrics(metrics: dict[str, float]) -> None:
    from arena import terminal

    terminal.table(("metric", "value"), [(name, f"{value:.6g}") for name, value in metrics.items()], right=(1,))
