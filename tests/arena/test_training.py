"""Training: the same run from the same seed, whatever is watched, and however often it is stopped."""

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arena import checkpoint, policy
from arena.config import RunConfig
from arena.errors import ArenaError, BrokenPlugin, DamagedFile, DoesNotFit, InvalidValue
from arena.training import Hooks, Run, resume, train

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


def stop_at(step: int) -> Hooks:
    """Stops a training, as Ctrl-C does, as soon as it has taken `step` steps."""
    asked = iter(range(1, 10**9))
    return Hooks(should_stop=lambda: next(asked) >= step)


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


# Stopping and going on.


@pytest.mark.parametrize("step", [1, 137, 200, 450])
def test_a_stopped_run_goes_on_as_if_it_had_not_been(whole: Path, tmp_path: Path, step: int):
    stopped = train(config(), run_dir=tmp_path / "run", hooks=stop_at(step))
    assert stopped.was_interrupted
    assert 0 < stopped.step < 600
    assert json.loads((stopped.folder / "status.json").read_text())["state"] == "interrupted"
    resumed = resume(stopped.folder)
    assert not resumed.was_interrupted
    assert trained(resumed.folder) == trained(whole)


def test_a_run_of_several_rows_goes_on_as_if_it_had_not_been_stopped(tmp_path: Path):
    changes = {"num_envs": 3, "env": "FrozenLake8x8-v1", "settings": {}}
    whole = train(config(**changes), run_dir=tmp_path / "whole")
    stopped = train(config(**changes), run_dir=tmp_path / "run", hooks=stop_at(100))
    assert stopped.step < 600
    assert trained(resume(stopped.folder).folder) == trained(whole.folder)


@pytest.mark.parametrize(
    ("agent", "stopped_at"),
    [
        ("random_search", 300),
        pytest.param("dqn", 1_700, marks=pytest.mark.slow),  # in the midst of learning
        pytest.param("ppo", 150, marks=pytest.mark.slow),
        pytest.param("reinforce", 150, marks=pytest.mark.slow),
    ],
)
def test_every_learner_goes_on_as_if_it_had_not_been_stopped(tmp_path: Path, agent: str, stopped_at: int):
    changes = {"agent": agent, "settings": {}, "steps": 2_500, "eval_every": 1_000, "checkpoint_every": None}
    whole = train(config(**changes), run_dir=tmp_path / "whole")
    stopped = train(config(**changes), run_dir=tmp_path / "run", hooks=stop_at(stopped_at))
    assert 0 < stopped.step < 2_500
    resumed = resume(stopped.folder)
    for name in ("episodes", "evaluations"):
        assert table(resumed.folder / f"{name}.csv", "seconds") == table(whole.folder / f"{name}.csv", "seconds")
    # Files of networks hold names that TensorFlow numbers within a process: what they say is compared.
    obs = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float32)
    before, after = (policy.load(next(run.folder.glob("final.*"))).function(obs) for run in (whole, resumed))
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_a_run_stopped_within_an_evaluation_makes_it_up(whole: Path, tmp_path: Path):
    # 199 steps of training, then an evaluation: the 205th question comes in the midst of it.
    stopped = train(config(), run_dir=tmp_path / "run", hooks=stop_at(205))
    assert stopped.step == 200
    assert table(stopped.folder / "evaluations.csv") == []
    assert trained(resume(stopped.folder).folder) == trained(whole)


@pytest.mark.parametrize("step", [140, 310, 599])
def test_a_killed_run_goes_on_from_its_checkpoint_without_doubled_rows(whole: Path, tmp_path: Path, step: int):
    program = f"""
import os, signal
from pathlib import Path
from arena.config import RunConfig
from arena.training import Hooks, train

asked = iter(range(10**9))
def kill():
    if next(asked) >= {step} - 1:
        os.kill(os.getpid(), signal.SIGKILL)

train(RunConfig.of(**{COMMON | {"checkpoint_every": 100}!r}), run_dir=Path("run"), hooks=Hooks(should_stop=kill))
"""
    ended = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    resumed = resume(tmp_path / "run")
    assert trained(resumed.folder) == trained(whole)


