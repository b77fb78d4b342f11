"""Atomic checkpoints: a folder is there whole, its files' hashes in a manifest, or not at all.

A checkpoint takes over, as hard links, the files of the one before it that lie in folders called SEGMENTS or in its own
folder BEST. They are written once and never changed, so that a memory of a gigabyte costs only what was added to it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from arena.agent import SEGMENTS
from arena.errors import DamagedFile

PERIOD_S = 300.0
MANIFEST = "manifest.json"
BEST = "best"


def name_of(step: int) -> str:
    """Returns the name of the checkpoint at an environment step; names sort by step."""
    return f"step-{step:012d}"


def step_of(path: Path) -> int:
    """Returns the environment step of a checkpoint."""
    return int(path.name.lstrip(".").removeprefix("step-").removesuffix(".tmp"))


class Series:
    """The checkpoints that one process writes of its training; the newest is kept, and one to fall back on.

    Args:
      folder: of the checkpoints.
      period_steps: one is due so many environment steps after the last; None for PERIOD_S.
      start: the checkpoint that the training goes on from.
    """

    def __init__(self, folder: Path, period_steps: int | None, start: Path | None) -> None:
        self._folder, self._period_steps = folder, period_steps
        self._steps = [step_of(start)] if start else []
        self._saved_s = time.perf_counter()

    @property
    def newest_step(self) -> int:
        """The step of the last checkpoint; -1 before the first."""
        return self._steps[-1] if self._steps else -1

    def is_due(self, step: int) -> bool:
        """True when it is time for a checkpoint."""
        if self._period_steps:
            return step - max(0, self.newest_step) >= self._period_steps
        return time.perf_counter() - self._saved_s >= PERIOD_S

    def save(self, step: int, write: Callable[[Path], None]) -> None:
        """Saves a checkpoint, and deletes all that are not kept."""
        previous = self._folder / name_of(self.newest_step) if self._steps else None
        save(self._folder, step, write, previous=previous)
        self._saved_s = time.perf_counter()
        self._steps = [*(other for other in self._steps if other != step), step][-2:]
        prune(self._folder, set(self._steps))


def save(folder: Path, step: int, write: Callable[[Path], None], *, previous: Path | None = None) -> Path:
    """Returns the new checkpoint in `folder`, filled by `write`, complete once it has its name.

    Args:
      folder: of the checkpoints.
      step: environment steps taken.
      write: fills the folder it is given, in which it finds what is taken over from `previous`.
      previous: the checkpoint that this training wrote last or went on from; never another one, even of its folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target, temporary = folder / name_of(step), folder / f".{name_of(step)}.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        linked = _take_over(previous, temporary) if previous and previous.is_dir() else {}
        write(temporary)
        _seal(temporary, step, linked)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return _name(temporary, target)


def _take_over(previous: Path, temporary: Path) -> dict[str, tuple[_Identity, str]]:
    """Links the files that are written once; returns by their names what they are, and their hashes."""
    linked = {}
    for name, digest in _manifest(previous).items():
        path = temporary / name
        if SEGMENTS not in Path(name).parts[:-1] and Path(name).parts[0] != BEST:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(previous / name, path)
            linked[name] = (_identity(path), digest)
        except FileNotFoundError:  # someone has deleted it: what is missing is written anew
            continue
        except OSError:  # a file system without hard links
            shutil.copyfile(previous / name, path)
    return linked


def _seal(temporary: Path, step: int, linked: dict[str, tuple[_Identity, str]]) -> None:
    """Writes the manifest and makes all of it survive a loss of power; linked files already do."""
    hashes = {}
    for path in sorted(path for path in temporary.rglob("*") if path.is_file()):
        name = str(path.relative_to(temporary))
        identity, digest = linked.get(name, (None, ""))
        if identity != _identity(path):
            digest = _hash(path)
            sync(path)
        hashes[name] = digest
    manifest = temporary / MANIFEST
    manifest.write_text(json.dumps({"step": step, "files": hashes}, indent=1))
    for path in (manifest, *(path for path in temporary.rglob("*") if path.is_dir()), temporary, temporary.parent):
        sync(path)


def _name(complete: Path, target: Path) -> Path:
    """Gives a complete checkpoint its name; until it has it, newest() takes it without."""
    if target.exists():
        shutil.rmtree(target)
    os.replace(complete, target)
    sync(target.parent)
    return target


def prune(folder: Path, keep: set[int]) -> None:
    """Deletes the checkpoints of all steps but those in `keep`, and what a killed run left half written."""
    names = {name_of(step) for step in keep}
    for path in folder.glob("*step-*"):
        if path.name not in names:
            shutil.rmtree(path, ignore_errors=True)


def newest(folder: Path, *, warn: Callable[[str], None] = lambda line: None) -> Path:
    """Returns the newest checkpoint in `folder` whose files are what they were; `warn` is told of newer damaged ones.

    One that is complete but for its name counts: a kill can come between deleting a checkpoint and replacing it.

    Raises:
      DamagedFile: there is none.
    """
    named, unnamed = folder.glob("step-*"), (path.parent for path in folder.glob(f".step-*/{MANIFEST}"))
    found = sorted([*named, *unnamed], key=lambda path: path.name.lstrip("."), reverse=True)
    if not found:
        raise DamagedFile(f"{folder} holds no checkpoint; the run cannot be resumed")
    problems = []
    for path in found:
        try:
            check(path)
        except DamagedFile as error:
            problems.append(str(error))
            continue
        for problem in problems:
            warn(f"{problem}; going on from {path.name}")
        return path
    raise DamagedFile(problems[0])


def recover(folder: Path, *, warn: Callable[[str], None] = lambda line: None) -> Path:
    """Returns what newest() does, under its own name: for the one process that goes on with the training."""
    path = newest(folder, warn=warn)
    return _name(path, folder / name_of(step_of(path))) if path.name.startswith(".") else path


def exists(folder: Path) -> bool:
    """True when there is a checkpoint in `folder`, be it damaged; what is half written is none."""
    return any(folder.glob("step-*")) or any(folder.glob(f".step-*/{MANIFEST}"))


def check(checkpoint: Path) -> None:
    """Raises DamagedFile unless every file in the manifest is there, unchanged."""
    for name, digest in _manifest(checkpoint).items():
        path = checkpoint / name
        if not path.is_file():
            raise DamagedFile(f"checkpoint {checkpoint} is damaged: {name} is missing")
        if _hash(path) != digest:
            raise DamagedFile(f"checkpoint {checkpoint} is damaged: {name} is not what was saved")


def sync(path: Path) -> None:
    """Makes a file, or the names in a folder, survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _manifest(checkpoint: Path) -> dict[str, str]:
    """Returns the hashes of a checkpoint's files by name. Raises DamagedFile where they cannot be read."""
    try:
        content = json.loads((checkpoint / MANIFEST).read_text())
        return {str(name): str(digest) for name, digest in content["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedFile(f"checkpoint {checkpoint} is damaged: its {MANIFEST} cannot be read") from error


_Identity = tuple[int, int, int]


def _identity(path: Path) -> _Identity:
    """Returns what tells a file that was written anew from the one that was linked."""
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
