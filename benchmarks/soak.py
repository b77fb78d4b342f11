"""Kills trainings with SIGKILL at random moments, resumes them, and compares what comes of them, to the bit.

Every case is trained once without a stop. Then the same is trained again, killed and resumed so many times, and left
to come to its end. Kills come some time after a start, while a checkpoint is written, or while a process is starting.
Its checkpoints come at other steps than those of the first. What must be the same: the newest checkpoint (weights,
optimizer, replay, random streams, counters), the best and the final policy, both tables and all of TensorBoard; wall
times, and what follows from them, aside.
"""

from __future__ import annotations

import argparse
import collections
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple

import common
import numpy as np
from run_contents import differences

from arena import checkpoint
from arena.quiet import silent_stderr


class Case(NamedTuple):
    """A training: what and on what, how many steps, how many in a small soak, how many between checkpoints."""

    agent: str
    env: str
    steps: int
    small: int
    checkpoint_every: int
    settings: tuple[str, ...] = ()
    env_settings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.agent} {self.env}"

    def command(self, folder: Path, steps: int, seed: int, periods: float = 1.0) -> list[str]:
        """Returns the arguments of `arena` that train it; checkpoints come every so many of its periods."""
        settings = ["eval_episodes=2", f"eval_every={steps // 3}", *self.settings]
        every = round(periods * min(self.checkpoint_every, steps // 5))
        numbers = {"--steps": steps, "--seed": seed, "--checkpoint-every": every}
        return [
            *("train", self.agent, "--env", self.env, "--run-dir", str(folder)),
            *(str(part) for pair in numbers.items() for part in pair),
            *(part for setting in settings for part in ("--set", setting)),
            *(part for setting in self.env_settings for part in ("--env-set", setting)),
        ]


SHORT = ("max_episode_steps=300",)
REPLAY = ("buffer_size=1200", "learning_starts=300")  # learns early, and its ring goes round
CASES = (
    Case("q_learning", "CartPole-v1", 20_000, 3_000, 1_100),
    Case("dqn", "CartPole-v1", 12_000, 2_600, 700, REPLAY),
    Case("reinforce", "CartPole-v1", 20_000, 3_000, 1_100),
    Case("ppo", "CartPole-v1", 30_000, 4_000, 1_300),
    Case("dqn", "ALE/Pong-v5", 4_000, 900, 330, REPLAY, SHORT),
    Case("ppo", "ALE/Pong-v5", 4_000, 1_000, 330, ("num_steps=16", "batch_size=64", "epochs=2"), SHORT),
)
START, CHECKPOINT, TRAINING, END = "at the start", "in a checkpoint", "in training", "at the end"


class Soak:
    """Trains, kills and resumes. Processes are forked from one that has imported TensorFlow: they start in no time."""

    def __init__(self, folder: Path, kills: int, seed: int) -> None:
        os.environ.update(TF_ENABLE_ONEDNN_OPTS="1", TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow")
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tensorflow", "keras", "arena.cli", "arena.training", "arena.terminal"])
        with silent_stderr():
            forkserver.ensure_running()
        self._folder, self._kills, self._seed = folder, kills, seed

    def run(self, case: Case, steps: int) -> dict[str, Any]:
        """Returns where the kills came, and the names of what is not the same in the end."""
        random = np.random.default_rng([self._seed, CASES.index(case)])
        folder = self._folder / case.name.replace("/", "-").replace(" ", "-")
        whole, killed = folder / "whole", folder / "killed"
        folder.mkdir(parents=True)
        begin = time.perf_counter()
        startup_s = self._finish(self._start(case.command(whole, steps, self._seed, periods=1.7), folder), whole)
        training_s = time.perf_counter() - begin - startup_s
        landed: collections.Counter[str] = collections.Counter()
        for number in range(self._kills):
            process = self._start(self._next(case, killed, steps), folder)
            share = 0.6 * (1 - _fraction(killed, steps)) * min(1.0, 2 / (self._kills - number + 1))
            aim = random.choice([START, CHECKPOINT, CHECKPOINT, TRAINING, TRAINING])
            if number == 0:  # once before the first checkpoint, unless there are no more kills
                aim, share = TRAINING, share if self._kills == 1 else 0.05
            landed[_kill(process, killed, random, aim, startup_s, training_s * share)] += 1
        self._finish(self._start(self._next(case, killed, steps), folder), killed)
        found = [name for name in differences(whole, killed) if name != "TensorBoard configuration"]
        return {"steps": steps, "kills": dict(landed), "differences": found}

    def _next(self, case: Case, folder: Path, steps: int) -> list[str]:
        """Returns what a person would type next."""
        is_begun = (folder / "config.toml").exists()
        return ["resume", str(folder)] if is_begun else case.command(folder, steps, self._seed)

    def _start(self, arguments: list[str], folder: Path) -> BaseProcess:
        process = self._context.Process(target=_arena, args=(arguments, folder / "log.txt"))
        process.start()
        return process

    def _finish(self, process: BaseProcess, run: Path) -> float:
        """Lets a training come to its end; returns the seconds until it began."""
        begin = time.perf_counter()
        before = _logs(run)
        while process.is_alive() and _logs(run) == before:
            time.sleep(0.005)
        startup_s = time.perf_counter() - begin
        process.join()
        if process.exitcode:
            sys.exit(f"{run}: exit code {process.exitcode}; see log.txt beside it")
        return startup_s


def _arena(arguments: list[str], log: Path) -> None:
    """What the processes do."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    from arena.cli import main

    sys.exit(main(arguments))


def _kill(
    process: BaseProcess, run: Path, random: np.random.Generator, aim: str, startup_s: float, span_s: float
) -> str:
    """Kills a training at a random moment, within `span_s` of its start or soon after; returns where it was."""
    before = _logs(run)
    if aim == START:
        time.sleep(startup_s * random.random())
    else:
        while process.is_alive() and _logs(run) == before:
            time.sleep(0.002)
        time.sleep(span_s * random.random())
    if aim == CHECKPOINT:
        while process.is_alive() and not _half_written(run):
            time.sleep(0.0005)
        time.sleep(0.02 * random.random() ** 2)
    is_ended = not process.is_alive()
    if process.pid and not is_ended:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    if is_ended or process.exitcode != -signal.SIGKILL:
        return END
    if _half_written(run):
        return CHECKPOINT
    return START if _logs(run) == before else TRAINING


def _logs(run: Path) -> set[str]:
    """Returns the names of the event files: every process begins one of its own when it is about to train."""
    return {path.name for path in run.glob("events.*")}


def _half_written(run: Path) -> bool:
    return any(run.glob("checkpoints/.step-*"))


def _fraction(run: Path, steps: int) -> float:
    """Returns the part of the training that is in checkpoints."""
    done = [checkpoint.step_of(path) for path in run.glob("checkpoints/step-*")]
    return min(1.0, max(done, default=0) / steps)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", nargs="+", default=[case.agent for case in CASES], metavar="NAME")
    parser.add_argument("--kills", type=int, default=10, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--small", action="store_true", help="shorter trainings")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="where the runs stay; nowhere by default")
    parser.add_argument("--no-results", action="store_true", help="do not write benchmarks/results/soak.json")
    options = parser.parse_args()
    cases = [case for case in CASES if case.agent in options.agents]
    folder = Path(tempfile.mkdtemp(dir=options.keep))
    soak = Soak(folder, options.kills, options.seed)
    results = {}
    print(f"{'training':<22}{'steps':>8}  {'killed':<58}  differences", flush=True)
    for case in cases:
        result = results[case.name] = soak.run(case, case.small if options.small else case.steps)
        kills = ", ".join(f"{count} {where}" for where, count in sorted(result["kills"].items()))
        print(
            f"{case.name:<22}{result['steps']:>8,}  {kills:<58}  {', '.join(result['differences']) or 'none'}",
            flush=True,
        )
    is_same = not any(result["differences"] for result in results.values())
    if not options.keep and is_same:
        shutil.rmtree(folder)
    else:
        print(f"the runs are in {folder}")
    if not options.no_results:
        common.write("soak", {"seed": options.seed, "kills": options.kills, "trainings": results})
    sys.exit(0 if is_same else 1)


if __name__ == "__main__":
    main()
