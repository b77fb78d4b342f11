"""What a tournament came to, or has come to so far: everything that tables and reports are made from."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pydantic

from arena.errors import DamagedFile
from arena.tournaments import standings
from arena.tournaments.file import TournamentConfig
from arena.tournaments.outcome import Outcome
from arena.tournaments.records import Entered, Forfeit, PlayedMatch
from arena.tournaments.schedule import Schedule
from arena.tournaments.store import Store


@dataclass(frozen=True)
class NotEntered:
    """An agent that does not fit an environment, and is not entered there.

    Attributes:
      env: the environment's label.
    """

    agent: str
    env: str
    reason: str


@dataclass(frozen=True)
class Result:
    """A tournament, as far as it is played.

    Attributes:
      folder: the tournament's.
      config: who plays what.
      entered: the agents, in order.
      matches: what was played, in the schedule's order, without actions.
      outcome: what only the format knows.
      not_entered: who does not fit which environment.
      not_filmed: whose best game has no video, and why.
      meta: versions, machine, tiers (of isolation), started (seconds since 1970), seconds (all of it), matches_s
        (without training, reports and films), playing_s (in matches, over all workers).
      warnings: what readers should know.
      is_finished: False while matches are missing.
    """

    folder: Path
    config: TournamentConfig
    entered: Sequence[Entered]
    matches: Sequence[PlayedMatch]
    outcome: Outcome
    not_entered: Sequence[NotEntered]
    not_filmed: Sequence[NotEntered]
    meta: dict[str, Any]
    warnings: Sequence[str]
    is_finished: bool

    @property
    def forfeits(self) -> list[Forfeit]:
        """All forfeits, in the schedule's order."""
        return [forfeit for played in self.matches for forfeit in played.forfeits]

    def told_forfeits(self) -> list[dict[str, Any]]:
        """Returns all forfeits as plain data, with the environment's label, without logs."""
        return [
            {key: value for key, value in asdict(entry).items() if key != "log"} | {"env": self._label(played)}
            for played in self.matches
            for entry in played.forfeits
        ]

    def to_json(self) -> dict[str, Any]:
        """Returns it as plain data, with all figures, without actions and logs."""
        from arena.tournaments import ranking

        figures = ranking.of(self)
        return {
            "out": str(self.folder),
            "config": self.config.model_dump(),
            "agents": [asdict(agent) for agent in self.entered],
            "standings": standings.rows(figures),
            "ranking": standings.plain(figures),
            "outcome": self.outcome.to_json(),
            "matches": [played.to_json() | {"env": self._label(played)} for played in self.matches],
            "forfeits": self.told_forfeits(),
            "not_entered": [asdict(entry) for entry in self.not_entered],
            "not_filmed": [asdict(entry) for entry in self.not_filmed],
            "warnings": [*self.warnings, *figures.warnings],
            "is_finished": self.is_finished,
            **self.meta,
        }

    def returns(self) -> dict[tuple[str, str], list[float]]:
        """Returns the returns of a league's games in order, by agent and environment's label."""
        returns: dict[tuple[str, str], list[float]] = {}
        for played in self.matches:
            if not played.match.is_pair and played.games:
                place = played.match.players[0], self._label(played)
                returns.setdefault(place, []).extend(game.returns[0] for game in played.games)
        return returns

    def protocols(self) -> dict[str, str]:
        """Returns the protocol of each environment, in words."""
        config, rows = self.config, {}
        games = f"episodes {config.episodes}" if config.is_league else f"pairs {config.pairs} a meeting"
        for played in self.matches:
            for name in played.match.players:
                protocol, env = dict(played.protocol), self._label(played)
                if isinstance(modes := protocol.get("mode"), dict):
                    protocol["mode"] = modes[name]
                rows[name, env] = {"agent": name, "env": env, "protocol": protocol, "games": games}
        return standings.protocols(list(rows.values()))

    def _label(self, played: PlayedMatch) -> str:
        return self.config.envs[played.match.env].label


def load(folder: Path) -> Result:
    """Returns what the tournament in `folder` has come to; it may be played meanwhile.

    Raises:
      ArenaError: there is no tournament.
      DamagedFile: its store is damaged.
    """
    with Store(folder, read_only=True) as store:
        config = config_in(store)
        entries = store.entries()
        left_out = {(entry.agent, entry.env) for entry in entries if entry.reason}
        entered, matches = store.entered(), store.played()
        not_entered = [NotEntered(e.agent, config.envs[e.env].label, e.reason) for e in entries if e.reason]
        meta = store.get("meta") | store.get("clock")
        not_filmed, warnings = store.get("not_filmed") or [], store.get("warnings") or []
    outcome = Schedule(config, entered, left_out).outcome({played.match.id: played for played in matches})
    return Result(
        folder=folder,
        config=config,
        entered=entered,
        matches=matches,
        outcome=outcome,
        not_entered=not_entered,
        not_filmed=[NotEntered(**entry) for entry in not_filmed],
        meta=meta,
        warnings=warnings,
        is_finished=bool(entered) and outcome.is_complete,
    )


def config_in(store: Store) -> TournamentConfig:
    """Returns the tournament that a store is of. Raises DamagedFile where it is none."""
    try:
        content = tomllib.loads(store.get("config"))
        return TournamentConfig.model_validate(content, by_alias=True, by_name=False)
    except (TypeError, tomllib.TOMLDecodeError, pydantic.ValidationError) as error:
        raise DamagedFile(f"{store.path} is damaged: its configuration cannot be read ({error})") from error
