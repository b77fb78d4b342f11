"""The environments that are known beforehand, with their spaces: read from catalogue.json, nothing imported.

`python -m envs.catalogue` makes every environment, and writes the file anew.
"""

from __future__ import annotations

import fnmatch
import functools
import importlib.util
import json
from dataclasses import asdict, dataclass
from pathlib import Path

_FILE = Path(__file__).with_name("catalogue.json")
_PACKAGES = {"box2d": "Box2D", "mujoco": "mujoco"}


@dataclass(frozen=True)
class Entry:
    """One environment.

    Attributes:
      id: its Gymnasium id.
      observation_space: as Gymnasium prints it, after the default preprocessing.
      action_space: likewise.
      max_episode_steps: the cap on an episode's length, in steps.
      extra: the extra that it needs, "" for none.
      preprocess: the default preprocessing.
    """

    id: str
    observation_space: str
    action_space: str
    max_episode_steps: int
    extra: str
    preprocess: str

    @property
    def is_installed(self) -> bool:
        """Whether the extra that it needs is there."""
        return not self.extra or importlib.util.find_spec(_PACKAGES[self.extra]) is not None


def entries(pattern: str | None = None) -> list[Entry]:
    """Returns the environments whose id contains or, with * ? [], matches `pattern`; case is ignored."""
    if not pattern:
        return list(_all())
    wanted = pattern.lower()
    return [entry for entry in _all() if wanted in entry.id.lower() or fnmatch.fnmatchcase(entry.id.lower(), wanted)]


@functools.cache
def _all() -> tuple[Entry, ...]:
    return tuple(Entry(**row) for row in json.loads(_FILE.read_text(encoding="utf-8")))


def describe(env_id: str) -> Entry:
    """Returns the entry of an environment by making it. Raises as envs.make() does."""
    from envs.factory import extra_of, find, make

    env = make(env_id)
    env.close()
    spec = env.spec
    return Entry(
        id=env_id,
        observation_space=str(spec.observation_space),
        action_space=str(spec.action_space),
        max_episode_steps=spec.max_episode_steps,
        extra=extra_of(find(env_id)),
        preprocess=spec.preprocess,
    )


def _regenerate() -> None:
    import ale_py  # noqa: F401  registers the games
    import gymnasium as gym

    from arena.errors import MissingExtra
    from envs.factory import is_old_atari

    missing = [package for package in _PACKAGES.values() if importlib.util.find_spec(package) is None]
    if missing:
        raise SystemExit(f"the catalogue is made where every extra is installed; missing: {', '.join(missing)}")
    rows = []
    for env_id, registered in sorted(gym.registry.items()):
        if is_old_atari(registered):
            continue
        try:
            rows.append(describe(env_id))
        except MissingExtra as error:
            print(f"left out: {error}")
    lines = ",\n".join(json.dumps(asdict(row)) for row in rows)
    _FILE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{len(rows)} environments written to {_FILE.name}")


if __name__ == "__main__":
    _regenerate()
