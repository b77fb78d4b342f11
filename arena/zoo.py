"""Pretrained policies by name: `zoo:AGENT/ENV`, or `zoo:AGENT` for the one that the agent has for an environment.

A zoo is a package that an entry point of the group `arena.zoo` names. In its folder AGENT/ENV.tflite (or .npz) is a
policy, and AGENT/ENV.json tells how it came about: recipe, learning curve, evaluation (see docs/zoo.md). Nothing of the
package is imported.
"""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.errors import DamagedFile, DoesNotFit, UnknownName

GROUP = "arena.zoo"
PREFIX = "zoo:"
SUFFIXES = (".npz", ".tflite")


@dataclass(frozen=True)
class Entry:
    """A pretrained policy.

    Attributes:
      agent: what it was trained as.
      env: the environment's id.
      path: the policy's file.
    """

    agent: str
    env: str
    path: Path

    @property
    def name(self) -> str:
        """AGENT/ENV."""
        return f"{self.agent}/{self.env}"

    @property
    def ref(self) -> str:
        """The agent reference."""
        return PREFIX + self.name

    @property
    def record(self) -> dict[str, Any]:
        """How it came about, and what it scores. Raises DamagedFile."""
        path = self.path.with_suffix(".json")
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise DamagedFile(f"{path} is missing or damaged; install the package again") from error

    @property
    def scores(self) -> dict[str, Any]:
        """Its evaluation: mean, low and high (95% interval of the mean), std, episodes, seed, mode."""
        return dict(self.record["evaluation"])


def entries(env_id: str | None = None) -> list[Entry]:
    """Returns all pretrained policies, or those for one environment, by environment and agent."""
    found = (entry for folder in _folders() for entry in _entries_in(folder))
    return sorted((e for e in found if env_id in (None, e.env)), key=lambda e: (e.env, e.agent))


def find(ref: str, env_id: str | None = None) -> list[Entry]:
    """Returns the policies that `zoo:AGENT/ENV` or `zoo:AGENT` names: of the latter all, or the one for `env_id`.

    Raises:
      UnknownName: there is none of that name.
      DoesNotFit: the agent has none for that environment.
    """
    name, known = ref.removeprefix(PREFIX), entries()
    if exact := [entry for entry in known if entry.name == name]:
        return exact
    mine = [entry for entry in known if entry.agent == name]
    if not mine:
        raise UnknownName("pretrained policy", name, _names(known), "`arena agents` lists them")
    if env_id is None:
        return mine
    fitting = [entry for entry in mine if entry.env == env_id]
    if not fitting:
        raise DoesNotFit(f"the zoo has no {name} for {env_id}; `arena agents` lists what it has")
    return fitting


def _names(known: Iterable[Entry]) -> set[str]:
    return {name for entry in known for name in (entry.name, entry.agent)}


@functools.cache
def _folders() -> tuple[Path, ...]:
    found = (_folder_of(entry.value) for entry in importlib.metadata.entry_points(group=GROUP))
    return tuple(folder for folder in found if folder is not None)


def _folder_of(package: str) -> Path | None:
    """Returns the folder of a subpackage of a top-level package, of which none but the latter is imported."""
    top, *rest = package.split(".")
    spec = importlib.util.find_spec(top)
    places = spec.submodule_search_locations if spec else None
    return Path(next(iter(places)), *rest) if places else None


def _entries_in(folder: Path) -> Iterable[Entry]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in SUFFIXES:
            agent, *env = path.relative_to(folder).with_suffix("").parts
            yield Entry(agent, "/".join(env), path)
