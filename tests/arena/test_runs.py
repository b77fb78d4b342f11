"""The list of runs: what is there, and what seeds of one configuration share."""

import json
from pathlib import Path

import pytest

from arena import config, runs


def make(folder: Path, name: str, *, best: float | None = None, **changes: object) -> None:
    path = folder / name
    path.mkdir(parents=True)
    config.write_toml(path / "config.toml", {"agent": "dqn", "env": "CartPole-v1", "seed": 0, "steps": 100, **changes})
    status = {"state": "finished", "step": 100, "episodes": 7, "last": best, "best": best, "seconds": 1.0}
    (path / "status.json").write_text(json.dumps(status))


def test_a_run_is_found_with_its_scores(tmp_path):
    make(tmp_path, "a", best=12.0)
    (run,) = runs.find(tmp_path)
    del run["group"]
    assert run == {
        **{"folder": str(tmp_path / "a"), "agent": "dqn", "env": "CartPole-v1", "seed": 0},
        **{"state": "finished", "step": 100, "episodes": 7, "last": 12.0, "best": 12.0, "seconds": 1.0},
    }


def test_seeds_of_one_configuration_are_one_line_with_their_spread(tmp_path):
    for seed, best in ((0, 10.0), (1, 14.0)):
        make(tmp_path, f"some/seed-{seed}", best=best, seed=seed, versions={"python": f"3.{seed}"})
    make(tmp_path, "other", best=99.0, steps=200)
    groups = {tuple(group["seeds"]): group for group in runs.grouped(runs.find(tmp_path))}
    assert set(groups) == {(0, 1), (0,)}
    # Mean 12; deviations of 2 from it: sqrt((4 + 4) / (2 - 1)).
    assert groups[0, 1]["best_mean"] == 12.0
    assert groups[0, 1]["best_std"] == pytest.approx(8**0.5)
    assert (groups[0,]["best_mean"], groups[0,]["best_std"]) == (99.0, 0.0)
    assert len(groups[0, 1]["runs"]) == 2


def test_a_run_without_an_evaluation_has_no_score(tmp_path):
    make(tmp_path, "a")
    (group,) = runs.grouped(runs.find(tmp_path))
    assert (group["best_mean"], group["best_std"]) == (None, None)


def test_a_run_that_has_just_begun_and_a_damaged_one_are_listed_as_such(tmp_path):
    make(tmp_path, "begun")
    (tmp_path / "begun" / "status.json").unlink()
    for name, file, text in (
        ("cut", "status.json", "{"),
        ("list", "status.json", "[1]"),
        ("bad", "config.toml", "a ="),
    ):
        make(tmp_path, name)
        (tmp_path / name / file).write_text(text)
    states = {Path(run["folder"]).name: run["state"] for run in runs.find(tmp_path)}
    assert states == {"begun": "started", "cut": "damaged", "list": "damaged", "bad": "damaged"}
    assert len(runs.grouped(runs.find(tmp_path))) == 4


def test_a_folder_that_is_not_there_holds_no_runs(tmp_path):
    assert runs.find(tmp_path / "nowhere") == []
