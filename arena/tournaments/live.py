"""What the terminal shows while a tournament is played: how far it is, and the standings as they move."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars
from rich.table import Table
from rich.text import Text

from arena.tournaments.hooks import Hooks, Progress
from arena.tournaments.records import PlayedMatch
from arena.tournaments.tally import Tally

_PERIOD_S = 0.5  # between two tables
_LOG_S, _LOG_SHARE = 5.0, 0.1  # where there is no terminal: a line at every tenth, but not more often than this
_AROUND = 8  # lines of a terminal that the table leaves free
_COLUMN = 20  # characters of an environment's column
_NAMES = 28  # characters of the agents' column, and of what stands beside it


@contextlib.contextmanager
def live(console: Console) -> Iterator[Hooks]:
    """Yields hooks that show a tournament on `console`: in place on a terminal, else with a line now and then."""
    if not console.is_terminal:
        log = _Log(console)
        yield Hooks(log.on_progress, log.on_played, log.on_isolated, log.warn)
        return
    screen = _Screen(console)
    with screen.live:
        yield Hooks(screen.on_progress, screen.on_played, screen.on_isolated, screen.warn)


def standings(tally: Tally, width: int = 100, most: int = 20) -> Table:
    """Returns the standings so far: mean returns by environment, or ratings and points; the best first.

    Of more than `most` agents the first are shown, and of the environments those that `width` has room for.
    """
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("agent", no_wrap=True, max_width=_NAMES, overflow="ellipsis")
    rows = _league(tally, table, width) if tally.config.is_league else _games(tally, table)
    table.add_column("forfeits", justify="right", style="dim")
    for name, cells in rows[:most]:
        table.add_row(Text(name), *cells, str(tally.forfeits.get(name, "")))
    if len(rows) > most:
        table.add_row(Text(f"and {len(rows) - most} more", style="dim"))
    return table


def _league(tally: Tally, table: Table, width: int) -> list[tuple[str, list[str]]]:
    shown = range(min(len(tally.config.envs), max(1, (width - _NAMES) // _COLUMN)))
    ranks: dict[str, list[int]] = {}
    for env in range(len(tally.config.envs)):
        means = {name: score.mean for (name, where), score in tally.returns.items() if where == env}
        for name, mean in means.items():
            ranks.setdefault(name, []).append(sum(other > mean for other in means.values()))
    for env in shown:
        label = Text(tally.config.envs[env].label, overflow="ellipsis")
        table.add_column(label, justify="right", max_width=_COLUMN - 2, no_wrap=True)
    rows = []
    for name in sorted(ranks, key=lambda name: (sum(ranks[name]) / len(ranks[name]), name)):
        scores = [tally.returns.get((name, env)) for env in shown]
        rows.append((name, [f"{score.mean:,.2f}" if score else "" for score in scores]))
    return rows


def _games(tally: Tally, table: Table) -> list[tuple[str, list[str]]]:
    for heading in ("rating", "points", "games"):
        table.add_column(heading, justify="right")
    ratings = tally.ratings()
    return [
        (name, [f"{ratings[name]:+.0f}", f"{tally.points[name].total:g}", str(tally.points[name].games)])
        for name in sorted(ratings, key=lambda name: (-ratings[name], name))
    ]


class _Lines:
    """What is told in lines that stay."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def on_isolated(self, names: Sequence[str], tiers: Sequence[tuple[str, bool, str]]) -> None:
        self._console.print(f"in a process of its own: {', '.join(names)}")
        for what, holds, how in tiers:
            self._console.print(f"  {'✓' if holds else '✗'} {what}: {how}", style="dim" if holds else None)

    def warn(self, line: str) -> None:
        self._console.print(f"arena: warning: {line}")


class _Screen(_Lines):
    """A bar for every phase, and the standings below them."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._bars = Bars(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description:<5}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("{task.fields[text]}", style="dim", markup=False),
            console=console,
        )
        self._tasks: dict[str, object] = {}
        self._table: Table | None = None
        self._drawn_s = 0.0
        self.live = Live(self._bars, console=console, transient=True, refresh_per_second=4)

    def on_progress(self, progress: Progress) -> None:
        phase, done, total, text = progress
        if phase not in self._tasks:
            self._tasks[phase] = self._bars.add_task(phase, total=total, completed=done, text="")
        self._bars.update(self._tasks[phase], completed=done, total=max(total, 1), text=text)  # type: ignore[arg-type]

    def on_played(self, played: PlayedMatch, tally: Tally) -> None:
        if time.monotonic() - self._drawn_s >= _PERIOD_S:
            table = standings(tally, self._console.width, max(3, self._console.height - _AROUND))
            self.live.update(Group(self._bars, Text(), table))
            self._drawn_s = time.monotonic()


class _Log(_Lines):
    """A line now and then."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._told_s = time.monotonic()
        self._told: dict[str, float] = {}
        self._num_forfeits = 0

    def on_progress(self, progress: Progress) -> None:
        phase, done, total, text = progress
        share = done / max(total, 1)
        if share - self._told.get(phase, 0.0) >= _LOG_SHARE and time.monotonic() - self._told_s >= _LOG_S:
            self._told[phase], self._told_s = share, time.monotonic()
            number = self._num_forfeits
            forfeits = f", {number} forfeit{'' if number == 1 else 's'}" if number else ""
            self._console.print(f"{phase}: {done:,} of {total:,}{forfeits}  {text}")

    def on_played(self, played: PlayedMatch, tally: Tally) -> None:
        self._num_forfeits = sum(tally.forfeits.values())
