"""Snapshots: what is in a checkpoint, the best policy included."""

import json
from pathlib import Path

import numpy as np
import pytest

from arena import checkpoint, snapshot
from arena.config import RunConfig
from arena.errors import DamagedFile
from arena.loop import RowStart
from arena.run_folder import RunFolder
from arena.snapshot import Snapshot, TrainingState


def saved(state: TrainingState) -> Snapshot:
    starts = [None, RowStart(3, 1003, np.array([1, 0, 1]), "ab")]
    return Snapshot(state, starts, {"episodes": 12}, {"numpy": "2"}, np.arange(4, dtype=np.uint8))


def test_a_snapshot_comes_back_as_it_was(tmp_path: Path):
    before = saved(TrainingState(step=7, recent=[1.0, 2.5], best=None, is_reproducible=False))
    snapshot.write(before, tmp_path)
    after = snapshot.read(tmp_path)
    assert after.state == before.state
    assert (after.marks, after.made_with, after.starts[0]) == (before.marks, before.made_with, None)
    assert after.starts[1].actions.tolist() == [1, 0, 1]
    assert after.shown.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("key", "value"), [("training", []), ("training", {"step": "many"}), ("training", {"steps": 1}), ("rows", 3)]
)
def test_a_state_that_was_edited_is_one_line(tmp_path: Path, key: str, value: object):
    snapshot.write(saved(TrainingState(step=7)), tmp_path)
    content = json.loads((tmp_path / "state.json").read_text())
    (tmp_path / "state.json").write_text(json.dumps(content | {key: value}))
    with pytest.raises(DamagedFile) as caught:
        snapshot.read(tmp_path)
    assert "\n" not in str(caught.value)


# The best policy.


def write(folder: Path, text: str) -> None:
    (folder / "agent" / "memory" / "segments").mkdir(parents=True, exist_ok=True)
    (folder / "agent" / "memory" / "segments" / text).write_text("frames")
    (folder / "agent" / "weights").write_text(text)


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_what_the_best_policy_came_from_is_kept_but_for_what_is_written_once(tmp_path: Path):
    (tmp_path / "best.npz").write_text("policy")
    folder = tmp_path / "checkpoint"
    write(folder, "one")
    snapshot.keep_best(folder, tmp_path)
    assert names(folder / "best") == {"agent/weights", "best.npz"}
    write(folder, "two")
    (folder / "best" / "agent" / "old").write_text("of a best one before")
    snapshot.keep_best(folder, tmp_path)
    assert names(folder / "best") == {"agent/weights", "best.npz"}
    assert (folder / "best" / "agent" / "weights").read_text() == "two"


def test_a_best_policy_later_than_the_checkpoint_gives_way_to_the_checkpoints(tmp_path: Path):
    (tmp_path / "start" / "best").mkdir(parents=True)
    (tmp_path / "start" / "best" / "best.npz").write_text("early")
    for name in ("best.npz", "best.tflite", "final.npz"):
        (tmp_path / name).write_text("late")
    for _ in range(2):  # the second time both are one file
        snapshot.bring_back_best(tmp_path / "start", tmp_path)
        assert (tmp_path / "best.npz").read_text() == "early"
        assert names(tmp_path) == {"best.npz", "final.npz", "start/best/best.npz"}
    snapshot.bring_back_best(None, tmp_path)
    assert names(tmp_path) == {"final.npz", "start/best/best.npz"}


def run_folder(path: Path, *steps: int, best: int | None) -> Path:
    folder = RunFolder(path, RunConfig.of(agent="dqn", env="CartPole-v1"), {}, {})
    previous = None

    def fill(part: Path, step: int) -> None:
        write(part, str(step))
        if step == best:
            snapshot.keep_best(part, path)

    for step in steps:
        previous = checkpoint.save(
            path / "checkpoints", step, lambda part, step=step: fill(part, step), previous=previous
        )
    folder.close()
    return path


@pytest.mark.parametrize(("best", "taken"), [(10, "10"), (20, "20"), (30, "30"), (None, "30")])
def test_weights_are_those_of_the_best_policy_else_of_the_newest_checkpoint(tmp_path: Path, best, taken):
    path = run_folder(tmp_path, 10, 20, 30, best=best)
    checkpoint.prune(path / "checkpoints", {30})
    assert (snapshot.weights_of(path) / "weights").read_text() == taken


def test_damaged_best_weights_are_not_taken(tmp_path: Path):
    path = run_folder(tmp_path, 10, best=10)
    weights = snapshot.weights_of(path) / "weights"
    weights.unlink()
    weights.write_text("11")
    with pytest.raises(DamagedFile, match=r"best/agent/weights is not what was saved"):
        snapshot.weights_of(path)
