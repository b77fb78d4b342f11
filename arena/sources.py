"""What an agent reference names, found without running any of it: no module of an agent's is imported here.

random                      a plugin by its name (entry-point group `arena.agents`)
runs/dqn-CartPole-v1-...    a run folder: its best policy
zoo:dqn/CartPole-v1         a pretrained policy; zoo:dqn is the one for the environment that is played
policy.tflite, policy.npz   a saved policy, or a LiteRT file of any other making
my_agent.py:MyAgent         a class or function in a file, which stands alone: it imports no file beside it
package.module:Name         a class or function in an installed module, or in one of the current folder
sb3:ppo:model.zip           a model of Stable-Baselines3
"""

from __future__ import annotations

import ast
import contextlib
import enum
import hashlib
import importlib.metadata
import importlib.util
import json
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from arena import inspection, policy, zoo
from arena.adapters import sb3_file
from arena.errors import ArenaError, BrokenPlugin, DamagedFile, MissingExtra, UnknownName

GROUP = "arena.agents"
DISTRIBUTION = "agent-arena"
FORMS = "or give zoo:NAME, a run folder, FILE.py:NAME, MODULE:NAME, sb3:ALGORITHM:FILE.zip, or a .tflite or .npz file"
POLICY_SUFFIXES = (".tflite", ".npz")

_ROOT = Path(__file__).resolve().parent.parent  # what holds this project's packages


class Kind(enum.StrEnum):
    """What kind of thing a reference names."""

    PLUGIN = "plugin"
    POLICY = "policy"
    ZOO = "pretrained policy for each environment"
    LITERT = "LiteRT file"
    FILE = "file"
    MODULE = "module"
    SB3 = "Stable-Baselines3 model"


@dataclass(frozen=True)
class Source:
    """What a reference names.

    Attributes:
      ref: the reference; a file's path in it is absolute, so that it names the same from any folder.
      name: a short name for people.
      digest: of what plays: "sha256:..." of a file or of a package's sources, and a distribution's name and version.
      is_ours: True for this project's own agents and for policies that it saved. They may share a process.
      kind: what it is.
      path: the file that plays; None where there is none.
      preprocess: what the policy was trained with, or None where that is open.
    """

    ref: str
    name: str
    digest: str
    is_ours: bool
    kind: Kind
    path: Path | None = None
    preprocess: str | None = None

    def check_trust(self, trust: bool) -> None:
        """Raises ArenaError unless `trust` was given where loading can run code that came with a file of weights."""
        if self.kind is Kind.SB3 and not trust:
            raise ArenaError(
                f"{self.ref} can hold code, which would run as it is loaded; if you know who made it, "
                "give --trust, or `trust = true` at the agent in a tournament file"
            )


def locate(ref: str, env_id: str | None = None) -> Source:
    """Returns what `ref` names, in `env_id` where another policy plays in each environment.

    Raises UnknownName, DoesNotFit, BrokenPlugin, DamagedFile or ArenaError, and runs none of it.
    """
    if (entry := plugins().get(ref)) is not None:
        return _plugin(entry)
    if ref.startswith("sb3:"):
        return _sb3(ref)
    if ref.startswith(zoo.PREFIX):
        return _zoo(ref, env_id)
    path = Path(ref)
    if path.suffix in POLICY_SUFFIXES:
        if not path.is_file():
            raise ArenaError(f"there is no policy file {ref}")
        return _policy(path, str(path.resolve()))
    if ref and path.is_dir():
        return _policy(policy_of_run(path), str(path.resolve()))
    source, name = split(ref)
    return _file(Path(source), name) if source.endswith(".py") else _module(source, name)


def plugins() -> dict[str, importlib.metadata.EntryPoint]:
    """Returns the installed plugins by name, this project's own before all others; imports none of them."""
    entries = sorted(importlib.metadata.entry_points(group=GROUP))
    return {entry.name: entry for entry in sorted(entries, key=_is_ours)}


def split(ref: str) -> tuple[str, str]:
    """Returns (file or module, name) of a reference to a name in one. Raises ArenaError where it is none."""
    source, colon, name = ref.rpartition(":")
    if colon and source and name.isidentifier():
        return source, name
    if "/" in ref:
        raise ArenaError(f"there is no run folder {ref}; `arena runs` lists those there are")
    raise UnknownName("agent", ref, plugins(), FORMS)


def policy_of_run(folder: Path) -> Path:
    """Returns the file of a run's best policy, or else of its last one."""
    for stem in ("best", "final"):
        for suffix in POLICY_SUFFIXES:
            if (path := folder / f"{stem}{suffix}").is_file():
                return path
    if (folder / "config.toml").is_file():
        hint = "it saves one at its first evaluation, if the agent's policy() is an arena.policy.Policy"
        raise ArenaError(f"the run {folder} has no policy; {hint}")
    raise DamagedFile(f"{folder} is not a run folder: it has no config.toml")


def _is_ours(entry: importlib.metadata.EntryPoint) -> bool:
    return entry.dist is not None and entry.dist.name == DISTRIBUTION


