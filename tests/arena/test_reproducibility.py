"""Whether an environment's episodes are functions of their seeds and actions."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import envs
from arena.reproducibility import is_reproducible
from envs.gym_rows import GymRows


class Noisy(gym.Env):
    """Draws from one generator for all its games, where `noisy` says so; games of 20 steps."""

    observation_space = gym.spaces.Box(-np.inf, np.inf, (1,), np.float64)
    action_space = gym.spaces.Discrete(3, start=-1)

    def __init__(self, noisy: str) -> None:
        self.noisy, self.generator = noisy, np.random.default_rng(0)

    def reset(self, *, seed: int | None = None, options: Any = None):
        super().reset(seed=seed)
        self.steps = 0
        return self.obs("first"), {}

    def step(self, action: int):
        self.steps += 1
        reward = self.generator.random() if self.noisy == "reward" else float(action)
        return self.obs("next"), reward, self.steps == 20, False, {}

    def obs(self, which: str) -> np.ndarray:
        generator = self.generator if self.noisy == which else self.np_random
        return np.array([generator.random()])


def rows(noisy: str) -> GymRows:
    env = Noisy(noisy)
    spec = envs.make("CartPole-v1").spec
    spec = type(spec)("Noisy", env.observation_space, env.action_space)
    return GymRows(lambda: env, spec, 1)


@pytest.mark.parametrize(("noisy", "expected"), [("", True), *((name, False) for name in ("first", "next", "reward"))])
def test_noise_of_ones_own_in_any_part_of_a_step_is_found_out(noisy: str, expected: bool):
    assert is_reproducible(rows(noisy)) is expected


@pytest.mark.parametrize("env_id", ["CartPole-v1", "FrozenLake8x8-v1", "Pendulum-v1", "ALE/Pong-v5"])
def test_the_environments_at_hand_are_reproducible(env_id: str):
    env = envs.make(env_id)
    assert is_reproducible(env)
    env.close()
