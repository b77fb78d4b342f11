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
_PACKAGES = {"box2d": ("Box2D",), "mujoco": ("mujoco",), "two-player": ("pettingzoo", "pyspiel", "multi_agent_ale_py")}


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
      num_seats: 2 for a game of two players, of which `observation_space` is what the seat to move sees of the board.
    """

    id: str
    observation_space: str
    action_space: str
    max_episode_steps: int
    extra: str
    preprocess: str
    num_seats: int = 1

    @property
    def is_installed(self) -> bool:
        """Whether the extra that it needs is there."""
        return not self.extra or not _missing(self.extra)


def entries(pattern: str | None = None) -> list[Entry]:
    """Returns the environments whose id contains or, with * ? [], matches `pattern`; case is ignored."""
    if not pattern:
        return list(_all())
    wanted = pattern.lower()
    return [entry for entry in _all() if wanted in entry.id.lower() or fnmatch.fnmatchcase(entry.id.lower(), wanted)]


def ids(prefix: str = "") -> set[str]:
    """Returns the ids that begin with `prefix`."""
    return {entry.id for entry in _all() if entry.id.startswith(prefix)}


@functools.cache
def _all() -> tuple[Entry, ...]:
    return tuple(Entry(**row) for row in json.loads(_FILE.read_text(encoding="utf-8")))


def describe(env_id: str) -> Entry:
    """Returns the entry of an environment by making it. Raises as envs.make() does."""
    from envs import games
    from envs.factory import extra_of, find, make

    env = make(env_id)
    env.close()
    spec = env.spec
    is_game = spec.num_seats > 1
    return Entry(
        id=env_id,
        observation_space=str(spec.observation_space["observation"] if is_game else spec.observation_space),
        action_space=str(spec.action_space),
        max_episode_steps=spec.max_episode_steps,
        extra=games.TWO_PLAYER if is_game else extra_of(find(env_id)),
        preprocess=spec.preprocess,
        num_seats=spec.num_seats,
    )


def _missing(extra: str) -> list[str]:
    return [package for package in _PACKAGES[extra] if importlib.util.find_spec(package) is None]


def _regenerate() -> None:
    from arena.errors import DoesNotFit, InvalidValue, MissingExtra
    from envs import games

    if missing := [package for extra in _PACKAGES for package in _missing(extra)]:
        raise SystemExit(f"the catalogue is made where every extra is installed; missing: {', '.join(missing)}")
    rows = []
    for env_id in sorted(_gymnasium_ids() + games.registered_ids()):
        try:
            rows.append(describe(env_id))
        except (DoesNotFit, InvalidValue, MissingExtra) as error:
            print(f"left out: {error}")
    lines = ",\n".join(json.dumps(asdict(row)) for row in rows)
    _FILE.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{len(rows)} environments written to {_FILE.name}")


def _gymnasium_ids() -> list[str]:
    import ale_py  # noqa: F401  registers the games
    import gymnasium as gym

    import envs.memory  # noqa: F401  registers the project's own
    from envs.factory import is_old_atari

    return [env_id for env_id, registered in gym.registry.items() if not is_old_atari(registered)]


if __name__ == "__main__":
    _regenerate()
