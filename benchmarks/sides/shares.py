"""Where the time of a training goes, and how far its gradient is from a large matrix product.

The clock is put around the few functions in which the work is done: the compiled update, the network's answers, and the
environment's step and reset. What is left over is everything else: the loop, the replay, advantages, logs, files.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agents.parts.networks import Network
from agents.parts.tensorflow import load
from arena import registry
from arena.trainer import Hooks, Trainer
from sides.ours import config_of
from sides.work import WORKS, Stopwatch, Work

MATRIX = 2048


def measure(name: str, *, quick: bool) -> dict[str, float]:
    """Returns the shares of `gradient`, `network`, `environment` and `rest`; for images GFLOP/s as well."""
    work = WORKS[name]
    watch = Stopwatch(work, quick)
    seconds = {"gradient": 0.0, "network": 0.0, "environment": 0.0}

    def clocked(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            begin = time.perf_counter()
            result = function(*args)
            if watch.is_running:
                seconds[part] += time.perf_counter() - begin
            return result

        return call

    config = config_of(work, seed=0).resolved(registry.resolve(work.agent))
    with tempfile.TemporaryDirectory() as runs:
        trainer = Trainer(config, Path(runs) / "run", Hooks(should_stop=watch))
        agent, env = trainer._agent, trainer._env
        network = _network_of(agent)
        network.act, network.step = clocked("network", network.act), clocked("network", network.step)
        agent._update = clocked("gradient", agent._update)
        env.step, env.reset = clocked("environment", env.step), clocked("environment", env.reset)
        trainer.run()
        trainer.close()
    shares = {part: spent / watch.seconds for part, spent in seconds.items()}
    shares["rest"] = 1.0 - sum(shares.values())
    if work.is_atari:
        flop = _training_flop(network, work) * watch.rate
        shares |= {"gradient_gflops": flop / shares["gradient"] / 1e9, "matrix_gflops": _matrix_flops() / 1e9}
    return shares


def _network_of(agent: Any) -> Network:
    network: Network = agent._network if hasattr(agent, "_network") else agent._actor.network
    return network


def _training_flop(network: Network, work: Work) -> float:
    """Returns the floating-point operations of the updates that an environment step brings.

    A layer's gradients by its weights and by its input each cost as much as its output; that by the image is left out.
    """
    flop = []
    for layer in network.model.layers:
        if layer.weights:
            kernel, positions = layer.kernel.shape, layer.output.shape[1:-1]
            products = 1
            for size in (*kernel, *positions):
                products *= int(size)
            flop.append(2 * products)
    forward, backward = sum(flop), 2 * sum(flop) - flop[0]
    s = work.settings
    if work.agent == "ppo":
        return float(s["epochs"] * (forward + backward))
    samples = s["batch_size"] * s["updates_per_training"] / s["train_period_steps"]
    return float(samples * (2 * forward + backward))  # the target network looks ahead


def _matrix_flops() -> float:
    """Returns the operations per second of a large float32 matrix product in TensorFlow, at its fastest of ten."""
    tf = load()
    a, b = tf.random.stateless_normal([2, MATRIX, MATRIX], [0, 0])
    seconds = []
    for _ in range(12):
        begin = time.perf_counter()
        tf.linalg.matmul(a, b).numpy()
        seconds.append(time.perf_counter() - begin)
    return 2 * MATRIX**3 / min(seconds[2:])
