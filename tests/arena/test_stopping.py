"""Stopping a training at any moment and going on with it: it ends as if it had not been stopped."""

import functools
import importlib.util
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from arena import checkpoint
from arena.config import RunConfig
from arena.errors import ArenaError, DamagedFile, InvalidValue
from arena.training import Hooks, Run, resume, train

COMMON: dict[str, Any] = {
    "agent": "q_learning",
    "env": "CartPole-v1",
    "steps": 600,
    "seed": 3,
    "settings": {"features_per_width": 20},
    "eval_every": 200,
    "eval_episodes": 3,
    "checkpoint_every": 150,
}


@pytest.fixture(scope="module", autouse=True)
def no_pictures() -> Iterator[None]:
    """Leaves out plots and previews, in the fixtures of this module too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("arena.plots.learning_curve", lambda folder: None)
        patch.setattr("arena.previews.Previews.show", lambda *arguments: None)
        yield


def config(**changes: Any) -> RunConfig:
    return RunConfig.of(**{**COMMON, **changes})


@functools.cache
def differences() -> Callable[[Path, Path], list[str]]:
    """Returns the comparison that the soak test makes."""
    path = Path(__file__).parents[2] / "benchmarks" / "run_contents.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.differences


def assert_same(run: Path, whole: Path) -> None:
    assert differences()(run, whole) == []
    assert json.loads((run / "status.json").read_text())["state"] == "finished"


def stop_at(step: int) -> Hooks:
    """Stops a training, as Ctrl-C does, as soon as it has taken `step` steps."""
    asked = iter(range(1, 10**9))
    return Hooks(should_stop=lambda: next(asked) >= step)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was not stopped."""
    return train(config(), run_dir=tmp_path_factory.mktemp("whole") / "run").folder


@pytest.mark.parametrize("step", [1, 137, 200, 450])
def test_a_stopped_run_goes_on_as_if_it_had_not_been(whole: Path, tmp_path: Path, step: int):
    stopped = train(config(), run_dir=tmp_path / "run", hooks=stop_at(step))
    assert stopped.was_interrupted
    assert 0 < stopped.step < 600
    assert json.loads((stopped.folder / "status.json").read_text())["state"] == "interrupted"
    resumed = resume(stopped.folder)
    assert not resumed.was_interrupted
    assert_same(resumed.folder, whole)


def test_a_run_of_several_rows_goes_on_as_if_it_had_not_been_stopped(tmp_path: Path):
    changes = {"num_envs": 3, "env": "FrozenLake8x8-v1", "settings": {}}
    whole = train(config(**changes), run_dir=tmp_path / "whole")
    stopped = train(config(**changes), run_dir=tmp_path / "run", hooks=stop_at(100))
    assert stopped.step < 600
    assert_same(resume(stopped.folder).folder, whole.folder)


@pytest.mark.slow
@pytest.mark.parametrize("network", ["lstm", "gru"])
def test_what_rows_remember_goes_on_as_if_they_had_not_been_stopped(tmp_path: Path, network: str):
    settings = {"network": network, "memory_size": 4, "hidden": [4], "num_steps": 32, "batch_size": 64, "epochs": 1}
    changes = {"agent": "ppo", "env": "arena/TMaze-v0", "env_settings": {"length": 2}, "num_envs": 3}
    whole = train(config(**changes, settings=settings), run_dir=tmp_path / "whole")
    stopped = train(config(**changes, settings=settings), run_dir=tmp_path / "run", hooks=stop_at(77))
    assert 32 < stopped.step // 3 < 96  # in the midst of a rollout, and of episodes
    assert_same(resume(stopped.folder).folder, whole.folder)


def test_a_search_goes_on_as_if_it_had_not_been_stopped(tmp_path: Path):
    changes = {"agent": "random_search", "settings": {}}
    whole = train(config(**changes), run_dir=tmp_path / "whole")
    stopped = train(config(**changes), run_dir=tmp_path / "run", hooks=stop_at(300))
    assert stopped.step < 600
    assert_same(resume(stopped.folder).folder, whole.folder)


def test_a_run_stopped_within_an_evaluation_makes_it_up(whole: Path, tmp_path: Path):
    # 199 steps of training, then an evaluation: the 205th question comes in the midst of it.
    stopped = train(config(), run_dir=tmp_path / "run", hooks=stop_at(205))
    assert stopped.step == 200
    assert len((stopped.folder / "evaluations.csv").read_text().splitlines()) == 1  # the head
    assert_same(resume(stopped.folder).folder, whole)


