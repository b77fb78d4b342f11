"""What the commands print: progress bars on standard error, tables and sentences on standard output."""

from __future__ import annotations

import contextlib
import json
import math
import re
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

if TYPE_CHECKING:
    from arena.training import Progress as TrainProgress

# What is printed holds file names and error messages: brackets and colons in them are not markup.
out = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, soft_wrap=True, markup=False, emoji=False)

_LOG_PERIOD_S = 30.0
_WIDE, _NARROWEST = 120, 24  # columns: of a terminal for a wide bar, of a wrapped column
_AROUND, _NARROWEST_TITLE = 29, 12  # columns: of what stands around a title and its text, of a title


class _Time(ProgressColumn):
    """Time left, by the fraction that is done; in the end the time that it took."""

    def render(self, task: Task) -> Text:
        elapsed_s = (task.finished_time if task.finished else task.elapsed) or 0.0
        if not task.completed or task.finished:
            return Text(_minutes(elapsed_s), no_wrap=True)
        return Text(f"{_minutes(elapsed_s * (1.0 / task.completed - 1.0))} left", style="dim", no_wrap=True)


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


@contextlib.contextmanager
def bar(title: str) -> Iterator[Any]:
    """Yields update(fraction, text), which moves a progress bar on standard error; a log gets a line now and then."""
    if not err.is_terminal:
        yield _Log(title)
        return
    columns = (
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=8 if err.width < _WIDE else 24),
        TextColumn("{task.percentage:>3.0f}%"),
        _Time(),
        TextColumn("{task.fields[text]}", style="dim", markup=False),
    )
    with _tidy(Progress(*columns, console=err)) as progress:
        task = progress.add_task(title, total=1.0, text="")

        def update(fraction: float, text: str = "") -> None:
            shown = _cut(title, err.width - len(text) - _AROUND) if err.width < _WIDE else title
            progress.update(task, completed=min(1.0, fraction), text=text, description=shown)

        yield update


def _cut(title: str, room: int) -> str:
    room = max(room, _NARROWEST_TITLE)
    return title if len(title) <= room else f"{title[: room - 1]}…"


class _Log:
    """Stands for a progress bar where there is no terminal: a line every half minute."""

    def __init__(self, title: str) -> None:
        self._title, self._last_s = title, time.monotonic()

    def __call__(self, fraction: float, text: str = "") -> None:
        if time.monotonic() - self._last_s >= _LOG_PERIOD_S:
            self._last_s = time.monotonic()
            err.print(f"{self._title}: {fraction:.0%}  {text}")


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
    episodes = f"{progress.episodes:,} episodes" if err.width >= _WIDE or not err.is_terminal else ""
    parts = [f"{progress.step:,} steps", episodes, recent, best]
    return "  ".join(part for part in parts if part)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """Prints an aligned table; columns in `right` are numbers, and on a wide terminal the last one is wrapped."""
    lines = [headings, *rows]
    widths = [max(len(line[k]) for line in lines) for k in range(len(headings))]
    indent = sum(widths[:-1]) + 2 * (len(widths) - 1)
    room = out.width - indent if out.is_terminal else 0
    for number, line in enumerate(lines):
        cells = [
            cell.rjust(width) if k in right else cell.ljust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        text = "  ".join(cells).rstrip()
        if room >= _NARROWEST and line[-1]:
            text = "  ".join([*cells[:-1], f"\n{' ' * indent}".join(textwrap.wrap(line[-1], room))])
        out.print(text, style=None if number else "dim")


def space_text(space: str) -> str:
    """Returns a space as Gymnasium prints it without its bounds: "Box(4) float32", "Discrete(2)"."""
    box = re.fullmatch(r"Box\(.*, \(([\d, ]*?),?\), (\w+)\)", space, re.DOTALL)
    return f"Box({box[1]}) {box[2]}" if box else " ".join(space.split())


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


def tell(text: str) -> None:
    """Prints lines, broken between words where the terminal ends."""
    out.print(text, soft_wrap=False)


def print_board(board: str) -> None:
    """Prints a game's position between blank lines; the stones of x and o in colours."""
    text = Text(f"\n{board}\n")
    text.highlight_regex(r"(?<= )[xX](?= |$)", "bold red")
    text.highlight_regex(r"(?<= )[oO](?= |$)", "bold yellow")
    out.print(text)


def thinking(text: str) -> contextlib.AbstractContextManager[Any]:
    """Returns what shows on a terminal, while it is entered, that somebody thinks."""
    return out.status(text) if out.is_terminal else contextlib.nullcontext()


@contextlib.contextmanager
def phases() -> Iterator[Any]:
    """Yields update(phase, done, total, text), which moves a progress bar for each phase, as bar() does for one."""
    if not err.is_terminal:
        logs: dict[str, _Log] = {}
        yield lambda phase, done, total, text: logs.setdefault(phase, _Log(phase))(done / max(total, 1), text)
        return
    columns = (
        SpinnerColumn(finished_text="✓"),
        TextColumn("{task.description:<6}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[text]}", style="dim", markup=False),
    )
    with _tidy(Progress(*columns, console=err)) as progress:
        tasks: dict[str, Any] = {}

        def update(phase: str, done: int, total: int, text: str) -> None:
            if phase not in tasks:
                tasks[phase] = progress.add_task(phase, total=total, text=text)
            progress.update(tasks[phase], completed=done, total=max(total, 1), text=text)

        yield update
