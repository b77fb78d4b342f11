"""Text files that are there as a whole or not at all, names for them, and folders with one writer."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from arena.errors import ArenaError


def write_text(path: Path, text: str) -> Path:
    """Writes a text atomically and returns its path. Raises ArenaError where that cannot be done."""
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_text(text, encoding="utf-8")
        os.replace(temporary, path)
    except OSError as error:
        raise ArenaError(f"{path} cannot be written: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return path


def write_json(path: Path, data: Any) -> Path:
    """Writes plain data as JSON, atomically, and returns its path."""
    return write_text(path, json.dumps(data, indent=1, ensure_ascii=False) + "\n")


def slug(text: str) -> str:
    """Returns `text` as part of a file's name."""
    return re.sub(r"[^\w.+=-]+", "-", text).strip("-.") or "unnamed"


@contextlib.contextmanager
def claimed(folder: Path, refusal: str) -> Iterator[None]:
    """Keeps other processes from claiming a folder until this one ends, however.

    Raises ArenaError with the `refusal` where another one has it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ArenaError(refusal) from error
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(descriptor)
