"""A tournament's page: `report.html`, one file with everything in it, its films included."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import tomli_w

from arena.files import write_text
from arena.reports import choice, formats, games, league, played, protocol
from arena.reports.clips import clips
from arena.reports.headline import headline
from arena.reports.page import render
from arena.reports.view import Clips, Section, View, blocks
from arena.reports.words import count, duration
from arena.tournaments import ranking
from arena.tournaments.file import to_toml
from arena.tournaments.ranking import Ranking
from arena.tournaments.result import Result, load


def write(folder: Path, *, videos: bool = True, on_progress: Callable[[int, int], None] | None = None) -> Path:
    """Writes the page of the tournament in `folder`, finished or not, and returns its path.

    Args:
      videos: whether to film the best, worst and closest games.
      on_progress: is told how many films are done, of how many.

    Raises:
      ArenaError: the folder holds no tournament, or cannot be written.
    """
    result = load(folder)
    figures = ranking.of(result)
    films = _films(result, figures, on_progress) if videos else None
    return write_text(folder / "report.html", render(view_of(result, figures, films)))


def view_of(result: Result, figures: Ranking, films: Section | None = None) -> View:
    """Returns what the page says of a tournament; `films` is a section of it."""
    config, outcome = result.config, result.outcome
    sections: list[Section] = []
    if config.format == "knockout":
        sections.append(formats.knockout(outcome))
    if config.format == "swiss":
        sections.append(formats.swiss(outcome))
    sections += league.sections(figures.league, _returns(result)) if figures.league else games.sections(figures.games)
    if outcome.stop:
        sections.insert(1, formats.sequential(outcome.stop, [agent.name for agent in result.entered]))
    sections += [films] if films else []
    sections += [
        played.forfeits(result),
        protocol.protocol(result),
        protocol.reproduction(result, tomli_w.dumps(to_toml(config))),
        played.matches(result),
    ]
    return View(
        title=config.name,
        headline=headline(result, figures),
        summary=protocol.what_was_played(result),
        sections=sections,
        warnings=_warnings(result, figures),
        footer=_footer(result),
    )


def _returns(result: Result) -> dict[str, dict[str, np.ndarray]]:
    """Returns a league's returns, by environment and agent."""
    found: dict[str, dict[str, list[float]]] = {}
    for match in result.matches:
        env = result.config.envs[match.match.env].label
        own = found.setdefault(env, {}).setdefault(match.match.players[0], [])
        own += [game.returns[0] for game in match.games]
    return {env: {agent: np.array(own) for agent, own in by_agent.items()} for env, by_agent in found.items()}


def _warnings(result: Result, figures: Ranking) -> list[str]:
    missing = len(result.outcome.matches) - len(result.matches)
    warnings = [*result.warnings, *(line for line in figures.warnings if line not in result.outcome.notes)]
    if not result.is_finished:
        left = f"{count(missing, 'match', 'matches')} of those drawn so far" if missing else "its matches"
        warnings.insert(0, f"The tournament is not over: {left} are missing. arena resume goes on with it.")
    warnings += [f"{entry.agent} did not play {entry.env}: {entry.reason}" for entry in result.not_entered]
    return warnings


def _footer(result: Result) -> str:
    when = time.strftime("%d %B %Y, %H:%M UTC", time.gmtime(result.meta["started"]))
    version = result.meta["versions"].get("agent-arena", "")
    return f"Begun on {when}; it took {duration(result.meta['seconds'])}. Made by agent-arena {version}".strip() + "."


def _films(result: Result, figures: Ranking, on_progress: Callable[[int, int], None] | None) -> Section | None:
    chosen = []
    for index, env in enumerate(result.config.envs):
        there = [match for match in result.matches if match.match.env == index]
        if figures.league:
            found = choice.of_league(there, [row.agent for row in figures.league.rows if row.env == env.label])
        elif figures.games:
            strength = {row.agent: row.rating.value for row in figures.games[0].rows if row.rating}
            found = choice.of_pairs(there, strength)
        else:
            found = []
        chosen += [replace(one, title=f"{one.title} of {env.label}") for one in found]
    if not chosen:
        return None
    made = clips(chosen, result.folder, on_progress=on_progress)
    lead = "The best, the worst and the closest game of every environment, played again from its seed and actions."
    return Section("films", "Games to watch", lead, blocks(Clips(made)))
