"""What a page shows, as plain data that knows neither tournaments nor HTML: sections of blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from markupsafe import Markup


@dataclass(frozen=True)
class Column:
    """A column's heading.

    Attributes:
      hint: explains the heading in a few words; "" where it needs none.
      is_number: True aligns the column at its right and sorts it the largest first.
      is_sortable: False for pictures.
    """

    title: str
    hint: str = ""
    is_number: bool = True
    is_sortable: bool = True


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
      text: what is read; of a cell with a picture, by nobody.
      key: what its column sorts by; None for the text.
      detail: a second, smaller line.
      picture: an SVG that stands for the text.
      level: 0 to 10 tints the cell, 5 being neutral; None leaves it alone.
    """

    text: str = ""
    key: float | None = None
    detail: str = ""
    picture: Markup | None = None
    level: int | None = None


@dataclass(frozen=True)
class Table:
    """A table; the column `header` holds what its rows are called by."""

    kind: ClassVar[str] = "table"
    id: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    header: int = 0
    note: str = ""


@dataclass(frozen=True)
class Listing:
    """A long table that a script shows by the page: its rows are texts and numbers, in `data`."""

    kind: ClassVar[str] = "listing"
    id: str
    caption: str
    columns: Sequence[Column]
    data: Sequence[Sequence[str | float]]
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """A drawing with a legend of (colour's number, name); `summary` says in words what it shows."""

    kind: ClassVar[str] = "figure"
    id: str
    caption: str
    svg: Markup
    summary: str
    legend: Sequence[tuple[int, str]] = ()
    table: Table | None = None


@dataclass(frozen=True)
class Meeting:
    """A meeting in a bracket: who, with what score, and who of them goes on; None where nobody is known yet."""

    names: tuple[str, ...]
    scores: tuple[str, ...]
    winner: str | None
    note: str = ""


@dataclass(frozen=True)
class Bracket:
    """A knockout, drawn: rounds with a title and their meetings, in the order that joins neighbours."""

    kind: ClassVar[str] = "bracket"
    id: str
    caption: str
    rounds: Sequence[tuple[str, Sequence[Meeting]]]


@dataclass(frozen=True)
class Clip:
    """A film of a game; `video` is a data URI, or "" where there is none, for the `reason`."""

    title: str
    text: str
    video: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Clips:
    """Films, side by side."""

    kind: ClassVar[str] = "clips"
    clips: Sequence[Clip]


@dataclass(frozen=True)
class Fold:
    """A text of many lines behind a summary, such as a log."""

    kind: ClassVar[str] = "fold"
    summary: str
    text: str
    is_open: bool = False


@dataclass(frozen=True)
class Facts:
    """Pairs of a term and what is so."""

    kind: ClassVar[str] = "facts"
    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: str


Block = Table | Listing | Figure | Bracket | Clips | Fold | Facts | Text


@dataclass(frozen=True)
class Part:
    """A part of a section under a heading of its own; "" for none."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True)
class Section:
    """A section of the page, which the contents name."""

    id: str
    title: str
    lead: str
    parts: Sequence[Part]


@dataclass(frozen=True)
class View:
    """A page.

    Attributes:
      headline: who won, and how sure that is.
      summary: what was played, in a sentence or two.
      warnings: what a reader must know before believing anything.
      footer: what made the page.
    """

    title: str
    headline: str
    summary: str
    sections: Sequence[Section]
    warnings: Sequence[str] = field(default_factory=tuple)
    footer: str = ""


def blocks(*items: Any) -> list[Part]:
    """Returns one part without a heading, of the items that are not None."""
    return [Part("", [item for item in items if item is not None])]
