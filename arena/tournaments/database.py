"""SQLite files of this project's own: opened, guarded, and every trouble with them told in one line.

The journal is a write-ahead log, so that others can read while one process writes. A commit is handed to the operating
system and not waited for (`synchronous=NORMAL`): a process that is killed loses nothing that it committed. A loss of
power may take the last commits with it, whole, and the file stays sound.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

from arena.errors import ArenaError, DamagedFile


class Database:
    """A file that is there already; a context manager.

    Args:
      kind: the number that says in the file what it is.
      version: of its format.
      read_only: for reading, also while another process writes.

    Raises:
      DamagedFile: it is something else, of another version, or damaged.
      ArenaError: it cannot be read or written; every method raises it. What was committed before is safe.
    """

    def __init__(self, path: Path, kind: int, version: int, *, read_only: bool = False) -> None:
        self.path = path
        with told(path):
            self._connection = _connect(path, read_only)
            try:
                found = [self.rows(f"PRAGMA {name}")[0][0] for name in ("application_id", "user_version")]
                if found[0] != kind:
                    raise DamagedFile(f"{path} is not the store of a tournament")
                if found[1] != version:
                    raise DamagedFile(f"{path} has format {found[1]}; this arena reads format {version}")
            except BaseException:
                self._connection.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Folds the write-ahead log into the file. Closing again does nothing."""
        with told(self.path):
            self._connection.close()

    def rows(self, query: str, values: Iterable[Any] = ()) -> list[Any]:
        """Returns the rows of a query."""
        with told(self.path):
            return self._connection.execute(query, tuple(values)).fetchall()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[Any]:
        """Yields execute(); what it does is there as a whole, or not at all."""
        with told(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection.execute
                self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # a full disk has rolled back by itself
                    self._connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def decoding(self) -> Iterator[None]:
        """Raises DamagedFile where content of the file cannot be read."""
        try:
            yield
        except (ValueError, TypeError, zlib.error) as error:
            raise DamagedFile(f"{self.path} is damaged: {error}") from error


@contextlib.contextmanager
def making(path: Path, kind: int, version: int, schema: str) -> Iterator[Any]:
    """Yields execute() on a new file; it is at `path` as a whole when the block is over, or not at all."""
    part = path.with_name(f".{path.name}.part")
    for left in (part, *(part.with_name(part.name + suffix) for suffix in ("-wal", "-shm"))):
        left.unlink(missing_ok=True)  # of a process that was killed
    with told(path), contextlib.closing(sqlite3.connect(part, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("BEGIN")
        for statement in schema.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id={kind}")
        connection.execute(f"PRAGMA user_version={version}")
        yield connection.execute
        connection.execute("COMMIT")
    os.replace(part, path)


@contextlib.contextmanager
def told(path: Path) -> Iterator[None]:
    """Raises what goes wrong with a file as one line."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _told(path, error) from error


def _connect(path: Path, read_only: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    if not read_only:
        connection.execute("PRAGMA synchronous=NORMAL")
        return connection
    try:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("SELECT count(*) FROM sqlite_schema")
        return connection
    except sqlite3.OperationalError:  # a log needs a file beside it, which a folder for reading only cannot have
        connection.close()
        return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None)


def _told(path: Path, error: sqlite3.DatabaseError) -> ArenaError:
    name = getattr(error, "sqlite_errorname", "")
    remedy = f"what was played is kept; then go on with: arena resume {path.parent}"
    if name == "SQLITE_FULL":
        return ArenaError(f"{path}: the disk is full; make room, {remedy}")
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_PERM")):
        return ArenaError(f"{path} cannot be written or read ({error}); mend that, {remedy}")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return ArenaError(f"{path} is being written by another process")
    return DamagedFile(f"{path} is damaged: {error}")
