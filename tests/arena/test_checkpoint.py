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


def test_one_that_was_killed_before_it_had_its_name_gets_it(tmp_path):
    complete = checkpoint.save(tmp_path, 1, write("one"))
    complete.rename(tmp_path / f".{complete.name}.tmp")
    assert checkpoint.exists(tmp_path)
    assert checkpoint.recover(tmp_path) == complete
    assert names(tmp_path) == [complete.name]
    assert checkpoint.recover(tmp_path) == complete


def test_what_is_half_written_is_no_checkpoint(tmp_path):
    assert not checkpoint.exists(tmp_path / "nowhere")
    half = tmp_path / ".step-000000000001.tmp"
    half.mkdir()
    write("one")(half)
    assert not checkpoint.exists(tmp_path)


def test_the_newest_is_kept_and_one_to_fall_back_on(tmp_path):
    series = checkpoint.Series(tmp_path, 10, None)
    for step in (10, 20, 20, 30, 30):
        series.save(step, write(str(step)))
    assert names(tmp_path) == ["step-000000000020", "step-000000000030"]


def test_a_checkpoint_of_a_future_that_is_given_up_goes_with_the_next_one(tmp_path):
    for step in (10, 20, 30):
        checkpoint.save(tmp_path, step, write(str(step)))
    series = checkpoint.Series(tmp_path, 10, tmp_path / checkpoint.name_of(20))
    series.save(25, write("25"))
    assert names(tmp_path) == ["step-000000000020", "step-000000000025"]


def test_a_checkpoint_is_due_a_period_after_the_last(tmp_path):
    series = checkpoint.Series(tmp_path, 10, None)
    assert [series.is_due(step) for step in (9, 10)] == [False, True]
    series.save(12, write("12"))
    assert [series.is_due(step) for step in (21, 22)] == [False, True]


# What is taken over from the checkpoint before.


def segments(*names: str):
    """Returns what fills a checkpoint with these segments, and says which of them were there already."""
    there: list[str] = []

    def fill(folder: Path) -> None:
        inside = folder / "agent" / "memory" / checkpoint.SEGMENTS
        inside.mkdir(parents=True, exist_ok=True)
        (folder / "agent" / "weights").write_text(" ".join(names))
        there.extend(sorted(path.name for path in inside.iterdir()))
        for path in inside.iterdir():
            if path.name not in names:
                path.unlink()
        for name in names:
            if name not in there:
                (inside / name).write_text(f"frames {name}")

    return fill, there


def test_segments_are_linked_and_the_rest_begins_empty(tmp_path):
    first = checkpoint.save(tmp_path, 1, segments("a", "b")[0])
    fill, there = segments("b", "c")
    second = checkpoint.save(tmp_path, 2, fill, previous=first)
    assert there == ["a", "b"]
    for folder, kept in ((first, "ab"), (second, "bc")):
        checkpoint.check(folder)
        assert names(folder / "agent" / "memory" / "segments") == list(kept)
    inodes = {folder: (folder / "agent/memory/segments/b").stat().st_ino for folder in (first, second)}
    assert inodes[first] == inodes[second]
    assert (second / "agent" / "weights").read_text() == "b c"


def test_without_the_one_before_nothing_is_there(tmp_path):
    checkpoint.save(tmp_path, 1, segments("a")[0])
    fill, there = segments("a")
    checkpoint.save(tmp_path, 2, fill)
    assert there == []


def test_where_no_links_can_be_made_segments_are_copied(tmp_path, monkeypatch):
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(checkpoint.os, "link", refuse)
    first = checkpoint.save(tmp_path, 1, segments("a")[0])
    fill, there = segments("a", "b")
    second = checkpoint.save(tmp_path, 2, fill, previous=first)
    assert there == ["a"]
    checkpoint.check(second)
    change(second / "agent/memory/segments/a")
    checkpoint.check(first)


def test_linked_files_are_neither_hashed_nor_synced_again(tmp_path, monkeypatch):
    first = checkpoint.save(tmp_path, 1, segments("a", "b")[0])
    hashed, synced = [], []
    monkeypatch.setattr(checkpoint, "_hash", lambda path: hashed.append(path.name) or "hash")
    monkeypatch.setattr(checkpoint, "sync", lambda path: synced.append(path.name))
    checkpoint.save(tmp_path, 2, segments("a", "b", "c")[0], previous=first)
    assert sorted(hashed) == ["c", "weights"]
    assert {"c", "weights", "manifest.json", "segments", "memory", "agent"} <= set(synced)
    assert not {"a", "b"} & set(synced)


def test_a_segment_that_is_replaced_under_its_name_is_hashed_anew(tmp_path):
    first = checkpoint.save(tmp_path, 1, segments("a")[0])

    def replace(folder: Path) -> None:
        path = folder / "agent/memory/segments/a"
        path.unlink()
        path.write_text("other frames")

    checkpoint.check(checkpoint.save(tmp_path, 2, replace, previous=first))
    checkpoint.check(first)


def test_the_best_ones_files_are_taken_over_too(tmp_path):
    def fill(folder: Path) -> None:
        (folder / "best" / "agent").mkdir(parents=True)
        (folder / "best" / "agent" / "weights").write_text("good")

    first = checkpoint.save(tmp_path, 1, fill)
    second = checkpoint.save(tmp_path, 2, write("worse"), previous=first)
    checkpoint.check(second)
    assert (second / "best" / "agent" / "weights").read_text() == "good"


def test_segments_that_have_been_deleted_by_hand_are_written_anew(tmp_path):
    first = checkpoint.save(tmp_path, 1, segments("a", "b")[0])
    (first / "agent/memory/segments/a").unlink()
    fill, there = segments("a", "b")
    checkpoint.check(checkpoint.save(tmp_path, 2, fill, previous=first))
    assert there == ["b"]


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
