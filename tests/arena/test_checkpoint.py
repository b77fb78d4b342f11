"""Checkpoints: whole or not there at all."""

import json
from pathlib import Path

import pytest

from arena import checkpoint
from arena.errors import DamagedFile


def write(text: str):
    def fill(folder: Path) -> None:
        (folder / "agent").mkdir()
        (folder / "agent" / "weights").write_text(text)
        (folder / "state.json").write_text("{}")

    return fill


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_names_sort_by_step():
    assert checkpoint.name_of(999) < checkpoint.name_of(10_000) < checkpoint.name_of(10**11)


def test_the_newest_is_the_one_with_the_most_steps(tmp_path):
    for step in (10, 9, 1000):
        checkpoint.save(tmp_path, step, write(str(step)))
    assert checkpoint.newest(tmp_path) == tmp_path / "step-000000001000"
    assert json.loads((checkpoint.newest(tmp_path) / "manifest.json").read_text())["step"] == 1000


def test_a_write_that_fails_leaves_the_older_ones_untouched(tmp_path):
    older = checkpoint.save(tmp_path, 1, write("one"))

    def fail(folder: Path) -> None:
        write("two")(folder)
        raise OSError(28, "No space left on device")

    for step in (1, 2):  # also in place of the older one
        with pytest.raises(OSError, match="No space left"):
            checkpoint.save(tmp_path, step, fail)
    assert names(tmp_path) == [older.name]
    assert (checkpoint.newest(tmp_path) / "agent" / "weights").read_text() == "one"


def test_a_checkpoint_replaces_the_one_of_the_same_step(tmp_path):
    checkpoint.save(tmp_path, 1, write("one"))
    again = checkpoint.save(tmp_path, 1, write("two"))
    assert names(tmp_path) == [again.name]
    assert (checkpoint.newest(tmp_path) / "agent" / "weights").read_text() == "two"


def test_a_kill_while_one_replaces_another_of_its_step_loses_nothing(tmp_path, monkeypatch):
    checkpoint.save(tmp_path, 1, write("one"))

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint.os, "replace", kill)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(tmp_path, 1, write("two"))
    assert (checkpoint.newest(tmp_path) / "agent" / "weights").read_text() == "two"


def test_what_a_killed_run_left_half_written_is_neither_taken_nor_kept(tmp_path):
    checkpoint.save(tmp_path, 1, write("one"))
    half = tmp_path / ".step-000000000002.tmp"
    half.mkdir()
    write("two")(half)
    assert checkpoint.newest(tmp_path).name == "step-000000000001"
    checkpoint.prune(tmp_path, {1})
    assert names(tmp_path) == ["step-000000000001"]


def test_pruning_keeps_the_steps_it_is_told(tmp_path):
    for step in (1, 2, 3, 4):
        checkpoint.save(tmp_path, step, write(str(step)))
    checkpoint.prune(tmp_path, {2, 4})
    assert names(tmp_path) == ["step-000000000002", "step-000000000004"]


def change(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)


DAMAGES = {
    "agent/weights is not what was saved": lambda folder: change(folder / "agent" / "weights"),
    "agent/weights is missing": lambda folder: (folder / "agent" / "weights").unlink(),
    "its manifest.json cannot be read": lambda folder: (folder / "manifest.json").write_text("{"),
    "manifest.json cannot be read": lambda folder: (folder / "manifest.json").unlink(),
}


@pytest.mark.parametrize("line", DAMAGES)
def test_damage_is_found_and_named_in_one_line(tmp_path, line):
    DAMAGES[line](checkpoint.save(tmp_path, 1, write("one")))
    with pytest.raises(DamagedFile, match=rf"checkpoint .*step-000000000001 is damaged: .*{line}") as caught:
        checkpoint.newest(tmp_path)
    assert "\n" not in str(caught.value)


def test_an_older_one_that_is_whole_stands_in_for_a_damaged_one(tmp_path):
    checkpoint.save(tmp_path, 1, write("one"))
    change(checkpoint.save(tmp_path, 2, write("two")) / "state.json")
    assert checkpoint.newest(tmp_path).name == "step-000000000001"


@pytest.mark.parametrize("exists", [True, False])
def test_no_checkpoint_at_all_is_one_line(tmp_path, exists):
    folder = tmp_path if exists else tmp_path / "checkpoints"
    with pytest.raises(DamagedFile, match="holds no checkpoint; the run cannot be resumed"):
        checkpoint.newest(folder)
