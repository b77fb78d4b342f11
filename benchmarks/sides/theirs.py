"""Stable-Baselines3 and SBX, which share an interface: `model.learn` as their documentation shows it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ale_py
import gymnasium as gym
import numpy as np
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_atari_env, make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecEnv, VecFrameStack

from sides.work import ACTING, GAMES, GAMES_SEED, WORKS, Stopwatch, Work, calls_per_second, observations

gym.register_envs(ale_py)
MODULES = {"sb3": "stable_baselines3", "sbx": "sbx"}


def rate(name: str, *, side: str, quick: bool, seed: int, folder: str) -> float:
    """Returns environment steps per second while training, without evaluations and logs."""
    work = WORKS[name]
    watch = Stopwatch(work, quick)
    _model_of(side, work, seed).learn(work.total_steps, callback=_Clock(watch))
    return watch.rate


class _Clock(BaseCallback):
    """Looks at the stopwatch after every step. Without a callback their loop calls an empty one."""

    def __init__(self, watch: Stopwatch) -> None:
        super().__init__()
        self._watch = watch

    def _on_step(self) -> bool:
        return not self._watch()


def _model_of(side: str, work: Work, seed: int) -> Any:
    """Returns a new model for `work`, with environments."""
    algorithm = getattr(importlib.import_module(MODULES[side]), work.agent.upper())
    keywords = _KEYWORDS[work.agent](work.settings)
    if "hidden" in work.settings:
        keywords["policy_kwargs"] = {"net_arch": work.settings["hidden"]}
    policy = "CnnPolicy" if work.is_atari else "MlpPolicy"
    return algorithm(policy, _make_env(work, work.num_envs, seed), seed=seed, device="cpu", **keywords)


def _make_env(work: Work, num_envs: int, seed: int) -> VecEnv:
    """Returns the environments of their usual set-up, one after the other in one process."""
    if work.is_atari:
        game = work.env.removeprefix("ALE/").removesuffix("-v5")
        return VecFrameStack(make_atari_env(f"{game}NoFrameskip-v4", num_envs, seed), 4)
    return make_vec_env(work.env, num_envs, seed)


def _dqn(s: dict[str, Any]) -> dict[str, Any]:
    return {
        "learning_rate": s["learning_rate"],
        "batch_size": s["batch_size"],
        "buffer_size": s["buffer_size"],
        "learning_starts": s["learning_starts"],
        "gamma": s["discount"],
        "target_update_interval": s["target_period_steps"],
        "train_freq": s["train_period_steps"],
        "gradient_steps": s["updates_per_training"],
        "exploration_initial_eps": s["epsilon_start"],
        "exploration_fraction": s["epsilon_fraction"],
        "exploration_final_eps": s["epsilon_end"],
    }


def _ppo(s: dict[str, Any]) -> dict[str, Any]:
    assert s["learning_rate_schedule"] == s["clip_schedule"] == "linear"
    return {
        "n_steps": s["num_steps"],
        "batch_size": s["batch_size"],
        "n_epochs": s["epochs"],
        "gamma": s["discount"],
        "gae_lambda": s["gae_lambda"],
        "ent_coef": s["entropy_coefficient"],
        "learning_rate": LinearSchedule(s["learning_rate"], 0.0, 1.0),
        "clip_range": LinearSchedule(s["clip"], 0.0, 1.0),
    }


_KEYWORDS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {"dqn": _dqn, "ppo": _ppo}


def act(name: str, *, side: str, quick: bool, seed: int, folder: str) -> float:
    """Returns actions per second of the network whose weights lie in `folder`: of `predict`, for images of torch alone.

    Raises:
      AssertionError: it answers otherwise than the arena's.
    """
    work = ACTING[name]
    with np.load(Path(folder) / "weights.npz") as saved:
        weights = [torch.as_tensor(array) for array in saved.values()]
    if work.is_atari:
        network = _cnn(num_actions=len(weights[-1]))
        call = _forward(network)
    else:
        model = _model_of(side, work, seed)
        network, call = model.q_net.q_net, lambda obs: model.predict(obs, deterministic=True)
    _load(network, weights)
    obs = observations(work)
    with torch.no_grad():
        answers = network(torch.as_tensor(obs).float() / (255.0 if work.is_atari else 1.0)).numpy()
    np.testing.assert_allclose(answers, np.load(Path(folder) / "answers.npy"), rtol=1e-3, atol=1e-4)
    return calls_per_second(call, obs[:1], quick)


def _cnn(num_actions: int) -> torch.nn.Sequential:
    """Returns the network of Mnih et al. (2015)."""
    nn = torch.nn
    convolutions = (nn.Conv2d(4, 32, 8, 4), nn.Conv2d(32, 64, 4, 2), nn.Conv2d(64, 64, 3, 1))
    activated = [layer for convolution in convolutions for layer in (convolution, nn.ReLU())]
    return nn.Sequential(*activated, nn.Flatten(), nn.Linear(3136, 512), nn.ReLU(), nn.Linear(512, num_actions))


def _forward(network: torch.nn.Module) -> Callable[[np.ndarray], np.ndarray]:
    def call(obs: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return network(torch.as_tensor(obs).float() / 255.0).argmax(1).numpy()

    return call


def _load(network: torch.nn.Module, weights: list[torch.Tensor]) -> None:
    """Copies kernels and biases in order from Keras' layout: channels last, inputs before outputs."""
    layers = [layer for layer in network if hasattr(layer, "weight")]
    channels = 0
    with torch.no_grad():
        for layer, kernel, bias in zip(layers, weights[::2], weights[1::2], strict=True):
            if kernel.ndim == 4:
                channels = kernel.shape[-1]
                kernel = kernel.permute(3, 2, 0, 1)
            elif channels:  # the first layer after the images sees [channels, height, width]
                kernel = kernel.reshape(-1, channels, len(bias)).transpose(0, 1).reshape(-1, len(bias)).T
                channels = 0
            else:
                kernel = kernel.T
            layer.weight.copy_(kernel)
            layer.bias.copy_(bias)


def replay_bytes(name: str, *, side: str) -> float:
    """Returns bytes per transition of the replay."""
    work = WORKS[name]
    replay = _model_of(side, work, seed=0).replay_buffer
    arrays = [value for value in vars(replay).values() if isinstance(value, np.ndarray)]
    return sum(array.nbytes for array in arrays) / replay.buffer_size


def score(name: str, *, side: str, seed: int) -> dict[str, float]:
    """Returns the mean return of a whole training's last policy, played greedily."""
    work = WORKS[name]
    model = _model_of(side, work, seed).learn(work.total_steps)
    mean, _ = evaluate_policy(model, _make_env(work, 10, GAMES_SEED), GAMES, deterministic=True)
    return {"final": float(mean)}
