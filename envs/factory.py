"""Makes the rows of any environment: Gymnasium's own, Atari games, a stranger's `module:Env-v0`, two-player games."""

from __future__ import annotations

import dataclasses
import importlib
import os
import re
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from traceback import extract_tb
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec, find_highest_version, get_env_id, load_env_creator

from arena.agent import Spec
from arena.errors import BrokenPlugin, DoesNotFit, InvalidValue, MissingExtra, UnknownName
from envs import cart_pole, catalogue, games, install_command, preprocessing
from envs.gym_rows import GymRows
from envs.rows import Rows
from envs.settings import check_settings, unknown_setting

#: The cap on an episode's length where an environment has none of its own; the loop keeps it.
DEFAULT_CAP = Spec.max_episode_steps

_RESERVED = ("render_mode",)
_FLATTENED = (gym.spaces.Tuple, gym.spaces.Dict)
_ARRAYS = (gym.spaces.Box, gym.spaces.Discrete, gym.spaces.MultiDiscrete, gym.spaces.MultiBinary)


def make(
    env_id: str,
    num_rows: int = 1,
    *,
    preprocess: str | None = None,
    settings: Mapping[str, Any] | None = None,
    render: bool = False,
) -> Rows:
    """Returns `num_rows` rows of the environment `env_id`.

    Args:
      env_id: a Gymnasium id, an `ALE/*` game, one of this project's own `arena/*` (see envs.memory), `module:Env-v0`,
        whose module registers it on import, or a two-player game (see envs.games).
      num_rows: how many to play side by side.
      preprocess: a name from envs.preprocessing; None for the environment's default.
      settings: keywords of the environment's maker, and `max_episode_steps`.
      render: whether render() will be called.

    Raises:
      UnknownName: no such environment, preprocessing or setting.
      InvalidValue: a setting or a number of rows that cannot be.
      MissingExtra: a package that the environment needs is not installed.
      DoesNotFit: preprocessing for another kind of environment, or spaces that are not arrays.
      BrokenPlugin: a stranger's environment fails when it is made.
    """
    if isinstance(num_rows, bool) or num_rows < 1:
        raise InvalidValue(f"the number of environments is at least 1, not {num_rows!r}")
    if games.is_game(env_id):
        preprocessing.choose(env_id, preprocess, is_atari=False)
        return games.make_game(env_id, num_rows, dict(settings or {}))
    registered = find(env_id)
    is_atari = registered.namespace == "ALE"
    name = preprocessing.choose(env_id, preprocess, is_atari)
    settings = dict(settings or {})
    if is_atari:
        from envs.atari import make_atari

        return make_atari(env_id, registered.kwargs["game"], num_rows, name, settings, render)
    return _make_gym(env_id, registered, num_rows, name, settings, render)


def find(env_id: str) -> EnvSpec:
    """Returns Gymnasium's registration of `env_id`, importing the module that it names. Raises as make() does."""
    module, _, name = env_id.rpartition(":")
    if module:
        import_environments(env_id, module)
    if name.startswith("ALE/"):
        importlib.import_module("ale_py")  # registers the games
    if name.startswith("arena/"):
        importlib.import_module("envs.memory")  # registers the project's own
    registered = gym.registry.get(name)
    if registered is None or (is_old_atari(registered) and not module):
        known = {entry.id for entry in catalogue.entries()}
        if module:
            known |= set(gym.registry)
        same = {known_id for known_id in known if _bare(known_id) == _bare(name)}
        hint = "" if same else "`arena envs` lists what there is; a package's own are MODULE:ID"
        kind = f"environment of module {module!r}" if module else "environment"
        raise UnknownName(kind, name, same or known, hint)
    return registered


def is_old_atari(registered: EnvSpec) -> bool:
    """Whether this is a game of before ALE/*-v5, which ale-py registers too once it is imported."""
    return str(registered.entry_point).startswith("ale_py.") and registered.namespace is None


def _bare(env_id: str) -> str:
    """Returns the id in lower case, without namespace, version and the suffixes of old Atari ids."""
    return re.sub(r"(^.*/)|((NoFrameskip|Deterministic)?(-v\d+)?$)", "", env_id).lower()


def import_environments(env_id: str, module: str) -> None:
    """Imports the module that registers `env_id`. Raises as make() does."""
    if os.getcwd() not in sys.path:  # a console script does not look where it is started
        sys.path.append(os.getcwd())
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and f"{module}.".startswith(f"{error.name}."):
            hint = f"there is no module {module!r} to import: install its package, or start from its folder"
            raise UnknownName("environment", env_id, (), hint) from error
        raise MissingExtra(f"{env_id} needs the package {error.name!r}, which is not installed") from error
    except Exception as error:
        place = extract_tb(error.__traceback__)[-1]
        where = f"{Path(place.filename).name}:{place.lineno}"
        raise BrokenPlugin(f"importing {module} for {env_id} failed at {where}: {_words(error)}") from error


