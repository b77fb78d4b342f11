"""Plays matches: the agents of this project in the rows of one environment, strangers' in a process of their own.

Every game is a function of its seed and its players, so it does not matter which matches share the rows.
"""

from __future__ import annotations

import contextlib
import functools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import envs
from arena.agent import Player, Spec
from arena.errors import BrokenPlugin
from arena.gamelog import GameLog
from arena.isolation.forfeited import Forfeited
from arena.loop import Episode, Event, observation_digest, run
from arena.nests import row_of
from arena.tournaments.cast import Cast, Clock, DoesNotFitHere, build, isolated
from arena.tournaments.records import Forfeit, Match, PlayedGame, PlayedMatch
from arena.tournaments.task import SEATINGS, Contestant, Task, Unfit
from envs.rows import Rows


class Stage:
    """Plays tasks one after the other; keeps the environment and the pooled players of the last one for the next."""

    def __init__(self) -> None:
        self._rows: tuple[str, Rows] | None = None
        self._players: dict[str, tuple[Player, Clock]] = {}

    def play(self, task: Task) -> Iterator[PlayedMatch | Unfit]:
        """Yields the matches of a task as they get done, or who does not fit, after which the task is over.

        Raises:
          ArenaError: the environment failed.
        """
        together = all(contestant.is_pooled for contestant in task.contestants)
        try:
            yield from self._play_together(task) if together else self._play_alone(task, task.matches)
        except DoesNotFitHere as error:
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
                    with isolated(task, contestant, spec):
                        pass
            except DoesNotFitHere as error:
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
            cast = Cast(task, env.spec, functools.partial(self._pooled, task, spec=env.spec))
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

    def _pooled(self, task: Task, contestant: Contestant, spec: Spec) -> tuple[Player, Clock]:
        about = [contestant.name, contestant.ref, contestant.mode, dict(contestant.settings), task.seed]
        key = json.dumps(about, sort_keys=True)
        if key not in self._players:
            player = build(contestant, spec, task.seed)
            self._players[key] = player, Clock(player)
        return self._players[key]


class _Tape:
    """What happened in one game, played in one row, as far as it got."""

    def __init__(self, spec: Spec) -> None:
        self._space, self._num_seats = spec.action_space, spec.num_seats
        self._actions: list[np.ndarray] = []
        self._returns = np.zeros(spec.num_seats)
        self._obs: Any = None
        self.finished: Episode | None = None

    def add(self, event: Event) -> None:
        self._actions.append(event.transition.action[0].copy())
        self._returns += event.transition.reward[0]
        if event.finished:
            (self.finished,) = event.finished
        self._obs = row_of(event.transition.obs, 0)

    @property
    def digest(self) -> str:
        return "" if self._obs is None else observation_digest(self._obs)

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


def _seated(players: list[Player], number_of: Callable[[int], int]) -> Player:
    """Returns one player that is all of them; `number_of` gives an episode's number in its match."""
    if len(players) == 1:
        return players[0]
    from arena.seats import Seats

    return Seats(players, lambda episode: SEATINGS[number_of(episode)])


def _play_game(task: Task, env: Rows, players: list[Player], number: int, seed: int, tape: _Tape) -> PlayedGame:
    """Plays one game in one row, and onto a tape, which has it as far as it got whatever happens."""
    for event in run(env, _seated(players, lambda _: number), lambda _: seed, num_episodes=1):
        tape.add(event)
    return _played(task, number, tape.episode, tape.actions, tape.digest)


def _played(task: Task, number: int, episode: Episode, actions: np.ndarray, digest: str) -> PlayedGame:
    names, scores = task.names(number), tuple[float, ...]()
    if len(names) == 2:
        first, second = episode.returns
        won = 0.5 * (1 + (first > second) - (first < second))
        scores = (won, 1.0 - won)
    return PlayedGame(names, episode.seed, episode.returns, scores, episode.length, episode.truncated, actions, digest)


def _lost(task: Task, number: int, seed: int, loser: str, tape: _Tape) -> PlayedGame:
    names = task.names(number)
    scores = tuple(float(name != loser) for name in names)
    return PlayedGame(names, seed, tape.returns, scores, len(tape.actions), False, tape.actions, tape.digest)


def _protocol(task: Task, env: Rows, players: Sequence[Player]) -> dict[str, Any]:
    modes = [str(player.mode) if player.mode else "own" for player in players]
    if len(modes) == len(task.contestants) == 2:
        mode: Any = {contestant.name: m for contestant, m in zip(task.contestants, modes, strict=True)}
    else:
        mode = modes[0] if modes else "own"
    return {**env.spec.protocol, "mode": mode, "seed": task.seed}
