"""How much of PPO's gradient is noise, by the lambda of its advantages, and how the entropy bonus stands to it.

python benchmarks/gradient_noise.py --from RUN [--rollouts N]

RUN is a PPO training on ALE/Pong-v5, whose best policy plays N rollouts of 16 x 128 steps without learning. The
gradient of the policy's loss over each rollout is taken for every lambda, with the values as the training left them.
Products of different rollouts' gradients give, without bias, the squared length of the true gradient and the angle
between those of two lambdas; with the lengths of single rollouts' gradients, the number of steps at which signal and
noise are equal (the simple noise scale of McCandlish et al. 2018, "An empirical model of large-batch training").
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import common
import numpy as np

from agents.parts import returns
from agents.parts.tensorflow import load
from agents.ppo import PPO
from arena.config import RunConfig
from arena.training import train

LAMBDAS = (0.5, 0.7, 0.8, 0.9, 0.95, 1.0)
USUAL = 0.95  # what the others are compared with
ROWS, STEPS = 16, 128
gradients: dict[str, list[np.ndarray]] = {}


class Probe(PPO):
    """Takes gradients in the place of updates, and keeps them in `gradients`."""

    def learn(self) -> Mapping[str, Any]:
        s, rollout = self.settings, self._rollout
        if self._num_filled < s.num_steps:
            return {}
        self._num_filled = 0
        tf, network, value = load(), self._actor.network, rollout["value"]
        advantages = {
            lam: returns.gae(
                rollout["reward"], value, rollout["next_value"], rollout["terminated"], rollout["done"], s.discount, lam
            )
            for lam in LAMBDAS
        }
        with tf.GradientTape(persistent=True) as tape:
            outputs = network(tf.constant(rollout["obs"].reshape(self._size, *rollout["obs"].shape[2:])))
            log_prob = self._actor.distribution.log_prob(outputs, tf.constant(rollout["sample"].reshape(self._size)))
            losses = {
                str(lam): -tf.reduce_mean(log_prob * returns.normalise(advantage).reshape(-1).astype(np.float32))
                for lam, advantage in advantages.items()
            }
            losses["entropy"] = -tf.reduce_mean(self._actor.distribution.entropy(outputs))
        for name, loss in losses.items():
            parts = tape.gradient(loss, network.trainable_variables)  # None for the head of the values
            flat = [part.numpy().ravel() for part in parts if part is not None]
            gradients.setdefault(name, []).append(np.concatenate(flat))
        return {}


def main() -> None:
    """Plays, measures, and writes benchmarks/results/gradient_noise.json."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="start", type=Path, required=True, metavar="RUN")
    parser.add_argument("--rollouts", type=int, default=64)
    given = parser.parse_args()
    steps = given.rollouts * ROWS * STEPS
    config = RunConfig.of(
        agent="gradient_noise:Probe",
        env="ALE/Pong-v5",
        steps=steps,
        num_envs=ROWS,
        start=str(given.start),
        preprocess="atari",
        eval_every=steps,
        eval_episodes=5,
        settings={"network": "cnn-2013", "num_steps": STEPS, "reward_clip": 1.0, "play": "sample"},
    )
    with tempfile.TemporaryDirectory() as folder:
        run = train(config, run_dir=Path(folder) / "run")
    assert run.step == steps
    result = {"run": given.start.name, "rollouts": given.rollouts, "usual": USUAL, "rows": measured(gradients)}
    common.write("gradient_noise", result)


def measured(gradients: Mapping[str, list[np.ndarray]]) -> dict[str, dict[str, float]]:
    """Returns by loss the true gradient's length, the steps that make noise as long, the cosine to that of USUAL."""
    stacked = {name: np.stack(vectors) for name, vectors in gradients.items()}
    different = ~np.eye(len(stacked[str(USUAL)]), dtype=bool)

    def product(a: str, b: str) -> float:
        return float((stacked[a] @ stacked[b].T)[different].mean())

    signal = {name: max(product(name, name), 1e-12) for name in stacked}  # an estimate without bias can be below 0
    rows = {}
    for name, vectors in stacked.items():
        noise = float(np.square(vectors).sum(1).mean()) - signal[name]
        cosine = product(name, str(USUAL)) / (signal[name] * signal[str(USUAL)]) ** 0.5
        rows[name] = {
            "length": round(signal[name] ** 0.5, 4),
            "steps": round(ROWS * STEPS * noise / signal[name]),
            "cosine": round(cosine, 2),
        }
    return rows


if __name__ == "__main__":
    from gradient_noise import main as main_of_module  # whose Probe is the one that the training finds

    main_of_module()
