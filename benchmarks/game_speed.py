"""Moves a second of connect_four between two `random` players, beside bare random play in pyspiel, alternating.

Ours is what a tournament does: the loop, Seats, observations, legality checked, 64 games side by side, and one alone.
The bare loop asks for the legal moves, draws one with `random.choice`, applies it, and sees no observation.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time

import common
import pyspiel

import envs
from arena import registry
from arena.loop import run
from arena.seats import Seats

ENV, ROWS, MUST = "connect_four", 64, 20_000


def ours(num_games: int, num_rows: int) -> float:
    """Returns moves a second of `num_games` games."""
    env = envs.make(ENV, num_rows)
    players = [registry.resolve("random").player(env.spec, seed=seed) for seed in (0, 1)]
    seats = Seats(players, lambda episode: (0, 1) if episode % 2 == 0 else (1, 0))
    begin, moves = time.perf_counter(), 0
    for event in run(env, seats, lambda episode: episode // 2, num_episodes=num_games):
        moves = event.step
    return moves / (time.perf_counter() - begin)


def bare(num_games: int) -> float:
    """Returns moves a second of `num_games` games in pyspiel alone."""
    game, choose = pyspiel.load_game(ENV), random.Random(0).choice
    begin, moves = time.perf_counter(), 0
    for _ in range(num_games):
        state = game.new_initial_state()
        while not state.is_terminal():
            state.apply_action(choose(state.legal_actions()))
            moves += 1
    return moves / (time.perf_counter() - begin)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--games", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=6)
    options = parser.parse_args()
    ours(options.games // 10, ROWS)
    rates: dict[str, list[float]] = {"ours": [], "alone": [], "bare": []}
    sides = {
        "ours": lambda: ours(options.games, ROWS),
        "alone": lambda: ours(options.games // 10, 1),
        "bare": lambda: bare(options.games),
    }
    for number in range(options.repeats):
        order = list(sides) if number % 2 == 0 else list(sides)[::-1]  # each side goes first in turn
        for side in order:
            rates[side].append(sides[side]())
    ratios = [a / b for a, b in zip(rates["ours"], rates["bare"], strict=True)]
    result = {
        "env": ENV,
        "players": ["random", "random"],
        "games": options.games,
        "rows": ROWS,
        "moves_per_s": round(statistics.median(rates["ours"])),
        "moves_per_s_all": [round(rate) for rate in rates["ours"]],
        "moves_per_s_of_one_row": round(statistics.median(rates["alone"])),
        "bare_moves_per_s": round(statistics.median(rates["bare"])),
        "bare_moves_per_s_all": [round(rate) for rate in rates["bare"]],
        "ratio": round(statistics.median(ratios), 3),
        "must": MUST,
    }
    common.write("game_speed", result)


if __name__ == "__main__":
    main()
