"""The agents that the README and the guide show keep the contract and play."""

import re
import shutil
from pathlib import Path

import pytest

from arena.config import RunConfig
from arena.evaluation import evaluate
from arena.loop import run
from arena.registry import resolve
from arena.seats import Seats
from arena.testing import assert_contract
from arena.training import train
from envs import make

ROOT = Path(__file__).parent.parent
EXAMPLES = {"careful.py": "README.md", "cem.py": "docs/agents.md"} | dict.fromkeys(
    ("lean.py", "dice.py", "scaled.py"), "docs/adapters.md"
)


@pytest.fixture
def example(tmp_path, monkeypatch):
    """Returns a function that writes an example to a file in the current folder."""
    monkeypatch.chdir(tmp_path)

    def write(name):
        blocks = re.findall(r"```python\n(.*?)```", (ROOT / EXAMPLES[name]).read_text(), re.DOTALL)
        (block,) = (block for block in blocks if block.startswith(f"# {name}\n"))
        Path(name).write_text(block)
        return block

    return write


def test_the_readmes_player_of_ten_lines_keeps_the_contract_and_balances_the_pole(example):
    code = example("careful.py").splitlines()
    assert sum(bool(line.strip()) and not line.startswith("#") for line in code) <= 10
    assert_contract("careful.py:Careful", "CartPole-v1")
    assert evaluate("careful.py:Careful", "CartPole-v1", episodes=5).mean == 500.0


def test_the_guides_learner_keeps_the_contract_and_learns(example, tmp_path):
    example("cem.py")
    assert_contract("cem.py:CEM", "CartPole-v1")
    config = RunConfig.of(agent="cem.py:CEM", env="CartPole-v1", steps=15_000, settings={"population": 20})
    assert train(config, run_dir=tmp_path / "run").best >= 195.0


def test_the_function_of_the_guide_to_adapters_balances_the_pole_for_a_while(example):
    example("lean.py")
    assert_contract("lean.py:lean", "CartPole-v1")
    assert evaluate("lean.py:lean", "CartPole-v1", episodes=5).mean > 100.0


def test_the_dice_of_the_guide_to_adapters_play_a_legal_game(example):
    pytest.importorskip("pyspiel", reason="open-spiel is not installed (extra two-player)")
    example("dice.py")
    env = make("tic_tac_toe", 2)
    player = resolve("dice.py:roll").player(env.spec, seed=0)
    seats = Seats((player, player), lambda episode: (0, 1))
    assert sum(len(event.finished) for event in run(env, seats, lambda i: i, num_episodes=4)) == 4


def test_the_guides_player_of_a_litert_file_keeps_the_contract(example, foreign_model):
    example("scaled.py")
    shutil.copy(foreign_model, "model.tflite")
    assert_contract("scaled.py:Scaled", "CartPole-v1")
