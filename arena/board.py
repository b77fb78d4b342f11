"""TensorBoard on a run or on all runs, for `arena board`."""

from __future__ import annotations

import contextlib
import io
import logging
import socket
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path

from arena.errors import ArenaError, InvalidValue


def serve(folder: Path = Path("runs"), port: int = 6006, *, announce: Callable[[str], None] = print) -> None:
    """Shows a run folder, or a folder of runs, until Ctrl-C. `announce` gets the line with the address.

    Raises:
      ArenaError: there is nothing to show, or the port is taken.
    """
    url = start(folder, port)
    announce(f"TensorBoard shows {folder} at {url} (Ctrl-C ends it)")
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()


def start(folder: Path, port: int = 6006) -> str:
    """Returns the address of a TensorBoard that runs until this process ends. Port 0 stands for any free one.

    Meant for a process of its own: where TensorFlow is not imported yet, TensorBoard is told to do without it
    (it would take seconds), and then `tf.summary`, which is TensorBoard's, works in this process no more.

    Raises: as `serve`.
    """
    _check_folder(folder)
    _check_port(port)
    if "tensorflow" not in sys.modules:
        sys.modules["tensorboard.compat.notf"] = types.ModuleType("tensorboard.compat.notf")
    from tensorboard import default, program

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    board = program.TensorBoard(plugins=default.get_plugins())
    board.configure(argv=("", "--logdir", str(folder), "--port", str(port)))
    try:
        with contextlib.redirect_stderr(io.StringIO()):  # a note on which of its loaders it uses
            url: str = board.launch()
    except program.TensorBoardServerException as error:
        raise ArenaError(f"TensorBoard does not start: {error.msg}") from error
    return url


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise ArenaError(f"no folder {folder}: give a run folder or the folder of all runs; 'arena train' makes one")
    if not any(folder.rglob("*tfevents*")):
        raise ArenaError(f"{folder} holds no TensorBoard events: give a run folder or the folder of all runs")


def _check_port(port: int) -> None:
    if not 0 <= port <= 65535:
        raise InvalidValue(f"port must be from 0 to 65535, given {port}")
    if not _is_free(port):
        other = next((p for p in range(port + 1, min(port + 100, 65536)) if _is_free(p)), 0)
        raise ArenaError(f"port {port} is taken, or not yours to use; choose another: --port {other}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("localhost", port))
        except OSError:
            return False
    return True
