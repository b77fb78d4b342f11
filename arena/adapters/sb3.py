"""A model of Stable-Baselines3 (`model.save("model.zip")`) as a player.

Loading it unpickles parts of it, which can run any code: it is loaded in a process of its own only, and only where
the user trusts it (arena.registry). What only training needs is left out: schedules, buffers, noise.

Played are PPO, A2C, DQN, SAC, TD3 and DDPG with a policy of one array (MlpPolicy, CnnPolicy), as `predict()` plays:
greedy is deterministic=True; sample draws from the policy's distribution where it has one (with gSDE, other noise at
every move). Continuous actions come in the environment's units: squashed ones are scaled to its bounds, others clipped
to them. Images may have their channels first or last. Statistics of VecNormalize are not in the file, and not applied.

Source: https://stable-baselines3.readthedocs.io/en/master/guide/save_format.html
"""

from __future__ import annotations

import copy
import importlib
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import pydantic

from arena import seeding
from arena.adapters.layout import axes_between, transposed
from arena.agent import Decision, Mode, Player, Spec
from arena.errors import ArenaError, BrokenPlugin, DoesNotFit
from arena.sources import brief

_STOCHASTIC = ("a2c", "ppo", "sac")
_SEED_RANGE = float(1 << 31)


def player_class(path: Path, algorithm: str) -> type[Player]:
    """Returns the class whose players ask the model at `path`, which is loaded: whatever code is in it runs.

    Raises BrokenPlugin where it cannot be.
    """
    try:
        model = _load(path, algorithm)
    except Exception as error:
        raise BrokenPlugin(f"{path.name} cannot be loaded: {brief(error)}") from error
    return type(path.stem, (SB3Player,), {"file": path.name, "algorithm": algorithm, "model": model})


class SB3Player(Player):
    """Chooses what a model's `predict` says, row after row, so that no answer depends on the rows around it."""

    file: ClassVar[str]
    algorithm: ClassVar[str]
    model: ClassVar[Any]

    def __init__(
        self, spec: Spec, *, seed: int, settings: Mapping[str, Any] | pydantic.BaseModel | None = None
    ) -> None:
        super().__init__(spec, seed=seed, settings=settings)
        self._torch: Any = importlib.import_module("torch")
        self._torch.set_num_threads(1)
        self._axes = self._fit()
        self._mode = Mode("greedy")

    @property
    def mode(self) -> Mode:
        return self._mode

    def with_mode(self, mode: Mode) -> Player:
        if mode.name == "sample" and self.algorithm not in _STOCHASTIC:
            raise ArenaError(
                f"{self.algorithm} has no distribution to sample from; leave out --mode, or give epsilon=X"
            )
        player = copy.copy(self)
        player._mode = mode
        return player

    def initial_state(self, seeds: np.ndarray) -> Any:
        return () if self._mode.name == "greedy" else seeding.row_keys(seeds)

    def act(self, obs: np.ndarray, state: Any) -> Decision:
        if self._mode.name == "greedy":
            return Decision(np.stack([self._predict(row) for row in obs]), state)
        draws, state = seeding.row_uniform(state)
        seeds, state = seeding.row_uniform(state)
        numbers = (seeds * _SEED_RANGE).astype(np.int64).tolist()
        return Decision(np.stack([self._draw(*row) for row in zip(obs, draws, numbers, strict=True)]), state)

    def _draw(self, obs: np.ndarray, draw: float, seed: int) -> np.ndarray:
        if self._mode.name == "sample":
            self._torch.manual_seed(seed)  # the row's own; nothing else draws from it in between
            if getattr(self.model, "use_sde", False):  # its noise is a function of the state, drawn now and then
                self.model.policy.reset_noise()
            return self._predict(obs, deterministic=False)
        if draw >= self._mode.epsilon:
            return self._predict(obs)
        space, random = self.spec.action_space, np.random.default_rng(seed)
        if isinstance(space, gym.spaces.Box):
            return random.uniform(space.low, space.high).astype(space.dtype)
        return np.asarray(random.integers(self.spec.num_actions))

    def _predict(self, obs: np.ndarray, deterministic: bool = True) -> np.ndarray:
        action, _ = self.model.predict(transposed(np.asarray(obs), self._axes), deterministic=deterministic)
        return np.asarray(action)

    def _fit(self) -> tuple[int, ...]:
        """Returns the order of axes that makes an observation of ours one of the model's."""
        for what, theirs, ours in (
            ("observations", self.model.observation_space, self.spec.observation_space),
            ("actions", self.model.action_space, self.spec.action_space),
        ):
            if not _is_alike(theirs, ours, is_action=what == "actions"):
                raise DoesNotFit(
                    f"{self.file} does not fit {self.spec.env_id}: its {what} are {theirs}, here they are {ours}"
                )
        shapes = (space.shape or () for space in (self.spec.observation_space, self.model.observation_space))
        axes = axes_between(*shapes)
        assert axes is not None
        return axes


def _is_alike(theirs: gym.Space[Any], ours: gym.Space[Any], *, is_action: bool) -> bool:
    if isinstance(ours, gym.spaces.Discrete) and isinstance(theirs, gym.spaces.Discrete):
        return bool(ours.n == theirs.n)
    if not isinstance(ours, gym.spaces.Box) or not isinstance(theirs, gym.spaces.Box):
        return False
    if is_action:
        return ours.shape == theirs.shape and np.allclose(ours.low, theirs.low) and np.allclose(ours.high, theirs.high)
    is_image = np.dtype(ours.dtype) == np.uint8
    return is_image == (theirs.dtype == np.uint8) and axes_between(ours.shape, theirs.shape) is not None


def _load(path: Path, algorithm: str) -> Any:
    """Returns the model, made of what playing needs."""
    package = importlib.import_module("stable_baselines3")
    left_out: dict[str, Any] = {
        **dict.fromkeys(("_last_obs", "_last_original_obs", "_last_episode_starts", "ep_info_buffer")),
        **dict.fromkeys(("ep_success_buffer", "action_noise", "replay_buffer_class")),
        **dict.fromkeys(("lr_schedule", "clip_range", "clip_range_vf", "exploration_schedule"), _zero),
        "learning_rate": 0.0,
        "replay_buffer_kwargs": {},
        "buffer_size": 1,  # a replay's memory is reserved on loading
        "optimize_memory_usage": False,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what it says of other versions of its own is no news to who plays
        return getattr(package, algorithm.upper()).load(path, device="cpu", custom_objects=left_out)


def _zero(progress: float) -> float:
    return 0.0
