"""Training: the same run from the same seed, whatever is watched, and however often it is stopped."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arena import checkpoint, policy
from arena.config import RunConfig
from arena.errors import ArenaError, BrokenPlugin, DoesNotFit, InvalidValue
from arena.training import resume, train

pytestmark = pytest.mark.usefixtures("no_pictures")

SMALL = {"features_per_width": 20}
COMMON: dict[str, Any] = {
    "agent": "q_learning",
    "env": "CartPole-v1",
    "steps": 600,
    "seed": 3,
    "settings": SMALL,
    "eval_every": 200,
    "eval_episodes": 3,
    "checkpoint_every": 150,
}


def config(**changes: Any) -> RunConfig:
    return RunConfig.of(**{**COMMON, **changes})


def table(path: Path, *without: str) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return [{key: value for key, value in row.items() if key not in without} for row in csv.DictReader(file)]


def trained(folder: Path) -> tuple[list, list, bytes, bytes]:
    """Returns all that a run learned: both tables but for the seconds, and both policies."""
    tables = (table(folder / f"{name}.csv", "seconds") for name in ("episodes", "evaluations"))
    return (*tables, *((folder / f"{name}.npz").read_bytes() for name in ("best", "final")))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was neither stopped nor watched."""
    return train(config(), run_dir=tmp_path_factory.mktemp("whole") / "run").folder


