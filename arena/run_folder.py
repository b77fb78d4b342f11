"""A run folder: everything that a training leaves behind, and what reads it again.

config.toml      all that was resolved, with versions and machine
episodes.csv     episode, step, return, length, seconds
evaluations.csv  step, mean, std, episodes, seconds
best.*, final.*  policies; the best is chosen on seeds that no reported evaluation uses
milestones/      policies at 0, 1 and 10% of the training
checkpoints/     the newest, and the one before it
status.json      how far it is
plots/ videos/   and TensorBoard event files in the folder itself
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from arena import files
from arena.checkpoint import sync
from arena.config import RunConfig, read_toml, write_toml
from arena.errors import ArenaError, DamagedFile
from arena.files import write_json
from arena.monitor import Monitor
from arena.policy import Policy, save
from arena.trackers import Table
from arena.validation import validated
from arena.versions import machine, versions

#: Tables of config.toml that say what was, not what to do.
DESCRIPTIVE = ("protocol", "versions", "machine")
NULL = "null"  # the table of what is switched off, which TOML has no value for


class RunFolder:
    """The files of one run that is being trained.

    Args:
      path: the folder; made when it is not there.
      config: the resolved configuration, which is written into it.
      protocol: what its scores depend on, written beside it.
      marks: where the files stood at the checkpoint that the run goes on from (see marks()); {} begins them anew.
    """

    def __init__(self, path: Path, config: RunConfig, protocol: Mapping[str, Any], marks: Mapping[str, Any]) -> None:
        path.mkdir(parents=True, exist_ok=True)
        described = {"protocol": dict(protocol), "versions": versions(), "machine": machine()}
        tables = {"settings": config.settings, "env_settings": config.env_settings}
        null = {name: [key for key, value in table.items() if value is None] for name, table in tables.items()}
        write_toml(path / "config.toml", {**config.model_dump(), NULL: null, **described})
        self.path = path
        self.monitor = Monitor(path, resume_at=tuple(marks.get("events", ("", 0))))
        columns = ("episode", "step", "return", "length", "seconds")
        self.episodes = Table(path / "episodes.csv", columns, keep_bytes=marks.get("episodes", 0))
        columns = ("step", "mean", "std", "episodes", "seconds")
        self.evaluations = Table(path / "evaluations.csv", columns, keep_bytes=marks.get("evaluations", 0))

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.path / "checkpoints"

    def marks(self) -> dict[str, Any]:
        """Returns where the files stand now, after writing out what is buffered."""
        self.monitor.flush()
        episodes, evaluations = self.episodes.flush(), self.evaluations.flush()
        sync(self.path)  # the names of new files
        return {"events": self.monitor.position(), "episodes": episodes, "evaluations": evaluations}

    def save_policy(self, policy: Any, name: str, **card: Any) -> None:
        """Saves a policy under a name, its card completed; a plugin's policy of another kind is left alone."""
        if isinstance(policy, Policy):
            save(policy.with_card(**card), self.path / name)

    def write_status(self, **status: Any) -> None:
        """Replaces status.json."""
        write_json(self.path / "status.json", status)

    def close(self) -> None:
        """Closes all files."""
        for file in (self.monitor, self.episodes, self.evaluations):
            file.close()


def load_config(folder: Path) -> RunConfig:
    """Returns the configuration of a run folder. Raises ArenaError where it is none."""
    if not folder.is_dir():
        raise ArenaError(f"there is no run folder {folder}")
    if not (folder / "config.toml").is_file():
        raise DamagedFile(f"{folder} is not a run folder: it has no config.toml")
    content = read_toml(folder / "config.toml")
    for table in DESCRIPTIVE:
        content.pop(table, None)
    try:
        for table, keys in content.pop(NULL, {}).items():
            content.setdefault(table, {}).update(dict.fromkeys(keys))
    except (AttributeError, TypeError) as error:
        raise DamagedFile(f"{folder / 'config.toml'}: {NULL} must list keys of settings and env_settings") from error
    config: RunConfig = validated(RunConfig, content, str(folder / "config.toml"))
    return config


def claimed(folder: Path) -> contextlib.AbstractContextManager[None]:
    """Keeps other processes from training in a folder until this one ends, however. Raises ArenaError if one does."""
    return files.claimed(folder, f"{folder} is being trained by another process")


def has_status(folder: Path) -> bool:
    """True for a run that has had a checkpoint: the status is first written after it."""
    return (folder / "status.json").exists()


def default_path(config: RunConfig, name: str) -> Path:
    """Returns runs/AGENT-ENV-DATE-SEED, numbered when it is taken."""
    date = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    env = config.env.replace("/", "-").replace(":", "-")
    path = Path("runs") / f"{name}-{env}-{date}-{config.seed}"
    return next(p for p in [path, *(Path(f"{path}.{n}") for n in range(1, 1000))] if not p.exists())


def check_is_new(path: Path) -> None:
    """Raises ArenaError where a run would overwrite something."""
    unfinished = "config.toml.tmp"  # of a run that was killed at its very start
    if path.exists() and (not path.is_dir() or any(other.name != unfinished for other in path.iterdir())):
        raise ArenaError(f"{path} already exists; choose another --run-dir, or `arena resume {path}`")


def as_markdown(config: RunConfig, protocol: Mapping[str, Any]) -> str:
    """Returns the resolved configuration, the protocol and the versions as a table."""
    rows = {**config.model_dump(), "protocol": dict(protocol), "version": versions(), "machine": machine()}
    return "| key | value |\n|---|---|\n" + "\n".join(f"| {key} | {value} |" for key, value in _flat(rows))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif value is not None:
            yield f"{prefix}{key}", list(value) if isinstance(value, tuple) else value