def test_a_finished_run_that_is_resumed_stays_as_it_is(whole: Path, tmp_path: Path):
    run = train(config(), run_dir=tmp_path / "run")
    resume(run.folder)
    assert_same(run.folder, whole)


def test_a_finished_run_can_be_given_more_steps(tmp_path: Path):
    short = train(config(steps=300), run_dir=tmp_path / "run")
    longer = resume(short.folder, steps=600)
    assert longer.step == 600
    rows = [line.split(",") for line in (longer.folder / "episodes.csv").read_text().splitlines()[1:]]
    assert [int(row[0]) for row in rows] == list(range(len(rows)))
    evaluations = (longer.folder / "evaluations.csv").read_text().splitlines()[1:]
    assert [line.split(",")[0] for line in evaluations] == ["200", "300", "400", "600"]


def test_fewer_steps_than_are_taken_are_refused_and_change_nothing(tmp_path: Path):
    run = train(config(steps=300), run_dir=tmp_path / "run")
    before = (run.folder / "config.toml").read_bytes()
    with pytest.raises(InvalidValue, match="has taken 300 steps; --steps 200 is less"):
        resume(run.folder, steps=200)
    assert (run.folder / "config.toml").read_bytes() == before


def test_a_run_that_is_being_trained_is_left_alone(whole: Path, tmp_path: Path):
    def resume_it_too(progress: object) -> None:
        with pytest.raises(ArenaError, match="is being trained by another process"):
            resume(tmp_path / "run")

    assert_same(train(config(), run_dir=tmp_path / "run", hooks=Hooks(on_progress=resume_it_too)).folder, whole)


# SIGKILL. Each moment is the n-th call of a function, before or after it; a moment for each process until the last.

