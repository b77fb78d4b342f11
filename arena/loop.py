"""The episode loop: the sole caller of env.step, for training, evaluation, recording and tournaments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

from arena.agent import Decision, Player, Transition
from arena.errors import BrokenPlugin
from envs.rows import Rows


class Episode(NamedTuple):
    """A finished episode. `ret` is its raw, undiscounted return."""

    index: int
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
    """

    step: int
    transition: Transition
    live: np.ndarray
    episodes: np.ndarray
    finished: tuple[Episode, ...]


def run(
    env: Rows,
    player: Player,
    seed_of: Callable[[int], int],
    *,
    num_episodes: int | None = None,
    first_episodes: list[int] | None = None,
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
      first_episodes: episodes to begin with before those from `next_episode` on; a resumed run
        begins again with the ones that it was cut off in.
      next_episode: the index of the first episode that nobody has begun.

    Raises:
      BrokenPlugin: the player's answer is not a Decision of the right shape.
    """
    num_rows, cap = env.num_rows, env.spec.max_episode_steps
    queue = list(first_episodes or ())
    last_episode = float("inf") if num_episodes is None else num_episodes

    def take() -> int:
        nonlocal next_episode
        if queue:
            return queue.pop(0)
        next_episode += 1
        return next_episode - 1

    def is_left() -> bool:
        return bool(queue) or next_episode < last_episode

    returns = np.zeros(num_rows)
    lengths = np.zeros(num_rows, np.int64)
    episodes = np.full(num_rows, -1, np.int64)
    seeds = np.zeros(num_rows, np.int64)
    live = np.zeros(num_rows, bool)
    for row in range(num_rows):
        if is_left():
            episodes[row] = take()
            seeds[row] = seed_of(int(episodes[row]))
            live[row] = True
    if not live.any():
        return
    begun = np.flatnonzero(live)
    first = env.reset(begun, seeds[begun])
    obs = np.zeros((num_rows, *first.shape[1:]), first.dtype)
    obs[begun] = first
    state = player.initial_state(seeds)
    num_live, step = len(begun), 0
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
        if num_actions and action.view(np.uint64).max() >= num_actions:  # a negative one is huge here
            raise BrokenPlugin(f"{type(player).__name__}.act() chose {action.tolist()} of {num_actions} actions")
        next_obs, reward, terminated, truncated = env_step(action)
        step += num_live
        lengths += 1
        returns += reward
        done = terminated | truncated
        if lengths.max() >= cap:
            over = (lengths >= cap) & ~done
            truncated = truncated | over
            done = done | over
        transition = Transition(obs, action, reward, terminated, truncated, next_obs, extras)
        obs = next_obs
        if not done.any():
            yield Event(step, transition, live, episodes, ())
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
        yield Event(step, transition, live.copy(), episodes.copy(), finished)

        lengths[done] = 0
        returns[done] = 0.0
        begun = []
        for row in ended:
            if is_left():
                episodes[row] = take()
                seeds[row] = seed_of(int(episodes[row]))
                begun.append(row)
            else:
                episodes[row], live[row] = -1, False
                num_live -= 1
        if not num_live:
            return
        if len(begun):
            rows = np.asarray(begun)
            obs = next_obs.copy()
            obs[rows] = env.reset(rows, seeds[rows])
            assign_rows(state, rows, player.initial_state(seeds[rows]))


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
