"""From an agent reference to what plays. What it names without running any of it: arena.sources."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from arena import config, policy, zoo
from arena.adapters import callable as callable_adapter
from arena.agent import Agent, Mode, Player, Spec
from arena.errors import ArenaError, BrokenPlugin, InvalidValue, UnknownName
from arena.sources import FORMS, POLICY_SUFFIXES, Kind, Source, brief, locate, plugins, split

__all__ = ["POLICY_SUFFIXES", "Kind", "Reference", "Source", "locate", "plugins", "resolve", "resolve_isolated"]
_FAILURES = (Exception, SystemExit)  # what importing a stranger's module may raise


@dataclass(frozen=True)
class Reference:
    """What an agent reference names.

    Attributes:
      ref: the reference as given.
      name: a short name for people.
      player_class: the class, or None where there is none.
      policy: the saved policy, or None where there is none.
      isolated: what may only be loaded in a process of its own; None for all that plays in this one.
    """

    ref: str
    name: str
    player_class: type[Player] | None = None
    policy: policy.Policy | None = None
    isolated: Source | None = None

    @property
    def preprocess(self) -> str | None:
        """The preprocessing that the policy was trained with, or None where that is open."""
        return self.policy.card.preprocess if self.policy else None

    @property
    def is_learner(self) -> bool:
        """True for a class that can be trained."""
        return self.player_class is not None and issubclass(self.player_class, Agent)

    @contextlib.contextmanager
    def opened(self, spec: Spec, *, seed: int, mode: Mode | None = None, trust: bool = False) -> Iterator[Player]:
        """Gives what plays in `spec`, as player() does, or in a process of its own, which ends with the block.

        Raises ArenaError where that needs `trust` (see Source.check_trust).
        """
        if self.isolated is None:
            yield self.player(spec, seed=seed, mode=mode)
            return
        self.isolated.check_trust(trust)
        from arena.isolation.player import IsolatedPlayer

        with IsolatedPlayer(self.name, self.isolated.ref, spec, seed=seed, mode=mode) as player:
            yield player

    def player(
        self, spec: Spec, *, seed: int, mode: Mode | None = None, settings: Mapping[str, Any] | None = None
    ) -> Player:
        """Returns what plays in `spec`; a learner gives the policy that it starts with.

        `settings` go before the preset's; a saved policy has none.

        Raises DoesNotFit where the spaces do not go together, BrokenPlugin where its code fails, ArenaError where it
        plays in a process of its own only.
        """
        if self.isolated is not None:
            where = "`arena eval`, `record`, `watch` and `tournament` take it"
            raise ArenaError(f"{self.ref} is a {self.isolated.kind}, which plays in a process of its own only; {where}")
        if self.policy is not None:
            policy.check_fits(self.policy.card, spec, self.ref)
            player: Player = self.policy
        else:
            own = {**config.settings_for(self, spec.env_id), **(settings or {})}
            player = self.build(spec, seed=seed, settings=own)
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
    return _player_class(loaded, name, name)


def resolve(ref: str, env_id: str | None = None) -> Reference:
    """Returns what `ref` names, imported and loaded but for what needs a process of its own.

    In `env_id`, that is, where another policy plays in each environment.

    Raises UnknownName, DoesNotFit, BrokenPlugin or DamagedFile.
    """
    if ref in plugins():
        return Reference(ref, ref, player_class=_resolve_plugin(ref))
    path = Path(ref)
    if ref.startswith(("sb3:", zoo.PREFIX)) or path.suffix in POLICY_SUFFIXES or (ref and path.is_dir()):
        source = locate(ref, env_id)
        if source.kind is Kind.ZOO:
            policies = ", ".join(entry.ref for entry in zoo.find(ref))
            raise InvalidValue(f"{ref} is another policy in each environment; name one: {policies}")
        if source.kind is not Kind.POLICY:
            return Reference(ref, source.name, isolated=source)
        assert source.path is not None
        return Reference(ref, source.name, policy=policy.load(source.path))
    file, name = split(ref)
    module = _import_file(Path(file)) if file.endswith(".py") else _import_module(file, ref)
    if not hasattr(module, name):
        raise UnknownName(f"class or function in {file}", name, _offered(module))
    return Reference(ref, name, player_class=_player_class(getattr(module, name), name, ref))


def resolve_isolated(ref: str) -> Reference:
    """Returns what `ref` names, loaded whatever it is: for a process that is given to this agent alone."""
    reference = resolve(ref)
    source = reference.isolated
    if source is None or source.path is None:
        return reference
    if source.kind is Kind.SB3:
        from arena.adapters import sb3

        return Reference(ref, source.name, player_class=sb3.player_class(source.path, ref.split(":")[1]))
    from arena.adapters import litert

    return Reference(ref, source.name, player_class=litert.player_class(source.path))


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


def _offered(module: ModuleType) -> list[str]:
    """Returns the names of a module's own players and public functions."""
    own = {name: value for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__}
    return [
        name
        for name, value in own.items()
        if (inspect.isclass(value) and issubclass(value, Player)) or (inspect.isfunction(value) and name[0] != "_")
    ]


def _player_class(loaded: Any, name: str, ref: str) -> type[Player]:
    """Returns the class of players that a class or a callable is."""
    if callable(loaded) and not inspect.isclass(loaded):
        return callable_adapter.player_class(loaded, name)
    if not inspect.isclass(loaded) or not issubclass(loaded, Player):
        raise BrokenPlugin(f"{ref} is neither a class that extends arena.agent.Player nor a function")
    if missing := sorted(getattr(loaded, "__abstractmethods__", ())):
        raise BrokenPlugin(f"{ref} does not define {', '.join(missing)}()")
    return loaded
