"""Writes docs/benchmarks.md from the results in benchmarks/results, and the README's standings from the zoo's records.

python benchmarks/tables.py
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import learning_tables
import memory_tables
import peer_tables
import tournament_tables
import zoo_table

RESULTS = Path(__file__).parent / "results"
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
Row = tuple[str, str, str, str]  # what, must, measured, script


def main() -> None:
    parts = [HEAD, learning_tables.page(read, is_measured, table)]
    if is_measured("memory"):
        parts.append(memory_tables.page(read("memory"), table))
    parts += [scores(read("scores")), ten_minutes(read("ten_minutes")), speed()]
    parts.append(tournament_tables.page(read, is_measured, table))
    if is_measured("quantization"):
        parts.append(quantization(read("quantization")))
    if is_measured("gradient_noise"):
        parts.append(gradient_noise(read("gradient_noise")))
    if is_measured("peers"):
        parts.append(peer_tables.page(read("peers"), table))
    parts.append(machine())
    PAGE.write_text("\n\n".join(filter(None, parts)) + "\n", encoding="utf-8")
    zoo_table.write()


HEAD = """# Benchmarks

Every figure here was written by a script in `benchmarks/`, which also leaves its JSON (configuration, seeds, commit,
versions) in `benchmarks/results/`; `python benchmarks/tables.py` makes this page from them. Absolute speeds are of one
machine; the ratios, both sides of which are measured alternating in one run, are what counts."""


SCORES = """## Scores

`python benchmarks/scores.py` — the run's best policy (chosen on seeds of its own), played on other seeds in its own
mode; for CartPole-v0 the mean return of the last 100 training episodes, as in the cookbook. FrozenLake's score is its
share of wins.

"""

TEN_MINUTES = """## Ten minutes of training

`python benchmarks/ten_minutes.py` — seed 0, preset settings, killed (SIGKILL) at half time, resumed, filmed. These show
that the whole way works, not how good an agent gets: two ran at a time, on 2 cores that other work shared. Atari:
sticky actions 0.25, full games, raw scores.

"""


QUANTIZATION = """## Quantization

`python benchmarks/quantization.py` — policies as exported, and with their weights in int8 (dynamic ranges); both play
the same games. Musts: at most 0.27 of the bytes where the float32 file is over 1 MB, 98% of actions agreeing where the
two best values differ by more than 1% of their range, and a mean KL below 0.01 for policies that sample.

"""


GRADIENT_NOISE = """## How noisy PPO's gradient is

`python benchmarks/gradient_noise.py --from runs/zoo/ppo/ALE/{run}` — Pong, {rollouts} rollouts of 2,048 steps of one
policy. The loss of the policy with advantages normalised, by the lambda of their estimates; the entropy with a
coefficient of 1. Signal is the length of the true gradient, steps are those over which a gradient must be averaged for
its noise to be as long, and the cosine says how far it points where that of lambda {usual} points. All are estimates: a
cosine can come out above 1, and where steps are millions it says nothing.

"""


def scores(data: dict[str, Any]) -> str:
    """Returns the table of scores by seed."""
    rows = []
    for name, entry in data["scores"].items():
        seeds = entry["seeds"]
        key = "last_100_episodes" if "last" in entry["must"] else "mean"
        rows.append(
            (
                name,
                entry["must"] or "-",
                ", ".join(f"{row[key]:.2f}" for row in seeds),
                f"{seeds[0]['steps']:,}",
                f"{sum(row['wall_s'] for row in seeds) / len(seeds):.0f}",
                f"`{entry['command']}`",
            )
        )
    headings = ("training", "must", "score by seed 0, 1, ...", "steps (seed 0)", "s a seed", "command")
    return SCORES + table(headings, rows)


def ten_minutes(data: dict[str, Any]) -> str:
    """Returns the table of the trainings on harder games."""
    rows = []
    for name, entry in data["trainings"].items():
        kill, end = entry["at_kill"], entry["end"]
        assert entry["killed_with_checkpoint"][-1] == f"step-{kill['step']:012d}"
        evaluations = entry["curves"]["evaluation/return"]["points"]
        rows.append(
            (
                name,
                f"{kill['step']:,} ({kill['seconds']:.0f} s)",
                f"{end['step']:,}",
                f"{end['recent_return']:.1f}",
                f"{end['best']:.1f}",
                f"{len(entry['curves'])}, {evaluations}",
                f"`{entry['command']}`",
            )
        )
    headings = (
        "training", "last saved before the kill", "steps in the end", "last 100 episodes", "best evaluation",
        "curves, evaluations", "command",
    )  # fmt: skip
    return TEN_MINUTES + table(headings, rows)


def speed() -> str:
    """Returns the table of speeds and memory."""
    loop, evaluation, q_learning = read("loop_cost"), read("eval_speed"), read("q_learning_speed")
    memory, startup = read("recording_memory"), read("startup")
    rows = [
        ("loop's own cost, N = 1", "25 us a step", f"{loop['N=1']['loop_us_per_env_step']} us", "loop_cost"),
        ("loop's own cost, N = 64", "1 us an env step", f"{loop['N=64']['loop_us_per_env_step']} us", "loop_cost"),
        ("GymRows over bare CartPole, N = 1", "-", f"{loop['N=1']['rows_us_per_env_step']} us", "loop_cost"),
        ("GymRows over bare CartPole, N = 64", "-", f"{loop['N=64']['rows_us_per_env_step']} us", "loop_cost"),
        ("eval random Pong, 16 rows / bare AtariVectorEnv", "0.85", _spread(evaluation), "eval_speed"),
        ("q_learning RBF training / bare CartPole-v0", "0.167", f"{q_learning['ratio']:.3f}", "q_learning_speed"),
        ("`arena --help`", "0.5 s", f"{startup['help_s']} s", "startup"),
        ("`arena envs`", "1 s", f"{startup['envs_s']} s", "startup"),
        ("memory over a 10,000-frame film", "50 MB", f"{memory['growth_mb']:.0f} MB", "recording_memory"),
    ]  # fmt: skip
    rows += [*training_memory(), *first_actions(startup), *checkpoints()]
    lines = [(what, must, value, f"`benchmarks/{script}.py`") for what, must, value, script in rows]
    return "## Speed and memory\n\n" + table(("what", "must", "measured", "script"), lines)


def training_memory() -> list[Row]:
    """Returns the rows about memory while training."""
    if not is_measured("training_memory"):
        return []
    data, rows = read("training_memory"), []
    for agent, found in data["agents"].items():
        what = f"resident memory, {agent} on CartPole-v1, {found['steps'] / 1e6:g} million steps"
        ends = f"{found['mb_at_tenth']:.0f} MB after a tenth, {found['mb_at_end']:.0f} MB in the end"
        slope = (
            f"{found['mb_per_100k_steps']:+.1f} MB per 100,000 steps, at most {found['largest_growth_mb']:.0f} MB up"
        )
        rows.append((what, f"flat within {data['limit_mb']:.0f} MB", f"{ends} ({slope})", "training_memory"))
    return rows


def first_actions(startup: dict[str, Any]) -> list[Row]:
    """Returns the rows about the time to a policy's first action."""
    what = "`arena eval POLICY.tflite` from the command to the first action"
    games = {"first_action_s": "CartPole-v1", "first_action_pong_s": "Pong"}
    return [(f"{what}, {game}", "1 s", f"{startup[key]} s", "startup") for key, game in games.items() if key in startup]


