"""Atari games as rows, on ale-py's C++ `AtariVectorEnv`.

The defaults are the protocol of Machado et al. (2018), "Revisiting the Arcade Learning Environment":
sticky actions with probability 0.25, frame skip 4, full games, unclipped scores, 108,000 frames at
most, no no-op starts, no help with the fire button; observations are the last 4 frames, 84x84 grey,
oldest first, black before the first.

Every game has a seed of its own, and is a function of that and of its actions: seeding reloads the
cartridge, which costs 0.14 s and leaves the other rows as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from ale_py.vector_env import AtariVectorEnv

from arena.agent import Spec
from arena.errors import InvalidValue
from envs import preprocessing
from envs.rows import Rows, Step
from envs.settings import check_settings, check_whole

DEFAULTS: Mapping[str, Any] = {
    "repeat_action_probability": 0.25,
    "frameskip": 4,
    "max_num_frames_per_episode": 108_000,
    "noop_max": 0,
    "use_fire_reset": False,
    "episodic_life": False,
}
_COLOUR = {"img_height": 210, "img_width": 160, "grayscale": False, "stack_num": 1}
_RESERVED = {"game", "num_envs", "batch_size", "autoreset_mode", "reward_clipping", "life_loss_info"}
_CHANGES_NOTHING = {"num_threads", "thread_affinity_offset"}
_LEAST = {
    "frameskip": 1,
    "max_num_frames_per_episode": 1,
    "img_height": 1,
    "img_width": 1,
    "stack_num": 1,
    "noop_max": 0,
    "num_threads": 0,
    "thread_affinity_offset": -1,
}
_IN_PROTOCOL = {*DEFAULTS, "max_episode_steps"} - {"noop_max", "use_fire_reset"}


def make_atari(
    env_id: str, game: str, num_rows: int, preprocess: str, settings: Mapping[str, Any], render: bool
) -> AtariRows:
    """Returns rows of an Atari game; `settings` are keywords of AtariVectorEnv and max_episode_steps.

    Raises:
      UnknownName, InvalidValue: a setting that AtariVectorEnv does not have, or a value it cannot take.
    """
    keywords = _keywords(env_id, preprocess, settings)
    try:
        env = AtariVectorEnv(game, num_rows, reward_clipping=False, **keywords)
        film = None
        if render and preprocess == "atari":
            film = AtariVectorEnv(game, num_rows, reward_clipping=False, **keywords | _COLOUR)
    except (TypeError, ValueError, RuntimeError) as error:
        given = ", ".join(f"{key}={value!r}" for key, value in settings.items())
        raise InvalidValue(f"{env_id} does not take {given}: {str(error).splitlines()[0]}") from error
    process = preprocessing.ON_SCREENS[preprocess](num_rows) if preprocess != "atari" else None
    steps = -(-keywords["max_num_frames_per_episode"] // keywords["frameskip"])
    protocol = {
        "preprocessing": preprocess,
        "sticky_actions": keywords["repeat_action_probability"],
        "frame_skip": keywords["frameskip"],
        "episode_end": "life lost" if keywords["episodic_life"] else "full game",
        "max_frames": keywords["max_num_frames_per_episode"],
        "max_episode_steps": steps,
    } | {key: value for key, value in settings.items() if key not in _IN_PROTOCOL | _CHANGES_NOTHING}
    spec = Spec(
        env_id=env_id,
        observation_space=process.space if process else env.single_observation_space,
        action_space=env.single_action_space,
        preprocess=preprocess,
        num_rows=num_rows,
        max_episode_steps=steps,
        protocol=protocol,
    )
    return AtariRows(env, spec, process, film)


class AtariRows(Rows):
    """N games of one cartridge.

    Where the episode ends with a life, the next one begins a new game, with a seed of its own.

    Args:
      env: the emulators, in NEXT_STEP mode: they restart a finished game by themselves, unseeded,
        when stepped; what happens in that game is covered up until reset() begins a proper one.
      spec: what it is, as the agents see it.
      process: makes observations of colour screens; None where the emulator's are the observations.
      film: the same emulators in colour at full size, stepped alongside for render(), where `env`
        itself shows no colour.
    """

    def __init__(
        self,
        env: AtariVectorEnv,
        spec: Spec,
        process: preprocessing.Preprocessor | None = None,
        film: AtariVectorEnv | None = None,
    ) -> None:
        self.spec, self.num_rows = spec, env.num_envs
        self._env, self._process, self._film = env, process, film
        self._last = np.zeros((self.num_rows, *spec.observation_space.shape), spec.observation_space.dtype)  # type: ignore[misc]
        self._running = np.zeros(self.num_rows, bool)
        self._all_run = False
        self._has_begun = False
        self._screen: np.ndarray | None = None

    def reset(self, rows: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        rows = np.asarray(rows)
        seeds_of = np.full(self.num_rows, -1)  # -1: unseeded
        seeds_of[rows] = seeds
        mask = seeds_of >= 0
        screens = self._restart(self._env, mask, seeds_of)
        shown = self._restart(self._film, mask, seeds_of) if self._film else screens
        if mask[0]:
            self._screen = shown[0, -1]
        self._has_begun = True
        self._running[rows] = True
        self._all_run = bool(self._running.all())
        return self._process.reset(rows, screens[rows, 0]) if self._process else screens[rows]

    def step(self, actions: np.ndarray) -> Step:
        obs, score, terminated, truncated, _ = self._env.step(actions)
        shown = self._film.step(actions)[0] if self._film else obs
        if self._running[0]:
            self._screen = shown[0, -1]
        if self._process:
            obs = self._process.step(obs[:, 0])
        reward = score.astype(np.float64)
        if not self._all_run:
            idle = ~self._running
            obs[idle] = self._last[idle]
            reward[idle] = 0.0
            terminated[idle] = truncated[idle] = False
        done = terminated | truncated
        if done.any():
            self._running &= ~done
            self._all_run = False
        self._last = obs
        return Step(obs, reward, terminated, truncated)

    def render(self) -> np.ndarray:
        if self._screen is None or self._screen.ndim != 3:
            raise RuntimeError("nothing to show: make the rows with render=True, and reset row 0 first")
        return self._screen

    def close(self) -> None:
        for env in (self._env, self._film):
            if env:
                env.close()

    def _restart(self, env: AtariVectorEnv, mask: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        """Returns the observations of all rows after restarting those in `mask`; the first time, all of them."""
        obs: np.ndarray
        if self._has_begun:
            obs, _ = env.reset(seed=seeds[mask], options={"reset_mask": mask})
        else:
            obs, _ = env.reset(seed=seeds)
        return obs


def _keywords(env_id: str, preprocess: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the keywords for AtariVectorEnv: the protocol's, overridden by the settings that fit."""
    fixed = {} if preprocess == "atari" else _COLOUR
    check_settings(env_id, settings, AtariVectorEnv.__init__, {"self", *_RESERVED, *fixed})
    for key in sorted(_LEAST.keys() & settings.keys()):
        check_whole(env_id, key, settings[key], _LEAST[key])
    keywords = {**DEFAULTS, **settings, **fixed}
    if not 0.0 <= keywords["repeat_action_probability"] <= 1.0:
        sticky = keywords["repeat_action_probability"]
        raise InvalidValue(f"repeat_action_probability of {env_id} is from 0 to 1, not {sticky!r}")
    steps = keywords.pop("max_episode_steps", None)
    if steps is not None:
        if "max_num_frames_per_episode" in settings:
            raise InvalidValue(f"{env_id} takes max_episode_steps or max_num_frames_per_episode, not both")
        frames = steps * keywords["frameskip"]
        check_whole(env_id, "max_num_frames_per_episode", frames, least=1)
        keywords["max_num_frames_per_episode"] = frames
    return keywords
