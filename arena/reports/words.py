"""Numbers and lists as people read them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

DASH, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"


def decimals(values: Iterable[float]) -> int:
    """Returns how many decimals a column of these values needs: fewer for larger numbers, none for whole ones."""
    finite = [abs(value) for value in values if math.isfinite(value)]
    if all(value == int(value) for value in finite):
        return 0
    largest = max(finite)
    return 0 if largest >= 10_000 else 1 if largest >= 100 else 2


def number(value: float, places: int = 2) -> str:
    """Returns a number with a true minus sign and thousands apart; a dash for what is not a number."""
    if math.isnan(value):
        return DASH
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    text = f"{value:,.{places}f}"
    return text.removeprefix("-") if float(text.replace(",", "")) == 0 else text.replace("-", MINUS)


def span(low: float, high: float, places: int = 2) -> str:
    """Returns an interval: "1.00 to 2.00"."""
    return f"{number(low, places)} to {number(high, places)}"


def join(names: Sequence[str], most: int = 6) -> str:
    """Returns "a, b and c"; of more than `most`, the first and how many others there are."""
    if len(names) > most:
        return f"{', '.join(names[: most - 1])} and {len(names) - most + 1} others"
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def count(many: int, one: str, more: str = "") -> str:
    """Returns "1 game" or "2,000 games"."""
    return f"{many:,} {one if many == 1 else more or one + 's'}"


def duration(seconds: float) -> str:
    """Returns "42 s", "12 min" or "3 h 5 min"."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
