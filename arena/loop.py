"""The episode loop: the sole caller of env.step, for training, evaluation, recording and tournaments."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from arena.agent import Player, Transition
from arena.decisions import check_decision, check_legal
from arena.errors import ArenaError, BrokenPlugin
from arena.nests import assign_rows, blank, replaced, row_of
from arena.threads import use_one_blas_thread
from envs.rows import Rows


class Episode(NamedTuple):
    """A finished episode. `returns` are raw and undiscounted, by seat; `ret` is that of seat 0."""

    number: int
    seed: int
    row: int
    ret: float
    length: int
    truncated: bool
    returns: tuple[float, ...] = ()


class Event(NamedTuple):
    """What one step of the loop did.

    Attributes:
      step: environment steps since the loop began, this one included; idle rows do not count.
      transition: [N, ...] of every row, idle ones included.
      live: [N] bool, the rows that were playing an episode; good until the next event.
      episodes: [N] int64, the index of the episode that each row played; good until the next event.
      finished: the episodes that ended with this step.
      next_episode: the first episode that nobody has begun.
    """

    step: int
    transition: Transition
    live: np.ndarray
    episodes: np.ndarray
    finished: tuple[Episode, ...]
    next_episode: int


class EpisodesLost(ArenaError):
    """Episodes that are other ones when they are played again from their seeds and actions."""


class RowStart(NamedTuple):
    """A row in the middle of an episode: what a resumed run brings back by replaying its actions.

    The player's state is begun anew: what a player remembers of an episode is its own to save.
    `actions` is [T, ...]; `digest` is observation_digest() of the observation they lead to.
    """

    episode: int
    seed: int
    actions: np.ndarray
    digest: str


def run(
    env: Rows,
    player: Player,
    seed_of: Callable[[int], int],
    *,
    num_episodes: int | None = None,
    starts: Sequence[RowStart | None] | None = None,
    next_episode: int = 0,
) -> Iterator[Event]:
    """Yields one event per step of all rows: act, step, event, and then the resets it made due.

    A row that ends its episode takes up the next one that nobody has begun; with none left it
    idles, and the loop ends when all rows do. Whoever consumes the events may change the player
    (let it learn) between two of them: the next action is chosen after that.

    Args:
      env: the rows to play in.
      player: chooses the actions. Its state for a row is begun anew with every episode.
      seed_of: gives the seed of episode i.
      num_episodes: how many episodes to begin in all; None for no end.
      starts: for a resumed run, what each row was in the middle of, None for rows that were at an end.
      next_episode: the index of the first episode that nobody has begun.

    Raises:
      EpisodesLost: the actions in `starts` led elsewhere; nothing has been played yet.
      BrokenPlugin: the environment or the player fails, the player's answer is not a Decision of the right shape,
        a move is illegal, or its state no nest of arrays. Its `player` is the player, None for the environment.
    """
    use_one_blas_thread()
    num_rows, cap = env.num_rows, env.spec.max_episode_steps
    last_episode = float("inf") if num_episodes is None else num_episodes
    num_seats = env.spec.num_seats
    is_game = num_seats > 1
    returns = np.zeros((num_rows, num_seats) if is_game else num_rows)
    lengths = np.zeros(num_rows, np.int64)
    episodes = np.full(num_rows, -1, np.int64)
    seeds = np.zeros(num_rows, np.int64)
    live = np.zeros(num_rows, bool)
    starts = starts or [None] * num_rows
    for row, start in enumerate(starts):
        if start is not None:
            episodes[row], seeds[row], live[row] = start.episode, start.seed, True
        elif next_episode < last_episode:
            episodes[row], seeds[row], live[row] = next_episode, seed_of(next_episode), True
            next_episode += 1
    if not live.any():
        return
    obs = _begin(env, starts, seeds, live, returns, lengths)
    state = _first_state(player, episodes, seeds)
    num_live, step = int(live.sum()), 0
    longest = int(lengths.max())
    env_step, act = env.step, player.act
    space = env.spec.action_space
    num_actions = int(space.n) if isinstance(space, gym.spaces.Discrete) else None
    is_checked = False

    while True:
        try:
            decision = act(obs, state)
        except Exception as error:
            raise BrokenPlugin.during(player, "act", error) from error
        if not is_checked:
            check_decision(decision, env.spec, num_rows, player)
            is_checked = True
        action, state, extras = decision
        if num_actions:
            chosen = action.tolist()  # a list's max, min and `in` cost a tenth of a small array's
            if max(chosen) >= num_actions or min(chosen) < 0:
                raise BrokenPlugin(f"{type(player).__name__}.act() chose {chosen} of {num_actions} actions", player)
            if is_game:
                check_legal(obs, action, live.tolist(), player)
        try:
            next_obs, reward, terminated, truncated = env_step(action)
        except Exception as error:
            raise BrokenPlugin.during(env.spec.env_id, "step", error) from error
        step += num_live
        lengths += 1
        longest += 1
        returns += reward
        done = terminated | truncated
        if longest >= cap:
            over = (lengths >= cap) & ~done
            truncated = truncated | over
            done = done | over
        transition = Transition(obs, action, reward, terminated, truncated, next_obs, extras)
        obs = next_obs
        if True not in done.tolist():
            yield Event(step, transition, live, episodes, (), next_episode)
            continue

        ended = np.flatnonzero(done & live)
        finished = tuple(
            Episode(
                int(episodes[row]),
                int(seeds[row]),
                int(row),
                by_seat[0],
                int(lengths[row]),
                bool(truncated[row] and not terminated[row]),
                tuple(by_seat),
            )
            for row, by_seat in zip(ended, returns[ended].reshape(len(ended), num_seats).tolist(), strict=True)
        )
        yield Event(step, transition, live.copy(), episodes.copy(), finished, next_episode)

        lengths[done] = 0
        longest = int(lengths.max())
        returns[done] = 0.0
        begun = []
        for row in ended.tolist():
            if next_episode < last_episode:
                episodes[row], seeds[row] = next_episode, seed_of(next_episode)
                next_episode += 1
                begun.append(row)
            else:
                episodes[row], live[row] = -1, False
                num_live -= 1
        if not num_live:
            return
        if begun:
            rows = np.asarray(begun)
            obs = replaced(next_obs, rows, _reset(env, rows, seeds[rows]))
            renew_state(player, state, rows, _first_state(player, episodes[rows], seeds[rows]))


def _reset(env: Rows, rows: np.ndarray, seeds: np.ndarray) -> Any:
    try:
        return env.reset(rows, seeds)
    except Exception as error:
        raise BrokenPlugin.during(env.spec.env_id, "reset", error) from error


def _first_state(player: Player, episodes: np.ndarray, seeds: np.ndarray) -> Any:
    try:
        return player.begin(episodes.copy(), seeds)
    except Exception as error:
        raise BrokenPlugin.during(player, "initial_state", error) from error


def renew_state(player: Player, state: Any, rows: np.ndarray, fresh: Any) -> None:
    """Overwrites [K] `rows` of a player's state with a fresh one. Raises BrokenPlugin where that cannot be."""
    try:
        assign_rows(state, rows, fresh)
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise BrokenPlugin(
            f"{type(player).__name__}'s state must be a nest of writable [N, ...] arrays like initial_state()'s, "
            f"or () if memoryless; act() returned {type(state).__name__} ({error})",
            player,
        ) from error


