"""The policies of a run's beginning: kept once, at the same steps, whether the run was stopped or not."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from arena import functions, policy
from arena.config import RunConfig
from arena.errors import BrokenPlugin
from arena.milestones import Milestones, kept, policy_at
from arena.policy import Card, Policy
from arena.training import Hooks, Run, resume, train
from envs import make

pytestmark = pytest.mark.usefixtures("no_pictures")


def config(**changes: Any) -> RunConfig:
    common = {
        "agent": "q_learning",
        "env": "CartPole-v1",
        "steps": 600,
        "seed": 3,
        "settings": {"features_per_width": 5},
        "eval_every": 600,
        "eval_episodes": 1,
        "checkpoint_every": 50,
    }
    return RunConfig.of(**{**common, **changes})


def steps_of(run: Path) -> dict[int, int]:
    return {percent: policy.load(path).card.step for percent, path in kept(run)}


def hashes_of(run: Path) -> list[str]:
    """Returns the hashes of policies and cards: the files of equal policies differ in the time of their writing."""
    return [policy.load(path).card.sha256 for _, path in kept(run)]


def inodes_of(run: Path) -> list[int]:
    """Returns what changes whenever a file is written again, as that replaces it."""
    return [path.stat().st_ino for _, path in kept(run)]


class Killed(BaseException):
    pass


def killed_at(step: int) -> Hooks:
    """Ends a training as a kill does: without a checkpoint, a policy or a status."""
    asked = iter(range(1, 10**9))

    def should_stop() -> bool:
        if next(asked) >= step:
            raise Killed
        return False

    return Hooks(should_stop=should_stop)


def stopped_at(step: int) -> Hooks:
    asked = iter(range(1, 10**9))
    return Hooks(should_stop=lambda: next(asked) >= step)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that was not stopped."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("arena.plots.learning_curve", lambda folder: None)
        patch.setattr("arena.previews.Previews.show", lambda *arguments: None)
        return train(config(), run_dir=tmp_path_factory.mktemp("whole") / "run")


def test_a_run_keeps_its_policies_at_0_1_and_10_percent(whole: Run):
    assert steps_of(whole.folder) == {0: 0, 1: 6, 10: 60}  # of 600 steps
    assert sorted(path.name for path in (whole.folder / "milestones").iterdir()) == ["000.npz", "001.npz", "010.npz"]


def test_what_is_kept_plays_and_differs_as_the_agent_has_learned(whole: Run):
    first, _, last = (policy.load(path) for _, path in kept(whole.folder))
    obs = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    assert (first.act(obs, first.initial_state(np.arange(8))).extras["q"] == 0.0).all()  # it begins with zeros
    assert (last.act(obs, last.initial_state(np.arange(8))).extras["q"] != 0.0).any()


def test_with_several_rows_a_milestone_is_the_first_step_of_all_that_passes_it(tmp_path: Path):
    run = train(config(num_envs=4), run_dir=tmp_path / "run")
    assert steps_of(run.folder) == {0: 0, 1: 8, 10: 60}  # of 600 steps, four at a time


def test_a_budget_of_episodes_has_its_milestones_at_their_shares(tmp_path: Path):
    run = train(config(steps=None, episodes=20), run_dir=tmp_path / "run")
    lengths = [int(line.split(",")[3]) for line in (run.folder / "episodes.csv").read_text().splitlines()[1:]]
    # The first episode is 5% of 20, with which 1% is passed; the second ends at 10%.
    assert steps_of(run.folder) == {0: 0, 1: lengths[0], 10: lengths[0] + lengths[1]}


@pytest.mark.parametrize(("step", "num_kept"), [(3, 1), (30, 2), (100, 3)])
def test_a_resumed_run_does_not_write_the_milestones_again_that_it_has_passed(
    whole: Run, tmp_path: Path, step: int, num_kept: int
):
    stopped = train(config(), run_dir=tmp_path / "run", hooks=stopped_at(step))
    before = inodes_of(stopped.folder)
    assert len(before) == num_kept
    resumed = resume(stopped.folder)
    assert inodes_of(resumed.folder)[:num_kept] == before
    assert hashes_of(resumed.folder) == hashes_of(whole.folder)


@pytest.mark.parametrize("step", [3, 30, 65])  # before the first checkpoint, at 50, and once after another milestone
def test_a_run_that_was_killed_has_the_same_milestones_in_the_end(whole: Run, tmp_path: Path, step: int):
    with pytest.raises(Killed):
        train(config(), run_dir=tmp_path / "run", hooks=killed_at(step))
    resumed = resume(tmp_path / "run", hooks=Hooks(warn=lambda line: None))
    assert steps_of(resumed.folder) == steps_of(whole.folder)
    assert hashes_of(resumed.folder) == hashes_of(whole.folder)


def linear(spec: Any = None) -> Policy:
    spec = spec or make("CartPole-v1").spec
    layer = functions.Linear(np.zeros((4, 2), np.float32), np.zeros(2, np.float32))
    return Policy(layer, Card.of("linear", spec, "greedy", {}))


def test_milestones_that_are_passed_together_have_the_same_policy(tmp_path: Path):
    asked = []
    agent = SimpleNamespace(policy=lambda: asked.append(1) or linear())
    milestones = Milestones(tmp_path, 0.0)
    for fraction, step in ((0.0, 0), (0.2, 20), (0.5, 50)):
        milestones.add(agent, fraction, step)
    assert steps_of(tmp_path) == {0: 0, 1: 20, 10: 20}


def test_what_lies_behind_a_run_that_goes_on_is_left_alone(tmp_path: Path):
    milestones = Milestones(tmp_path, 0.05)
    agent = SimpleNamespace(policy=linear)
    milestones.add(agent, 0.05, 5)
    assert kept(tmp_path) == []
    milestones.add(agent, 0.1, 10)
    assert steps_of(tmp_path) == {10: 10}


def test_policies_of_a_plugins_own_kind_are_not_kept(tmp_path: Path):
    Milestones(tmp_path, 0.0).add(SimpleNamespace(policy=lambda: "an oracle"), 1.0, 10)
    assert list(tmp_path.iterdir()) == []


def test_a_plugin_whose_policy_fails_is_told_in_one_line(tmp_path: Path):
    class Fragile:
        def policy(self):
            raise ZeroDivisionError("no data")

    with pytest.raises(BrokenPlugin, match=r"Fragile.policy\(\) failed at .*: ZeroDivisionError: no data"):
        Milestones(tmp_path, 0.0).add(Fragile(), 0.0, 0)


def test_a_policy_is_found_whatever_its_kind_is(tmp_path: Path):
    assert policy_at(tmp_path / "final") is None
    (tmp_path / "final.npz").touch()
    assert policy_at(tmp_path / "final") == tmp_path / "final.npz"
    (tmp_path / "final.tflite").touch()
    assert policy_at(tmp_path / "final") == tmp_path / "final.tflite"
