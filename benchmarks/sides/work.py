"""What is compared, in words that both sides understand, and the clock that both are timed with."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np


class Work(NamedTuple):
    """One training at fixed hyperparameters.

    Attributes:
      agent: dqn or ppo.
      env: of the arena; theirs is found by it.
      num_envs: rows.
      total_steps: environment steps of the whole training, over which schedules run.
      window: environment steps between which the clock runs; learning is under way and compiled before.
      quick: the same for a first look.
      settings: hyperparameters by the arena's names.
    """

    agent: str
    env: str
    num_envs: int
    total_steps: int
    window: tuple[int, int]
    quick: tuple[int, int]
    settings: dict[str, Any]

    @property
    def is_atari(self) -> bool:
        """Whether it is played from the screen."""
        return self.env.startswith("ALE/")


#: Hyperparameters: RL Baselines3 Zoo, hyperparams/dqn.yml and ppo.yml.
WORKS = {
    # The window begins where epsilon has come down to its end.
    "dqn-cartpole": Work(
        agent="dqn",
        env="CartPole-v1",
        num_envs=1,
        total_steps=50_000,
        window=(8_192, 20_480),
        quick=(2_048, 4_096),
        settings={
            "learning_rate": 2.3e-3,
            "batch_size": 64,
            "buffer_size": 100_000,
            "learning_starts": 1_000,
            "discount": 0.99,
            "target_period_steps": 10,
            "train_period_steps": 256,
            "updates_per_training": 128,
            "epsilon_start": 1.0,
            "epsilon_fraction": 0.16,
            "epsilon_end": 0.04,
            "hidden": [256, 256],
            "adam_epsilon": 1e-8,
        },
    ),
    "ppo-cartpole": Work(
        agent="ppo",
        env="CartPole-v1",
        num_envs=8,
        total_steps=100_000,
        window=(10_240, 51_200),
        quick=(2_048, 5_120),
        settings={
            "num_steps": 32,
            "batch_size": 256,
            "epochs": 20,
            "discount": 0.98,
            "gae_lambda": 0.8,
            "entropy_coefficient": 0.0,
            "learning_rate": 1e-3,
            "learning_rate_schedule": "linear",
            "clip": 0.2,
            "clip_schedule": "linear",
            "hidden": [64, 64],
        },
    ),
    # Epsilon is at its end from the start, as it is for nine tenths of a whole training.
    "dqn-pong": Work(
        agent="dqn",
        env="ALE/Pong-v5",
        num_envs=1,
        total_steps=10_000_000,
        window=(1_400, 3_400),
        quick=(1_100, 1_400),
        settings={
            "learning_rate": 1e-4,
            "batch_size": 32,
            "buffer_size": 100_000,
            "learning_starts": 1_000,
            "discount": 0.99,
            "target_period_steps": 1_000,
            "train_period_steps": 4,
            "updates_per_training": 1,
            "epsilon_start": 0.01,
            "epsilon_fraction": 1.0,
            "epsilon_end": 0.01,
            "adam_epsilon": 1e-8,
            "reward_clip": True,
        },
    ),
    "ppo-pong": Work(
        agent="ppo",
        env="ALE/Pong-v5",
        num_envs=8,
        total_steps=10_000_000,
        window=(1_024, 4_096),
        quick=(1_024, 2_048),
        settings={
            "num_steps": 128,
            "batch_size": 256,
            "epochs": 4,
            "discount": 0.99,
            "gae_lambda": 0.95,
            "entropy_coefficient": 0.01,
            "learning_rate": 2.5e-4,
            "learning_rate_schedule": "linear",
            "clip": 0.1,
            "clip_schedule": "linear",
            "reward_clip": 1.0,
        },
    ),
}

#: The networks that choose one action, as DQN trainings; the names are those of the lines.
ACTING = {"act-cnn": WORKS["dqn-pong"], "act-mlp": WORKS["dqn-cartpole"]}

GAMES, GAMES_SEED = 100, 1_000  # of an evaluation of scores


class Stopwatch:
    """Runs from one number of environment steps to another; called after every step of all rows.

    Args:
      work: gives the two numbers, and what a call counts for.
      quick: whether for a first look.
    """

    def __init__(self, work: Work, quick: bool) -> None:
        self._num_envs = work.num_envs
        self._first, self._last = work.quick if quick else work.window
        self._step, self._begin, self.seconds = 0, 0.0, 0.0

    def __call__(self) -> bool:
        """Returns True when the second number is reached."""
        self._step += self._num_envs
        if self._step == self._first:
            self._begin = time.perf_counter()
        elif self._step >= self._last:
            self.seconds = time.perf_counter() - self._begin
        return self._step >= self._last

    @property
    def is_running(self) -> bool:
        """Whether a step of now is within the window."""
        return self._first <= self._step < self._last

    @property
    def rate(self) -> float:
        """Environment steps per second within the window."""
        assert self.seconds, "the training ended before the clock"
        return (self._step - self._first) / self.seconds


def calls_per_second(call: Callable[[np.ndarray], Any], obs: np.ndarray, quick: bool) -> float:
    """Returns how often `call` answers `obs`, one after the other, in 3 s (0.5 s for a first look)."""
    for _ in range(200):
        call(obs)
    count, begin = 0, time.perf_counter()
    while (seconds := time.perf_counter() - begin) < (0.5 if quick else 3.0):
        for _ in range(50):
            call(obs)
        count += 50
    return count / seconds


def observations(work: Work) -> np.ndarray:
    """Returns 16 observations of `work`'s shape, the same on every side."""
    random = np.random.default_rng(0)
    if work.is_atari:
        return random.integers(0, 256, (16, 4, 84, 84), np.uint8)
    return random.normal(size=(16, 4)).astype(np.float32)
