"""The sentence on top of the page: who won, and how sure that is."""

from __future__ import annotations

import re
from collections.abc import Sequence

from arena.reports.words import count, join
from arena.tournaments.ranking import Ranking
from arena.tournaments.result import Result


def headline(result: Result, ranking: Ranking) -> str:
    """Returns who won a tournament, or who is ahead in it, and how sure that is."""
    sentences = _league(ranking) if result.config.is_league else [*_final(result), *_games(result, ranking)]
    if not sentences:
        return "Nothing has been played yet."
    text = " ".join(sentences)
    return text if result.is_finished else f"So far: {text}"


def of_ranks(names: Sequence[str], groups: Sequence[str], where: str) -> str:
    """Returns who is best and which of the others can be told apart from them.

    Args:
      names: of the agents, the best first.
      groups: their letters; those that share one cannot be told apart.
      where: what follows: "in CartPole-v1", "over 4 environments".
    """
    if len(names) == 1:
        return f"{names[0]} played alone {where}."
    letters = [set(re.findall(r"\(\d+\)|.", group)) for group in groups]
    tied = [index for index, own in enumerate(letters) if own & letters[0]]
    others = [index for index in range(len(names)) if index not in tied]
    beaten = [names[index] for index in others if not any(letters[index] & letters[best] for best in tied)]
    best = join([names[index] for index in tied])
    if len(tied) == 1:
        return f"{best} beats {join(beaten)} {where}."
    if beaten:
        return f"{best} cannot be told apart {where}; {'both' if len(tied) == 2 else 'all'} beat {join(beaten)}."
    if others:
        return f"{best} cannot be told apart {where}; {names[0]} beats {join([names[index] for index in others])}."
    return f"{best} cannot be told apart {where}."


def _league(ranking: Ranking) -> list[str]:
    league = ranking.league
    if league is None or not league.rows:
        return []
    rows = league.overall or league.rows
    envs = list(dict.fromkeys(row.env for row in league.rows))
    where = f"in {envs[0]}" if len(envs) == 1 else f"over {count(len(envs), 'environment')}"
    ranked = [row for row in rows if row.group]
    found = []
    if ranked:
        found.append(of_ranks([row.agent for row in ranked], [row.group for row in ranked], where))
    elif league.overall and not league.overall[0].forfeits:
        best = league.overall[0]
        rank = f"{best.mean_rank:.3g}"
        found.append(f"{best.agent} has the best mean rank, {rank}, {where}; it is not tested whether that is chance.")
    forfeited = [row.agent for row in rows if row.forfeits]
    if forfeited:
        found.append(f"{join(forfeited)} forfeited.")
    return found


def _games(result: Result, ranking: Ranking) -> list[str]:
    if not ranking.games:
        return []
    games = ranking.games[0]
    rated = sorted((row for row in games.rows if row.rating), key=lambda row: -row.rating.value if row.rating else 0.0)
    has_places = bool(result.outcome.places)
    where = "by all games" if has_places else f"in {games.env}" if len(ranking.games) == 1 else "over all environments"
    return [of_ranks([row.agent for row in rated], [row.group for row in rated], where)] if rated else []


def _final(result: Result) -> list[str]:
    """Returns who won a format that has places of its own."""
    first = [place.agent for place in result.outcome.places if place.rank == 1]
    if not first or not result.is_finished:
        return []
    if result.config.format == "knockout":
        final = next(meeting for meeting in result.outcome.meetings if meeting.name == "final")
        (loser,) = (name for name in final.players if name != final.winner)
        by = "" if final.by == "points" else f", by {final.by}"
        return [f"{final.winner} won the final against {loser}{by}."]
    return [f"{first[0]} won the {result.config.format} tournament."]
