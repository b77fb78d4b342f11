"""What was played, match by match: the forfeits with their logs, and every match in one list."""

from __future__ import annotations

from collections import Counter
from statistics import fmean
from typing import TYPE_CHECKING

from arena.reports.view import Block, Cell, Column, Fold, Listing, Part, Section, Table, Text, blocks
from arena.reports.words import DASH, count
from arena.tournaments.records import Forfeit, ForfeitType, PlayedMatch

if TYPE_CHECKING:
    from arena.tournaments.result import Result

_MOST_LOGS = 200
_LOG_CHARACTERS = 8_000
_MOST_LISTED = 50_000


def forfeits(result: Result) -> Section:
    """Returns who forfeited what and why, with the end of what they printed."""
    given = [(played, forfeit) for played in result.matches for forfeit in played.forfeits]
    if not given:
        return Section("forfeits", "Forfeits", "None: every game was played to its end.", [])
    tally = Counter((forfeit.agent, forfeit.type) for _, forfeit in given)
    types = [kind for kind in ForfeitType if any(kind == forfeit.type for _, forfeit in given)]
    agents = sorted({agent for agent, _ in tally}, key=lambda agent: -sum(tally[agent, kind] for kind in types))
    rows = [[Cell(agent), *(_count(tally[agent, kind]) for kind in types)] for agent in agents]
    columns = [Column("agent", is_number=False), *(Column(kind) for kind in types)]
    parts = [Part("", [Table("forfeits-table", "Forfeits by agent and kind", columns, rows)])]
    shown = given[:_MOST_LOGS]
    for agent in agents:
        folds: list[Block] = [_fold(result, played, forfeit) for played, forfeit in shown if forfeit.agent == agent]
        if folds:
            parts.append(Part(agent, folds))
    if len(given) > len(shown):
        text = f"{len(given) - len(shown):,} more are not shown here; arena report --json lists them all."
        parts.append(Part("", [Text(text)]))
    lead = f"{count(len(given), 'forfeit')} by {count(len(agents), 'agent')}; what an agent printed is under each."
    return Section("forfeits", "Forfeits", lead, parts)


def matches(result: Result) -> Section:
    """Returns every match in a list to page through and sort; of very many, the first."""
    rows = [_row(result, index, played) for index, played in enumerate(result.matches[:_MOST_LISTED], 1)]
    note = "A match's id stands for all that defines it: arena record DIR --match ID films it."
    if len(rows) < len(result.matches):
        note += f" The first {len(rows):,} are here; arena report --csv writes out all {len(result.matches):,}."
    games = sum(len(played.games) for played in result.matches)
    lead = f"{count(len(result.matches), 'match', 'matches')}, {count(games, 'game')}."
    columns = _PAIRS if _are_pairs(result) else _BLOCKS
    return Section("matches", "All matches", lead, blocks(Listing("matches-list", "Every match", columns, rows, note)))


def _text(title: str, hint: str = "") -> Column:
    return Column(title, hint, is_number=False)


_START = (Column("#", "place in the schedule"), _text("environment"))
_END = (Column("seed", "of the first game"), Column("steps", "of all its games"), _text("forfeit"), _text("id"))
_TWO = (Column("round"), _text("first", "who begins the first game"), _text("second"), Column("points", "of the first"))
_ONE = (_text("agent"), Column("games"), Column("mean"), Column("best"), Column("worst"))
_PAIRS, _BLOCKS = (*_START, *_TWO, *_END), (*_START, *_ONE, *_END)


def _row(result: Result, index: int, played: PlayedMatch) -> list[str | float]:
    match = played.match
    end: list[str | float] = [
        str(match.seeds[0]) if match.seeds else "",
        sum(game.length for game in played.games),
        ", ".join(dict.fromkeys(f"{forfeit.agent}: {forfeit.type}" for forfeit in played.forfeits)),
        match.id,
    ]
    env = result.config.envs[match.env].label
    if match.is_pair:
        return [index, env, match.round, *match.players, played.points, *end]
    returns = [game.returns[0] for game in played.games]
    summary: list[str | float] = [fmean(returns), max(returns), min(returns)] if returns else ["", "", ""]
    return [index, env, match.players[0], len(returns), *summary, *end]


def _are_pairs(result: Result) -> bool:
    return any(played.match.is_pair for played in result.matches)


def _fold(result: Result, played: PlayedMatch, forfeit: Forfeit) -> Fold:
    env = result.config.envs[played.match.env].label
    against = [name for name in played.match.players if name != forfeit.agent]
    opponent = f" against {against[0]}" if against else ""
    where = f"{env}{opponent}, match {forfeit.match}, game {forfeit.game + 1}"
    log = forfeit.log[-_LOG_CHARACTERS:]
    cut = f"(the last {len(log):,} characters)\n" if len(log) < len(forfeit.log) else ""
    return Fold(f"{forfeit.type}: {forfeit.reason} ({where})", cut + log if log.strip() else "It printed nothing.")


def _count(many: int) -> Cell:
    return Cell(str(many) if many else DASH, many)
