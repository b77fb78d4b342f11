"""What the commands print: progress bars on standard error, tables and sentences on standard output."""

from __future__ import annotations

import contextlib
import json
import math
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from arena.train import Progress as TrainProgress

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


class _Remaining(ProgressColumn):
    """Time left, by the fraction that is done."""

    def render(self, task: Task) -> Text:
        if not task.completed or task.finished or task.elapsed is None:
            return Text("")
        left = task.elapsed * (1.0 - task.completed) / max(task.completed, 1e-9)
        return Text(f"{int(left) // 60:d}:{int(left) % 60:02d} left", style="dim")


@contextlib.contextmanager
def bar(title: str) -> Iterator[Any]:
    """Yields update(fraction, text), which moves a progress bar on standard error."""
    columns = (
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        _Remaining(),
        TextColumn("{task.fields[text]}", style="dim"),
    )
    with _tidy(Progress(*columns, console=err)) as progress:
        task = progress.add_task(title, total=1.0, text="")

        def update(fraction: float, text: str = "") -> None:
            progress.update(task, completed=min(1.0, fraction), text=text)

        yield update


@contextlib.contextmanager
def _tidy(progress: Progress) -> Iterator[Progress]:
    """Shows `progress`; leaves nothing of it on the screen where an error is to be read instead."""
    with progress:
        try:
            yield progress
        except BaseException:
            progress.live.transient = True
            raise


def training_text(progress: TrainProgress) -> str:
    """Returns what stands beside a training's bar."""
    recent = "" if math.isnan(progress.recent_return) else f"return {progress.recent_return:.1f}"
    best = "" if progress.best is None else f"best {progress.best:.1f}"
    parts = [f"{progress.step:,} steps", f"{progress.episodes:,} episodes", recent, best]
    return "  ".join(part for part in parts if part)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """Prints an aligned table; columns in `right` are numbers."""
    grid = Table(box=None, header_style="dim", pad_edge=False)
    for index, heading in enumerate(headings):
        grid.add_column(heading, justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        grid.add_row(*map(Text, row))
    Console(highlight=False).print(grid)


def print_json(content: Any) -> None:
    """Prints one JSON object on standard output; numbers that JSON does not know become null."""
    sys.stdout.write(json.dumps(_finite(content), indent=1) + "\n")


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return value


def protocol_line(protocol: dict[str, Any]) -> str:
    """Returns a protocol as one line."""
    return ", ".join(f"{key} {value}" for key, value in protocol.items())


@contextlib.contextmanager
def phases() -> Iterator[Any]:
    """Yields update(phase, done, total, text), which moves one progress bar per phase on standard error."""
    columns = (
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description:<6}"),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[text]}", style="dim"),
    )
    with _tidy(Progress(*columns, console=err)) as progress:
        tasks: dict[str, Any] = {}

        def update(phase: str, done: int, total: int, text: str) -> None:
            if phase not in tasks:
                tasks[phase] = progress.add_task(phase, total=total, text=text)
            progress.update(tasks[phase], completed=done, total=max(total, 1), text=text)

        yield update