def _plugin(entry: importlib.metadata.EntryPoint) -> Source:
    found = _find(entry.module)
    if found is None:
        raise BrokenPlugin(f"plugin {entry.name} ({entry.value}) cannot be imported: there is no such module")
    path, sources = found
    is_ours = _is_ours(entry) and path.is_relative_to(_ROOT)
    version = f"{entry.dist.name} {entry.dist.version}" if entry.dist else ""
    digest = version if is_ours else f"{version} {_sha256_of(sources)}".strip()
    return Source(entry.name, entry.name, digest, is_ours, Kind.PLUGIN, path)


def _policy(path: Path, ref: str) -> Source:
    card, digest = policy.card_of(path), _sha256(path.read_bytes())
    if card is None:
        inspection.read_model(path)  # a damaged file is told of before anything is played
        return Source(ref, path.stem, digest, False, Kind.LITERT, path.resolve())
    return Source(ref, card.name, digest, True, Kind.POLICY, path.resolve(), card.preprocess)


def _zoo(ref: str, env_id: str | None) -> Source:
    found = zoo.find(ref, env_id)
    agent, paths = found[0].agent, [entry.path for entry in found]
    if ref == zoo.PREFIX + agent and env_id is None:
        return Source(ref, agent, _sha256_of(paths), True, Kind.ZOO)
    return replace(_policy(paths[0], found[0].ref), name=agent)


def _file(path: Path, name: str) -> Source:
    if not path.is_file():
        raise ArenaError(f"there is no file {path}")
    content = path.read_bytes()
    _check_name(content, name, str(path))
    return Source(f"{path.resolve()}:{name}", name, _sha256(content), False, Kind.FILE, path.resolve())


def _module(module: str, name: str) -> Source:
    ref = f"{module}:{name}"
    found = _find(module)
    if found is None:
        raise UnknownName("agent", ref, plugins(), FORMS)
    path, sources = found
    if path.suffix == ".py":
        _check_name(path.read_bytes(), name, module)
    return Source(ref, name, _sha256_of(sources), False, Kind.MODULE, path)


def _sb3(ref: str) -> Source:
    _, algorithm, file = [*ref.split(":", 2), "", ""][:3]
    form = "the form is sb3:ppo:model.zip"
    if algorithm not in sb3_file.ALGORITHMS:
        raise UnknownName("algorithm of Stable-Baselines3", algorithm, sb3_file.ALGORITHMS, form)
    path = Path(file)
    if not path.is_file():
        raise ArenaError(f"there is no file {file}; {form}" if file else f"{ref} names no file; {form}")
    sb3_file.check(path, algorithm)
    if importlib.util.find_spec("stable_baselines3") is None:
        from envs import install_command

        raise MissingExtra(f"{ref} needs the extra 'peers'; install it with: {install_command('peers')}")
    path = path.resolve()
    return Source(f"sb3:{algorithm}:{path}", path.stem, _sha256(path.read_bytes()), False, Kind.SB3, path)


def _find(module: str) -> tuple[Path, list[Path]] | None:
    """Returns a module's file, and the sources that it stands among: all of its package's. None where there is none.

    Importing a module imports the packages that it is in. To find it they need not be.
    """
    top, *rest = module.split(".")
    found = _top(top)
    for depth, _ in enumerate(rest, 2):
        if found is None or found.submodule_search_locations is None:
            return None
        found = PathFinder.find_spec(".".join(module.split(".")[:depth]), list(found.submodule_search_locations))
    if found is None or not found.has_location or not found.origin:
        return None
    path = Path(found.origin).resolve()
    package = _top(top)
    if package is None or not package.submodule_search_locations or not package.has_location:
        return path, [path]
    folders = [Path(folder) for folder in package.submodule_search_locations]
    return path, sorted({path, *(source.resolve() for folder in folders for source in folder.rglob("*.py"))})


def _top(name: str) -> ModuleSpec | None:
    with contextlib.suppress(ImportError, ValueError):
        if name and (found := importlib.util.find_spec(name)) is not None:
            return found
    return PathFinder.find_spec(name, [str(Path.cwd())]) if name else None


def _check_name(content: bytes, name: str, where: str) -> None:
    """Raises UnknownName unless a module with this source binds `name`; where that is open, it passes."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            bound, offered = _bound(ast.parse(content).body)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BrokenPlugin(f"{where} cannot be imported: {brief(error)}") from error
    if name not in bound and "*" not in bound and "__getattr__" not in bound:
        raise UnknownName(f"class or function in {where}", name, offered)


def _bound(nodes: Iterable[ast.AST]) -> tuple[set[str], set[str]]:
    """Returns the names that statements bind or mention, and those of public classes and functions among them."""
    bound: set[str] = set()
    offered: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            bound.add(node.name)
            offered |= {node.name} if not node.name.startswith("_") else set()
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
        elif isinstance(node, ast.Name):
            bound.add(node.id)
        else:
            inner, also = _bound(ast.iter_child_nodes(node))
            bound, offered = bound | inner, offered | also
    return bound, offered


def _sha256(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _sha256_of(paths: list[Path]) -> str:
    """Returns one hash of several files and of their order."""
    if len(paths) == 1:
        return _sha256(paths[0].read_bytes())
    return _sha256(json.dumps([_sha256(path.read_bytes()) for path in paths]).encode())


def brief(error: BaseException) -> str:
    """Returns an error in one line."""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} (line {error.lineno})"
    text = str(error).splitlines()[0] if str(error) else ""
    return f"{type(error).__name__}: {text}"
