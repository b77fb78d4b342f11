"""How perfect minimax is, and how fast; and whether mcts beats random, with an interval.

Tic-tac-toe against every sequence of replies; Connect Four's values and the time they take on boards of up to 5x5; and
games of mcts against random, in pairs. The published values are Tromp's ("John's Connect Four Playground",
tromp.github.io/c4/c4.html); github.com/ChristopheSteininger/c4 has the same.
"""

from __future__ import annotations

import argparse
import resource
import time
from typing import Any

import common
import numpy as np

import envs
from agents.mcts import MCTS
from agents.minimax import Minimax
from agents.random_agent import RandomAgent
from arena.loop import run
from arena.seats import Seats
from arena.seeding import Stream, episode_seed, row_keys
from arena.statistics.bootstrap import mean_interval
from arena.statistics.bradley_terry import rate

PUBLISHED = {(4, 4): "draw", (4, 5): "draw", (5, 4): "draw", (5, 5): "draw"}  # rows, columns
OPENINGS = 20  # boards with four random stones, on which the slowest move is looked for
NAMES = {-1.0: "second", 0.0: "draw", 1.0: "first"}


def perfect_tic_tac_toe(seat: int) -> dict[str, Any]:
    """Returns what minimax gets in `seat` from every sequence of replies there is."""
    player = Minimax(envs.make("tic_tac_toe").spec, seed=0)
    game, returns = player.game, []
    length = player.spec.observation_space["history"].shape[0]  # type: ignore[index]

    def descend(state: Any) -> None:
        if state.is_terminal():
            returns.append(state.player_return(seat))
        elif state.current_player() != seat:
            for move in state.legal_actions():
                descend(state.child(move))
        else:
            history = np.full((1, length), -1, np.int32)
            history[0, : len(state.history())] = state.history()
            obs = {"history": history, "legal": np.array([state.legal_actions_mask()], bool)}
            descend(state.child(int(player.act(obs, row_keys(np.zeros(1))).action[0])))

    descend(game.new_initial_state())
    counts = {name: returns.count(value) for name, value in (("won", 1.0), ("drawn", 0.0), ("lost", -1.0))}
    return {"seat": seat, "games": len(returns), **counts}


def connect_four(rows: int, columns: int) -> dict[str, Any]:
    """Returns the value of a board, and what it takes to find it and to play on from openings."""
    settings = {"rows": rows, "columns": columns}
    player = Minimax(envs.make("connect_four", settings=settings).spec, seed=0)
    begin = time.perf_counter()
    scores = player.scores(np.zeros(0, np.int32))
    seconds, nodes = time.perf_counter() - begin, player.num_nodes
    value = NAMES[float(np.sign(max(scores.values())))]
    env = envs.make("connect_four", OPENINGS, settings=settings | {"opening_plies": 4})
    seeds = np.array([episode_seed(0, Stream.EVALUATION, i) for i in range(OPENINGS)])
    moves = []
    for history in env.reset(np.arange(OPENINGS), seeds)["history"]:
        fresh = Minimax(env.spec, seed=0)
        begin = time.perf_counter()
        fresh.scores(history)
        moves.append(time.perf_counter() - begin)
    return {
        "rows": rows,
        "columns": columns,
        "value": value,
        "published": PUBLISHED[rows, columns],
        "first_move_s": round(seconds, 2),
        "nodes": nodes,
        "after_4_plies_s": {"mean": round(float(np.mean(moves)), 2), "slowest": round(max(moves), 2)},
    }


def mcts_against_random(game: str, num_pairs: int, simulations: int) -> dict[str, Any]:
    """Returns the score of mcts in pairs with seeded openings, with 95% intervals from resampling pairs."""
    env = envs.make(game, 8, settings={"opening_plies": 2})
    players = MCTS(env.spec, seed=0, settings={"simulations": simulations}), RandomAgent(env.spec, seed=0)
    seats = Seats(players, lambda episode: (episode % 2, 1 - episode % 2))
    won = np.zeros((num_pairs, 2), np.int64)  # of mcts by pair and seat: 0 lost, 1 drawn, 2 won
    begin = time.perf_counter()
    for event in run(env, seats, lambda i: episode_seed(0, Stream.EVALUATION, i // 2), num_episodes=2 * num_pairs):
        for episode in event.finished:
            pair, seat = divmod(episode.number, 2)
            won[pair, seat] = 1 + np.sign(episode.returns[seat])
    seconds = time.perf_counter() - begin
    results = np.zeros((1, 3, 3))
    np.add.at(results[0], (won[:, 0], won[:, 1]), 1)
    ratings = rate(2, np.array([[0, 1]]), results, seed=0)
    low, high = mean_interval(won.mean(axis=1) / 2, seed=0)
    elo = [2 * float(bound[0]) for bound in (ratings.rating.value, ratings.rating.low, ratings.rating.high)]
    return {
        "game": game,
        "opening_plies": 2,
        "simulations": simulations,
        "pairs": num_pairs,
        "won_drawn_lost": [int((won == outcome).sum()) for outcome in (2, 1, 0)],
        "score": round(float(won.mean() / 2), 3),
        "score_interval": [round(low, 3), round(high, 3)],
        "elo_difference": [round(bound) for bound in elo],
        "superiority": round(float(ratings.superiority[0, 1]), 4),
        "seconds": round(seconds, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--simulations", type=int, default=100)
    arguments = parser.parse_args()
    result = {
        "tic_tac_toe": [perfect_tic_tac_toe(seat) for seat in (0, 1)],
        "connect_four": [connect_four(*size) for size in PUBLISHED],
        "mcts_against_random": [
            mcts_against_random(game, arguments.pairs, arguments.simulations)
            for game in ("tic_tac_toe", "connect_four")
        ],
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    common.write("minimax_perfect", result)


if __name__ == "__main__":
    main()
