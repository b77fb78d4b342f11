"""Standings as plain rows, as CSV, as Markdown and in words for people. Pure functions."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from arena.tournaments.figure import Figure

if TYPE_CHECKING:
    from arena.tournaments.game_ranking import GameRow
    from arena.tournaments.league_table import LeagueRow
    from arena.tournaments.outcome import Outcome, Stop
    from arena.tournaments.ranking import Ranking

Row = Mapping[str, Any]
LEAGUE = ("rank", "agent", "mean", "95% interval", "std", "episodes", "group")
GAMES = ("rank", "agent", "rating", "95% interval", "score", "won", "drawn", "lost", "group")


def rows(ranking: Ranking) -> list[dict[str, Any]]:
    """Returns one row for every agent in every environment, the best first; None where there is no figure.

    A league's have agent, env, mean, low, high (its 95% interval), std, episodes, rank, group, forfeits; those of games
    agent, env, rating, low, high, score, games, won, drawn, lost, rank, group, forfeits, by (what puts it ahead).
    """
    if ranking.league is not None:
        return [_league(row) for row in ranking.league.rows]
    return [_game(row, table.env) for table in ranking.games for row in table.rows]


def plain(value: Any) -> Any:
    """Returns figures as what JSON knows: tables, lists, numbers and texts; None for what is not a number."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def headings(row: Row) -> tuple[str, ...]:
    """Returns the names of the columns that cells() gives."""
    return LEAGUE if "mean" in row else GAMES


def cells(row: Row) -> tuple[str, ...]:
    """Returns a row rounded for people, in the order of headings(); its forfeits beside the agent's name."""
    forfeits = f" ({row['forfeits']} forfeited)" if row["forfeits"] else ""
    head, place = f"{row['agent']}{forfeits}", str(row["rank"])
    if "mean" in row:
        mean, std, low, high = (_number(row[key], ",.2f") for key in ("mean", "std", "low", "high"))
        return place, head, mean, _interval(low, high), std, str(row["episodes"]), row["group"]
    rating, low, high = (_elo(row[key]) for key in ("rating", "low", "high"))
    score = "" if row["score"] is None else f"{row['score']:.1%}"
    return (
        place,
        head,
        rating,
        _interval(low, high),
        score,
        *(str(row[k]) for k in ("won", "drawn", "lost")),
        row["group"],
    )


