"""Sequences: which may be drawn, what they hold, where memory is emptied and on which step targets lean."""

from __future__ import annotations

import numpy as np
import pytest

from agents.parts.replay import Replay
from agents.parts.sequence_replay import SequenceReplay
from agents.parts.transition_replay import TransitionReplay
from arena.errors import DamagedFile, InvalidValue

FLOAT = np.dtype(np.float32)
each_kind = pytest.mark.parametrize("kind", [Replay, TransitionReplay])


class InOrder:
    """Draws every start once, the oldest first."""

    def integers(self, low, high, size):
        assert high - low == np.prod(size)
        return np.arange(low, high).reshape(size)


def new(kind, *, capacity=20, num_rows=1, num_steps=1, length=3):
    transitions = kind((1,), FLOAT, capacity=capacity, num_rows=num_rows, num_steps=num_steps)
    return SequenceReplay(transitions, capacity=capacity, memory_shape=(2,), length=length)


def play(replay, steps, start=0):
    """Adds steps of ("." or "T" terminated or "X" cut off) for each row.

    Step t of row k has the observation 100 k + t, the reward 2 ** t, and the memory [100 k + t, -1]. Its successor is 1
    more, as the next observation is, and .5 more where the episode ends.
    """
    for t, ends in enumerate(steps, start):
        rows = 100.0 * np.arange(len(ends)) + t
        terminated, ended = np.array([end == "T" for end in ends]), np.array([end != "." for end in ends])
        replay.add(
            rows[:, None].astype(np.float32),
            np.full(len(ends), t),
            np.full(len(ends), 2.0**t),
            np.where(terminated, 0.0, 0.5),
            ended,
            (rows + np.where(ended, 0.5, 1.0))[:, None].astype(np.float32),
            np.stack([rows, np.full(len(ends), -1)], 1),
        )


def all_of(replay):
    return replay.sample(InOrder(), replay.new_batch(len(replay)))


@each_kind
def test_every_step_followed_by_enough_others_begins_a_sequence(kind):
    replay = new(kind)
    play(replay, ["."] * 2)
    assert len(replay) == 0
    play(replay, ["."] * 3, start=2)
    assert len(replay) == 3  # from steps 0, 1 and 2 of 5
    batch = all_of(replay)
    assert batch.obs[:, :, 0].T.tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    np.testing.assert_array_equal(batch.next_obs, batch.obs + 1)
    np.testing.assert_array_equal(batch.action, batch.obs[:, :, 0])
    assert batch.memory.tolist() == [[0, -1], [1, -1], [2, -1]]  # that before the first step
    assert not batch.begins.any()


@each_kind
def test_a_sequence_stays_in_its_row(kind):
    replay = new(kind, num_rows=2, length=2)
    play(replay, [".."] * 3)
    batch = all_of(replay)
    assert batch.obs[:, :, 0].T.tolist() == [[0, 1], [100, 101], [1, 2], [101, 102]]
    assert batch.memory[:, 0].tolist() == [0, 100, 1, 101]


@each_kind
@pytest.mark.parametrize("capacity", [5, 6])
def test_what_has_been_overwritten_is_in_no_sequence(kind, capacity):
    replay = new(kind, capacity=capacity, num_rows=2, length=2)
    play(replay, [".."] * 7)  # 14 transitions: the last of them are 4, 104, 5, 105, 6, 106
    batch = all_of(replay)
    wanted = [[4, 5], [104, 105], [5, 6], [105, 106]][6 - capacity :]
    assert batch.obs[:, :, 0].T.tolist() == wanted
    assert batch.memory[:, 0].tolist() == [first for first, _ in wanted]


