"""This project's side: what `arena train` does, run folder, CSV files and TensorBoard included."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import envs
from arena import registry
from arena.config import RunConfig
from arena.evaluation import evaluate
from arena.training import Hooks, train
from sides.work import ACTING, GAMES, GAMES_SEED, WORKS, Stopwatch, Work, calls_per_second, observations


def rate(name: str, *, quick: bool, seed: int, folder: str) -> float:
    """Returns environment steps per second while training, without evaluations."""
    work = WORKS[name]
    watch = Stopwatch(work, quick)
    with tempfile.TemporaryDirectory() as runs:
        train(config_of(work, seed), run_dir=Path(runs) / "run", hooks=Hooks(should_stop=watch))
    return watch.rate


def config_of(work: Work, seed: int, **changes: Any) -> RunConfig:
    """Returns `work` as a run that is not evaluated before its end. Sticky actions are off, as theirs are."""
    values: dict[str, Any] = {
        "agent": work.agent,
        "env": work.env,
        "env_settings": {"repeat_action_probability": 0.0} if work.is_atari else {},
        "seed": seed,
        "steps": work.total_steps,
        "num_envs": work.num_envs,
        "eval_every": 2 * work.total_steps,
        "settings": work.settings,
    }
    return RunConfig.of(**values | changes)


def act(name: str, *, quick: bool, seed: int, folder: str) -> float:
    """Returns actions per second of a policy, one observation at a time; leaves its weights and answers in `folder`."""
    work = ACTING[name]
    agent = _agent_of(work, seed=0)
    np.savez(Path(folder) / "weights.npz", *agent.weights().values())
    player, obs = agent.policy(), observations(work)
    np.save(Path(folder) / "answers.npy", player.act(obs, player.initial_state(np.arange(len(obs)))).extras["q"])
    state = player.initial_state(np.zeros(1, np.int64))
    return calls_per_second(lambda one: player.act(one, state).action, obs[:1], quick)


def _agent_of(work: Work, seed: int) -> Any:
    env = envs.make(work.env, work.num_envs)
    env.close()
    return registry.resolve(work.agent).build(env.spec, seed=seed, settings=work.settings)


def replay_bytes(name: str) -> float:
    """Returns bytes per transition of a full replay."""
    work = WORKS[name]
    return float(_agent_of(work, seed=0)._replay.nbytes / work.settings["buffer_size"])


def score(name: str, *, seed: int) -> dict[str, float]:
    """Returns the mean returns of a whole training's last policy, and of the one that its evaluations chose."""
    work = WORKS[name]
    with tempfile.TemporaryDirectory() as runs:
        config = config_of(work, seed, eval_every=work.total_steps // 20, eval_episodes=20)
        run = train(config, run_dir=Path(runs) / "run").folder
        return {
            kind: evaluate(str(run / f"{kind}.tflite"), work.env, episodes=GAMES, seed=GAMES_SEED, mode="greedy").mean
            for kind in ("final", "best")
        }


def shares(name: str, *, quick: bool) -> dict[str, float]:
    """Returns where the time of a training goes; see sides.shares."""
    from sides.shares import measure

    return measure(name, quick=quick)
