"""The loop's own cost a step: everything but env.step and act, at N = 1 and N = 64.

The environment and the player do nothing; the time that calling them takes is measured apart and taken off.
Beside it, what GymRows adds to N bare CartPole instances stepped in a Python loop.
"""

from __future__ import annotations

import statistics
import time

import common
import gymnasium as gym
import numpy as np

import envs
from arena.agent import Decision, Player, Spec
from arena.loop import run
from envs.rows import Rows, Step

STEPS, EPISODE, REPEATS = 100_000, 200, 5


class Idle(Rows):
    """Does nothing; episodes last 200 steps."""

    def __init__(self, num_rows: int) -> None:
        self.num_rows, self.time = num_rows, 0
        self.spec = Spec("Idle", gym.spaces.Box(-1, 1, (4,)), gym.spaces.Discrete(2))
        self.obs = np.zeros((num_rows, 4), np.float32)
        self.reward, self.no = np.ones(num_rows), np.zeros(num_rows, bool)
        self.yes = ~self.no

    def reset(self, rows: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        return self.obs[rows]

    def step(self, actions: np.ndarray) -> Step:
        self.time += 1
        return Step(self.obs, self.reward, self.yes if self.time % EPISODE == 0 else self.no, self.no)

    def render(self) -> np.ndarray:
        raise AssertionError


class Still(Player):
    """Always the same action."""

    def act(self, obs: np.ndarray, state: object) -> Decision:
        return self.decision


def loop_us(num_rows: int) -> float:
    """Returns microseconds a loop step, less the calls to step and act."""
    env = Idle(num_rows)
    player = Still(env.spec, seed=0)
    player.decision = Decision(np.zeros(num_rows, np.int64))
    begin = time.perf_counter()
    for count, _ in enumerate(run(env, player, lambda i: i), 1):
        if count == STEPS:
            break
    whole = time.perf_counter() - begin
    begin = time.perf_counter()
    for _ in range(STEPS):
        env.step(player.act(env.obs, ()).action)
    return (whole - (time.perf_counter() - begin)) / STEPS * 1e6


def rows_us(num_rows: int) -> float:
    """Returns microseconds a step that GymRows adds to N instances of CartPole stepped one by one."""
    rows = envs.make("CartPole-v1", num_rows)
    bare = [gym.make("CartPole-v1", disable_env_checker=True) for _ in range(num_rows)]
    steps = max(200, 20_000 // num_rows)
    actions = np.arange(steps * num_rows).reshape(steps, num_rows) % 2

    def with_rows() -> float:
        rows.reset(np.arange(num_rows), np.arange(num_rows))
        begin = time.perf_counter()
        for action in actions:
            step = rows.step(action)
            if (done := step.terminated).any():
                where = np.flatnonzero(done)
                rows.reset(where, where)
        return time.perf_counter() - begin

    def without() -> float:
        for seed, env in enumerate(bare):
            env.reset(seed=seed)
        lists = actions.tolist()
        begin = time.perf_counter()
        for action in lists:
            for seed, env in enumerate(bare):
                _, _, terminated, _, _ = env.step(action[seed])
                if terminated:
                    env.reset(seed=seed)
        return time.perf_counter() - begin

    pairs = [(with_rows(), without()) for _ in range(REPEATS)]
    return statistics.median(a - b for a, b in pairs) / steps * 1e6


def main() -> None:
    result = {}
    for num_rows in (1, 64):
        loop = statistics.median(loop_us(num_rows) for _ in range(REPEATS))
        result[f"N={num_rows}"] = {
            "loop_us_per_step": round(loop, 3),
            "loop_us_per_env_step": round(loop / num_rows, 4),
            "rows_us_per_env_step": round(rows_us(num_rows) / num_rows, 4),
        }
    musts = "25 us at N=1, 1 us an env step at N=64"
    common.write("loop_cost", {"steps": STEPS, "repeats": REPEATS, "musts": musts, **result})


if __name__ == "__main__":
    main()