def _begin(
    env: Rows,
    starts: Sequence[RowStart | None],
    seeds: np.ndarray,
    live: np.ndarray,
    returns: np.ndarray,
    lengths: np.ndarray,
) -> Any:
    """Returns the first observations; rows in the middle of an episode are replayed, all to end at once."""
    space = env.spec.action_space
    actions = [np.empty((0,)) if start is None else start.actions for start in starts]
    longest = max(len(row) for row in actions)
    obs: Any = None
    for time in range(longest + 1):
        due = [time == 0 or longest - len(taken) == time for taken in actions]  # no row is stepped before a reset
        fresh = np.flatnonzero(live & due)
        if len(fresh):
            first = _reset(env, fresh, seeds[fresh])
            obs = replaced(blank(first, len(starts)) if obs is None else obs, fresh, first)
        if time == longest:
            break
        action = np.zeros((len(starts), *(space.shape or ())), space.dtype)
        for row, taken in enumerate(actions):
            if (index := time - longest + len(taken)) >= 0:
                action[row] = taken[index]
                lengths[row] += 1
        obs, reward, *_ = env.step(action)
        returns[lengths > 0] += reward[lengths > 0]
    assert obs is not None
    lost = sum(
        start is not None and observation_digest(row_of(obs, row)) != start.digest for row, start in enumerate(starts)
    )
    if lost:
        raise EpisodesLost(f"{env.spec.env_id} is not reproducible: {lost} episodes cannot be brought back")
    return obs


def observation_digest(obs: Any) -> str:
    """Returns a short hash of one observation, an array or a mapping of arrays."""
    parts = [obs[name] for name in sorted(obs)] if isinstance(obs, Mapping) else [obs]
    return hashlib.blake2b(b"".join(np.ascontiguousarray(part).tobytes() for part in parts), digest_size=8).hexdigest()