def test_a_run_folder_holds_what_it_promises(whole: Path):
    names = {path.name for path in whole.iterdir()}
    assert {"config.toml", "episodes.csv", "evaluations.csv", "status.json", "checkpoints", "plots"} <= names
    assert {"best.npz", "final.npz"} <= names
    assert not [name for name in names if name.endswith((".tmp", ".part"))]
    assert (whole / "plots" / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    status = json.loads((whole / "status.json").read_text())
    assert (status["state"], status["step"]) == ("finished", 600)
    assert [row["step"] for row in table(whole / "evaluations.csv")] == ["200", "400", "600"]


def test_episodes_are_numbered_and_their_lengths_add_up_to_the_step(whole: Path):
    rows = table(whole / "episodes.csv")
    assert [int(row["episode"]) for row in rows] == list(range(len(rows)))
    assert [int(row["step"]) for row in rows] == np.cumsum([int(row["length"]) for row in rows]).tolist()
    assert all(float(row["return"]) == int(row["length"]) for row in rows)  # a step of CartPole is worth 1


def test_the_best_policy_is_that_of_the_best_evaluation(whole: Path):
    rows = table(whole / "evaluations.csv")
    best = max(float(row["mean"]) for row in rows)
    card = policy.load(whole / "best.npz").card
    assert card.scores["mean"] == best
    assert card.step == max(int(row["step"]) for row in rows if float(row["mean"]) == best)
    assert policy.load(whole / "final.npz").card.step == 600


def test_checkpoints_kept_are_the_newest_and_the_one_before(whole: Path):
    # Evaluations at 200, 400 and 600, and a period of 150 steps counted from the last checkpoint.
    steps = sorted(checkpoint.step_of(path) for path in (whole / "checkpoints").iterdir())
    assert len(steps) == 2
    assert 400 <= steps[0] < steps[1] == 600


def test_every_checkpoint_holds_the_policy_that_was_the_best_then(whole: Path):
    scores = [(float(row["mean"]), int(row["step"])) for row in table(whole / "evaluations.csv")]
    for path in (whole / "checkpoints").iterdir():
        _, best_step = max(score for score in scores if score[1] <= checkpoint.step_of(path))  # of equals, the last
        assert policy.load(path / "best" / "best.npz").card.step == best_step
    newest = checkpoint.newest(whole / "checkpoints")
    assert (newest / "best" / "best.npz").read_bytes() == (whole / "best.npz").read_bytes()


def test_training_twice_from_one_seed_gives_the_same_run(whole: Path, tmp_path: Path):
    again = train(config(), run_dir=tmp_path / "run")
    assert trained(again.folder) == trained(whole)


def test_another_seed_gives_another_run(whole: Path, tmp_path: Path):
    other = train(config(seed=4), run_dir=tmp_path / "run")
    assert trained(other.folder)[0] != trained(whole)[0]


def test_evaluating_more_often_leaves_training_as_it_is(whole: Path, tmp_path: Path):
    often = train(config(eval_every=70, eval_episodes=2), run_dir=tmp_path / "run")
    assert trained(often.folder)[0] == trained(whole)[0]
    final, other = (policy.load(folder / "final.npz").function for folder in (whole, often.folder))
    assert np.array_equal(final.q, other.q)


def test_recording_leaves_training_as_it_is(whole: Path, tmp_path: Path):
    filmed = train(config(record="every=20"), run_dir=tmp_path / "run")
    assert list((filmed.folder / "videos").glob("*.mp4"))
    assert trained(filmed.folder) == trained(whole)


# Budgets.


def test_a_budget_of_episodes_ends_the_run(tmp_path: Path):
    run = train(config(steps=None, episodes=7), run_dir=tmp_path / "run")
    assert run.episodes == len(table(run.folder / "episodes.csv")) == 7


def test_a_run_ends_once_an_evaluation_reaches_the_goal(tmp_path: Path):
    run = train(config(until=1.0), run_dir=tmp_path / "run")
    assert run.step == 200
    assert resume(run.folder).step == 200  # and it stays reached


# What goes wrong.


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path):
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(ArenaError, match="already exists; choose another --run-dir, or `arena resume"):
        train(config(), run_dir=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["precious.txt"]


@pytest.mark.parametrize(
    ("changes", "error", "line"),
    [
        ({"agent": "random"}, InvalidValue, "random does not learn"),
        ({"env": "Pendulum-v1"}, DoesNotFit, "not a discrete set"),
        ({"settings": {"learning_rate": "fast"}}, InvalidValue, "q_learning's settings: learning_rate = 'fast'"),
        ({"record": "sometimes"}, ArenaError, "sometimes"),
        ({"record": "every=0"}, ArenaError, "every=0"),
        ({"start": "nowhere"}, ArenaError, "there is no run folder nowhere"),
        ({"preset": "Nothing-v0"}, ArenaError, "unknown preset of q_learning 'Nothing-v0'"),
    ],
)
def test_a_run_that_cannot_begin_leaves_no_folder(tmp_path: Path, changes: dict, error: type, line: str):
    with pytest.raises(error, match=line) as caught:
        train(config(**changes), run_dir=tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_new_run_can_start_from_the_weights_of_another(whole: Path, tmp_path: Path):
    run = train(config(start=str(whole), steps=1, eval_every=1), run_dir=tmp_path / "run")
    learned, begun = (policy.load(folder / "final.npz").function for folder in (whole, run.folder))
    assert np.array_equal(learned.w, begun.w)
    assert np.abs(begun.q).max() > 0
    assert run.step == 1


PLUGIN = """
from arena.agent import Agent, Decision
import numpy as np

class Sloppy(Agent):
    def act(self, obs, state): return Decision(np.zeros(len(obs), np.int64))
    def observe(self, transition): self.steps = getattr(self, "steps", 0) + 1
    def learn(self): return {learn}
    def policy(self): return {policy}
    def save_state(self, folder): pass
    def restore_state(self, folder): raise KeyError("steps")
"""


@pytest.mark.parametrize(
    ("learn", "line"),
    [
        ("1 / 0 if self.steps > 20 else {}", r"Sloppy\.learn\(\) failed at \w+\.py:\d+: ZeroDivisionError"),
        ('{"loss": "high"}', r"Sloppy\.learn\(\) must return floats by name, not \{'loss': 'high'\}"),
        ("[1]", r"Sloppy\.learn\(\) must return floats by name, not \[1\]"),
    ],
)
def test_an_agent_that_fails_while_it_learns_is_one_line(tmp_path: Path, learn: str, line: str):
    path = tmp_path / f"sloppy_{abs(hash(learn))}.py"
    path.write_text(PLUGIN.format(learn=learn, policy="self"))
    with pytest.raises(BrokenPlugin, match=line) as caught:
        train(config(agent=f"{path}:Sloppy", settings={}), run_dir=tmp_path / "run")
    assert "\n" not in str(caught.value)


def test_a_disk_that_is_full_ends_the_run_and_leaves_its_last_checkpoint(tmp_path: Path):
    """RLIMIT_FSIZE stands for a full disk: the table of features does not fit any more."""
    run = train(config(steps=300), run_dir=tmp_path / "run")
    before = {path.name for path in (run.folder / "checkpoints").iterdir()}
    program = """
import resource, signal, sys
from arena.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
sys.exit(main(["resume", "run", "--steps", "600"]))
"""
    ended = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr.startswith("arena: ")
    assert "File too large" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert before <= {path.name for path in (run.folder / "checkpoints").iterdir()}
    assert resume(run.folder, steps=600).step == 600
    assert os.listdir(tmp_path) == ["run"]
