"""Plays matches: the agents of this project in the rows of one environment, strangers' in a process of their own.

Every game is a function of its seed and its players, so it does not matter which matches share the rows.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import envs
from arena import registry
from arena.agent import Mode, Player, Spec
from arena.errors import BrokenPlugin, DoesNotFit
from arena.gamelog import GameLog
from arena.isolation.forfeited import Forfeited
from arena.isolation.limits import Limits
from arena.loop import Episode, Event, observation_digest, run
from arena.nests import row_of
from arena.seeding import derived_seed
from arena.tournaments.records import Forfeit, ForfeitType, Match, PlayedGame, PlayedMatch
from envs.rows import Rows

_DEFAULT_LIMITS = Limits()
_SEATINGS = ((0, 1), (1, 0))  # the players of a pair by seat, in its first and its second game


@dataclass(frozen=True)
class Contestant:
    """What plays for an agent in an environment.

    Attributes:
      name: the agent's.
      ref: what plays there.
      is_pooled: False for what gets a process of its own.
      preprocess: what it was trained with; None where that is open.
      mode, settings: how it is to play; its own where they are left out.
      trust: whether its file may hold code.
    """

    name: str
    ref: str
    is_pooled: bool = True
    preprocess: str | None = None
    mode: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    trust: bool = False


@dataclass(frozen=True)
class Stand:
    """Where matches are played: an environment, as envs.make takes it."""

    env_id: str
    preprocess: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """Matches of the same players in one environment, played in one go.

    Attributes:
      contestants: in the order of the matches' players.
      seed: the tournament's root.
      num_rows: how many games side by side.
      hidden: paths that isolated agents must not reach.
    """

    matches: tuple[Match, ...]
    stand: Stand
    contestants: tuple[Contestant, ...]
    seed: int
    num_rows: int = 1
    limits: Limits = _DEFAULT_LIMITS
    hidden: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Unfit:
    """An agent that turned out not to fit an environment."""

    agent: str
    reason: str


class Stage:
    """Plays tasks one after the other; keeps the environment and the pooled players of the last one for the next."""

    def __init__(self) -> None:
        self._rows: tuple[str, Rows] | None = None
        self._players: dict[str, tuple[Player, _Clock]] = {}

    def play(self, task: Task) -> Iterator[PlayedMatch | Unfit]:
        """Yields the matches of a task as they get done, or who does not fit, after which the task is over.

        Raises:
          ArenaError: the environment failed.
        """
        together = all(contestant.is_pooled for contestant in task.contestants)
        try:
            yield from self._play_together(task) if together else self._play_alone(task, task.matches)
        except _DoesNotFit as error:
            yield Unfit(error.agent, str(error))
        except BaseException:
            self.close()  # whatever state it is in
            raise

    def unfit(self, task: Task) -> Iterator[Unfit]:
        """Yields whichever of a task's contestants do not fit its environment; plays nothing."""
        for contestant in task.contestants:
            try:
                spec = self._env(task, 1).spec
                if contestant.is_pooled:
                    self._pooled(task, contestant, spec)
                else:
                    with _isolated(task, contestant, spec):
                        pass
            except _DoesNotFit as error:
                yield Unfit(error.agent, str(error))
            except Forfeited:  # so it will in its matches
                pass

    def close(self) -> None:
        """Frees the environment."""
        if self._rows is not None:
            self._rows[1].close()
        self._rows = None
        self._players.clear()

    def _play_together(self, task: Task) -> Iterator[PlayedMatch | Unfit]:
        """Yields the matches as their last games end; if an agent fails, what is missing is played game by game."""
        games: list[dict[int, PlayedGame]] = [{} for _ in task.matches]
        missing = dict(enumerate(task.matches))
        owners = [(k, number) for k, match in enumerate(task.matches) for number in range(len(match.seeds))]
        seeds = [seed for match in task.matches for seed in match.seeds]
        begin = time.perf_counter()
        try:
            env = self._env(task, min(task.num_rows, len(seeds)))
            cast = [self._pooled(task, contestant, env.spec) for contestant in task.contestants]
            for _, clock in cast:
                clock.seconds = 0.0
            log = GameLog("", env.spec.env_id)
            player = _seated([player for player, _ in cast], lambda episode: owners[episode][1])
            for event in run(env, player, seeds.__getitem__, num_episodes=len(seeds)):
                for game, episode in zip(log.add(event), event.finished, strict=True):
                    k, number = owners[episode.number]
                    games[k][number] = _played(task, number, episode, game.actions, game.digest)
                    if len(games[k]) == len(task.matches[k].seeds):
                        match = missing.pop(k)
                        in_order = tuple(games[k][number] for number in range(len(match.seeds)))
                        share = sum(game.length for game in in_order) / event.step
                        times = {"wall_s": (time.perf_counter() - begin) * share}
                        times |= {c.name: x.seconds * share for c, (_, x) in zip(task.contestants, cast, strict=True)}
                        yield PlayedMatch(match, in_order, (), _protocol(task, env, [p for p, _ in cast]), times)
        except (BrokenPlugin, Forfeited) as error:
            if isinstance(error, BrokenPlugin) and error.player is None:
                raise
            self._players.clear()
            yield from self._play_alone(task, tuple(missing.values()))

    def _play_alone(self, task: Task, matches: Sequence[Match]) -> Iterator[PlayedMatch]:
        """Yields matches that are played game by game; isolated agents have a fresh process in each."""
        for match in matches:
            begin = time.perf_counter()
            env = self._env(task, 1)
            cast = _Cast(self, task, env.spec)
            games: list[PlayedGame] = []
            forfeits: list[Forfeit] = []
            protocol: dict[str, Any] = {}
            with contextlib.closing(cast):
                for number, seed in enumerate(match.seeds):
                    tape = _Tape(env.spec)
                    try:
                        players = cast.players()
                        protocol = _protocol(task, env, players)
                        games.append(_play_game(task, env, players, number, seed, tape))
                    except (BrokenPlugin, Forfeited) as error:
                        forfeit = cast.forfeit(error, match, number)
                        forfeits.append(forfeit)
                        cast.close()
                        if not match.is_pair:
                            break
                        games.append(_lost(task, number, seed, forfeit.agent, tape))
            protocol = protocol or _protocol(task, env, [])
            times = {"wall_s": time.perf_counter() - begin, **cast.seconds}
            yield PlayedMatch(match, tuple(games), tuple(forfeits), protocol, times)

    def _env(self, task: Task, num_rows: int) -> Rows:
        stand = task.stand
        trained = (contestant.preprocess for contestant in task.contestants if contestant.preprocess)
        preprocess = stand.preprocess or next(trained, None)
        key = json.dumps([stand.env_id, preprocess, dict(stand.settings), num_rows], sort_keys=True)
        if self._rows is None or self._rows[0] != key:
            self.close()
            self._rows = key, envs.make(stand.env_id, num_rows, preprocess=preprocess, settings=stand.settings)
        return self._rows[1]

    def _pooled(self, task: Task, contestant: Contestant, spec: Spec) -> tuple[Player, _Clock]:
        about = [contestant.name, contestant.ref, contestant.mode, dict(contestant.settings), task.seed]
        key = json.dumps(about, sort_keys=True)
        if key not in self._players:
            player = build(contestant, spec, task.seed)
            self._players[key] = player, _Clock(player)
        return self._players[key]


