"""What a tournament would play, and about how long that would take. Nothing is written, and no stranger's code runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.errors import BrokenPlugin, DoesNotFit
from arena.isolation.forfeited import Forfeited
from arena.tournaments import knockout
from arena.tournaments.checking import Checked
from arena.tournaments.entering import NothingToPlay
from arena.tournaments.file import TournamentConfig
from arena.tournaments.outcome import Outcome
from arena.tournaments.pace import Pace, Place, estimate, measure
from arena.tournaments.records import Entered
from arena.tournaments.schedule import Schedule
from arena.tournaments.task import Contestant


@dataclass(frozen=True)
class DryRun:
    """What a tournament would play.

    Attributes:
      drawn: the matches that are known beforehand, and the first meetings and byes.
      num_matches: the least and the most that there will be.
      isolated: names of the agents that play in processes of their own.
      paces: of agents, by name, in environments, by index, as measured here.
      not_measured, left_out: the same of the others, with the reason.
      jobs: matches played at once.
      seconds: an estimate of the time for the most matches, without training; None where nothing was measured.
    """

    config: TournamentConfig
    drawn: Outcome
    num_matches: tuple[int, int]
    isolated: Sequence[str]
    paces: Mapping[Place, Pace]
    not_measured: Mapping[Place, str]
    left_out: Mapping[Place, str]
    jobs: int
    seconds: float | None

    @property
    def num_games(self) -> tuple[int, int]:
        """The least and the most games."""
        if self.config.is_league:
            number = sum(len(match.seeds) for match in self.drawn.matches)
            return number, number
        return 2 * self.num_matches[0], 2 * self.num_matches[1]

    @property
    def training_steps(self) -> int:
        """The environment steps that learners train before the first match."""
        return len(self.config.envs) * sum(entrant.train for entrant in self.config.agents)

    def to_json(self) -> dict[str, Any]:
        """Returns it as plain data."""
        return {
            "config": self.config.model_dump(),
            "num_matches": list(self.num_matches),
            "num_games": list(self.num_games),
            "matches": [
                {
                    "id": match.id,
                    "round": match.round,
                    "env": self.config.envs[match.env].label,
                    "players": list(match.players),
                    "first_game": match.first_game,
                    "seeds": list(match.seeds),
                }
                for match in self.drawn.matches
            ],
            "isolated": list(self.isolated),
            "left_out": [self._at(place) | {"reason": reason} for place, reason in self.left_out.items()],
            "estimate": {
                "seconds": self.seconds,
                "jobs": self.jobs,
                "training_steps": self.training_steps,
                "measured": [self._at(place) | pace._asdict() for place, pace in self.paces.items()],
                "not_measured": [self._at(place) | {"reason": reason} for place, reason in self.not_measured.items()],
            },
        }

    def _at(self, place: Place) -> dict[str, Any]:
        return {"agent": place[0], "env": self.config.envs[place[1]].label}


def dry_run(
    checked: Checked, *, jobs: int = 1, on_progress: Callable[[int, int, str], None] = lambda done, total, text: None
) -> DryRun:
    """Returns what a tournament would play; measures the pace of this project's own agents and policies.

    `on_progress` is called with how many of how many were measured, and what is measured next.

    Raises NothingToPlay where no agents fit that could meet.
    """
    config = checked.config
    paces, not_measured, left_out = _measure(checked, on_progress)
    entered = [
        Entered(entrant.name, source.ref, source.digest, source.is_ours, dict(entrant.settings))
        for entrant, source in zip(config.agents, checked.sources.values(), strict=True)
    ]
    if config.format in ("knockout", "swiss"):
        entered = [agent for agent in entered if (agent.name, 0) not in left_out]
    drawn = Schedule(config, entered, left_out).outcome({})
    if not drawn.matches:
        labels = [env.label for env in config.envs]
        raise NothingToPlay((name, labels[env], reason) for (name, env), reason in left_out.items())
    num_matches = _num_matches(config, len(entered), len(drawn.matches))
    workers = min(jobs, os.cpu_count() or 1)
    seconds = estimate(drawn.matches, num_matches[1], paces, checked.caps, workers)
    isolated = [agent.name for agent in entered if not agent.is_pooled]
    return DryRun(config, drawn, num_matches, isolated, paces, not_measured, left_out, jobs, seconds)


def _measure(
    checked: Checked, on_progress: Callable[[int, int, str], None]
) -> tuple[dict[Place, Pace], dict[Place, str], dict[Place, str]]:
    """Returns paces, and why others have none or do not play at all; what is entered twice is measured once."""
    paces: dict[Place, Pace] = {}
    not_measured: dict[Place, str] = {}
    left_out: dict[Place, str] = {}
    places = checked.places()
    known: dict[str, Pace] = {}
    for done, (entrant, env) in enumerate(places):
        place = entrant.name, env
        on_progress(done, len(places), f"{entrant.name} on {checked.config.envs[env].label}")
        if entrant.train or not checked.sources[entrant.name].is_ours:
            not_measured[place] = "trains first" if entrant.train else "runs in a process of its own"
            continue
        try:
            source = checked.source(entrant, env)
            contestant = Contestant(entrant.name, source.ref, True, source.preprocess, entrant.mode, entrant.settings)
            same = repr((source.ref, entrant.mode, entrant.settings, env))
            known[same] = paces[place] = known.get(same) or measure(
                contestant, checked.stands[env], checked.config.seed
            )
        except DoesNotFit as error:
            left_out[place] = str(error)
        except (BrokenPlugin, Forfeited) as error:
            not_measured[place] = str(error)
    return paces, not_measured, left_out


def _num_matches(config: TournamentConfig, num_agents: int, num_known: int) -> tuple[int, int]:
    """Returns the least and the most matches that there will be."""
    if config.format == "knockout":
        ties = knockout.num_ties(num_agents)
        return ties * config.pairs, ties * (config.pairs + config.tiebreak_pairs)
    if config.format == "swiss":
        number = config.num_rounds * (num_agents // 2) * config.pairs
        return number, number
    return num_known, config.pairs if config.sprt else num_known