@each_kind
def test_memory_is_emptied_after_the_end_of_an_episode_of_either_kind(kind):
    replay = new(kind, length=5)
    play(replay, [".", "T", "X", ".", ".", "."])
    batch = all_of(replay)
    assert batch.begins.T.astype(int).tolist() == [[0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
    assert batch.next_obs[:, 0, 0].tolist() == [1, 1.5, 2.5, 4, 5]  # the true successors


@each_kind
def test_the_first_step_has_the_memory_that_is_given_though_an_episode_ended_before_it(kind):
    replay = new(kind, length=2)
    play(replay, ["T", ".", "."])
    assert all_of(replay).begins[0].tolist() == [False, False]


@each_kind
def test_a_batch_used_again_keeps_nothing_of_what_was_in_it(kind):
    replay = new(kind, length=2, num_steps=2)
    play(replay, ["T", "."])
    batch = replay.new_batch(1)
    assert replay.sample(InOrder(), batch).begins[1].all()
    other = new(kind, length=2, num_steps=2)
    play(other, [".", "."])
    assert not other.sample(InOrder(), batch).begins.any()


@each_kind
def test_an_episode_that_is_given_up_does_not_go_on_in_the_next(kind):
    replay = new(kind, length=2, num_steps=2)
    play(replay, ["."])
    replay.cut()
    play(replay, ["."], start=1)
    batch = all_of(replay)
    assert batch.begins[:, 0].tolist() == [False, True]
    assert batch.reward[:, 0].tolist() == [1, 2]


@each_kind
def test_single_steps_lean_on_their_own_successors(kind):
    replay = new(kind)
    play(replay, [".", "T", "."])
    batch = all_of(replay)
    assert batch.leans_on[:, 0].tolist() == [0, 1, 2]
    assert batch.reward[:, 0].tolist() == [1, 2, 4]
    assert batch.discount[:, 0].tolist() == [0.5, 0, 0.5]


@each_kind
def test_several_steps_end_with_the_episode_and_with_the_sequence(kind):
    replay = new(kind, num_steps=3, length=6)
    play(replay, [".", ".", ".", "X", ".", ".", "."])  # rewards 1, 2, 4, 8, 16, 32, 64
    batch = all_of(replay)
    assert batch.leans_on.T.tolist() == [[2, 3, 3, 3, 5, 5], [2, 2, 2, 5, 5, 5]]
    assert batch.reward[:, 0].tolist() == [
        1 + 0.5 * 2 + 0.25 * 4,
        2 + 0.5 * 4 + 0.25 * 8,
        4 + 0.5 * 8,  # cut off
        8,
        16 + 0.5 * 32,  # the next step is known, but not in this sequence
        32,
    ]
    assert batch.discount[:, 0].tolist() == [0.125, 0.125, 0.25, 0.5, 0.25, 0.5]
    assert batch.reward[:, 1].tolist() == [2 + 2 + 2, 4 + 4, 8, 16 + 16 + 16, 32 + 32, 64]


@each_kind
def test_a_batch_of_batches_is_filled_in_place(kind):
    replay = new(kind, num_rows=2)
    play(replay, [".."] * 9)
    batch = replay.new_batch(4, 5)
    assert replay.sample(np.random.default_rng(0), batch) is batch
    assert batch.obs.shape == (3, 4, 5, 1) and batch.leans_on.shape == (3, 4, 5) and batch.memory.shape == (4, 5, 2)
    np.testing.assert_array_equal(batch.obs[0], batch.memory[..., :1])
    np.testing.assert_array_equal(batch.obs[2] - batch.obs[0], np.full((4, 5, 1), 2))


@each_kind
def test_starts_are_drawn_uniformly(kind):
    replay = new(kind, capacity=10)
    play(replay, ["."] * 25)  # holds 15 to 24; a sequence of 3 begins at 15 to 22
    batch = replay.sample(np.random.default_rng(0), replay.new_batch(100, 80))
    values, counts = np.unique(batch.memory[..., 0], return_counts=True)
    assert values.tolist() == list(range(15, 23))
    assert abs(counts - 1000).max() < 150  # five standard deviations of 30


def test_stacks_of_frames_come_back_as_they_were_over_the_end_of_an_episode():
    transitions = Replay((2, 1, 1), np.dtype(np.uint8), capacity=12, num_frames=2)
    replay = SequenceReplay(transitions, capacity=12, memory_shape=(1,), length=4)
    # Frames 0 1 2 | 50 51 ...: the first stack of an episode repeats its frame.
    stacks = [(0, 0), (0, 1), (1, 2), (50, 50), (50, 51), (51, 52)]
    following = [(0, 1), (1, 2), (2, 3), (50, 51), (51, 52), (52, 53)]
    for t, (obs, next_obs) in enumerate(zip(stacks, following, strict=True)):
        pictures = (np.array(frames, np.uint8).reshape(1, 2, 1, 1) for frames in (obs, next_obs))
        one = np.ones(1)
        replay.add(next(pictures), one, one, one, np.array([t == 2]), next(pictures), np.full((1, 1), t))
    batch = all_of(replay)
    for b in range(3):
        assert batch.obs[:, b, :, 0, 0].tolist() == [list(stack) for stack in stacks[b : b + 4]]
        assert batch.next_obs[:, b, :, 0, 0].tolist() == [list(stack) for stack in following[b : b + 4]]
    assert batch.begins.T.astype(int).tolist() == [[0, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 0]]
    assert batch.memory[:, 0].tolist() == [0, 1, 2]


@each_kind
@pytest.mark.parametrize("num_before", [0, 2, 9, 40], ids=["empty", "no sequence yet", "not full", "gone round"])
def test_a_restored_replay_samples_and_goes_on_as_the_saved_one(kind, num_before, tmp_path):
    one, other = (new(kind, capacity=33, num_rows=2, num_steps=2) for _ in range(2))
    play(one, [".T" if t % 4 == 0 else ".." for t in range(num_before)])
    one.save(tmp_path)
    other.restore(tmp_path)
    for replay in (one, other):
        play(replay, ["..", "X.", ".."], start=num_before)
    for mine, theirs in zip(all_of(one), all_of(other), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@each_kind
def test_memory_on_disk_is_appended_to_and_goes_when_no_sequence_needs_it(kind, tmp_path):
    replay = new(kind, capacity=32)  # segments of 32 // 16 = 2 memories
    play(replay, ["."] * 5)
    replay.save(tmp_path)
    files = tmp_path / "memory" / "segments"
    assert sorted(path.name[7:12] for path in files.iterdir()) == ["00000", "00002", "00004"]
    before = {path.name: path.stat().st_mtime_ns for path in files.iterdir()}
    play(replay, ["."] * 30, start=5)  # holds 3 to 34
    replay.save(tmp_path)
    after = {path.name: path.stat().st_mtime_ns for path in files.iterdir()}
    assert sorted(after) == [f"{n:012d}-{min(n + 2, 35):012d}.npy" for n in range(2, 35, 2)]
    assert all(after[name] == before[name] for name in before.keys() & after.keys())
    restored = new(kind, capacity=32)
    restored.restore(tmp_path)
    for mine, theirs in zip(all_of(replay), all_of(restored), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@each_kind
def test_damaged_memories_are_refused(kind, tmp_path):
    replay = new(kind)
    play(replay, ["."] * 4)
    replay.save(tmp_path)
    path = next((tmp_path / "memory" / "segments").iterdir())
    path.write_bytes(b"no")
    with pytest.raises(DamagedFile, match="no readable memories"):
        new(kind).restore(tmp_path)
    path.unlink()
    with pytest.raises(DamagedFile, match="no readable memories"):
        new(kind).restore(tmp_path)


@each_kind
def test_a_capacity_below_one_sequence_of_every_row_is_refused(kind):
    with pytest.raises(InvalidValue, match="9 transitions is too small for sequences of 5 steps of 2 rows"):
        new(kind, capacity=9, num_rows=2, length=5)
    new(kind, capacity=10, num_rows=2, length=5)


def test_it_says_how_much_memory_it_takes():
    transitions = TransitionReplay((1,), FLOAT, capacity=10)
    replay = SequenceReplay(transitions, capacity=10, memory_shape=(8,), length=2)
    assert replay.nbytes == transitions.nbytes + 10 * 8 * 4
