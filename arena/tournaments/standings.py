"""Standings: ranks from played matches, as rows, CSV and Markdown. Pure functions."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
FIELDS = ("agent", "env", "mean", "std", "episodes", "rank")
HEADINGS = ("rank", "agent", "mean", "std", "standard error", "episodes")


def rank(matches: Iterable[Row]) -> list[dict[str, Any]]:
    """Returns one row for every match: agent, env, mean, std, episodes, rank.

    Environments stay in the order in which they appear; within one the best mean comes first.
    Equal means share a rank, and the next rank counts them all (1, 2, 2, 4).

    Args:
      matches: mappings with agent, env, mean, std, episodes.
    """
    by_env: dict[str, list[Row]] = {}
    for match in matches:
        by_env.setdefault(match["env"], []).append(match)
    rows = []
    for played in by_env.values():
        for match in sorted(played, key=lambda match: -match["mean"]):
            place = 1 + sum(other["mean"] > match["mean"] for other in played)
            rows.append({field: match[field] for field in FIELDS if field != "rank"} | {"rank": place})
    return rows


def standard_error(row: Row) -> float:
    """Returns the standard error of a row's mean; 0.0 for one game."""
    return float(row["std"] / math.sqrt(row["episodes"]))


def to_csv(rows: Sequence[Row]) -> str:
    """Returns the standings as CSV with the columns of `FIELDS`, numbers unrounded."""
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def to_markdown(rows: Sequence[Row], left_out: Sequence[Row], protocols: Mapping[str, str]) -> str:
    """Returns a heading, a table, the protocol and who is not entered, for every environment.

    Args:
      rows: as from rank().
      left_out: mappings with agent, env, reason.
      protocols: the protocol of each environment, in words.
    """
    parts = []
    for env in dict.fromkeys(row["env"] for row in (*rows, *left_out)):
        parts += [f"## {env}", ""]
        table = [row for row in rows if row["env"] == env]
        if table:
            parts += markdown_table(HEADINGS, [cells(row) for row in table], "rlrrrr")
            parts.append(f"Protocol: {protocols[env]}.")
        missing = [f"- {entry['agent']} is not entered: {entry['reason']}" for entry in left_out if entry["env"] == env]
        parts += [*([""] if table and missing else []), *missing, ""]
    return "\n".join(parts)


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]], align: str) -> list[str]:
    """Returns a Markdown table as lines, the last one empty; `align` has l or r for every column."""
    lines = [headings, [{"l": ":---", "r": "---:"}[side] for side in align], *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines] + [""]


def cells(row: Row) -> tuple[str, ...]:
    """Returns rank, agent, mean, std, standard error and episodes, rounded for people."""
    numbers = (f"{number:,.2f}" for number in (row["mean"], row["std"], standard_error(row)))
    return (str(row["rank"]), row["agent"], *numbers, str(row["episodes"]))


def protocols(matches: Sequence[Row]) -> dict[str, str]:
    """Returns, for every environment, what its scores depend on; where agents differ, how each was played.

    Args:
      matches: mappings with agent, env, episodes and protocol.
    """
    return {
        env: _protocol([match for match in matches if match["env"] == env])
        for env in dict.fromkeys(match["env"] for match in matches)
    }


def _protocol(matches: Sequence[Row]) -> str:
    keys = dict.fromkeys(key for match in matches for key in match["protocol"])
    entries = []
    for key in keys:
        agents: dict[str, list[str]] = {}
        for match in matches:
            agents.setdefault(str(match["protocol"].get(key, "unset")), []).append(match["agent"])
        values = agents if len(agents) == 1 else [f"{value} ({', '.join(names)})" for value, names in agents.items()]
        entries.append(f"{key.replace('_', ' ')} {', '.join(values)}")
    return " · ".join([*entries, f"episodes {matches[0]['episodes']}"])
