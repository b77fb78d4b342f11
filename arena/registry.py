"""From an agent reference to what plays. What it names without running any of it: arena.sources."""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from arena import config, policy
from arena.agent import Agent, Mode, Player, Spec
from arena.errors import ArenaError, BrokenPlugin, UnknownName
from arena.sources import FORMS, GROUP, POLICY_SUFFIXES, Source, brief, locate, plugins, policy_of_run, split

__all__ = ["GROUP", "POLICY_SUFFIXES", "Reference", "Source", "locate", "plugins", "resolve"]
_FAILURES = (Exception, SystemExit)  # what importing a stranger's module may raise


@dataclass(frozen=True)
class Reference:
    """What an agent reference names.

    Attributes:
      ref: the reference as given.
      name: a short name for people.
      player_class: the class, or None for a saved policy.
      policy: the saved policy, or None for a class.
    """

    ref: str
    name: str
    player_class: type[Player] | None = None
    policy: policy.Policy | None = None

    @property
    def preprocess(self) -> str | None:
        """The preprocessing that the policy was trained with, or None where that is open."""
        return self.policy.card.preprocess if self.policy else None

    @property
    def is_learner(self) -> bool:
        """True for a class that can be trained."""
        return self.player_class is not None and issubclass(self.player_class, Agent)

    def player(self, spec: Spec, *, seed: int, mode: Mode | None = None) -> Player:
        """Returns what plays in `spec`; a learner gives the policy that it starts with.

        Raises DoesNotFit where the spaces do not go together, BrokenPlugin where its code fails.
        """
        if self.policy is not None:
            policy.check_fits(self.policy.card, spec, self.ref)
            player: Player = self.policy
        else:
            player = self.build(spec, seed=seed, settings=config.settings_for(self, spec.env_id))
            if isinstance(player, Agent):
                with BrokenPlugin.guard(player, "policy"):
                    player = player.policy()
        return player.with_mode(mode) if mode is not None else player

    def build(self, spec: Spec, *, seed: int, settings: Mapping[str, Any]) -> Player:
        """Returns a new instance of the class, its settings checked."""
        assert self.player_class is not None
        checked = config.check_settings(self.player_class, settings, self.name)
        try:
            return self.player_class(spec, seed=seed, settings=checked)
        except ArenaError:
            raise
        except Exception as error:
            raise BrokenPlugin.during(self.player_class, "__init__", error) from error


@functools.lru_cache(maxsize=64)
def _resolve_plugin(name: str) -> type[Player]:
    entry = plugins()[name]
    try:
        loaded = entry.load()
    except ArenaError:
        raise
    except _FAILURES as error:
        raise BrokenPlugin(f"plugin {name} ({entry.value}) cannot be imported: {brief(error)}") from error
    return _check_class(loaded, name)


def resolve(ref: str) -> Reference:
    """Returns what `ref` names. Raises UnknownName, BrokenPlugin or DamagedFile."""
    if ref in plugins():
        return Reference(ref, ref, player_class=_resolve_plugin(ref))
    path = Path(ref)
    if path.suffix in POLICY_SUFFIXES or (ref and path.is_dir()):
        if path.suffix in POLICY_SUFFIXES and not path.is_file():
            raise ArenaError(f"there is no policy file {ref}")
        loaded = policy.load(path if path.is_file() else policy_of_run(path))
        return Reference(ref, loaded.card.name, policy=loaded)
    source, name = split(ref)
    module = _import_file(Path(source)) if source.endswith(".py") else _import_module(source, ref)
    classes = {key: value for key, value in vars(module).items() if inspect.isclass(value)}
    if name not in classes:
        players = [
            key for key, kind in classes.items() if issubclass(kind, Player) and kind.__module__ == module.__name__
        ]
        raise UnknownName(f"class in {source}", name, players)
    return Reference(ref, name, player_class=_check_class(classes[name], ref))


def _import_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ArenaError(f"there is no file {path}")
    # A name of its own, so that two files called agent.py can play in one tournament.
    name = f"arena_plugin_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except _FAILURES as error:
        del sys.modules[name]
        raise BrokenPlugin(f"{path} cannot be imported: {brief(error)}") from error
    return module


def _import_module(source: str, ref: str) -> ModuleType:
    if os.getcwd() not in sys.path:  # a console script does not look where it is started
        sys.path.append(os.getcwd())
    try:
        return importlib.import_module(source)
    except ModuleNotFoundError as error:
        if error.name and source.startswith(error.name):
            raise UnknownName("agent", ref, plugins(), FORMS) from error
        raise BrokenPlugin(f"{source} cannot be imported: {brief(error)}") from error
    except _FAILURES as error:
        raise BrokenPlugin(f"{source} cannot be imported: {brief(error)}") from error


def _check_class(loaded: Any, ref: str) -> type[Player]:
    if not inspect.isclass(loaded) or not issubclass(loaded, Player):
        raise BrokenPlugin(f"{ref} is not a class that extends arena.agent.Player")
    if missing := sorted(getattr(loaded, "__abstractmethods__", ())):
        raise BrokenPlugin(f"{ref} does not define {', '.join(missing)}()")
    return loaded
