"""The arena's errors: each is one clear line for the person who ran the command.

ArenaError              anything a user can mend; the command line prints it and exits with code 2
├── UnknownName         a name that is not among the choices (agent, environment, key, preset, ...)
├── InvalidValue        a value of the wrong type or out of range
├── DoesNotFit          an agent and an environment whose spaces do not go together
├── MissingExtra        a package that is not installed; the message names the command that installs it
├── BrokenPlugin        the code of an agent or an environment that fails, or breaks its contract
└── DamagedFile         a checkpoint, policy or log that is not what it should be
"""

from __future__ import annotations

import contextlib
import difflib
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path


class ArenaError(Exception):
    """A mistake that its reader can mend. The message is one line."""


class UnknownName(ArenaError):
    """A name that is not among the choices."""

    def __init__(self, kind: str, given: str, choices: Iterable[str], hint: str = "") -> None:
        names = sorted(choices)
        close = difflib.get_close_matches(given, names, n=1, cutoff=0.6)
        message = f"unknown {kind} {given!r}"
        if close:
            message += f"; did you mean {close[0]!r}?"
        if names and len(names) <= 40:
            message += f" (choices: {', '.join(names)})"
        if hint:
            message += f" {hint}" if message.endswith("?") else f"; {hint}"
        super().__init__(message)


class InvalidValue(ArenaError):
    """A value of the wrong type or out of range."""


class DoesNotFit(ArenaError):
    """An agent and an environment whose spaces do not go together."""


class MissingExtra(ArenaError):
    """A package that is not installed."""


class BrokenPlugin(ArenaError):
    """The code of an agent or an environment that fails, or breaks its contract.

    Attributes:
      player: the player whose code it is, where there is one; it stays in this process when the error is sent on.
    """

    def __init__(self, message: str, player: object = None) -> None:
        super().__init__(message)
        self.player = player

    def __reduce__(self) -> tuple[type[BrokenPlugin], tuple[str]]:
        return type(self), (str(self),)

    @classmethod
    @contextlib.contextmanager
    def guard(cls, owner: object, method: str) -> Iterator[None]:
        """Raises what during() gives for an error in the block; a full disk, or a missing file, is told as it is."""
        try:
            yield
        except OSError:
            raise
        except Exception as error:
            raise cls.during(owner, method, error) from error

    @classmethod
    def during(cls, owner: object, method: str, error: BaseException) -> Exception:
        """Returns what to raise when `method()` failed: the arena's own errors as they are.

        `owner` is a player, a class, or the id of an environment.
        """
        if isinstance(error, ArenaError):
            return error
        trace = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(trace.filename).name}:{trace.lineno}"
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        kind = owner if isinstance(owner, type | str) else type(owner)
        name = kind if isinstance(kind, str) else kind.__name__
        player = None if isinstance(owner, type | str) else owner
        return cls(f"{name}.{method}() failed at {place}: {what}", player)


class DamagedFile(ArenaError):
    """A checkpoint, policy or log that is not what it should be."""
