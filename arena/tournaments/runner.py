"""Plays the schedule less what is committed: longest matches first, every finished match in the store at once."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from arena.errors import ArenaError
from arena.tournaments.file import TournamentConfig
from arena.tournaments.hooks import Hooks, Progress
from arena.tournaments.pool import Done, Item, Pool
from arena.tournaments.records import Entered, Match, PlayedMatch
from arena.tournaments.schedule import Schedule
from arena.tournaments.store import Store
from arena.tournaments.tally import Tally
from arena.tournaments.task import Contestant, Stand, Task, Unfit

#: How often a match is begun before a fault that is no agent's ends the tournament.
MAX_TRIES = 3
_MAX_GAMES = 64  # of a task: as many as are fast together, and as may be lost with a worker
_MAX_ROWS = 32  # where a call costs more than a row
_ATARI_ROWS = 8  # where a row costs more: fewer of them idle while the last games end
_STEP_S = 1e-4  # a step's time, until some were seen
_MAX_SHARE = 0.05  # of the time, that goes into asking whether matches can stop

Group = tuple[int, tuple[str, ...]]  # an environment and who plays in it


@dataclass(frozen=True)
class Lineup:
    """Who is there, and where they play.

    Attributes:
      entered: the agents.
      contestants: what plays for an agent, by name, in an environment, by index; missing where it is not entered.
      stands: the environments.
      caps: the most steps of a game in each.
      left_out: agents, by name, and environments, by index, that do not fit.
    """

    config: TournamentConfig
    folder: Path
    entered: Sequence[Entered]
    contestants: Mapping[tuple[str, int], Contestant]
    stands: Sequence[Stand]
    caps: Sequence[int]
    left_out: set[tuple[str, int]] = field(default_factory=set)

    def has(self, match: Match) -> bool:
        """True where all of a match's players fit its environment."""
        return not any((name, match.env) in self.left_out for name in match.players)

    def task(self, matches: Sequence[Match], num_rows: int | None = None) -> Task:
        """Returns a task of matches that have players and environment in common."""
        env, names = matches[0].env, matches[0].players
        contestants = tuple(self.contestants[name, env] for name in names)
        limits = self.config.limits
        rows = num_rows or (_ATARI_ROWS if self.stands[env].env_id.startswith("ALE/") else _MAX_ROWS)
        return Task(tuple(matches), self.stands[env], contestants, self.config.seed, rows, limits, (self.folder,))


