"""Evaluating one CartPole policy: the arena against Stable-Baselines3's evaluate_policy; needs `pip install .[peers]`.

    python benchmarks/evaluate_policy.py [--rounds N] [--quick]

The policy is a PPO of Stable-Baselines3 (MlpPolicy, two layers of 64) that it trains itself; its weights are copied
into a policy of the arena, and both must answer alike before anything is timed. Both sides run alternating, each time
in a new process that evaluates a little first; environments are made before the clock starts, and each side uses the
threads that it takes by itself. Each is measured twice: as its users call it (`make_vec_env(id, 1)`; `arena eval`), and
with the number of environments that is best for it, found before. The results are kept in
benchmarks/results/evaluate_policy.json; --quick keeps none.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import common
import numpy as np

from arena.versions import made_with

ENV, SEED, LAYERS, TRAINING_STEPS = "CartPole-v1", 1, 3, 50_000
USUAL = {"arena": None, "sb3": 1}  # None is what `arena eval` takes
NUM_ENVS = (1, 4, 16, 64)
PACKAGES = ("stable-baselines3", "torch")
MUST = 10.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a first look: short, and not kept")
    parser.add_argument("--task", nargs=2, metavar=("NAME", "OPTIONS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        print(json.dumps(TASKS[options.task[0]](**json.loads(options.task[1]))))
        return
    with tempfile.TemporaryDirectory() as folder:
        result = compare(folder, 2 if options.quick else options.rounds, 4 if options.quick else 100, options.quick)
    if not options.quick:
        common.write("evaluate_policy", result | made_with(), show=False)


def compare(folder: str, rounds: int, episodes: int, is_quick: bool) -> dict[str, Any]:
    """Returns both sides' rates in environment steps per second, and their ratios."""
    in_new_process("train", folder=folder, steps=2_048 if is_quick else TRAINING_STEPS)
    difference = in_new_process("copy", folder=folder)
    print(f"the same weights; outputs differ by at most {difference:.1e}", flush=True)
    best = {side: best_num_envs(side, folder, max(2, episodes // 2)) for side in USUAL}
    rates: dict[str, dict[str, list[float]]] = {}
    means, comparisons = {}, {}
    for name, num_envs in (("as users call it", USUAL), ("best for each", best)):
        rates[name] = {side: [] for side in USUAL}
        for number in range(rounds):
            for side in list(USUAL)[:: 1 if number % 2 else -1]:  # each goes first in turn
                played = in_new_process(side, folder=folder, num_envs=num_envs[side], episodes=episodes)
                rates[name][side].append(played["steps_per_s"])
                means[side] = played["mean"]
        ratios = [ours / theirs for ours, theirs in zip(rates[name]["arena"], rates[name]["sb3"], strict=True)]
        comparisons[name] = {"num_envs": num_envs, "ratio": statistics.median(ratios), "ratios": ratios}
        medians = {side: f"{statistics.median(values):,.0f}" for side, values in rates[name].items()}
        spread = f"{min(ratios):.1f} to {max(ratios):.1f}"
        print(f"{name} {num_envs}: {medians} steps/s, {statistics.median(ratios):.1f} x ({spread})", flush=True)
    configuration = {"env": ENV, "episodes": episodes, "training_steps": TRAINING_STEPS, "must": MUST}
    packages = {package: version(package) for package in ("stable-baselines3", "torch")}
    return {
        "configuration": configuration,
        "rates": rates,
        "comparisons": comparisons,
        "difference": difference,
    } | packages


def best_num_envs(side: str, folder: str, episodes: int) -> int:
    """Returns the number of environments with which a side is fastest."""
    found = {
        number: in_new_process(side, folder=folder, num_envs=number, episodes=max(episodes, number))
        for number in NUM_ENVS
    }
    shown = {number: f"{played['steps_per_s']:,.0f}" for number, played in found.items()}
    print(f"{side} by environments: {shown} steps/s", flush=True)
    return max(found, key=lambda number: found[number]["steps_per_s"])


def in_new_process(task: str, **options: Any) -> Any:
    """Returns what a task gives that has a process of its own."""
    command = [sys.executable, __file__, "--task", task, json.dumps(options)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:
        sys.exit(f"{task} {options} failed:\n{process.stderr}")
    return json.loads(process.stdout.splitlines()[-1])


def train(folder: str, steps: int) -> int:
    """Trains their model; leaves it in `folder`, with its weights, and its logits of some observations."""
    sys.modules["tensorflow"] = None  # type: ignore[assignment]  # torch's TensorBoard would import it
    import torch
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env

    model = PPO("MlpPolicy", make_vec_env(ENV, 8, SEED), n_steps=128, seed=SEED, device="cpu").learn(steps)
    model.save(Path(folder) / "model.zip")
    hidden = [layer for layer in model.policy.mlp_extractor.policy_net if hasattr(layer, "weight")]
    layers = [*hidden, model.policy.action_net]
    weights = [array.detach().numpy() for layer in layers for array in (layer.weight.T, layer.bias)]
    obs = np.random.default_rng(0).normal(size=(256, 4)).astype(np.float32)
    with torch.no_grad():
        logits = model.policy.get_distribution(torch.as_tensor(obs)).distribution.logits.numpy()
    np.savez(Path(folder) / "weights.npz", obs, logits, *weights)
    return steps


def copy(folder: str) -> float:
    """Writes a policy of the arena with their weights; returns by how much its logits differ at most.

    Raises:
      AssertionError: it answers otherwise than their model.
    """
    import envs
    from agents.parts.tensorflow import load
    from arena import export, policy

    tf = load()
    with np.load(Path(folder) / "weights.npz") as saved:
        obs, theirs, *weights = saved.values()
    pairs = list(zip(weights[::2], weights[1::2], strict=True))
    assert len(pairs) == LAYERS

    def network(x: Any) -> dict[str, Any]:
        for kernel, bias in pairs[:-1]:
            x = tf.tanh(x @ kernel + bias)
        return {"logits": x @ pairs[-1][0] + pairs[-1][1]}

    env = envs.make(ENV, 1)
    card = policy.Card.of("ppo", env.spec, "greedy", {})
    function = policy.LiteRTFunction(export.to_litert(network, (4,), "float32"))
    path = policy.save(policy.Policy(function, card), Path(folder) / "policy")
    probabilities = policy.softmax(policy.load(path).function(obs)["logits"])
    np.testing.assert_allclose(probabilities, policy.softmax(theirs), atol=1e-5)
    return float(np.abs(probabilities - policy.softmax(theirs)).max())


def ours(folder: str, num_envs: int | None, episodes: int) -> dict[str, float]:
    """Returns the rate of `arena eval` and the mean return."""
    from arena.evaluation import evaluate

    path = f"{folder}/policy.tflite"
    evaluate(path, ENV, episodes=num_envs or 8, num_envs=num_envs, seed=SEED + 1)
    played = evaluate(path, ENV, episodes=episodes, num_envs=num_envs, seed=SEED)
    return {"steps_per_s": played.steps / played.seconds, "mean": played.mean}


def theirs(folder: str, num_envs: int, episodes: int) -> dict[str, float]:
    """Returns the rate of their evaluate_policy and the mean return."""
    sys.modules["tensorflow"] = None  # type: ignore[assignment]
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.evaluation import evaluate_policy

    model = PPO.load(f"{folder}/model.zip", device="cpu")
    env = make_vec_env(ENV, num_envs, SEED)
    evaluate_policy(model, env, num_envs)
    begin = time.perf_counter()
    returns, lengths = evaluate_policy(model, env, episodes, deterministic=True, return_episode_rewards=True)
    return {"steps_per_s": sum(lengths) / (time.perf_counter() - begin), "mean": float(np.mean(returns))}


TASKS = {"train": train, "copy": copy, "arena": ours, "sb3": theirs}

if __name__ == "__main__":
    main()
