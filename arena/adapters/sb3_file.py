"""What a file of Stable-Baselines3 is, told without loading any of it: a zip of JSON and of weights.

Its JSON holds pickles, which run code when they are loaded; here they are but text.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from arena.errors import ArenaError, DamagedFile

ALGORITHMS = ("a2c", "ddpg", "dqn", "ppo", "sac", "td3")

_MOST_UNPACKED = 64 << 20  # bytes that any file may unpack to; a larger one to _MOST_RATIO times its size
_MOST_RATIO = 20
_MARKS = {  # what only files of these algorithms hold; the first that is there decides
    "clip_range": ("ppo",),
    "exploration_fraction": ("dqn",),
    "target_entropy": ("sac",),
    "target_policy_noise": ("td3", "ddpg"),
    "gae_lambda": ("a2c",),
}


def check(path: Path, algorithm: str) -> None:
    """Raises DamagedFile where `path` is no model of Stable-Baselines3, ArenaError where another algorithm made it."""
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
            _check_sizes(path, sizes)
            data = json.loads(archive.read("data"))
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DamagedFile(f"{path} is not a model of Stable-Baselines3, or is damaged ({reason})") from error
    made_by = _made_by(data) if isinstance(data, Mapping) else ()
    if made_by and algorithm not in made_by:
        raise ArenaError(f"{path} was saved by {' or '.join(made_by)}, not {algorithm}; give sb3:{made_by[0]}:{path}")


def _check_sizes(path: Path, sizes: Mapping[str, int]) -> None:
    unpacked, packed = sum(sizes.values()), path.stat().st_size
    if unpacked > max(_MOST_UNPACKED, _MOST_RATIO * packed):
        raise ValueError(f"it would unpack from {packed:,} to {unpacked:,} bytes, as no model does")
    if missing := sorted({"data", "policy.pth"} - sizes.keys()):
        raise ValueError(f"it holds no {' and no '.join(missing)}")


def _made_by(data: Mapping[str, Any]) -> tuple[str, ...]:
    return next((algorithms for mark, algorithms in _MARKS.items() if mark in data), ())