class _Cast:
    """The players of one match that is played game by game; close() ends the processes of those that have one."""

    def __init__(self, stage: Stage, task: Task, spec: Spec) -> None:
        self._stage, self._task, self._spec = stage, task, spec
        self._processes = contextlib.ExitStack()
        self._players: list[Player] = []
        self.seconds: dict[str, float] = {contestant.name: 0.0 for contestant in task.contestants}
        self._clocks: list[tuple[str, _Clock]] = []

    def players(self) -> list[Player]:
        """Returns the players, begun if need be. Raises Forfeited where one cannot begin."""
        if not self._players:
            for contestant in self._task.contestants:
                if contestant.is_pooled:
                    player, clock = self._stage._pooled(self._task, contestant, self._spec)
                    clock.seconds = 0.0
                else:
                    player = self._processes.enter_context(_isolated(self._task, contestant, self._spec))
                    clock = _Clock(player)
                self._clocks.append((contestant.name, clock))
                self._players.append(player)
        return self._players

    def forfeit(self, error: BrokenPlugin | Forfeited, match: Match, number: int) -> Forfeit:
        """Returns whose fault an error is. Raises it where it is nobody's: the environment failed."""
        if isinstance(error, Forfeited):
            return Forfeit(match.id, number, error.agent, error.type, error.reason, error.log)
        for contestant, player in zip(self._task.contestants, self._players, strict=False):
            if player is error.player:
                return Forfeit(match.id, number, contestant.name, ForfeitType.CRASH, str(error))
        raise error

    def close(self) -> None:
        for name, clock in self._clocks:
            self.seconds[name] += clock.seconds
        self._clocks.clear()
        self._players = []
        self._processes.close()


class _Clock:
    """Adds up the seconds that a player's act() takes."""

    def __init__(self, player: Player) -> None:
        self.seconds = 0.0
        act = player.act

        def timed(obs: Any, state: Any) -> Any:
            begin = time.perf_counter()
            try:
                return act(obs, state)
            finally:
                self.seconds += time.perf_counter() - begin

        player.act = timed  # type: ignore[method-assign]  # not a wrapper: errors name the player itself


