"""Standings: ranks from played matches, as rows, CSV and Markdown. Pure functions."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
FIELDS = ("agent", "env", "mean", "std", "episodes", "rank")


def rank(matches: Iterable[Row]) -> list[dict[str, Any]]:
    """Returns one row for every match: agent, env, mean, std, episodes, rank, and the returns.

    Environments stay in the order in which they appear; within one the best mean comes first.
    Equal means share a rank, and the next rank counts them all (1, 2, 2, 4).

    Args:
      matches: mappings with agent, env, mean, std, episodes, returns.
    """
    by_env: dict[str, list[Row]] = {}
    for match in matches:
        by_env.setdefault(match["env"], []).append(match)
    rows = []
    for played in by_env.values():
        for match in sorted(played, key=lambda match: -match["mean"]):
            place = 1 + sum(other["mean"] > match["mean"] for other in played)
            rows.append({field: match[field] for field in FIELDS if field != "rank"} | {"rank": place})
            rows[-1]["returns"] = list(match["returns"])
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
            parts += ["| rank | agent | mean | std | standard error | episodes |", "| ---: | :--- | ---: | ---: | ---: | ---: |"]
            parts += [f"| {' | '.join(cells(row))} |" for row in table]
            parts += ["", f"Protocol: {protocols[env]}."]
        missing = [f"- {entry['agent']} is not entered: {entry['reason']}" for entry in left_out if entry["env"] == env]
        parts += (["", *missing] if table else missing) if missing else []
        parts.append("")
    return "\n".join(parts)


def cells(row: Row) -> tuple[str, ...]:
    """Returns rank, agent, mean, std, standard error and episodes, rounded for people."""
    numbers = (f"{number:,.2f}" for number in (row["mean"], row["std"], standard_error(row)))
    return (str(row["rank"]), row["agent"], *numbers, str(row["episodes"]))


def protocol_line(matches: Sequence[Row]) -> str:
    """Returns what the scores of one environment depend on; where agents differ, says how each was played.

    Args:
      matches: the matches of one environment, with agent, episodes, seed and protocol.
    """
    protocols = {match["agent"]: {key: str(value) for key, value in match["protocol"].items()} for match in matches}
    first = next(iter(protocols.values()))
    common = {key: text for key, text in first.items() if all(p.get(key) == text for p in protocols.values())}
    parts = [f"{key.replace('_', ' ')} {text}" for key, text in common.items()]
    parts.append(f"{matches[0]['episodes']} episodes on the seeds of root seed {matches[0]['seed']}")
    own = {agent: {key: text for key, text in p.items() if key not in common} for agent, p in protocols.items()}
    differing = [
        f"{agent} {', '.join(f'{key.replace("_", " ")} {text}' for key, text in entries.items())}"
        for agent, entries in own.items()
        if entries
    ]
    return " · ".join(parts + differing)
