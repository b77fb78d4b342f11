"""The figures of two-player games: ratings, cross-table, likelihoods of superiority, seats and draws."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from arena.reports import cells
from arena.reports.formats import points
from arena.reports.view import Block, Cell, Column, Facts, Part, Section, Table
from arena.reports.words import count, number, span
from arena.tournaments.figure import Figure
from arena.tournaments.game_ranking import Games


def sections(tables: Sequence[Games]) -> list[Section]:
    """Returns the sections of what was played, over all environments first, the most important first."""
    if not tables:
        return []
    main, others = tables[0], tables[1:]
    lead = (
        "Ratings are in Elo, their mean is 0; they come from all games at once (Bradley-Terry with draws and a seat "
        "advantage). Agents that share a letter in the column 'group' cannot be told apart."
    )
    note = f"The prior: {main.prior}. Intervals of ratings come from {count(main.resamples, 'resample')} of pairs."
    found = [Section("standings", "Standings", lead, [Part("", [_ratings("standings-table", main, note)])])]
    if len(main.rows) > 1:
        found += [_cross_table(main), _superiority(main)]
    found.append(Section("seats", "Seats and draws", "", [Part("", [_seats(main)])]))
    if others:
        parts = [
            Part(table.env, [_ratings(f"environment-{index}", table), _points(f"points-{index}", table), _seats(table)])
            for index, table in enumerate(others, 1)
        ]
        found.append(Section("environments", "Environment by environment", "Each rated by its own games alone.", parts))
    return found


def _ahead(by: str) -> str:
    """Returns what gave a place, in words: "won the final", "ahead by Buchholz"."""
    return f"ahead by {by}" if by and not by.startswith(("won ", "lost ")) else by


def _ratings(id: str, games: Games, note: str = "") -> Table:
    rows = games.rows
    ratings = [row.rating for row in rows]
    ahead = [_ahead(row.place_by) for row in rows]
    columns, content = cells.leading(rows, "Elo", ratings, places=0, reference=0.0, details=ahead)
    columns.append(Column("score", "percent of the points"))
    columns += [Column(title) for title in ("won", "drawn", "lost", "games")]
    columns += [Column(title, "pairs that gave so many points") for title in ("0", "½", "1", "1½", "2")]
    content += [
        cells.figures((cells.times(row.score, 100.0) for row in rows), 1),
        *(cells.wholes(getattr(row, name) for row in rows) for name in ("wins", "draws", "losses", "games")),
        *(cells.tallies(row.pairs[points] for row in rows) for points in range(5)),
        cells.tallies(row.forfeits for row in rows),
    ]
    caption = f"Ratings and scores in {games.env}, with 95% intervals"
    return Table(id, caption, [*columns, cells.FORFEITS], cells.rows_of(*content), header=1, note=note)


def _cross_table(games: Games) -> Section:
    lead = "What the row's agent scored against the column's: a win is 1 point, a draw a half."
    return Section("cross-table", "Cross-table", lead, [Part("", [_points("points", games)])])


def _points(id: str, games: Games) -> Table:
    def cell(i: int, j: int) -> Cell:
        played = int(games.games[i, j])
        if not played:
            return cells.NONE
        scored = float(games.points[i, j])
        part = scored / played
        return Cell(points(scored), round(part, 6), f"of {played:,}", level=round(10 * part))

    return cells.matrix(id, f"Points of the row against the column in {games.env}", _agents(games), cell)


def _superiority(games: Games) -> Section:
    def cell(i: int, j: int) -> Cell:
        value = float(games.superiority[i, j])
        return cells.NONE if np.isnan(value) else Cell(f"{100 * value:.1f}%", value, level=round(10 * value))

    lead = (
        "How likely it is, given all games, that the row's agent is the stronger one (LOS). Near 50% nothing is known."
    )
    table = cells.matrix(
        "superiority-table", "Likelihood that the row is stronger than the column", _agents(games), cell
    )
    return Section("superiority", "Likelihood of superiority", lead, [Part("", [table])])


def _agents(games: Games) -> list[str]:
    return [row.agent for row in games.rows]


def _seats(games: Games) -> Block:
    seats, pairs = games.seats, []
    if seats:
        results = f"{seats.wins:,} won, {seats.draws:,} drawn, {seats.losses:,} lost"
        pairs = [
            ("who begins scores", f"{_percent(seats.score)}: {results}"),
            ("to begin is worth", f"{number(seats.advantage.value, 0)} Elo{_interval(seats.advantage, 0)}"),
        ]
    if games.draw_rate:
        pairs.append(("games drawn", _percent(games.draw_rate)))
    if games.nu:
        pairs.append(("draw parameter", f"{number(games.nu.value)}{_interval(games.nu, 2)}, Davidson's nu"))
    return Facts(pairs)


def _percent(figure: Figure) -> str:
    return f"{100 * figure.value:.1f}%{_interval(figure, 1, 100.0)}"


def _interval(figure: Figure, places: int, factor: float = 1.0) -> str:
    if figure.low is None or figure.high is None:
        return ""
    return f" ({span(factor * figure.low, factor * figure.high, places)})"
