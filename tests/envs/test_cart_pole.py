"""CartPole for all rows at once is Gymnasium's, to the bit."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from envs import Rows, cart_pole, make
from envs.cart_pole import CartPoleRows
from envs.gym_rows import GymRows


def one_by_one(env_id: str, num_rows: int, monkeypatch: pytest.MonkeyPatch) -> Rows:
    monkeypatch.setattr(cart_pole, "FEWEST_ROWS", num_rows + 1)
    rows = make(env_id, num_rows)
    assert isinstance(rows, GymRows)
    return rows


@pytest.mark.parametrize("env_id", ["CartPole-v0", "CartPole-v1"])
def test_steps_rests_ends_and_new_episodes_are_those_of_gymnasium(env_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    num_rows, rng = 8, np.random.default_rng(5)
    fast, slow = make(env_id, num_rows), one_by_one(env_id, num_rows, monkeypatch)
    assert isinstance(fast, CartPoleRows)
    rows, num_ends, num_cuts = np.arange(num_rows), 0, 0
    running = np.ones(num_rows, bool)
    seeds = rng.integers(2**40, size=num_rows)
    obs = fast.reset(rows, seeds)
    assert np.array_equal(obs, slow.reset(rows, seeds))
    for _ in range(1_200):
        falls_left = obs[:, 2] + 0.3 * obs[:, 3] < 0
        action = np.where(rows < 6, rng.integers(2, size=num_rows), ~falls_left)  # the last two reach the time limit
        step, expected = fast.step(action), slow.step(action)
        assert [(one.dtype, one.tobytes()) for one in step] == [(one.dtype, one.tobytes()) for one in expected]
        running &= ~(step.terminated | step.truncated)
        num_ends, num_cuts = num_ends + step.terminated.sum(), num_cuts + step.truncated.sum()
        obs = step.obs
        waiting = np.flatnonzero(~running)
        if len(waiting) and rng.random() < 0.3:  # some rows stand still for a while
            seeds = rng.integers(2**40, size=len(waiting))
            first = fast.reset(waiting, seeds)
            assert np.array_equal(first, slow.reset(waiting, seeds))
            obs[waiting], running[waiting] = first, True
    assert num_ends > 50
    assert num_cuts >= 2


def test_a_cart_pole_with_other_rules_is_gymnasiums_own() -> None:
    assert isinstance(make("CartPole-v1", 8, settings={"sutton_barto_reward": True}), GymRows)
    assert isinstance(make("CartPole-v1", 8, render=True), GymRows)
    assert not cart_pole.is_plain(gym.wrappers.TimeLimit(gym.make("Acrobot-v1").unwrapped, 10))
