"""Reconstructions of MNIST's test digits by the arena's RBM and scikit-learn's, of the same size after as many epochs.

    python benchmarks/rbm.py --data DIR [--hidden N] [--epochs N] [--rates R ...] [--limit N] [--seed S]

Both are judged by one function, here: the mean over all test pixels, from 0 to 1, of the squared difference between a
pixel and its mean-field reconstruction, sigmoid(W sigmoid(v W + c) + b). scikit-learn's is fitted with its own
batches of 10 at each of the learning rates, of which the best counts; the first one is its default. Matrix products
run in one thread on both sides; seconds are of the fits alone.
"""

from __future__ import annotations

import argparse
import json
import time

import common
import numpy as np

from arena.components import data
from arena.components.base import as_rows, mean_squared_error
from arena.components.rbm import RBM
from arena.threads import use_one_blas_thread


def mean_field_error(rows: np.ndarray, kernel: np.ndarray, visible_bias: np.ndarray, hidden_bias: np.ndarray) -> float:
    """Returns the mean squared error of [N, D] examples' mean-field reconstructions; `kernel` is [D, K]."""
    hidden = 1 / (1 + np.exp(-(rows.astype(np.float64) @ kernel + hidden_bias)))
    return mean_squared_error(1 / (1 + np.exp(-(hidden @ kernel.T + visible_bias))), rows)


def ours(train: np.ndarray, test: np.ndarray, hidden: int, epochs: int, seed: int) -> dict[str, float]:
    """Returns the error and the seconds of the arena's, with its default settings."""
    start = time.perf_counter()
    machine = RBM(num_hidden=hidden, epochs=epochs, seed=seed).fit(train).machine_
    seconds = time.perf_counter() - start
    return {
        "mse": mean_field_error(test, machine.kernel, machine.visible_bias, machine.hidden_bias),
        "seconds": round(seconds, 1),
    }


def peer(train: np.ndarray, test: np.ndarray, hidden: int, epochs: int, seed: int, rate: float) -> dict[str, float]:
    """Returns the error and the seconds of scikit-learn's at a learning rate."""
    from sklearn.neural_network import BernoulliRBM

    start = time.perf_counter()
    machine = BernoulliRBM(hidden, learning_rate=rate, n_iter=epochs, random_state=seed).fit(train)
    seconds = time.perf_counter() - start
    error = mean_field_error(test, machine.components_.T, machine.intercept_visible_, machine.intercept_hidden_)
    return {"learning_rate": rate, "mse": error, "seconds": round(seconds, 1)}


def main() -> None:
    """Measures both sides, prints what was found, and writes it unless it was a trial."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=None, help="the folder of MNIST; downloaded where none is given")
    parser.add_argument("--hidden", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.1, 0.03, 0.01])
    parser.add_argument("--limit", type=int, default=None, help="a trial: fits on so many examples, writes nothing")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    use_one_blas_thread()
    dataset = data.load(args.data, RBM.datasets)
    train, test = (as_rows(split.inputs, "rbm") for split in (dataset.train, dataset.test))
    train = train[: args.limit]
    mine = ours(train, test, args.hidden, args.epochs, args.seed)
    peers = [peer(train, test, args.hidden, args.epochs, args.seed, rate) for rate in args.rates]
    best = min(peers, key=lambda result: result["mse"])
    result = {"settings": vars(args) | {"data": dataset.name}, "arena": mine, "scikit-learn": peers}
    result["ratio"] = round(mine["mse"] / best["mse"], 3)
    if args.limit is None:
        common.write("rbm", result)
    else:
        print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
