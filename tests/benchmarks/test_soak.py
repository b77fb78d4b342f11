"""Exact resume, shown on small trainings of every kind."""

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[2] / "benchmarks" / "soak.py"
TRAININGS = ("q_learning CartPole-v1", "dqn CartPole-v1", "reinforce CartPole-v1", "ppo CartPole-v1")


@pytest.mark.slow
def test_six_trainings_that_are_killed_once_end_as_those_that_are_not(tmp_path: Path):
    command = [sys.executable, str(SOAK), "--kills", "1", "--small", "--no-results", "--keep", str(tmp_path)]
    ended = subprocess.run(command, capture_output=True, text=True)
    lines = {line[:22].strip(): line for line in ended.stdout.splitlines()}
    assert all(name in lines for name in (*TRAININGS, "dqn ALE/Pong-v5", "ppo ALE/Pong-v5")), ended.stderr
    assert all(lines[name].endswith("  none") for name in lines if "-v" in name), ended.stdout
    assert ended.returncode == 0
