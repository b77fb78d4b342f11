"""What commands import: TensorFlow only to learn, and nothing heavy to list."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from arena import policy
from arena.agent import Spec
from arena.functions import Linear
from envs import make

PROGRAM = """
import json, sys
from arena.cli import main
code = main(sys.argv[1:])
print(json.dumps([code, sorted(name for name in sys.modules if "." not in name)]), file=sys.stderr)
"""


def imported(*arguments: str, folder: Path) -> set[str]:
    """Returns the packages that a command imports."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    code, names = json.loads(ended.stderr.splitlines()[-1])
    assert code == 0, ended.stderr
    return set(names)


LEARNING_AND_FILMS = {"tensorflow", "keras", "matplotlib", "moviepy", "cv2", "ale_py"}


@pytest.mark.parametrize("arguments", [("--help",), ("train", "--help"), ("envs",), ("envs", "--json")])
def test_help_and_the_list_of_environments_import_next_to_nothing(arguments, tmp_path):
    assert not imported(*arguments, folder=tmp_path) & (LEARNING_AND_FILMS | {"gymnasium", "numpy", "ai_edge_litert"})


@pytest.mark.parametrize("command", ["agents", "runs"])
def test_other_lists_import_no_agent_and_no_environment(command, tmp_path):
    assert not imported(command, folder=tmp_path) & (LEARNING_AND_FILMS | {"agents", "ai_edge_litert"})


@pytest.fixture
def linear_policy(tmp_path: Path) -> Path:
    """A policy of NumPy for CartPole-v1."""
    spec: Spec = make("CartPole-v1").spec
    function = Linear(np.ones((4, 2), np.float32), np.zeros(2, np.float32))
    card = policy.Card.of("linear", spec, "sample", {})
    return policy.save(policy.Policy(function, card), tmp_path / "linear")


def test_playing_never_imports_tensorflow(linear_policy: Path, litert_policy: Path, tmp_path: Path):
    for ref in ("random", str(linear_policy), str(litert_policy)):
        names = imported("eval", ref, "--env", "CartPole-v1", "--episodes", "2", folder=tmp_path)
        assert not names & LEARNING_AND_FILMS
        assert ("ai_edge_litert" in names) == ref.endswith(".tflite")


def test_learning_without_networks_never_imports_tensorflow(tmp_path: Path):
    options = ("--set", "features_per_width=5", "--set", "eval_episodes=1")
    names = imported("train", "q_learning", "--env", "CartPole-v1", "--steps", "30", *options, folder=tmp_path)
    assert not names & {"tensorflow", "keras"}