def checkpoints() -> list[Row]:
    """Returns the rows about what checkpoints cost and are good for."""
    rows = []
    if is_measured("checkpoint_cost"):
        data = read("checkpoint_cost")
        what = f"checkpoints of DQN on Pong, replay of {data['frames']:,} frames, one every five minutes"
        must = f"{data['must_percent']:g}% of training time"
        rows.append((what, must, f"{data['percent_of_training']}%", "checkpoint_cost"))
    if is_measured("soak"):
        for name, found in read("soak")["trainings"].items():
            kills = sum(found["kills"].values())
            what = f"{name}, {found['steps']:,} steps, killed {kills} times and resumed"
            rows.append((what, "the same to the bit", ", ".join(found["differences"]) or "the same", "soak"))
    return rows


def gradient_noise(data: dict[str, Any]) -> str:
    """Returns the table of signal and noise by lambda."""
    rows = [
        (
            name if name == "entropy" else f"lambda {name}",
            f"{row['length']:.4f}",
            f"{row['steps']:,}",
            f"{row['cosine']:.2f}",
        )
        for name, row in data["rows"].items()
    ]
    head = GRADIENT_NOISE.format(run=data["run"], rollouts=data["rollouts"], usual=data["usual"])
    return head + table(("gradient of", "signal", "steps", "cosine"), rows)


def quantization(data: dict[str, Any]) -> str:
    """Returns the table of policies quantized to dynamic int8."""
    rows = []
    for found in data["policies"].values():
        compared = found["dynamic"]["comparison"]
        shown = [
            "-" if compared is None or compared[key] is None else form.format(compared[key])
            for key, form in (("agreement", "{:.2%}"), ("decided_agreement", "{:.2%}"), ("kl", "{:.5f}"))
        ]
        score = "-"
        if compared:
            score = f"{compared['difference']:+.2f} [{compared['low']:+.2f}, {compared['high']:+.2f}]"
        times = f"{found['none']['mean_us']:.1f}, {found['dynamic']['mean_us']:.1f}"
        rows.append(
            (f"`{found['command']}`", f"{found['none']['bytes']:,}", found["ratio"]["dynamic"], *shown, score, times)
        )
    headings = (
        "policy", "bytes in float32", "dynamic int8 / float32", "actions agree", "where decided", "mean KL",
        "score difference", "us a call, float32 and int8",
    )  # fmt: skip
    return QUANTIZATION + table(headings, rows)


def _spread(data: dict[str, Any]) -> str:
    return f"{data['ratio']} (rounds {min(data['ratios'])} to {max(data['ratios'])})"


def machine() -> str:
    """Returns what it was measured on."""
    about = read("loop_cost")
    versions = ", ".join(f"{name} {version}" for name, version in about["versions"].items() if name != "platform")
    return f"## Machine\n\n{about['cores']} cores ({about['machine']}), no GPU; {versions}."


def is_measured(name: str) -> bool:
    """Whether a benchmark has left results."""
    return (RESULTS / f"{name}.json").exists()


def read(name: str) -> dict[str, Any]:
    """Returns a benchmark's results."""
    content: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return content


def table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Returns a Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    main()
