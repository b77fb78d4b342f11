"""A tournament's folder.

tournament.toml   the tournament itself; the file plays it again
matches/          one JSON for every match, there as soon as it is over
games/            the log of each agent's best game (see arena.gamelog), from which it is filmed
tournament.json   configuration, standings, matches, who is left out, versions
standings.*       as CSV, Markdown and a plot
runs/ videos/     of the learners that were trained, of the best games
tensorboard/      every agent's returns and lengths, game by game
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from arena.config import write_toml
from arena.errors import ArenaError
from arena.files import write_json, write_text
from arena.gamelog import Game
from arena.monitor import Monitor
from arena.tournaments import standings
from arena.tournaments.file import TournamentConfig, slug, to_toml
from arena.tournaments.match import LeftOut, Match, file_name
from arena.tournaments.workers import unordered
from arena.versions import versions


@dataclass(frozen=True)
class TournamentResult:
    """What a tournament came to.

    Attributes:
      out: the folder that holds all of it.
      config: who played what; every entrant has a name.
      standings: rows of agent, env, mean, std, episodes and rank; by environment, the best first.
      matches: what was played, in the order of the tournament's environments and agents.
      left_out: who is not entered in which environment, and why.
      versions: of Python and of the packages that scores may depend on.
      not_filmed: whose best game has no video, and why.
    """

    out: Path
    config: TournamentConfig
    standings: list[dict[str, Any]]
    matches: list[Match]
    left_out: list[LeftOut]
    versions: dict[str, str]
    not_filmed: list[LeftOut] = field(default_factory=list)

    @property
    def protocols(self) -> dict[str, str]:
        """The protocol of each environment, in words."""
        return standings.protocols([vars(match) for match in self.matches])

    def to_json(self) -> dict[str, Any]:
        """Returns the result as plain data."""
        return {
            "out": str(self.out),
            "config": self.config.model_dump(),
            "standings": self.standings,
            "matches": [asdict(match) for match in self.matches],
            "left_out": [asdict(entry) for entry in self.left_out],
            "not_filmed": [asdict(entry) for entry in self.not_filmed],
            "versions": self.versions,
        }


def default_out(config: TournamentConfig) -> Path:
    """Returns `tournaments/NAME-DATE`."""
    return Path("tournaments") / f"{slug(config.name)}-{time.strftime('%Y%m%d-%H%M%S')}"


def claim(out: Path, config: TournamentConfig) -> Path:
    """Makes the tournament's folder and writes `tournament.toml`.

    Raises ArenaError where it already holds a tournament, or cannot be written.
    """
    if (out / "tournament.toml").exists() or (out / "tournament.json").exists():
        raise ArenaError(f"{out} already holds a tournament; name another folder with --out")
    try:
        for part in ("matches", "games"):
            (out / part).mkdir(parents=True, exist_ok=True)
        write_toml(out / "tournament.toml", to_toml(config))
    except OSError as error:
        raise ArenaError(f"{out}: cannot be written ({error.strerror})") from None
    return out


def result_of(config: TournamentConfig, out: Path, matches: list[Match], left_out: list[LeftOut]) -> TournamentResult:
    """Returns the result of what was played, ranked and in the order of the tournament's environments and agents."""
    order = {(agent.name, env.id): (i, j) for i, env in enumerate(config.envs) for j, agent in enumerate(config.agents)}
    matches = sorted(matches, key=lambda match: order[match.agent, match.env])
    left_out = sorted(left_out, key=lambda entry: order[entry.agent, entry.env])
    return TournamentResult(out, config, standings.rank(map(vars, matches)), matches, left_out, versions())


def write(result: TournamentResult) -> None:
    """Writes the standings in every form: JSON, CSV, Markdown, TensorBoard, plots."""
    from arena import plots

    out, config = result.out, result.config
    left_out = [vars(entry) for entry in result.left_out]
    markdown = standings.to_markdown(result.standings, left_out, result.protocols)
    write_json(out / "tournament.json", result.to_json())
    write_text(out / "standings.csv", standings.to_csv(result.standings))
    write_text(out / "standings.md", f"# {config.name}\n\n{markdown}")
    for agent in dict.fromkeys(played.agent for played in result.matches):
        monitor = Monitor(out / "tensorboard" / slug(agent))
        for played in (match for match in result.matches if match.agent == agent):
            for game, (ret, length) in enumerate(zip(played.returns, played.lengths, strict=True)):
                monitor.scalars({f"{played.env}/return": ret, f"{played.env}/length": length}, game)
            monitor.scalars({f"{played.env}/mean": played.mean}, 0)
        monitor.close()
    if result.matches:
        returns = {(played.agent, played.env): played.returns for played in result.matches}
        plots.standings([row | {"returns": returns[row["agent"], row["env"]]} for row in result.standings], out)


def film_best_games(result: TournamentResult, jobs: int, on_film: Callable[[int, int, str], None]) -> list[LeftOut]:
    """Films every match's best game by replaying its log; returns those that could not be filmed.

    `on_film` is called with the number of films that are done, of how many, and what the last one shows.
    """
    films = [_Film(played.agent, played.env, result.out) for played in result.matches]
    failed = []
    with contextlib.closing(unordered(_film_game, films, jobs)) as outcomes:
        for done, (film, reason) in enumerate(outcomes, 1):
            if reason:
                failed.append(LeftOut(film.agent, film.env, reason))
            on_film(done, len(films), f"{film.agent} on {film.env}")
    return sorted(failed, key=lambda entry: (entry.env, entry.agent))


class _Film(NamedTuple):
    agent: str
    env: str
    out: Path


def _film_game(job: _Film) -> str:
    """Writes `videos/ENV/AGENT-RETURN.mp4`; returns why it could not be, or ""."""
    from arena.film import film

    game = Game.load(job.out / "games" / f"{file_name(job.agent, job.env)}.npz")
    path = job.out / "videos" / slug(job.env) / f"{slug(job.agent)}-seed{game.seed}-return{game.ret:g}.mp4"
    try:
        film(game, path)
    except ArenaError as error:
        return str(error)
    write_json(path.with_suffix(".json"), game.summary())
    return ""