def to_csv(rows: Sequence[Row]) -> str:
    """Returns the standings as CSV, numbers unrounded."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else ["agent"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def to_markdown(rows: Sequence[Row], left_out: Sequence[Row], protocols: Mapping[str, str]) -> str:
    """Returns a heading, a table, the protocol and who is not entered, for every environment.

    Args:
      rows: as from rows().
      left_out: mappings with agent, env, reason.
      protocols: the protocol of each environment, in words.
    """
    parts = []
    for env in dict.fromkeys(row["env"] for row in (*rows, *left_out)):
        parts += [f"## {env}", ""]
        table = [row for row in rows if row["env"] == env]
        if table:
            align = ["l" if heading in ("agent", "group") else "r" for heading in headings(table[0])]
            parts += markdown_table(headings(table[0]), [cells(row) for row in table], align)
            if env in protocols:
                parts.append(f"Protocol: {protocols[env]}.")
        missing = [f"- {line}" for line in not_entered(left_out, env)]
        parts += [*([""] if table and missing else []), *missing, ""]
    return "\n".join(parts)


def not_entered(left_out: Sequence[Row], env: str) -> list[str]:
    """Returns a line for every reason for which agents are not entered in an environment."""
    agents: dict[str, list[str]] = {}
    for entry in left_out:
        if entry["env"] == env:
            agents.setdefault(entry["reason"], []).append(entry["agent"])
    return [
        f"{', '.join(names)} {'is' if len(names) == 1 else 'are'} not entered: {reason}"
        for reason, names in agents.items()
    ]


def places(outcome: Outcome) -> str:
    """Returns what a knockout's or a swiss's places were decided by, on one line; "" for another format."""
    parts = []
    for place in outcome.places:
        points = f" {place.values['points']:g}" if place.values else ""
        by = "" if place.by in ("", "points") else f", ahead by {place.by}" if points else f" {place.by}"
        parts.append(f"{place.agent}{points}{by}")
    has_points = any(place.values for place in outcome.places)
    return f"{'points' if has_points else 'places'}: {'; '.join(parts)}" if parts else ""


def verdict(stop: Stop | None) -> str:
    """Returns how a sequential test stands, on one line; "" where there is none."""
    if stop is None:
        return ""
    pairs = f"{stop.pairs:,} pair{'' if stop.pairs == 1 else 's'}"
    if not stop.accepted:
        return f"The sequential test is open after {pairs}."
    hypothesis = stop.hypotheses[int(stop.accepted == "H1")]
    return f"The sequential test accepts {stop.accepted}, a difference of {hypothesis}, after {pairs}."


def forfeits(given: Sequence[Row], most: int = 12) -> list[str]:
    """Returns a line for everything that agents did wrong, with how often.

    Args:
      given: mappings with agent, env, type and reason.
      most: lines; what is beyond is counted in one more.
    """
    counts = Counter((entry["agent"], entry["env"], str(entry["type"]), entry["reason"]) for entry in given)
    lines = [
        f"{agent} forfeited on {env}: {kind}: {reason}" + (f" ({number:,} times)" if number > 1 else "")
        for (agent, env, kind, reason), number in counts.items()
    ]
    return lines if len(lines) <= most + 1 else [*lines[:most], f"and {len(lines) - most:,} more"]


def markdown_table(headings: Sequence[str], rows: Iterable[Sequence[str]], align: Sequence[str]) -> list[str]:
    """Returns a Markdown table as lines, the last one empty; `align` has l or r for every column."""
    lines = [headings, [{"l": ":---", "r": "---:"}[side] for side in align], *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines] + [""]


def protocols(matches: Sequence[Row]) -> dict[str, str]:
    """Returns, for every environment, what its scores depend on; where agents differ, how each was played.

    Args:
      matches: mappings with agent, env, protocol and games (how many, in words).
    """
    return {
        env: _protocol([match for match in matches if match["env"] == env])
        for env in dict.fromkeys(match["env"] for match in matches)
    }


def _league(row: LeagueRow) -> dict[str, Any]:
    mean = row.mean or Figure(math.nan)
    return {
        "agent": row.agent,
        "env": row.env,
        "mean": row.mean.value if row.mean else None,
        "low": mean.low,
        "high": mean.high,
        "std": (row.std or 0.0) if row.games else None,
        "episodes": row.games,
        "rank": row.rank,
        "group": row.group,
        "forfeits": row.forfeits,
    }


def _game(row: GameRow, env: str) -> dict[str, Any]:
    rating, score = row.rating or Figure(math.nan), row.score
    return {
        "agent": row.agent,
        "env": env,
        "rating": row.rating.value if row.rating else None,
        "low": rating.low,
        "high": rating.high,
        "score": score.value if score else None,
        "games": row.games,
        "won": row.wins,
        "drawn": row.draws,
        "lost": row.losses,
        "rank": row.rank,
        "group": row.group,
        "forfeits": row.forfeits,
        "by": row.place_by,
    }


def _number(value: float | None, form: str) -> str:
    return "" if value is None else f"{value:{form}}"


def _elo(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{round(value):+d}"  # never -0


def _interval(low: str, high: str) -> str:
    return f"{low} to {high}" if low else ""


def _protocol(matches: Sequence[Row]) -> str:
    keys = dict.fromkeys(key for match in matches for key in match["protocol"])
    entries = []
    for key in keys:
        agents: dict[str, list[str]] = {}
        for match in matches:
            agents.setdefault(str(match["protocol"].get(key, "unset")), []).append(match["agent"])
        values = agents if len(agents) == 1 else [f"{value} ({', '.join(names)})" for value, names in agents.items()]
        entries.append(f"{key.replace('_', ' ')} {', '.join(values)}")
    return " · ".join([*entries, matches[0]["games"]])