def _make_gym(
    env_id: str, registered: EnvSpec, num_rows: int, preprocess: str, settings: dict[str, Any], render: bool
) -> Rows:
    maker = _maker(env_id, registered)
    check_settings(env_id, settings, maker, _RESERVED)
    if render:
        _check_renders(env_id, maker)
        if sys.platform == "linux" and not os.environ.get("DISPLAY"):
            os.environ.setdefault("MUJOCO_GL", "egl")  # MuJoCo draws in a window otherwise

    def build() -> gym.Env[Any, Any]:
        return _build(env_id, registered, maker, settings, render)

    env = build()
    probe = iter([env])
    steps = settings.get("max_episode_steps") or registered.max_episode_steps
    space = env.observation_space
    _check_spaces(env_id, space, env.action_space)
    protocol: dict[str, Any] = {"preprocessing": preprocess}
    if isinstance(env, gym.wrappers.FlattenObservation):
        protocol["observation"] = "flattened"
    protocol["max_episode_steps"] = steps or DEFAULT_CAP
    spec = Spec(
        env_id=env_id,
        observation_space=space,
        action_space=env.action_space,
        preprocess=preprocess,
        num_rows=num_rows,
        max_episode_steps=steps or DEFAULT_CAP,
        protocol=protocol | settings,
    )
    if num_rows >= cart_pole.FEWEST_ROWS and not render and cart_pole.is_plain(env):
        return cart_pole.CartPoleRows(env.unwrapped, spec, num_rows)
    return GymRows(lambda: next(probe, None) or build(), spec, num_rows)


def _maker(env_id: str, registered: EnvSpec) -> Callable[..., Any]:
    """Returns the class or function that makes the environment."""
    if callable(registered.entry_point):
        return registered.entry_point
    if registered.entry_point is None:
        raise BrokenPlugin(f"{env_id} is registered without an entry point")
    try:
        with warnings.catch_warnings():  # Box2D's SWIG types warn on import; made an error, that kills the interpreter
            warnings.filterwarnings("ignore", "builtin type .* has no __module__", DeprecationWarning)
            return load_env_creator(registered.entry_point)
    except (gym.error.DependencyNotInstalled, ImportError) as error:
        raise _missing(env_id, registered, error) from error
    except Exception as error:
        raise BrokenPlugin(f"{env_id} cannot be imported: {_words(error)}") from error


def _build(
    env_id: str, registered: EnvSpec, maker: Callable[..., Any], settings: dict[str, Any], render: bool
) -> gym.Env[Any, Any]:
    """Returns one instance, bare but for its time limit and its own wrappers.

    Gymnasium's order and space checks cost more than a step of CartPole; the rows keep the order.
    Making from the registration, not the id, leaves out the warning that an id is old.
    """
    bare = dataclasses.replace(registered, order_enforce=False, disable_env_checker=True)
    keywords: dict[str, Any] = {**settings, "render_mode": "rgb_array"} if render else settings
    try:
        env: gym.Env[Any, Any] = gym.make(bare, **keywords)
        if isinstance(env.observation_space, _FLATTENED):
            env = gym.wrappers.FlattenObservation(env)
    except (gym.error.DependencyNotInstalled, ImportError) as error:
        raise _missing(env_id, registered, error) from error
    except Exception as error:
        stray = re.search(r"(?:unexpected keyword argument|multiple values for \D*argument) '(\w+)'", str(error))
        if stray and stray[1] in settings:
            raise unknown_setting(env_id, stray[1], maker, _RESERVED) from error
        if settings:
            given = ", ".join(f"{key}={value!r}" for key, value in settings.items())
            raise InvalidValue(f"{env_id} does not take {given}: {_words(error)}") from error
        raise BrokenPlugin(f"{env_id} cannot be made: {_words(error)}") from error
    return env


def _check_spaces(env_id: str, observation: gym.Space[Any], action: gym.Space[Any]) -> None:
    for kind, space in (("observations", observation), ("actions", action)):
        if not isinstance(space, _ARRAYS):
            raise DoesNotFit(f"{env_id} has {kind} {space}; an agent can be given Box, Discrete and Multi* spaces")


def _check_renders(env_id: str, maker: Callable[..., Any]) -> None:
    metadata = getattr(maker, "metadata", None)
    modes = metadata.get("render_modes", []) if isinstance(metadata, Mapping) else ["rgb_array"]
    if "rgb_array" not in modes:
        raise DoesNotFit(f"{env_id} draws no pictures: its render modes are {modes}, without 'rgb_array'")


def _missing(env_id: str, registered: EnvSpec, error: Exception) -> MissingExtra:
    extra = extra_of(registered)
    if extra and isinstance(error, gym.error.DependencyNotInstalled):
        return MissingExtra(f"{env_id} needs the extra {extra!r}; install it with: {install_command(extra)}")
    family = registered.namespace, registered.name
    newest = get_env_id(*family, find_highest_version(*family))
    hint = f"; the newest version is {newest}" if newest != registered.id else ""
    if isinstance(error, ModuleNotFoundError):
        return MissingExtra(f"{env_id} needs the package {error.name!r}, which is not installed{hint}")
    return MissingExtra(f"{env_id} cannot be made here: {_words(error)}{hint}")


def extra_of(registered: EnvSpec) -> str:
    """Returns the extra that an environment of Gymnasium's needs: box2d, mujoco, or "" for none."""
    match = re.match(r"gymnasium\.envs\.(box2d|mujoco)\.", str(registered.entry_point))
    return match[1] if match else ""


def _words(error: Exception) -> str:
    text = (str(error.__cause__ or error).splitlines() or [""])[0]
    return f"{type(error).__name__}: {text}"
