"""A tournament's page: `report.html`, one file with everything in it, its films included."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import tomli_w

from arena.files import write_text
from arena.reports import choice, formats, played, protocol
from arena.reports.clips import clips
from arena.reports.page import render
from arena.reports.view import Clips, Section, View, blocks
from arena.reports.words import count, duration
from arena.tournaments.file import to_toml
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
    films = _films(result, on_progress) if videos else None
    return write_text(folder / "report.html", render(view_of(result, films)))


def view_of(result: Result, films: Section | None = None) -> View:
    """Returns what the page says of a tournament; `films` is a section of it."""
    config, outcome = result.config, result.outcome
    sections: list[Section | None] = [
        formats.knockout(outcome) if config.format == "knockout" else None,
        formats.swiss(outcome) if config.format == "swiss" else None,
        formats.sequential(outcome.stop, [agent.name for agent in result.entered]) if outcome.stop else None,
        films,
        played.forfeits(result),
        protocol.protocol(result),
        protocol.reproduction(result, tomli_w.dumps(to_toml(config))),
        played.matches(result),
    ]
    return View(
        title=config.name,
        headline="",
        summary=protocol.what_was_played(result),
        sections=[section for section in sections if section],
        warnings=_warnings(result),
        footer=_footer(result),
    )


def _warnings(result: Result) -> list[str]:
    missing = len(result.outcome.matches) - len(result.matches)
    warnings = list(result.warnings)
    if not result.is_finished:
        left = f"{count(missing, 'match', 'matches')} of those drawn so far" if missing else "its matches"
        warnings.insert(0, f"The tournament is not over: {left} are missing. arena resume goes on with it.")
    warnings += [f"{entry.agent} did not play {entry.env}: {entry.reason}" for entry in result.not_entered]
    return warnings


def _footer(result: Result) -> str:
    version = result.meta.get("versions", {}).get("agent-arena", "")
    seconds = result.meta.get("seconds", 0.0)
    started = result.meta.get("started")
    when = time.strftime("%d %B %Y, %H:%M UTC", time.gmtime(started)) if started else "a time unknown"
    return f"Begun on {when}; it took {duration(seconds)}. Made by agent-arena {version}".strip() + "."


def _films(result: Result, on_progress: Callable[[int, int], None] | None) -> Section | None:
    chosen = []
    for index, env in enumerate(result.config.envs):
        there = [match for match in result.matches if match.match.env == index]
        found = choice.of_league(there) if result.config.is_league else choice.of_pairs(there, _strengths(result))
        chosen += [replace(one, title=f"{one.title} of {env.label}") for one in found]
    if not chosen:
        return None
    made = clips(chosen, result.folder, on_progress=on_progress)
    lead = "The best, the worst and the closest game of every environment, played again from its seed and actions."
    return Section("films", "Games to watch", lead, blocks(Clips(made)))


def _strengths(result: Result) -> dict[str, float]:
    """Returns the share of its points that every agent scored."""
    points = dict.fromkeys((agent.name for agent in result.entered), 0.0)
    games = dict.fromkeys(points, 0)
    for match in result.matches:
        for game in match.games:
            for name, score in zip(game.players, game.scores, strict=True):
                points[name] += score
                games[name] += 1
    return {name: points[name] / games[name] if games[name] else 0.0 for name in points}
