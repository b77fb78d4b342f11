"""TensorBoard of a tournament: every agent's standing as it moves, over the number of committed matches."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from arena.files import slug
from arena.tournaments.records import PlayedMatch
from arena.tournaments.tally import Tally

if TYPE_CHECKING:
    from arena.monitor import Monitor

_PERIOD_S = 2.0  # between two fits of the ratings
_MAX_SHARE = 0.01  # of the time, that goes into them


class Telemetry:
    """Writes an agent's mean return in an environment after each of its matches; in games, all ratings now and then.

    Every agent has a folder of its own in `folder`, so that the board shows them side by side.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._monitors: dict[str, Monitor] = {}
        self._due_s = 0.0

    def add(self, played: PlayedMatch, tally: Tally) -> None:
        """Takes in a match that has been committed, and the standings with it."""
        if not played.match.is_pair:
            (agent,), env = played.match.players, played.match.env
            if score := tally.returns.get((agent, env)):
                label = tally.config.envs[env].label
                self._monitor(agent).scalars({f"mean return/{label}": score.mean}, tally.matches)
        elif time.monotonic() >= self._due_s:
            begin = time.monotonic()
            self.write_ratings(tally)
            end = time.monotonic()
            self._due_s = end + max(_PERIOD_S, (end - begin) / _MAX_SHARE)

    def write_ratings(self, tally: Tally) -> None:
        """Writes the ratings of games of two, and the shares of the points."""
        for agent, rating in tally.ratings().items():
            values = {"rating in Elo": rating, "share of the points": tally.points[agent].mean}
            self._monitor(agent).scalars(values, tally.matches)

    def close(self) -> None:
        """Closes all files."""
        for monitor in self._monitors.values():
            monitor.close()

    def _monitor(self, agent: str) -> Monitor:
        from arena.monitor import Monitor  # a third of a second, when the first match is over

        if agent not in self._monitors:
            self._monitors[agent] = Monitor(self._folder / slug(agent))
        return self._monitors[agent]
