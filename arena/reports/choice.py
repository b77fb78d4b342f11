"""Which games are worth a look: the best, the worst and the closest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from arena.tournaments.records import PlayedGame, PlayedMatch

_Entry = tuple[PlayedMatch, int]


@dataclass(frozen=True)
class Chosen:
    """A game that is to be filmed.

    Attributes:
      index: of the game in its match.
      title: why it is chosen.
      text: what happens in it.
    """

    played: PlayedMatch
    index: int
    title: str
    text: str

    @property
    def game(self) -> PlayedGame:
        """The game."""
        return self.played.games[self.index]


def of_league(played: Sequence[PlayedMatch], ranked: Sequence[str]) -> list[Chosen]:
    """Returns the best, worst and closest of one environment's games; of equal ones the first in the schedule.

    The closest is the second agent's game that came nearest to the first one's on the same seed.

    Args:
      ranked: the agents, the best first.
    """
    games = [(match, index) for match in played for index in range(len(match.games))]
    if not games:
        return []

    def ret(entry: _Entry) -> float:
        return entry[0].games[entry[1]].returns[0]

    def chosen(entry: _Entry, title: str, more: str = "") -> Chosen:
        game = entry[0].games[entry[1]]
        text = f"{game.players[0]}: return {ret(entry):,.6g} after {game.length:,} steps, seed {game.seed}{more}."
        return Chosen(*entry, title, text)

    best, worst = max(games, key=ret), min(games, key=ret)
    found = [chosen(best, "The best game")]
    if ret(worst) < ret(best):
        found.append(chosen(worst, "The worst game"))
    by_agent: dict[str, dict[int, _Entry]] = {}
    for entry in games:
        game = entry[0].games[entry[1]]
        by_agent.setdefault(game.players[0], {})[game.seed] = entry
    leaders = [agent for agent in ranked if agent in by_agent][:2]
    if len(leaders) == 2:
        first, second = (by_agent[agent] for agent in leaders)
        shared = [seed for seed in first if seed in second]
        if shared:
            seed = min(shared, key=lambda seed: abs(ret(first[seed]) - ret(second[seed])))
            more = f", where {leaders[0]} reached {ret(first[seed]):,.6g}"
            found.append(chosen(second[seed], "The closest to the winner", more))
    return found


def of_pairs(played: Sequence[PlayedMatch], strength: Mapping[str, float]) -> list[Chosen]:
    """Returns the best, worst and closest of one environment's games; of equal ones the first in the schedule.

    The best is the strongest winner's quickest win over the strongest loser; the worst is the greatest upset, or
    without one the weakest loser's quickest loss; the closest is a draw, or else the longest game, of the two whose
    strengths are nearest. Forfeited games are left out, and each game is shown once.

    Args:
      strength: of every agent; the ratings, or the points.
    """
    forfeited = {(forfeit.match, forfeit.game) for match in played for forfeit in match.forfeits}
    games = [
        (match, index)
        for match in played
        for index, game in enumerate(match.games)
        if (match.match.id, index) not in forfeited and game.length
    ]

    def best(entry: _Entry) -> tuple[float, ...]:
        return -strength[_winner(entry)], -strength[_loser(entry)], _game(entry).length

    def upset(entry: _Entry) -> tuple[float, ...]:
        return strength[_winner(entry)] - strength[_loser(entry)], _game(entry).length

    def worst(entry: _Entry) -> tuple[float, ...]:
        return strength[_loser(entry)], _game(entry).length

    def closest(entry: _Entry) -> tuple[float, ...]:
        first, second = _game(entry).players
        return abs(strength[first] - strength[second]), 1.0 in _game(entry).scores, -_game(entry).length

    found: list[Chosen] = []

    def choose(entries: Sequence[_Entry], key: Callable[[_Entry], tuple[float, ...]], title: str) -> None:
        shown = {(chosen.played.match.id, chosen.index) for chosen in found}
        left = [entry for entry in entries if (entry[0].match.id, entry[1]) not in shown]
        if left:
            entry = min(left, key=key)
            found.append(Chosen(*entry, title, _result(entry)))

    decided = [entry for entry in games if 1.0 in _game(entry).scores]
    upsets = [entry for entry in decided if upset(entry)[0] < 0.0]
    choose(decided, best, "The best game")
    choose(upsets or decided, upset if upsets else worst, "The greatest upset" if upsets else "The worst game")
    choose(games, closest, "The closest game")
    return found


def _game(entry: _Entry) -> PlayedGame:
    return entry[0].games[entry[1]]


def _winner(entry: _Entry) -> str:
    return _game(entry).players[_game(entry).scores.index(1.0)]


def _loser(entry: _Entry) -> str:
    return _game(entry).players[1 - _game(entry).scores.index(1.0)]


def _result(entry: _Entry) -> str:
    game = _game(entry)
    first, second = game.players
    what = f"{_winner(entry)} beats {_loser(entry)}" if 1.0 in game.scores else f"{first} and {second} draw"
    return f"{what} after {game.length:,} plies from the opening ({first} begins, seed {game.seed})."
