"""`arena board`: a real TensorBoard in a process of its own, asked over HTTP."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from arena.board import serve
from arena.errors import ArenaError, InvalidValue
from arena.monitor import Monitor


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    monitor = Monitor(tmp_path / "runs" / "dqn-CartPole-v1")
    monitor.scalars({"episode/return": 12.0}, 100)
    monitor.close()
    return tmp_path / "runs"


def test_a_folder_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArenaError, match=r"^no folder .*nowhere: give a run folder .*'arena train'"):
        serve(tmp_path / "nowhere")


def test_a_folder_without_events_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArenaError, match="holds no TensorBoard events"):
        serve(tmp_path)


def test_a_port_out_of_range_is_refused(runs: Path) -> None:
    with pytest.raises(InvalidValue, match="port must be from 0 to 65535, given 70000"):
        serve(runs, 70_000)


def test_a_taken_port_is_told_with_another_one(runs: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("localhost", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ArenaError, match=rf"port {port} is taken, .*--port \d+"):
            serve(runs, port)


SERVE = """
import pathlib, sys
from arena.board import serve
serve(pathlib.Path(sys.argv[1]), 0, announce=lambda line: print(line, flush=True))
assert "tensorflow" not in sys.modules
"""


def test_the_board_shows_the_runs_and_ends_quietly_at_ctrl_c(runs: Path) -> None:
    board = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(runs)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert board.stdout is not None
        line = board.stdout.readline()
        assert line.startswith(f"TensorBoard shows {runs} at http://localhost:")
        tags = {}
        for _ in range(100):  # it loads the events in the background
            with urllib.request.urlopen(line.split()[4] + "data/plugin/scalars/tags") as answer:
                tags = json.load(answer)
            if tags:
                break
            time.sleep(0.1)
        assert list(tags["dqn-CartPole-v1"]) == ["episode/return"]
        board.send_signal(signal.SIGINT)
        rest, errors = board.communicate(timeout=30)
        assert (board.returncode, rest, errors) == (0, "", "")
    finally:
        board.kill()
        board.communicate()
