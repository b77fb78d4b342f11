"""A tournament's games as a table for other programs."""

from __future__ import annotations

import csv
from typing import TextIO

from arena.tournaments.result import Result

COLUMNS = (
    "match", "round", "env", "game", "seed", "player_0", "player_1", "return_0", "return_1", "score_0", "score_1",
    "length", "truncated", "forfeited_by", "forfeit",
)  # fmt: skip


def write_csv(result: Result, file: TextIO) -> None:
    """Writes one row for every game, in the schedule's order, and one for a game that was forfeited unplayed.

    Players, returns and scores are by seat; `game` counts the games of these players in this environment from 0.
    """
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for played in result.matches:
        match, forfeits = played.match, {forfeit.game: forfeit for forfeit in played.forfeits}
        for number in range(max([len(played.games), *(number + 1 for number in forfeits)])):
            place = (match.id, match.round, result.config.envs[match.env].label, match.first_game + number)
            forfeit = forfeits.get(number)
            end = (forfeit.agent, str(forfeit.type)) if forfeit else ("", "")
            if number < len(played.games):
                game = played.games[number]
                sides = (*_two(game.players), *_two(game.returns), *_two(game.scores))
                writer.writerow((*place, game.seed, *sides, game.length, int(game.truncated), *end))
            else:
                writer.writerow((*place, match.seeds[number], *_two(match.players), "", "", "", "", "", "", *end))


def _two(values: tuple[object, ...]) -> tuple[object, object]:
    """Returns the values by seat, "" for a seat that is not there."""
    first, second = (*values, "", "")[:2]
    return first, second
