"""The command line: from arguments to an exit code.

A user's mistake is one line on standard error and exit code 2; Ctrl-C is exit code 130.
"""

from __future__ import annotations

import gc
import sys
import warnings
from typing import Any

import typer

from arena.commands.options import app
from arena.errors import ArenaError
from arena.threads import start_with_one_blas_thread

# They enter themselves into the application, in the order of its help.
from arena.commands import lists, training, playing, recording, mapping, tournaments, device, components, tools  # noqa: F401  # isort: skip


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; returns its exit code."""
    start_with_one_blas_thread()
    gc.set_threshold(50_000)  # collecting garbage among a thousand imported modules takes a twentieth of a start
    if not (sys.argv[1:] if arguments is None else arguments):
        arguments = ["--help"]
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn  # type: ignore[assignment]
            code = app(args=arguments, prog_name="arena", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        hint = f" See `{context.command_path} --help`." if context else ""
        return _fail(error.format_message() + hint)
    except ArenaError as error:
        return _fail(str(error))
    except BrokenPipeError:
        return 0
    except OSError as error:
        return _fail(f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error))
    except (KeyboardInterrupt, typer.Abort):
        print("arena: interrupted", file=sys.stderr)
        return 130


def _warn(message: Warning | str, *_: Any) -> None:
    print(f"arena: warning: {' '.join(str(message).split())}", file=sys.stderr)


def _fail(message: str) -> int:
    print(f"arena: {' '.join(message.split())}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
