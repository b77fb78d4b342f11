"""Atomic checkpoints: a folder is there whole, its files' hashes in a manifest, or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from arena.errors import DamagedFile

MANIFEST = "manifest.json"


def name_of(step: int) -> str:
    """Returns the name of the checkpoint at an environment step; names sort by step."""
    return f"step-{step:012d}"


def step_of(path: Path) -> int:
    """Returns the environment step of a checkpoint."""
    return int(path.name.lstrip(".").removeprefix("step-").removesuffix(".tmp"))


def save(folder: Path, step: int, write: Callable[[Path], None]) -> Path:
    """Returns the new checkpoint in `folder`, filled by `write`, complete once it has its name."""
    folder.mkdir(parents=True, exist_ok=True)
    target, temporary = folder / name_of(step), folder / f".{name_of(step)}.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        write(temporary)
        hashes = {
            str(path.relative_to(temporary)): _hash(path) for path in sorted(temporary.rglob("*")) if path.is_file()
        }
        (temporary / MANIFEST).write_text(json.dumps({"step": step, "files": hashes}, indent=1))
        for path in temporary.rglob("*"):
            if path.is_file():
                _fsync(path)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    if target.exists():  # should this be the last thing that happens, newest() takes what is temporary
        shutil.rmtree(target)
    os.replace(temporary, target)
    _fsync(folder)
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


def check(checkpoint: Path) -> None:
    """Raises DamagedFile unless every file in the manifest is there, unchanged."""
    try:
        manifest = json.loads((checkpoint / MANIFEST).read_text())
        files = dict(manifest["files"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedFile(f"checkpoint {checkpoint} is damaged: its {MANIFEST} cannot be read") from error
    for name, digest in files.items():
        path = checkpoint / name
        if not path.is_file():
            raise DamagedFile(f"checkpoint {checkpoint} is damaged: {name} is missing")
        if _hash(path) != digest:
            raise DamagedFile(f"checkpoint {checkpoint} is damaged: {name} is not what was saved")


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
