"""Measures, in a second or two, how fast an agent plays in an environment and how long its games are."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

import envs
from arena.agent import Player
from arena.loop import run
from arena.seats import Seats
from arena.seeding import Stream, episode_seed
from arena.tournaments.cast import build
from arena.tournaments.records import Match
from arena.tournaments.task import Contestant, Stand

_PROBE_S = 0.5  # for each of the two numbers of rows
_PATIENCE_S = 3.0  # until the first game has ended
_NUM_ROWS = 16  # side by side, where a step of one row is fast
_SLOW_S = 0.05  # a first step, with its reset, after which more rows are not tried

Place = tuple[str, int]  # an agent's name, an environment's index


class Pace(NamedTuple):
    """How fast an agent plays.

    Attributes:
      step_s: seconds of one environment step; in a game, of one ply.
      game_steps: of a game; where none ended, the environment's cap.
      has_ended: whether a game ended.
    """

    step_s: float
    game_steps: float
    has_ended: bool = True


def measure(contestant: Contestant, stand: Stand, seed: int) -> Pace:
    """Returns the pace of a player that may share this process; in a game it plays itself.

    Raises DoesNotFit where it does not fit the environment, Forfeited or BrokenPlugin where its code fails.
    """
    steps, games, cap, step_s = 0, 0, 0, 0.0
    for num_rows in (1, _NUM_ROWS):
        rows = envs.make(
            stand.env_id, num_rows, preprocess=stand.preprocess or contestant.preprocess, settings=stand.settings
        )
        try:
            cap, num_seats = rows.spec.max_episode_steps, rows.spec.num_seats
            player = _seated([build(contestant, rows.spec, seed) for _ in range(num_seats)])
            begin, first_s, elapsed_s, last = time.perf_counter(), 0.0, 0.0, 0
            for event in run(rows, player, lambda game: episode_seed(seed, Stream.CHECK, game)):
                elapsed_s = time.perf_counter() - begin
                first_s, last = first_s or elapsed_s, event.step
                games += len(event.finished)
                if elapsed_s > (_PROBE_S if games else _PATIENCE_S):
                    break
            steps, step_s = steps + last, elapsed_s / last
        finally:
            rows.close()
        if first_s > _SLOW_S or not games:
            break
    return Pace(step_s, steps / games if games else float(cap), games > 0)


def estimate(
    matches: Sequence[Match], num_matches: int, paces: Mapping[Place, Pace], caps: Sequence[int], jobs: int
) -> float | None:
    """Returns the seconds that `num_matches` take, of which `matches` are the first; None where nothing was measured.

    Agents without a pace are taken to be as quick as the others in their environment, or else in all of them;
    matches that are not drawn yet, to be like those that are.
    """
    if not paces or not matches:
        return None
    usual_s = float(np.mean([pace.step_s for pace in paces.values()]))
    means = []
    for env, cap in enumerate(caps):
        here = [pace for (_, where), pace in paces.items() if where == env] or [Pace(usual_s, float(cap))]
        means.append(_mean(here))
    times = []
    for match in matches:
        pace = _mean([paces.get((name, match.env), means[match.env]) for name in match.players])
        times.append(len(match.seeds) * pace.step_s * pace.game_steps)
    return max(max(times), sum(times) / len(times) * num_matches / jobs)


def _mean(paces: Sequence[Pace]) -> Pace:
    step_s, game_steps, has_ended = np.mean(paces, axis=0).tolist()
    return Pace(step_s, game_steps, has_ended == 1.0)


def _seated(players: list[Player]) -> Player:
    if len(players) == 1:
        return players[0]
    seats = tuple(range(len(players)))
    return Seats(players, lambda game: seats)
