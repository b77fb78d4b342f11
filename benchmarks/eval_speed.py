"""`arena eval random --env ALE/Pong-v5` with 16 environments against a bare AtariVectorEnv loop, alternating.

Both play the same games to the last frame: the bare loop is given the actions that the arena's player chose, and seeds
its resets alike. It does no more than step, reset, and count.
"""

from __future__ import annotations

import statistics
import time

import common
import numpy as np
from ale_py.vector_env import AtariVectorEnv

from arena.evaluation import evaluate
from arena.seeding import Stream, episode_seed

GAMES, ROWS, REPEATS = 32, 16, 6


def bare(actions: list[np.ndarray]) -> tuple[int, float]:
    """Returns (agent steps, seconds) of a loop that does no more than step and reset."""
    env = AtariVectorEnv(
        "pong", ROWS, repeat_action_probability=0.25, reward_clipping=False, noop_max=0, use_fire_reset=False
    )
    seeds = np.array([episode_seed(0, Stream.EVALUATION, i) for i in range(GAMES)], np.int32)
    live, following, steps = np.ones(ROWS, bool), ROWS, 0
    begin = time.perf_counter()
    env.reset(seed=seeds[:ROWS])
    for action in actions:
        _, _, terminated, truncated, _ = env.step(action)
        steps += int(live.sum())
        done = (terminated | truncated) & live
        if done.any():
            begun = min(int(done.sum()), GAMES - following)
            live[np.flatnonzero(done)[begun:]] = False
            done &= live
            if begun:
                env.reset(seed=seeds[following : following + begun], options={"reset_mask": done})
                following += begun
    seconds = time.perf_counter() - begin
    env.close()
    assert not live.any(), "the bare loop played other games"
    return steps, seconds


def main() -> None:
    actions: list[np.ndarray] = []
    evaluate(
        "random",
        "ALE/Pong-v5",
        episodes=GAMES,
        num_envs=ROWS,
        on_event=lambda event: actions.append(event.transition.action.copy()),
    )
    pairs = []
    for number in range(REPEATS):
        if number % 2:  # each side goes first in turn
            steps, seconds = bare(actions)
        ours = evaluate("random", "ALE/Pong-v5", episodes=GAMES, num_envs=ROWS)
        if not number % 2:
            steps, seconds = bare(actions)
        assert steps == ours.steps
        pairs.append((ours.steps / ours.seconds, steps / seconds))
    ratios = [a / b for a, b in pairs]
    rates = {"arena_steps_per_s": [round(a) for a, _ in pairs], "bare_steps_per_s": [round(b) for _, b in pairs]}
    spread = {"ratio": round(statistics.median(ratios), 3), "ratios": [round(ratio, 3) for ratio in ratios]}
    common.write("eval_speed", {"games": GAMES, "rows": ROWS, **rates, **spread, "must": 0.85})


if __name__ == "__main__":
    main()
