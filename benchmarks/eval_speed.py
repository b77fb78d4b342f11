"""`arena eval random --env ALE/Pong-v5` with 16 environments against a bare AtariVectorEnv loop, alternating.

Both play the same number of games from the same seeds, and pay for seeding them alike.
"""

from __future__ import annotations

import statistics
import time

import common
import numpy as np
from ale_py.vector_env import AtariVectorEnv

from arena.evaluation import evaluate
from arena.seeding import Stream, episode_seed

GAMES, ROWS, REPEATS = 32, 16, 5


def bare() -> tuple[int, float]:
    """Returns (agent steps, seconds) of a loop that does no more than step and reset."""
    env = AtariVectorEnv(
        "pong", ROWS, repeat_action_probability=0.25, reward_clipping=False, noop_max=0, use_fire_reset=False
    )
    generator = np.random.default_rng(0)
    seeds = np.array([episode_seed(0, Stream.EVALUATION, i) for i in range(GAMES)], np.int32)
    live, following, steps = np.ones(ROWS, bool), ROWS, 0
    current = seeds[:ROWS].copy()
    begin = time.perf_counter()
    env.reset(seed=current)
    while live.any():
        _, _, terminated, truncated, _ = env.step(generator.integers(0, 6, ROWS))
        steps += int(live.sum())
        done = (terminated | truncated) & live
        if done.any():
            for row in np.flatnonzero(done):
                if following < GAMES:
                    current[row] = seeds[following]
                    following += 1
                else:
                    live[row] = done[row] = False
            if done.any():
                env.reset(seed=current[done], options={"reset_mask": done})
    seconds = time.perf_counter() - begin
    env.close()
    return steps, seconds


def main() -> None:
    pairs = []
    for _ in range(REPEATS):
        ours = evaluate("random", "ALE/Pong-v5", episodes=GAMES, num_envs=ROWS)
        steps, seconds = bare()
        pairs.append((ours.steps / ours.seconds, steps / seconds))
    ratio = statistics.median(a / b for a, b in pairs)
    rates = {"arena_steps_per_s": [round(a) for a, _ in pairs], "bare_steps_per_s": [round(b) for _, b in pairs]}
    common.write("eval_speed", {"games": GAMES, "rows": ROWS, **rates, "ratio": round(ratio, 3), "must": 0.85})


if __name__ == "__main__":
    main()