class _Tape:
    """What happened in one game, played in one row, as far as it got."""

    def __init__(self, spec: Spec) -> None:
        self._space, self._num_seats = spec.action_space, spec.num_seats
        self._actions: list[np.ndarray] = []
        self._returns = np.zeros(spec.num_seats)
        self.digest = ""
        self.finished: Episode | None = None

    def add(self, event: Event) -> None:
        self._actions.append(event.transition.action[0].copy())
        self._returns += event.transition.reward[0]
        if event.finished:
            (self.finished,) = event.finished
        self.digest = observation_digest(row_of(event.transition.obs, 0))

    @property
    def actions(self) -> np.ndarray:
        shape = (0, *(self._space.shape or ()))
        return np.stack(self._actions) if self._actions else np.zeros(shape, self._space.dtype)

    @property
    def returns(self) -> tuple[float, ...]:
        return tuple(self._returns.tolist())

    @property
    def episode(self) -> Episode:
        assert self.finished is not None
        return self.finished


class _DoesNotFit(DoesNotFit):
    def __init__(self, agent: str, reason: str) -> None:
        super().__init__(reason)
        self.agent = agent


def build(contestant: Contestant, spec: Spec, root: int) -> Player:
    """Returns a player that may share this process; `root` is the tournament's seed.

    Raises Forfeited where its code fails, DoesNotFit where it does not fit.
    """
    try:
        mode = Mode.parse(contestant.mode) if contestant.mode else None
        seed = derived_seed(root, "player")
        return registry.resolve(contestant.ref).player(spec, seed=seed, mode=mode, settings=contestant.settings)
    except DoesNotFit as error:
        raise _DoesNotFit(contestant.name, str(error)) from error
    except BrokenPlugin as error:
        kind = ForfeitType.FAILED_IMPORT if "cannot be imported" in str(error) else ForfeitType.CRASH
        raise Forfeited(contestant.name, kind, str(error)) from error


@contextlib.contextmanager
def _isolated(task: Task, contestant: Contestant, spec: Spec) -> Iterator[Player]:
    from arena.isolation.player import IsolatedPlayer

    mode = Mode.parse(contestant.mode) if contestant.mode else None
    seed = derived_seed(task.seed, "player")
    try:
        process = IsolatedPlayer(
            contestant.name,
            contestant.ref,
            spec,
            seed=seed,
            settings=contestant.settings,
            mode=mode,
            limits=task.limits,
            hidden=task.hidden,
        )
        player = process.__enter__()
    except DoesNotFit as error:
        raise _DoesNotFit(contestant.name, str(error)) from error
    try:
        yield player
    finally:
        process.__exit__(None, None, None)


def _seated(players: list[Player], number_of: Callable[[int], int]) -> Player:
    """Returns one player that is all of them; `number_of` gives an episode's number in its match."""
    if len(players) == 1:
        return players[0]
    from arena.seats import Seats

    return Seats(players, lambda episode: _SEATINGS[number_of(episode)])


def _play_game(task: Task, env: Rows, players: list[Player], number: int, seed: int, tape: _Tape) -> PlayedGame:
    """Plays one game in one row, and onto a tape, which has it as far as it got whatever happens."""
    for event in run(env, _seated(players, lambda _: number), lambda _: seed, num_episodes=1):
        tape.add(event)
    return _played(task, number, tape.episode, tape.actions, tape.digest)


def _names(task: Task, number: int) -> tuple[str, ...]:
    """Returns the players of a match's game by seat."""
    names = [contestant.name for contestant in task.contestants]
    return tuple(names if len(names) == 1 else (names[index] for index in _SEATINGS[number]))


def _played(task: Task, number: int, episode: Episode, actions: np.ndarray, digest: str) -> PlayedGame:
    names, scores = _names(task, number), tuple[float, ...]()
    if len(names) == 2:
        first, second = episode.returns
        won = 0.5 * (1 + (first > second) - (first < second))
        scores = (won, 1.0 - won)
    return PlayedGame(names, episode.seed, episode.returns, scores, episode.length, episode.truncated, actions, digest)


def _lost(task: Task, number: int, seed: int, loser: str, tape: _Tape) -> PlayedGame:
    names = _names(task, number)
    scores = tuple(float(name != loser) for name in names)
    return PlayedGame(names, seed, tape.returns, scores, len(tape.actions), False, tape.actions, tape.digest)


def _protocol(task: Task, env: Rows, players: Sequence[Player]) -> dict[str, Any]:
    modes = [str(player.mode) if player.mode else "own" for player in players]
    if len(modes) == len(task.contestants) == 2:
        mode: Any = {contestant.name: m for contestant, m in zip(task.contestants, modes, strict=True)}
    else:
        mode = modes[0] if modes else "own"
    return {**env.spec.protocol, "mode": mode, "seed": task.seed}
