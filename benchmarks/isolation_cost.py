"""What a process of its own costs an agent: to start, for each move, and to end."""

from __future__ import annotations

import argparse
import time

import common
import numpy as np

import envs
from arena import registry
from arena.isolation import launcher
from arena.isolation.player import IsolatedPlayer

GOOD = "benchmarks/hostile_agents/good.py:Good"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=5_000, metavar="N")
    parser.add_argument("--starts", type=int, default=20, metavar="N")
    parser.add_argument("--no-results", action="store_true", help="do not write benchmarks/results/isolation_cost.json")
    options = parser.parse_args()
    spec, obs, row = envs.make("CartPole-v1", 1).spec, np.zeros((1, 4), np.float32), np.arange(1)
    moves, starts, ends = [], [], []
    for number in range(options.starts + 1):
        begin = time.perf_counter()
        with IsolatedPlayer("good", GOOD, spec, seed=0) as player:
            starts.append(time.perf_counter() - begin)
            state = player.initial_state(row)
            for _ in range(options.moves if number == options.starts else 1):
                begin = time.perf_counter()
                player.act(obs, state)
                moves.append(time.perf_counter() - begin)
            begin = time.perf_counter()
        ends.append(time.perf_counter() - begin)
    launcher.stop()
    player = registry.resolve(GOOD).player(spec, seed=0)
    begin = time.perf_counter()
    for _ in range(options.moves):
        player.act(obs, ())
    result = {
        "first_start_s": round(starts[0], 3),
        "start_ms": round(float(np.median(starts[1:])) * 1e3, 1),
        "end_ms": round(float(np.median(ends)) * 1e3, 1),
        "move_us": round(float(np.median(moves[options.starts :])) * 1e6, 1),
        "move_in_process_us": round((time.perf_counter() - begin) / options.moves * 1e6, 1),
    }
    print(", ".join(f"{name} {value}" for name, value in result.items()))
    if not options.no_results:
        common.write("isolation_cost", result, show=False)


if __name__ == "__main__":
    main()
