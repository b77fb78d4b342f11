"""The episode loop: the sole caller of env.step, for training, evaluation, recording and tournaments."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from arena.agent import Decision, Player, Transition
from arena.errors import ArenaError, BrokenPlugin
from arena.threads import use_one_blas_thread
from envs.rows import Rows


class Episode(NamedTuple):
    """A finished episode. `ret` is its raw, undiscounted return."""

    number: int
    seed: int
    row: int
    ret: float
    length: int
    truncated: bool


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
        or its state no nest of arrays.
    """
    use_one_blas_thread()
    num_rows, cap = env.num_rows, env.spec.max_episode_steps
    last_episode = float("inf") if num_episodes is None else num_episodes
    returns = np.zeros(num_rows)
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
    state = _first_state(player, seeds)
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
            check_decision(decision, env, player)
            is_checked = True
        action, state, extras = decision
        if num_actions:
            chosen = action.tolist()  # a list's max, min and `in` cost a tenth of a small array's
            if max(chosen) >= num_actions or min(chosen) < 0:
                raise BrokenPlugin(f"{type(player).__name__}.act() chose {chosen} of {num_actions} actions")
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
                float(returns[row]),
                int(lengths[row]),
                bool(truncated[row] and not terminated[row]),
            )
            for row in ended
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
            obs = next_obs.copy()
            obs[rows] = _reset(env, rows, seeds[rows])
            _renew_state(player, state, rows, _first_state(player, seeds[rows]))


def _reset(env: Rows, rows: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    try:
        return env.reset(rows, seeds)
    except Exception as error:
        raise BrokenPlugin.during(env.spec.env_id, "reset", error) from error


def _first_state(player: Player, seeds: np.ndarray) -> Any:
    try:
        return player.initial_state(seeds)
    except Exception as error:
        raise BrokenPlugin.during(player, "initial_state", error) from error


def _renew_state(player: Player, state: Any, rows: np.ndarray, fresh: Any) -> None:
    try:
        assign_rows(state, rows, fresh)
    except (TypeError, ValueError, KeyError, IndexError) as error:
        raise BrokenPlugin(
            f"{type(player).__name__}'s state must be a nest of writable [N, ...] arrays like initial_state()'s, "
            f"or () if memoryless; act() returned {type(state).__name__} ({error})"
        ) from error


def _begin(
    env: Rows,
    starts: Sequence[RowStart | None],
    seeds: np.ndarray,
    live: np.ndarray,
    returns: np.ndarray,
    lengths: np.ndarray,
) -> np.ndarray:
    """Returns the first observations; rows in the middle of an episode are replayed, all to end at once."""
    space = env.spec.action_space
    actions = [np.empty((0,)) if start is None else start.actions for start in starts]
    longest = max(len(row) for row in actions)
    obs: np.ndarray | None = None
    for time in range(longest + 1):
        due = [time == 0 or longest - len(taken) == time for taken in actions]  # no row is stepped before a reset
        fresh = np.flatnonzero(live & due)
        if len(fresh):
            first = _reset(env, fresh, seeds[fresh])
            obs = np.zeros((len(starts), *first.shape[1:]), first.dtype) if obs is None else obs.copy()
            obs[fresh] = first
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
    lost = sum(start is not None and observation_digest(obs[row]) != start.digest for row, start in enumerate(starts))
    if lost:
        raise EpisodesLost(f"{env.spec.env_id} is not reproducible: {lost} episodes cannot be brought back")
    return obs


def observation_digest(obs: np.ndarray) -> str:
    """Returns a short hash of one observation."""
    return hashlib.blake2b(np.ascontiguousarray(obs).tobytes(), digest_size=8).hexdigest()


def assign_rows(state: Any, rows: np.ndarray, fresh: Any) -> None:
    """Overwrites [K] `rows` of a nest of [N, ...] arrays with a nest of [K, ...] arrays, in place."""
    if isinstance(state, np.ndarray):
        state[rows] = fresh
    elif isinstance(state, dict):
        for key in state:
            assign_rows(state[key], rows, fresh[key])
    else:
        for part, fresh_part in zip(state, fresh, strict=True):
            assign_rows(part, rows, fresh_part)


def check_decision(decision: Any, env: Rows, player: Player) -> None:
    """Raises BrokenPlugin unless `decision` has an action for every row, of the space's kind."""
    name = type(player).__name__
    if not isinstance(decision, Decision):
        raise BrokenPlugin(f"{name}.act() must return a Decision, not {type(decision).__name__}")
    space = env.spec.action_space
    shape = (env.num_rows, *(space.shape or ()))
    action = decision.action
    if not isinstance(action, np.ndarray) or action.shape != shape:
        given = getattr(action, "shape", type(action).__name__)
        raise BrokenPlugin(f"{name}.act() must give actions of shape {shape}, not {given}")
    wanted = np.int64 if np.issubdtype(space.dtype, np.integer) else np.float32
    if action.dtype != wanted:
        raise BrokenPlugin(f"{name}.act() must give {wanted.__name__} actions for {space}, not {action.dtype}")