MOMENTS: dict[str, list[tuple[str, int, str]]] = {
    "before the first checkpoint": [("trackers.Table.add", 5, "after")],
    "in the first checkpoint": [("checkpoint._seal", 1, "before")],
    "with the first best policy but no checkpoint of it": [("run_folder.RunFolder.save_policy", 1, "after")],
    "between an agent's files": [("checkpoint._seal", 2, "before")],
    "when a checkpoint is complete but has no name": [("checkpoint._name", 2, "before")],
    "before the older ones are deleted": [("checkpoint.prune", 3, "before")],
    "with a best policy newer than the checkpoint": [("run_folder.RunFolder.save_policy", 2, "after")],
    "before the status says so": [("run_folder.RunFolder.write_status", 4, "before")],
    "within TensorBoard's events": [("monitor.Monitor.scalars", 40, "before")],
    "between evaluation and checkpoint": [("selection.Selection.evaluate", 3, "after")],
    "in the last checkpoint": [("checkpoint._seal", 6, "before")],
    "when all but the last numbers is written": [("trainer.Trainer._report_hparams", 1, "before")],
    "when all but the status is written": [("trainer.Trainer._report_hparams", 1, "after")],
    "and again while it takes up its files": [
        ("checkpoint._name", 3, "before"),
        ("checkpoint._name", 1, "before"),
        ("monitor._next_name", 1, "before"),
        ("snapshot.bring_back_best", 1, "before"),
        ("checkpoint.save", 1, "before"),
    ],
}
PROGRAM = """
import functools, importlib, json, os, pathlib, signal, sys, warnings
from arena import plots, previews
from arena.config import RunConfig
from arena.training import resume, train

plots.learning_curve = lambda folder: None
previews.Previews.show = lambda *arguments: None
warnings.simplefilter("ignore")

def kill_at(place, count, when):
    module, _, name = place.partition(".")
    owner, _, name = name.rpartition(".")
    owner = functools.reduce(getattr, owner.split(".") if owner else [], importlib.import_module(f"arena.{module}"))
    function, calls = getattr(owner, name), iter(range(1, 10**9))
    def wrapped(*arguments, **keywords):
        is_it = next(calls) == count
        if is_it and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = function(*arguments, **keywords)
        if is_it:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    setattr(owner, name, wrapped)

config, moments = json.loads(sys.argv[1])
for folder, sequence in enumerate(moments):
    folder = pathlib.Path(str(folder))
    for moment in sequence:
        if not (child := os.fork()):
            kill_at(*moment)
            if (folder / "config.toml").exists():
                resume(folder)
            else:
                train(RunConfig.of(**config), run_dir=folder)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL, moment
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs, each killed at one of the moments."""
    folder = tmp_path_factory.mktemp("killed")
    arguments = json.dumps([COMMON, list(MOMENTS.values())])
    ended = subprocess.run([sys.executable, "-c", PROGRAM, arguments], cwd=folder, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return folder


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_is_killed_goes_on_as_if_it_had_not_been(whole: Path, killed: Path, moment: str):
    folder = killed / str(list(MOMENTS).index(moment))
    told: list[str] = []
    run = resume(folder, hooks=Hooks(warn=told.append))
    assert_same(run.folder, whole)
    is_new = moment in ("before the first checkpoint", "in the first checkpoint")
    assert told == ([f"{folder} was stopped before its first checkpoint; it begins again"] if is_new else [])
    assert not [path for path in folder.rglob("*") if path.suffix in (".tmp", ".part")]


def test_a_run_killed_before_its_configuration_was_written_is_begun_in_its_place(whole: Path, tmp_path: Path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "config.toml.tmp").write_text("seed = ")
    with pytest.raises(DamagedFile, match="is not a run folder: it has no config"):
        resume(folder)
    assert_same(train(config(), run_dir=folder).folder, whole)


def test_a_run_whose_checkpoints_were_deleted_is_not_begun_again(tmp_path: Path):
    run = train(config(steps=200), run_dir=tmp_path / "run")
    for path in (run.folder / "checkpoints").iterdir():
        path.rename(tmp_path / path.name)
    before = contents(run.folder)
    with pytest.raises(DamagedFile, match="holds no checkpoint; the run cannot be resumed"):
        resume(run.folder)
    assert contents(run.folder) == before


# What is damaged, or other than it was.


@pytest.fixture
def stopped(tmp_path: Path) -> Run:
    """A run that was stopped, with one checkpoint."""
    return train(config(), run_dir=tmp_path / "run", hooks=stop_at(50))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def edit(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def edited_state(folder: Path, before: str, after: str) -> None:
    """Changes state.json together with its hash, as a checkpoint of another version would have it."""
    newest = checkpoint.newest(folder / "checkpoints")
    edit(newest / "state.json", before, after)
    manifest = json.loads((newest / "manifest.json").read_text())
    manifest["files"]["state.json"] = checkpoint._hash(newest / "state.json")
    (newest / "manifest.json").write_text(json.dumps(manifest))


def damage_state(folder: Path) -> None:
    (checkpoint.newest(folder / "checkpoints") / "state.json").write_text("{")


def cut_short(folder: Path) -> None:
    path = checkpoint.newest(folder / "checkpoints") / "agent" / "arrays.npz"
    os.truncate(path, path.stat().st_size // 2)


def edit_config(before: str, after: str) -> Callable[[Path], None]:
    return lambda folder: edit(folder / "config.toml", before, after)


DAMAGES = {
    "another agent's": (edit_config('"q_learning"', '"random_search"'), r"random_search's settings"),
    "other rows": (edit_config("num_envs = 1", "num_envs = 2"), r"is of 1 rows; config.toml says num_envs = 2"),
    "other features": (edit_config("per_width = 20", "per_width = 21"), r"another agent"),
    "another environment": (edit_config('"CartPole-v1"', '"Acrobot-v1"'), r"another agent"),
    "a broken state": (damage_state, r"state\.json is not what was saved"),
    "a truncated file": (cut_short, r"agent/arrays\.npz is not what was saved"),
    "a state without its step": (lambda f: edited_state(f, '"step"', '"stop"'), r"state\.json cannot be read"),
    "a state with a word for a number": (lambda f: edited_state(f, '"step": ', '"step": "x", "x": '), r"state\.json"),
    "a broken configuration": (edit_config("num_envs = 1", "num_envs ="), r"is not valid TOML"),
    "a key too many": (edit_config("num_envs = 1", "num_envy = 1"), r"did you mean 'num_envs'"),
    "a value of another kind": (edit_config("num_envs = 1", 'num_envs = "one"'), r"num_envs = 'one'"),
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


def test_a_damaged_newest_checkpoint_is_told_and_the_one_before_taken(whole: Path, tmp_path: Path):
    stopped = train(config(), run_dir=tmp_path / "run", hooks=stop_at(450))
    damage_state(stopped.folder)
    told: list[str] = []
    resumed = resume(stopped.folder, hooks=Hooks(warn=told.append))
    assert len(told) == 1
    assert "state.json is not what was saved" in told[0]
    assert_same(resumed.folder, whole)


def test_other_versions_and_another_machine_are_told_in_one_line(whole: Path, stopped: Run):
    edited_state(stopped.folder, '"numpy": "', '"numpy": "0.')
    edited_state(stopped.folder, '"threads": ', '"threads": 10')
    told: list[str] = []
    assert_same(resume(stopped.folder, hooks=Hooks(warn=told.append)).folder, whole)
    assert len(told) == 1
    assert f"numpy {np.__version__} instead of 0.{np.__version__}, threads " in told[0]
    assert "may not be the same to the bit" in told[0]


# Environments that are not reproducible.


class Wandering(gym.Env):
    """Every game begins a step further than the last one, whatever its seed; it lasts 40 steps."""

    observation_space = gym.spaces.Box(0.0, np.inf, (1,), np.float64)
    action_space = gym.spaces.Discrete(2)
    num_games = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        type(self).num_games += 1
        self.steps = 0
        return self.seen(), {}

    def step(self, action):
        self.steps += 1
        return self.seen(), 1.0, self.steps == 40, False, {}

    def seen(self):
        return np.array([1000.0 * self.num_games + self.steps])


AGENT = """
import json
import numpy as np
from arena.agent import Agent, Decision

class Diary(Agent):
    def __init__(self, spec, *, seed, settings=None):
        super().__init__(spec, seed=seed, settings=settings)
        self.pages = []
    def act(self, obs, state): return Decision(np.zeros(len(obs), np.int64))
    def observe(self, t): self.pages.append([t.obs[:, 0].tolist(), t.next_obs[:, 0].tolist(), t.done.tolist()])
    def learn(self): return {}
    def policy(self): return self
    def save_state(self, folder): (folder / "diary.json").write_text(json.dumps(self.pages))
    def restore_state(self, folder): self.pages = json.loads((folder / "diary.json").read_text())
    def forget_unfinished(self): self.pages.append("forgotten")
"""


@pytest.fixture
def wandering() -> Any:
    gym.register("Wandering-v0", Wandering)
    Wandering.num_games = 0
    yield "Wandering-v0"
    del gym.registry["Wandering-v0"]


def test_where_episodes_cannot_be_brought_back_new_ones_begin_and_the_agent_forgets(wandering: str, tmp_path: Path):
    (tmp_path / "diary.py").write_text(AGENT)
    changes = {"agent": f"{tmp_path / 'diary.py'}:Diary", "env": wandering, "settings": {}, "num_envs": 2}
    told: list[str] = []
    hooks = stop_at(60)._replace(warn=told.append)  # at 120 steps of two rows: in the middle of the second episodes
    stopped = train(config(**changes, eval_every=10_000), run_dir=tmp_path / "run", hooks=hooks)
    assert len([line for line in told if "Wandering-v0 is not reproducible" in line]) == 1
    finished = resume(stopped.folder, hooks=Hooks(warn=told.append))
    pages = json.loads((checkpoint.newest(finished.folder / "checkpoints") / "agent" / "diary.json").read_text())
    assert pages.index("forgotten") == 60
    first = pages[61]
    assert [value % 1000 for value in first[0]] == [0.0, 0.0]  # both rows begin an episode
    for before, after in itertools.pairwise(pages[61:]):
        for row in range(2):
            assert before[2][row] or before[1][row] == after[0][row]


def test_episodes_that_turn_out_to_be_others_at_a_resume_are_told_and_others_begin(stopped: Run):
    edited_state(stopped.folder, '"digest": "', '"digest": "other')
    told: list[str] = []
    run = resume(stopped.folder, hooks=Hooks(warn=told.append))
    assert run.step == 600
    assert told == [
        "CartPole-v1 is not reproducible: 1 episodes cannot be brought back; others begin, and the run is not what it "
        "would have been without a stop"
    ]
    episodes = [int(line.split(",")[0]) for line in (run.folder / "episodes.csv").read_text().splitlines()[1:]]
    assert episodes == list(range(run.episodes))