def test_a_finished_run_that_is_resumed_stays_as_it_is(whole: Path, tmp_path: Path):
    run = train(config(), run_dir=tmp_path / "run")
    resume(run.folder)
    assert trained(run.folder) == trained(whole)


def test_a_finished_run_can_be_given_more_steps(tmp_path: Path):
    short = train(config(steps=300), run_dir=tmp_path / "run")
    longer = resume(short.folder, steps=600)
    assert longer.step == 600
    rows = table(longer.folder / "episodes.csv")
    assert [int(row["episode"]) for row in rows] == list(range(len(rows)))
    assert [row["step"] for row in table(longer.folder / "evaluations.csv")] == ["200", "300", "400", "600"]


def test_fewer_steps_than_are_taken_are_refused_and_change_nothing(tmp_path: Path):
    run = train(config(steps=300), run_dir=tmp_path / "run")
    before = (run.folder / "config.toml").read_bytes()
    with pytest.raises(InvalidValue, match="has taken 300 steps; --steps 200 is less"):
        resume(run.folder, steps=200)
    assert (run.folder / "config.toml").read_bytes() == before


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


@pytest.fixture
def stopped(tmp_path: Path) -> Run:
    """A run that was stopped, with one checkpoint."""
    return train(config(), run_dir=tmp_path / "run", hooks=stop_at(50))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def edited_state(folder: Path, before: str, after: str) -> None:
    """Changes state.json together with its hash, as a checkpoint of another version would have it."""
    newest = checkpoint.newest(folder / "checkpoints")
    edit(newest / "state.json", before, after)
    manifest = json.loads((newest / "manifest.json").read_text())
    manifest["files"]["state.json"] = checkpoint._hash(newest / "state.json")
    (newest / "manifest.json").write_text(json.dumps(manifest))


def damage_state(folder: Path) -> None:
    (checkpoint.newest(folder / "checkpoints") / "state.json").write_text("{")


def edit_config(before: str, after: str) -> Callable[[Path], None]:
    return lambda folder: edit(folder / "config.toml", before, after)


DAMAGES = {
    "another agent's": (edit_config('"q_learning"', '"random_search"'), r"random_search's settings"),
    "other rows": (edit_config("num_envs = 1", "num_envs = 2"), r"is of 1 rows; config.toml says num_envs = 2"),
    "other features": (edit_config("per_width = 20", "per_width = 21"), r"another agent"),
    "a broken state": (damage_state, r"state\.json is not what was saved"),
    "a state without its step": (lambda f: edited_state(f, '"step"', '"stop"'), r"state\.json cannot be read"),
    "a broken configuration": (edit_config("num_envs = 1", "num_envs ="), r"is not valid TOML"),
    "a key too many": (edit_config("num_envs = 1", "num_envy = 1"), r"did you mean 'num_envs'"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_checkpoint_that_does_not_fit_is_one_line_and_nothing_is_lost(stopped: Run, damage: str):
    apply, line = DAMAGES[damage]
    apply(stopped.folder)
    before = contents(stopped.folder)
    with pytest.raises(ArenaError, match=line) as caught:
        resume(stopped.folder)
    assert "\n" not in str(caught.value)
    assert contents(stopped.folder) == before


def test_the_checkpoint_of_another_agent_is_one_line(stopped: Run):
    text = (stopped.folder / "config.toml").read_text()
    head = text[: text.index("[settings]")].replace('"q_learning"', '"random_search"')
    (stopped.folder / "config.toml").write_text(head)
    with pytest.raises(DamagedFile, match="holds the state of another agent") as caught:
        resume(stopped.folder)
    assert "\n" not in str(caught.value)


def test_a_damaged_newest_checkpoint_is_told_and_an_older_one_taken(whole: Path, tmp_path: Path):
    stopped = train(config(), run_dir=tmp_path / "run", hooks=stop_at(450))
    damage_state(stopped.folder)
    told: list[str] = []
    resumed = resume(stopped.folder, hooks=Hooks(warn=told.append))
    assert len(told) == 1
    assert "state.json is not what was saved" in told[0]
    assert trained(resumed.folder) == trained(whole)


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
