"""PettingZoo's environments for two, by id: `pettingzoo:connect_four_v3`; a package's own, `pettingzoo:module:name_v0`.

Source: Terry et al. (2021), "PettingZoo: Gym for Multi-Agent Reinforcement Learning". In parallel environments the
agents choose one after the other and do not see each other's choice, in `history` neither, until all have chosen.

Atari games play with sticky actions of probability 0.25, from ale-py's cartridges.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from arena.agent import Spec
from arena.errors import DoesNotFit, InvalidValue, MissingExtra, UnknownName
from envs import catalogue, factory, install_command
from envs.games import PETTINGZOO, TWO_PLAYER
from envs.games.rows import GameRows, Table, observation_space
from envs.settings import check_whole

_NUM_SEATS = 2
_ARRAYS = (gym.spaces.Box, gym.spaces.Discrete, gym.spaces.MultiDiscrete, gym.spaces.MultiBinary)
_STICKY = "repeat_action_probability"


def make_pettingzoo(env_id: str, num_rows: int, settings: Mapping[str, Any]) -> GameRows:
    """Returns rows of the environment; `settings` are its own keywords, opening_plies and max_episode_steps.

    Raises:
      UnknownName: no such environment.
      InvalidValue: a setting that it does not take.
      MissingExtra: a package that it needs is not installed.
      DoesNotFit: not for two, or the agents have different spaces, or spaces that are no arrays and numbered actions.
    """
    keywords = dict(settings)
    opening, steps = keywords.pop("opening_plies", 0), keywords.pop("max_episode_steps", factory.DEFAULT_CAP)
    check_whole(env_id, "opening_plies", opening, least=0)
    check_whole(env_id, "max_episode_steps", steps, least=1)
    registered = _find(env_id)
    protocol: dict[str, Any] = {"preprocessing": "none", "opening_plies": opening, "max_episode_steps": steps}
    if registered.namespace == "atari":
        protocol["sticky_actions"] = keywords.setdefault(_STICKY, 0.25)
    env = _build(env_id, registered, keywords)
    space, num_actions = _spaces(env_id, env)
    spec = Spec(
        env_id=env_id,
        observation_space=observation_space(space.shape or (1,), num_actions, _NUM_SEATS, opening + steps),
        action_space=gym.spaces.Discrete(num_actions),
        num_rows=num_rows,
        max_episode_steps=steps,
        protocol=protocol | {key: value for key, value in keywords.items() if key != _STICKY},
        num_seats=_NUM_SEATS,
    )
    made = iter([env])
    return GameRows(
        lambda: _AECTable(next(made, None) or _build(env_id, registered, keywords)), spec, num_rows, opening
    )


def _find(env_id: str) -> Any:
    """Returns PettingZoo's registration, of the sequential environment where there are two."""
    module, _, name = env_id.removeprefix(PETTINGZOO).rpartition(":")
    try:
        import pettingzoo
    except ImportError as error:
        raise _missing(env_id, "pettingzoo") from error
    if module:
        factory.import_environments(env_id, module)
    by_name = {
        f"{kind.name}_v{kind.version}": kind
        for registry in (pettingzoo.parallel_registry, pettingzoo.aec_registry)
        for kind in registry.values()
    }
    if name not in by_name:
        ids = {f"{PETTINGZOO}{module}:{key}" for key in by_name} if module else catalogue.ids(PETTINGZOO)
        raise UnknownName("environment", env_id, ids)
    return by_name[name]


def _build(env_id: str, registered: Any, keywords: Mapping[str, Any]) -> Any:
    """Returns one AEC environment that has been reset."""
    from pettingzoo import ParallelEnv
    from pettingzoo.utils.conversions import parallel_to_aec

    given = {key: value for key, value in keywords.items() if key != _STICKY}
    is_atari = registered.namespace == "atari"
    if is_atari:
        given["auto_rom_install_path"] = _cartridges()
    try:
        env = registered.make(render_mode="rgb_array", **given)
        env = parallel_to_aec(env) if isinstance(env, ParallelEnv) else env
        if is_atari:
            env.unwrapped.ale.setFloat(_STICKY.encode(), float(keywords[_STICKY]))  # from the next reset on
        env.reset(seed=0)
    except ImportError as error:
        raise _missing(env_id, error.name) from error
    except Exception as error:
        settings = ", ".join(f"{key}={value!r}" for key, value in keywords.items()) or "no settings"
        words = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InvalidValue(f"{env_id} does not take {settings}: {words}") from error
    return env


