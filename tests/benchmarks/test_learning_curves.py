"""What is made of the runs behind the learning curves."""

import importlib
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

STEPS, SECONDS = np.array([100.0, 200.0, 300.0]), np.array([1.04, 2.0, 3.0])


@pytest.fixture
def curves(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    return importlib.import_module("learning_curves")


def finished_run(folder: Path, seed: int, means: tuple[float, ...], last: float) -> None:
    """Leaves what a training of 300 steps with three evaluations leaves, and its scores."""
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(
        f"seed = {seed}\nsteps = 300\neval_every = 100\neval_episodes = 5\n[machine]\ncores = 2\nthreads = 1\n"
    )
    rows = [f"{100 * (i + 1)},{mean},0.0,5,{i + 1}.0" for i, mean in enumerate(means)]
    (folder / "evaluations.csv").write_text("\n".join(["step,mean,std,episodes,seconds", *rows, ""]))
    (folder / "status.json").write_text(json.dumps({"step": 300, "episodes": 9, "seconds": 3.5, "best_step": 200}))
    protocol = {"max_episode_steps": 500, "mode": "greedy"}
    scores = {name: {"mean": mean, "protocol": protocol} for name, mean in (("last", last), ("best", 500.0))}
    (folder / "scores.json").write_text(json.dumps(scores))


def test_what_must_be_reached_is_reached_by_the_first_evaluation_at_least_as_high(curves: ModuleType):
    reached = curves.first_reaching(475.0, STEPS, np.array([100.0, 475.0, 500.0]), SECONDS)
    assert reached == {"steps": 200, "seconds": 2.0}


def test_what_falls_again_has_been_reached(curves: ModuleType):
    reached = curves.first_reaching(-85.0, STEPS, np.array([-80.0, -90.0, -200.0]), SECONDS)
    assert reached == {"steps": 100, "seconds": 1.0}


def test_nothing_is_reached_below(curves: ModuleType):
    assert curves.first_reaching(475.0, STEPS, np.array([100.0, 474.9, 300.0]), SECONDS) is None


def test_seeds_that_never_reached_it_count_as_later_than_all(curves: ModuleType):
    assert curves.censored_median([30, None, 10]) == 30
    assert curves.censored_median([None, 10, 20, 40, None]) == 40  # not 20, the median of those that did


def test_there_is_no_median_where_half_of_the_seeds_never_reached_it(curves: ModuleType):
    assert curves.censored_median([10, None, None]) is None
    assert curves.censored_median([10, None]) is None


def test_the_interval_is_over_the_seeds(curves: ModuleType):
    # Of two seeds the resampled mean is 0, 5 or 10, with chances of a quarter, a half and a quarter.
    assert curves.over_seeds([0.0, 10.0]) == {"mean": 5.0, "low": 0.0, "high": 10.0}


def test_an_entry_tells_of_all_its_seeds(curves: ModuleType, tmp_path: Path):
    entry = curves.ENTRIES[1]
    finished_run(tmp_path / "0", 0, (20.0, 480.0, 500.0), last=500.0)
    finished_run(tmp_path / "1", 1, (20.0, 30.0, 400.0), last=400.0)
    found = curves.summary(entry, [tmp_path / "0", tmp_path / "1"])
    assert (entry.name, found["must"]) == ("dqn/CartPole-v1", 475)
    assert found["last"] == {"mean": 450.0, "low": 400.0, "high": 500.0}
    assert found["to_must"] == {"reached": 1, "steps": None, "seconds": None}
    assert [seed["to_must"] for seed in found["seeds"]] == [{"steps": 200, "seconds": 2.0}, None]
    assert found["seeds"][1]["curve"] == {"step": [100, 200, 300], "mean": [20, 30, 400], "seconds": [1, 2, 3]}


def test_what_was_measured_elsewhere_stays_in_the_results(curves: ModuleType, tmp_path: Path):
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"entries": {"ppo/Pendulum-v1": {"kept": True}}}))
    finished_run(tmp_path / "dqn" / "CartPole-v1" / "seed-0", 0, (20.0, 480.0, 500.0), last=500.0)
    curves.write(path, tmp_path, num_seeds=5)
    entries = json.loads(path.read_text())["entries"]
    assert list(entries) == ["dqn/CartPole-v1", "ppo/Pendulum-v1"]
    assert entries["ppo/Pendulum-v1"] == {"kept": True}


def test_a_whole_training_has_nothing_but_its_preset(curves: ModuleType, tmp_path: Path):
    config = curves.config_of(curves.ENTRIES[1], 3, 1.0)
    command = curves.train_command(config, tmp_path, 1.0)
    assert command == ["train", "dqn", "--env", "CartPole-v1", "--seed", "3", "--run-dir", str(tmp_path)]


def test_a_try_has_a_part_of_the_steps(curves: ModuleType, tmp_path: Path):
    whole, part = (curves.config_of(curves.ENTRIES[1], 3, scale) for scale in (1.0, 0.1))
    assert curves.train_command(part, tmp_path, 0.1)[-4:] == [
        *("--steps", str(round(0.1 * whole.steps))),
        *("--set", f"eval_every={round(0.1 * whole.eval_every)}"),
    ]


def test_a_run_that_was_trained_otherwise_is_not_taken_for_the_presets(curves: ModuleType):
    config = curves.config_of(curves.ENTRIES[1], 3, 1.0)
    assert curves.agrees(config, config)
    for change in ({"settings": {**config.settings, "learning_rate": 0.5}}, {"steps": 7}, {"seed": 4}):
        assert not curves.agrees(config.model_copy(update=change), config)


def test_a_setting_that_the_agent_had_not_then_makes_no_difference(curves: ModuleType):
    config = curves.config_of(curves.ENTRIES[1], 3, 1.0)
    fewer = {key: value for key, value in config.settings.items() if key != "double"}
    assert curves.agrees(config.model_copy(update={"settings": fewer}), config)