class Runner:
    """Plays a tournament's matches in a pool, into a store.

    Args:
      tally: the standings, to which every match is added.
      num_rows: how many games side by side; None for what is fast.

    Attributes:
      playing_s: the time spent in matches, over all workers.
    """

    def __init__(
        self,
        lineup: Lineup,
        store: Store,
        pool: Pool[Task],
        hooks: Hooks,
        tally: Tally,
        *,
        num_rows: int | None = None,
    ) -> None:
        self.playing_s = 0.0
        self._lineup, self._store, self._pool, self._hooks = lineup, store, pool, hooks
        self._tally, self._num_rows = tally, num_rows
        self._schedule = Schedule(lineup.config, lineup.entered, lineup.left_out)
        self._played = Played(store)
        self._queue: dict[Group, list[Match]] = {}
        self._in_hand: dict[str, int] = {}  # id -> how often it was begun
        self._tries: dict[str, int] = defaultdict(int)
        self._pace = _Pace(lineup.caps)
        self._total = 0
        self._may_stop = lineup.config.stop == "sprt"
        self._asked_s = self._asking_s = 0.0

    def run(self) -> None:
        """Plays until nothing is due.

        Raises:
          ArenaError: a match failed again and again and no agent is to blame, or the store cannot be written.
        """
        self._ask()
        while self._queue or self._pool.is_busy:
            while self._queue and self._pool.is_free:
                self._begin()
            for told in self._pool.next():
                self._take_in(told)
            if not (self._queue or self._pool.is_busy) or (self._may_stop and self._is_time()):
                self._ask()

    def _ask(self) -> None:
        """Asks the schedule what is due, and queues what is neither played nor being played."""
        begin = time.perf_counter()
        due = self._schedule.due(self._played)
        self._total = len(due)
        self._queue = {}
        for match in due:
            if match.id not in self._played and match.id not in self._in_hand:
                self._queue.setdefault((match.env, match.players), []).append(match)
        if self._queue:
            self._store.plan(due)
        self._asked_s = time.perf_counter()
        self._asking_s = self._asked_s - begin

    def _is_time(self) -> bool:
        return time.perf_counter() - self._asked_s > self._asking_s / _MAX_SHARE

    def _begin(self) -> None:
        """Gives a worker the longest matches that wait: a few of the same players, where they may share the rows."""
        group = max(self._queue, key=self._pace.match_s)
        waiting = self._queue[group]
        share = -(-len(waiting) // self._pool.jobs)
        task = self._lineup.task(waiting[:1], self._num_rows)
        is_pooled = all(contestant.is_pooled for contestant in task.contestants)
        number = max(1, min(share, _MAX_GAMES // len(waiting[0].seeds))) if is_pooled else 1
        task = self._lineup.task(waiting[:number], self._num_rows)
        self._queue[group] = waiting[number:]
        if not self._queue[group]:
            del self._queue[group]
        for match in task.matches:
            self._in_hand[match.id] = self._tries[match.id] = self._tries[match.id] + 1
        self._pool.begin("play", task)

    def _take_in(self, told: Item[Task] | Done[Task]) -> None:
        if isinstance(told, Done):
            self._end(told)
        elif isinstance(told.value, Unfit):
            self._leave_out(told.task.matches[0].env, told.value)
        else:
            self._commit(told.value)

    def _commit(self, played: PlayedMatch) -> None:
        match = played.match
        self._store.commit(played, self._in_hand.pop(match.id))
        self._tries.pop(match.id)
        self._played.add(match.id)
        self._pace.add(played)
        self._tally.add(played)
        self._hooks.on_played(played, self._tally)
        text = f"{' - '.join(match.players)} on {self._lineup.config.envs[match.env].label}"
        self._hooks.on_progress(Progress("play", len(self._played), self._total, text))

    def _leave_out(self, env: int, unfit: Unfit) -> None:
        label = self._lineup.config.envs[env].label
        if self._lineup.config.format in ("knockout", "swiss"):
            raise ArenaError(f"{unfit.agent} does not fit {label}: {unfit.reason}; begin again without it")
        self._lineup.left_out.add((unfit.agent, env))
        self._store.leave_out(unfit.agent, env, unfit.reason)
        self._schedule = Schedule(self._lineup.config, self._lineup.entered, self._lineup.left_out)
        self._queue = {group: left for group, left in self._queue.items() if self._lineup.has(left[0])}
        self._hooks.warn(f"{unfit.agent} is not entered on {label}: {unfit.reason}")

    def _end(self, done: Done[Task]) -> None:
        """Queues again what a task left unplayed."""
        self.playing_s += done.seconds
        for match in done.task.matches:
            tries = self._in_hand.pop(match.id, 0)
            if not tries or not self._lineup.has(match):
                continue
            if tries >= MAX_TRIES:
                who, where = " - ".join(match.players), self._lineup.config.envs[match.env].label
                raise ArenaError(f"{who} on {where}: begun {tries} times, and always: {done.error}") from done.error
            self._queue.setdefault((match.env, match.players), []).append(match)


class Played(Mapping[str, PlayedMatch]):
    """The committed matches by id, each read from the store when it is asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._ids = store.ids()
        self._read: dict[str, PlayedMatch] = {}

    def add(self, match_id: str) -> None:
        """Takes in that a match has been committed."""
        self._ids.add(match_id)

    def __getitem__(self, match_id: str) -> PlayedMatch:
        if match_id not in self._ids:
            raise KeyError(match_id)
        if match_id not in self._read:
            (self._read[match_id],) = self._store.played(match_id)
        return self._read[match_id]

    def __contains__(self, match_id: object) -> bool:
        return match_id in self._ids

    def __iter__(self) -> Iterator[str]:
        return iter(self._ids)

    def __len__(self) -> int:
        return len(self._ids)


class _Pace:
    """Estimates how long matches take: by what the same players took, or else by the environment's step cap."""

    def __init__(self, caps: Sequence[int]) -> None:
        self._caps = caps
        self._sums: dict[Group, tuple[float, int]] = {}
        self._steps: dict[int, tuple[float, int]] = {}

    def add(self, played: PlayedMatch) -> None:
        seconds, group = played.times["wall_s"], (played.match.env, played.match.players)
        steps = sum(game.length for game in played.games)
        total_s, number = self._sums.get(group, (0.0, 0))
        self._sums[group] = total_s + seconds, number + 1
        total_s, number = self._steps.get(group[0], (0.0, 0))
        self._steps[group[0]] = total_s + seconds, number + steps

    def match_s(self, group: Group) -> float:
        """Returns the seconds that a match of the group may take."""
        if group in self._sums:
            seconds, number = self._sums[group]
            return seconds / number
        seconds, steps = self._steps.get(group[0], (0.0, 0))
        return self._caps[group[0]] * (seconds / steps if steps else _STEP_S)