def _cartridges() -> str:
    found = importlib.util.find_spec("ale_py")
    assert found is not None and found.origin is not None
    return str(Path(found.origin).parent)


def _missing(env_id: str, package: str | None) -> MissingExtra:
    if package in ("pettingzoo", "multi_agent_ale_py"):
        return MissingExtra(f"{env_id} needs the extra {TWO_PLAYER!r}; install it with: {install_command(TWO_PLAYER)}")
    return MissingExtra(f"{env_id} needs the package {package!r}, which is not installed")


def _spaces(env_id: str, env: Any) -> tuple[gym.Space[Any], int]:
    """Returns what an agent sees and how many actions it has; both agents alike."""
    agents = env.possible_agents
    if len(agents) != _NUM_SEATS:
        raise DoesNotFit(f"{env_id} is for {len(agents)} agents; the arena plays games for two")
    views, actions = zip(
        *[(_view(env.observation_space(agent)), env.action_space(agent)) for agent in agents], strict=True
    )
    if views[0] != views[1] or actions[0] != actions[1]:
        spaces = " and ".join(f"{view}, {action}" for view, action in zip(views, actions, strict=True))
        raise DoesNotFit(f"{env_id} has agents with different spaces: {spaces}")
    if not isinstance(actions[0], gym.spaces.Discrete) or actions[0].start != 0:
        raise DoesNotFit(f"{env_id} has actions {actions[0]}; in games they are numbered from 0")
    if not isinstance(views[0], _ARRAYS):
        raise DoesNotFit(f"{env_id} has observations {views[0]}; an agent can be given arrays")
    return views[0], int(actions[0].n)


def _view(space: gym.Space[Any]) -> gym.Space[Any]:
    """Returns what there is to see beside a mask of actions."""
    return space["observation"] if isinstance(space, gym.spaces.Dict) and "observation" in space.spaces else space


class _AECTable(Table):
    def __init__(self, env: Any) -> None:
        self._env = env
        self._seats = {agent: seat for seat, agent in enumerate(env.possible_agents)}
        self._agents = list(env.possible_agents)
        self._all = range(int(env.action_space(self._agents[0]).n))
        self._is_simultaneous = bool(env.metadata.get("is_parallelizable"))
        self._is_over = self._is_cut_off = False
        self._pending = 0  # choices of a round in which the others are still to choose

    def begin(self, seed: int) -> None:
        self._env.reset(seed=seed)
        self._is_over = self._is_cut_off = False
        self._pending = 0

    def play(self, action: int) -> Sequence[float] | None:
        env = self._env
        env.step(action)
        rewards = [float(env.rewards.get(agent, 0.0)) for agent in self._agents]
        ended = [env.terminations[agent] or env.truncations[agent] for agent in env.agents]
        self._is_over = all(ended)
        self._is_cut_off = self._is_over and not any(env.terminations.values())
        while not self._is_over and (env.terminations[env.agent_selection] or env.truncations[env.agent_selection]):
            env.step(None)  # who is out of the game leaves it with a step of its own
        have_all_chosen = self._is_over or env.agent_selection == env.agents[0]
        self._pending = 0 if have_all_chosen or not self._is_simultaneous else self._pending + 1
        return rewards

    def is_over(self) -> bool:
        return self._is_over

    def is_cut_off(self) -> bool:
        return self._is_cut_off

    def num_hidden(self) -> int:
        return self._pending

    def seat(self) -> int:
        return self._seats[self._env.agent_selection]

    def legal(self) -> Sequence[int]:
        agent = self._env.agent_selection
        seen = self._env.observe(agent)
        source = seen if isinstance(seen, Mapping) and "action_mask" in seen else self._env.infos.get(agent, {})
        mask = source.get("action_mask")
        return self._all if mask is None else np.flatnonzero(mask).tolist()

    def look(self, seat: int, out: np.ndarray) -> None:
        seen = self._env.observe(self._agents[seat])
        out[...] = seen["observation"] if isinstance(seen, Mapping) else seen

    def draw(self) -> np.ndarray:
        return np.asarray(self._env.render(), np.uint8)

    def close(self) -> None:
        self._env.close()
