"""Tournaments that are attacked and killed, shown on small ones."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run(script: str, *options: str) -> list[str]:
    """Returns the lines that a benchmark prints, which finds no fault."""
    command = [sys.executable, str(BENCHMARKS / script), "--no-results", *options]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout.splitlines()


@pytest.mark.slow
def test_twelve_hostile_agents_harm_nobody_but_themselves():
    lines = run("hostile.py", "--episodes", "10")
    assert len({line.split()[0] for line in lines[:-1]}) == 12
    assert lines[-1].endswith("faults: none")


@pytest.mark.slow
def test_a_tournament_that_is_killed_three_times_ends_as_one_that_is_not():
    (line,) = run("tournament_soak.py", "--kills", "3", "--only", "league")
    assert line.startswith("league") and line.endswith("faults: none")
