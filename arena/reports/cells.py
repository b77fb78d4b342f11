"""Cells, columns and legends that several tables share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from arena.reports import charts
from arena.reports.view import Cell, Column, Table
from arena.reports.words import DASH, decimals, number, span
from arena.tournaments.figure import Figure

RANK = Column("#", "rank; equal ones are shared")
AGENT = Column("agent", is_number=False)
GROUP = Column("group", "agents that share a letter cannot be told apart", is_number=False)
INTERVAL = Column("95% interval", is_number=False, is_sortable=False)
FORFEITS = Column("forfeits")
NONE = Cell(DASH)
_MOST_CROSSED = 40


class Ranked(Protocol):
    """A row of any table of ranks."""

    @property
    def agent(self) -> str: ...
    @property
    def rank(self) -> int: ...
    @property
    def group(self) -> str: ...


def leading(
    rows: Sequence[Ranked],
    title: str,
    column: Sequence[Figure | None],
    *,
    places: int | None = None,
    reference: float | None = None,
    details: Sequence[str] = (),
) -> tuple[list[Column], list[list[Cell]]]:
    """Returns the columns that a table of ranks begins with: rank, agent, what it is ranked by, and its group.

    Args:
      title: of what it is ranked by.
      column: its figures; left out where there are none.
      places: decimals; None for as many as the column needs.
      reference: a value that is marked in the intervals.
      details: stand under the agents.
    """
    names = [Cell(row.agent, detail=detail) for row, detail in zip(rows, details or [""] * len(rows), strict=True)]
    columns, content = [RANK, AGENT], [[Cell(str(row.rank), row.rank) for row in rows], names]
    if any(column):
        columns += [Column(title), INTERVAL]
        content += [figures(column, places), bars(column, reference)]
    return [*columns, GROUP], [*content, [Cell(row.group) for row in rows]]


def wholes(column: Iterable[int]) -> list[Cell]:
    """Returns a column of whole numbers."""
    return [Cell(f"{value:,}", value) for value in column]


def tallies(column: Iterable[int]) -> list[Cell]:
    """Returns a column of whole numbers in which 0 is a dash."""
    return [Cell(f"{value:,}" if value else DASH, value) for value in column]


def times(figure: Figure | None, factor: float) -> Figure | None:
    """Returns a figure and its interval times `factor`."""
    if figure is None:
        return None
    low, high = (None if end is None else factor * end for end in (figure.low, figure.high))
    return Figure(factor * figure.value, low, high)


def figures(column: Iterable[Figure | float | None], places: int | None = None) -> list[Cell]:
    """Returns a column of figures with their intervals under them.

    Args:
      places: decimals; None for as many as the column needs.
    """
    entries = list(column)
    if places is None:
        values = [entry.value if isinstance(entry, Figure) else entry for entry in entries]
        places = decimals(value for value in values if value is not None)
    return [_figure(entry, places) for entry in entries]


def bars(column: Iterable[Figure | None], reference: float | None = None) -> list[Cell]:
    """Returns a column of bars on one scale."""
    entries = list(column)
    ends = [end for entry in entries if entry for end in entry if end is not None]
    scale = charts.scale_of(*ends)
    return [_bar(entry, scale, reference) for entry in entries]


def share(value: float, detail: str = "") -> Cell:
    """Returns a share of 1 in percent, tinted by how far it is from a half."""
    return Cell(f"{value:.0%}", round(value, 6), detail, level=round(10 * value))


def matrix(id: str, caption: str, agents: Sequence[str], cell: Callable[[int, int], Cell]) -> Table:
    """Returns a table of every agent against every other; of very many, the first."""
    shown = agents[:_MOST_CROSSED]
    rows = [
        [Cell(agent), *(NONE if i == j else cell(i, j) for j in range(len(shown)))] for i, agent in enumerate(shown)
    ]
    note = f"The best {len(shown)} of {len(agents)} agents." if len(shown) < len(agents) else ""
    return Table(id, caption, [AGENT, *(Column(agent) for agent in shown)], rows, note=note)


def rows_of(*columns: Sequence[Cell]) -> list[list[Cell]]:
    """Returns columns as rows."""
    return [list(row) for row in zip(*columns, strict=True)]


def _figure(entry: Figure | float | None, places: int) -> Cell:
    if entry is None:
        return NONE
    if not isinstance(entry, Figure):
        return Cell(number(entry, places), entry)
    has_interval = entry.low is not None and entry.high is not None
    detail = span(entry.low, entry.high, places) if has_interval else ""  # type: ignore[arg-type]
    return Cell(number(entry.value, places), entry.value, detail)


def _bar(entry: Figure | None, scale: tuple[float, float], reference: float | None) -> Cell:
    if entry is None:
        return NONE
    low, high = (float("nan") if end is None else end for end in (entry.low, entry.high))
    return Cell(picture=charts.interval_bar(entry.value, low, high, scale, reference))
