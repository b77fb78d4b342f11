"""The speed of training q_learning with RBF features beside a bare CartPole-v0 loop, alternating in one run.

    python benchmarks/q_learning_speed.py [--rounds N] [--steps N] [--seed S]

The bare loop is gym.make, step with random actions drawn beforehand, and reset where an episode
ends. Training is the arena's loop with act, observe and learn, in the preset's settings. The ratio is
the median over the rounds, each of which measures both sides one after the other.
"""

from __future__ import annotations

import argparse
import statistics
import time
import tomllib
import warnings
from collections.abc import Iterator
from pathlib import Path

import common
import gymnasium as gym
import numpy as np

import agents.q_learning
import envs
from agents.q_learning import QLearning
from arena import seeding
from arena.loop import Event, run

ENV = "CartPole-v0"
PRESETS = Path(agents.q_learning.__file__).parent / "presets" / "q_learning.toml"


def bare_speed(env: gym.Env, actions: list[int], seed: int) -> float:
    """Returns the steps per second of a loop that does nothing but step and reset."""
    step, reset = env.step, env.reset
    reset(seed=seed)
    start = time.perf_counter()
    for action in actions:
        _, _, terminated, truncated, _ = step(action)
        if terminated or truncated:
            reset()
    return len(actions) / (time.perf_counter() - start)


def training_speed(agent: QLearning, events: Iterator[Event], num_steps: int) -> float:
    """Returns the steps per second of the next `num_steps` steps of training."""
    start = time.perf_counter()
    for _, event in zip(range(num_steps), events, strict=False):
        agent.observe(event.transition)
        agent.learn()
    return num_steps / (time.perf_counter() - start)


def measure(rounds: int, steps: int, seed: int) -> dict[str, object]:
    """Returns the speeds of both sides, round by round, and the median of their ratios."""
    settings = tomllib.loads(PRESETS.read_text())[ENV]["settings"]
    rows = envs.make(ENV)
    agent = QLearning(rows.spec, seed=seed, settings=settings)
    events = run(rows, agent, lambda i: seeding.episode_seed(seed, seeding.Stream.TRAINING, i))
    with warnings.catch_warnings(action="ignore"):  # of the old id
        env = gym.make(ENV)
    actions = np.random.default_rng(seed).integers(0, 2, steps).tolist()
    bare_speed(env, actions, seed)
    training_speed(agent, events, steps)  # both warm
    bare, training = [], []
    for _ in range(rounds):
        bare.append(bare_speed(env, actions, seed))
        training.append(training_speed(agent, events, steps))
    return {
        "configuration": {"env": ENV, "rounds": rounds, "steps_per_round": steps, "settings": settings},
        "seed": seed,
        "bare_steps_per_s": [round(speed) for speed in bare],
        "training_steps_per_s": [round(speed) for speed in training],
        "ratio": round(statistics.median(b / a for a, b in zip(bare, training, strict=True)), 4),
        "required_ratio": round(1 / 6, 4),
    }


def main() -> None:
    """Writes benchmarks/results/q_learning_speed.json."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--steps", type=int, default=4_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    common.write("q_learning_speed", measure(options.rounds, options.steps, options.seed))


if __name__ == "__main__":
    main()
