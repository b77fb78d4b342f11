"""The part of docs/benchmarks.md about other libraries, from benchmarks/results/peers.json."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Table = Callable[[Sequence[str], Iterable[Sequence[Any]]], str]

HEAD = """## Against Stable-Baselines3 and SBX

`python benchmarks/peers.py` runs everything below, with `--only NAME` one line of it; `pip install -r
benchmarks/peers.lock` brings both libraries, PyTorch and JAX. Sides run alternating, each in a new process, with as
many threads as they take by themselves. The clock starts when everything is imported, compiled and learning, and runs
over the same environment steps on every side. Hyperparameters are those of RL Baselines3 Zoo. A ratio is the median
over the rounds, with the least and the greatest behind it."""

DIFFERENCES = """What is not the same on both sides:

- The arena writes its run folder (tables, TensorBoard) while the clock runs; the others write nothing. Evaluations are
  off on all sides.
- Environments are those that a user of each library gets: `make_vec_env` and `make_atari_env` with `VecFrameStack`,
  one after the other in one process, against the arena's rows. On both sides Pong has frame skip 4, 4 frames of 84x84,
  rewards clipped for learning, and no sticky actions.
- DQN on Pong has epsilon at its final .01 from the start, as it is for nine tenths of a whole training; where actions
  are random, Stable-Baselines3 leaves out its network.
- The target network of DQN on CartPole is copied every 10 steps by the others, and by the arena before the first
  training that finds it behind; as nothing is learned between trainings, it is the same network.
- First weights are drawn alike by the arena and Stable-Baselines3 (DQN's uniformly within 1 / sqrt(inputs), PPO's
  orthogonal), and otherwise by SBX, which does not clip DQN's gradients and gives PPO's policy and value an optimizer
  each.
- One action: the same weights on both sides, whose answers are compared before the clock starts. `predict` is
  Stable-Baselines3's; the CNN is PyTorch alone under `no_grad`, the conversion of the observation included."""

SHARES = """### Where the time goes

The arena's side, the clock put around the compiled update, the network's answers while acting, and the environment's
step and reset. A gradient's operations are counted from the layers, and compared with a product of two 2048x2048
float32 matrices in TensorFlow in the same process."""

SCORES = """### Scores at equal steps

Whole trainings (DQN 50,000 steps, PPO 100,000) at the hyperparameters above, the last policy played greedily; 95%
percentile bootstrap intervals of the mean over 5 seeds. The best policy is the one that a run's own evaluations, on
seeds of their own, chose; the other side has none."""

NAMES = {"sb3": "Stable-Baselines3", "sbx": "SBX", "torch": "PyTorch"}
WORK = {
    "dqn-cartpole": "DQN CartPole-v1",
    "ppo-cartpole": "PPO CartPole-v1, 8 environments",
    "dqn-pong": "DQN Pong, 1 environment",
    "ppo-pong": "PPO Pong, 8 environments",
    "act-cnn": "one action of the Nature CNN",
    "act-mlp": "one action of a 256-256 MLP",
}


def page(data: Mapping[str, Any], table: Table) -> str:
    """Returns the section, without the parts that have not been measured."""
    lines = data["lines"]
    parts = [HEAD, speeds(lines, table), DIFFERENCES]
    if "replay-bytes" in lines:
        parts.append(replay(lines["replay-bytes"]))
    if "shares" in lines:
        parts += [SHARES, shares(lines["shares"], table)]
    if "scores" in lines:
        parts += [SCORES, scores(lines["scores"], table)]
    return "\n\n".join([*parts, packages(lines)])


def speeds(lines: Mapping[str, Any], table: Table) -> str:
    """Returns the ratios."""
    rows = []
    for name, work in WORK.items():
        line = lines.get(name, {"comparisons": {}})
        for side, found in line["comparisons"].items():
            ours, theirs = (statistics.median(line["rates"][who]) for who in ("arena", side))
            ratio = f"**{found['ratio']:.2f}** ({min(found['ratios']):.2f} to {max(found['ratios']):.2f})"
            cells = (f"{ours:,.0f}", f"{theirs:,.0f}", line["unit"], ratio, f"{found['must']}; {found['aim']}")
            rows.append((work, NAMES[side], *cells, f"`--only {name}`"))
    return table(("work", "against", "arena", "theirs", "unit", "ratio", "must; aim", "command"), rows)


def replay(line: Mapping[str, Any]) -> str:
    """Returns the sentence about the replays."""
    ours, theirs = (f"{line['bytes_per_transition'][side]:,.0f}" for side in ("arena", "sb3"))
    return (
        f"A transition of Pong takes {ours} bytes of the arena's replay (must: at most {line['must']:,}) and "
        f"{theirs} of Stable-Baselines3's (`--only replay-bytes`)."
    )


def shares(line: Mapping[str, Any], table: Table) -> str:
    """Returns where the time goes."""
    rows = []
    for name, found in line["shares"].items():
        parts = (f"{found[part]:.1%}" for part in ("gradient", "network", "environment", "rest"))
        of_matrix = "-"
        if "of_matrix" in found:
            speeds = f"{found['gradient_gflops']:.0f} of {found['matrix_gflops']:.0f} GFLOP/s"
            of_matrix = f"{speeds}, {found['of_matrix']:.0%}"
        rows.append((WORK[name], *parts, of_matrix, "`--only shares`"))
    headings = ("work", "gradient", "network", "environment", "everything else", "gradient / matrix product", "command")
    return table(headings, rows) + f"\n\nMust: {line['must']}."


def scores(line: Mapping[str, Any], table: Table) -> str:
    """Returns the scores."""
    rows = []
    for name, found in line["scores"].items():
        cells = (f"{found[key]['mean']:.1f} {interval(found[key])}" for key in ("arena", "sb3", "difference", "best"))
        seeds = (", ".join(f"{value:.0f}" for value in found[key]["values"]) for key in ("arena", "sb3"))
        rows.append((WORK[name], *cells, *seeds, "`--only scores`"))
    headings = (
        "work", "arena, last", "Stable-Baselines3, last", "difference", "arena, best", "arena by seed",
        "Stable-Baselines3 by seed", "command",
    )  # fmt: skip
    return table(headings, rows)


def interval(found: Mapping[str, Any]) -> str:
    """Returns an interval for people."""
    low, high = found["interval"]
    return f"[{low:.1f}, {high:.1f}]"


def packages(lines: Mapping[str, Any]) -> str:
    """Returns what the comparison was made with."""
    line = next(iter(lines.values()))
    names = ("stable-baselines3", "sbx-rl", "torch", "jax", "tensorflow", "gymnasium", "numpy")
    versions = ", ".join(f"{name} {line[name]}" for name in names)
    minutes = sum(line["wall_s"] for line in lines.values()) / 60
    return f"All of it took {minutes:.0f} minutes on {line['cores']} cores ({line['cpu']}), with {versions}."
