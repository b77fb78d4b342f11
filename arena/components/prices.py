"""Signals over time from files: a date and some numbers for every day."""

from __future__ import annotations

import csv
import gzip
import itertools
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import numpy as np

from arena.components.data import Dataset, Split
from arena.errors import ArenaError, DamagedFile, InvalidValue


class Series(NamedTuple):
    """Signals, day by day without a gap.

    Attributes:
      start: the first day.
      names: of the signals.
      values: [T, S] float64.
    """

    start: date
    names: tuple[str, ...]
    values: np.ndarray


def bitcoin(folder: Path) -> Dataset:
    """Daily closing prices in USD and EUR; the last fifth of the days is the test."""
    full = folder / "btc_usd_eur_daily.csv"
    return _split("bitcoin", read(full if full.is_file() else folder / "btc_2010-07-18_2017-03-03.csv"))


def own(path: Path) -> Dataset:
    """A file of your own, see read(); the last fifth of the days is the test."""
    return _split(path.stem, read(path))


def read(path: Path) -> Series:
    """Returns the signals of a CSV file: a column `date`, YYYY-MM-DD, and columns of numbers; columns of words go.

    Raises ArenaError, DamagedFile or InvalidValue: it cannot be read, lacks columns, or has gaps.
    """
    header, rows = _table(path)
    if "date" not in header:
        raise InvalidValue(f"{path} lacks the column 'date'; its columns are {', '.join(header) or 'none'}")
    if not rows:
        raise InvalidValue(f"{path} holds no rows below its header")
    for number, row in enumerate(rows, 2):
        if len(row) != len(header):
            raise InvalidValue(f"{path}, line {number}: {len(row)} columns in the place of {len(header)}")
    names = tuple(name for k, name in enumerate(header) if name != "date" and any(_is_number(row[k]) for row in rows))
    if not names:
        raise InvalidValue(f"{path} lacks columns of numbers beside 'date'; its columns are {', '.join(header)}")
    days = [_day(path, number, row[header.index("date")]) for number, row in enumerate(rows, 2)]
    for number, (before, day) in enumerate(itertools.pairwise(days), 3):
        if day - before != timedelta(1):
            raise InvalidValue(f"{path}, line {number}: {day} follows {before}; there must be a row for every day")
    columns = [[_number(path, n, row[header.index(name)], name) for n, row in enumerate(rows, 2)] for name in names]
    return Series(days[0], names, np.array(columns).T)


def _table(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        content = path.read_bytes()
        text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
        table = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines()) if row]
    except gzip.BadGzipFile as error:
        raise DamagedFile(f"{path} is no gzipped text") from error
    except OSError as error:
        raise ArenaError(f"{path} cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error, EOFError) as error:
        raise DamagedFile(f"{path} is no table of text: {error}") from error
    return ([name.lower() for name in table[0]], table[1:]) if table else ([], [])


def _day(path: Path, line: int, cell: str) -> date:
    try:
        return date.fromisoformat(cell[:10])
    except ValueError as error:
        raise InvalidValue(f"{path}, line {line}: {cell!r} is no date such as 2017-03-03") from error


def _number(path: Path, line: int, cell: str, name: str) -> float:
    if not _is_number(cell):
        raise InvalidValue(f"{path}, line {line}: {name} is {cell!r}, no number")
    return float(cell)


def _is_number(cell: str) -> bool:
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def _split(name: str, series: Series) -> Dataset:
    end = len(series.values) * 4 // 5
    about = {"start": series.start, "names": series.names}
    return Dataset(name, {"train": Split(series.values[:end]), "test": Split(series.values[end:])}, about=about)
