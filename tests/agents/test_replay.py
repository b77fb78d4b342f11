from __future__ import annotations

from collections.abc import Iterator

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.parts.replay import Batch, Replay, stack_size
from arena.agent import Spec
from arena.errors import DamagedFile, InvalidValue

FRAME = (2, 3)


class InOrder:
    """Draws every transition once, the oldest first."""

    def integers(self, low, high, size):
        assert high - low == size
        return np.arange(low, high)


class Played:
    """Rows of frame stacks with random ends, as an environment and the loop would hand them over.

    A reset repeats its frame, pads with zeros or gives unrelated frames; with `jumps`, a step now and
    then gives a stack that does not go on from the one before.
    """

    def __init__(self, rng, num_rows, num_frames, mean_length, jumps=False):
        self.rng, self.num_rows, self.num_frames = rng, num_rows, num_frames
        self.mean_length, self.jumps = mean_length, jumps
        self.obs = np.stack([self.first() for _ in range(num_rows)])

    def frames(self, count):
        return self.rng.integers(0, 3, (count, *FRAME), np.uint8)  # few values: equal frames do occur

    def first(self):
        kind = self.rng.integers(3)
        newest = self.frames(1)
        if kind == 0:
            return np.repeat(newest, self.num_frames, 0)
        if kind == 1:
            return np.concatenate([np.zeros((self.num_frames - 1, *FRAME), np.uint8), newest])
        return self.frames(self.num_frames)

    def steps(self, count) -> Iterator[tuple[np.ndarray, ...]]:
        for _ in range(count):
            obs = self.obs
            next_obs = np.concatenate([obs[:, 1:], self.frames(self.num_rows)[:, None]], axis=1)
            if self.jumps and self.rng.random() < 0.3:
                next_obs[self.rng.integers(self.num_rows)] = self.frames(self.num_frames)
            terminated = self.rng.random(self.num_rows) < 0.5 / self.mean_length
            done = terminated | (self.rng.random(self.num_rows) < 0.5 / self.mean_length)
            discount = np.where(terminated, 0.0, 0.75)
            action, reward = self.rng.integers(0, 5, self.num_rows), self.rng.normal(size=self.num_rows)
            yield obs, action, reward, discount, done, next_obs
            self.obs = next_obs
            if done.any():
                self.obs = next_obs.copy()
                for row in np.flatnonzero(done):
                    self.obs[row] = self.first()


def everything(replay: Replay) -> Batch:
    return replay.sample(InOrder(), replay.new_batch(len(replay)))


def as_list(step) -> list[tuple]:
    """The step's rows, each on its own and copied."""
    return [tuple(np.copy(part[row]) for part in step) for row in range(len(step[0]))]


def assert_same(batch: Batch, expected: list[tuple]) -> None:
    for k, (obs, action, reward, discount, _, next_obs) in enumerate(expected):
        np.testing.assert_array_equal(batch.obs[k], obs)
        np.testing.assert_array_equal(batch.next_obs[k], next_obs)
        assert (batch.action[k], batch.reward[k], batch.discount[k]) == (action, np.float32(reward), discount)


games = st.fixed_dictionaries(
    {
        "seed": st.integers(0, 2**31),
        "num_rows": st.integers(1, 4),
        "num_frames": st.integers(2, 4),
        "mean_length": st.sampled_from([1, 3, 20]),
        "jumps": st.booleans(),
    }
)


@settings(max_examples=60, deadline=None)
@given(game=games, capacity=st.integers(4, 60), count=st.integers(1, 120))
def test_rebuilt_observations_equal_those_of_a_replay_that_keeps_whole_ones(game, capacity, count):
    rng = np.random.default_rng(game.pop("seed"))
    played = Played(rng, **game)
    replay = Replay(
        (played.num_frames, *FRAME),
        np.dtype(np.uint8),
        capacity=capacity,
        num_rows=played.num_rows,
        num_frames=played.num_frames,
    )
    naive: list[tuple] = []
    for step in played.steps(count):
        naive += as_list(step)
        replay.add(*step)
        assert 0 < len(replay) <= min(capacity, len(naive))
    assert_same(everything(replay), naive[-len(replay) :])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), num_rows=st.integers(1, 3), count=st.integers(1, 60))
def test_plain_observations_come_back_as_they_were_and_fill_the_capacity(seed, num_rows, count):
    played = Played(np.random.default_rng(seed), num_rows, 2, mean_length=50)
    replay = Replay((2, *FRAME), np.dtype(np.uint8), capacity=30, num_rows=num_rows)
    naive: list[tuple] = []
    for step in played.steps(count):
        naive += as_list(step)
        replay.add(*step)
    assert_same(everything(replay), naive[-len(replay) :])
    # At most one frame more for each of about 1 + 30 / 50 starts, of which 9 places a row are spare.
    assert len(replay) == min(30, len(naive))


def test_a_stack_costs_one_frame_a_step_and_a_repeated_frame_nothing():
    replay = Replay((4, 1), np.dtype(np.uint8), capacity=100, num_frames=4)
    obs = np.full((1, 4, 1), 7, np.uint8)
    for value in (1, 2, 3):
        next_obs = np.concatenate([obs[:, 1:], np.full((1, 1, 1), value, np.uint8)], axis=1)
        replay.add(obs, np.zeros(1, int), np.zeros(1), np.ones(1), np.zeros(1, bool), next_obs)
        obs = next_obs
    assert replay._num_stored == 4  # 7, 1, 2, 3


def test_a_hundred_thousand_atari_transitions_take_under_seven_thousand_two_hundred_bytes_each():
    replay = Replay((4, 84, 84), np.dtype(np.uint8), capacity=100_000, num_frames=4)
    assert replay.nbytes <= 7_200 * 100_000


def test_samples_are_uniform_over_what_is_held():
    replay = Replay((), np.dtype(np.float32), capacity=10)
    for step in range(25):  # holds 15 to 24
        obs, next_obs = np.array([step], np.float32), np.array([step + 1], np.float32)
        replay.add(obs, np.array([step]), np.zeros(1), np.ones(1), np.zeros(1, bool), next_obs)
    batch = replay.sample(np.random.default_rng(0), replay.new_batch(100, 100))
    values, counts = np.unique(batch.action, return_counts=True)
    assert values.tolist() == list(range(15, 25))
    assert abs(counts - 1000).max() < 150  # five standard deviations of 30
    np.testing.assert_array_equal(batch.obs, batch.action)
    np.testing.assert_array_equal(batch.next_obs, batch.action + 1)


@settings(max_examples=15, deadline=None)
@given(game=games, before=st.integers(0, 60), after=st.integers(1, 30))
def test_a_restored_replay_goes_on_as_if_nothing_had_happened(game, before, after, tmp_path_factory):
    folder = tmp_path_factory.mktemp("replay")
    played = Played(np.random.default_rng(game.pop("seed")), **game)

    def new() -> Replay:
        shape = (played.num_frames, *FRAME)
        return Replay(shape, np.dtype(np.uint8), capacity=40, num_rows=played.num_rows, num_frames=played.num_frames)

    one, other = new(), new()
    for step in played.steps(before):
        one.add(*step)
    one.save(folder)
    other.restore(folder)
    for step in played.steps(after):
        one.add(*step)
        other.add(*step)
    assert one._num_stored == other._num_stored
    for mine, theirs in zip(everything(one), everything(other), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@settings(max_examples=15, deadline=None)
@given(game=games, cuts=st.lists(st.integers(1, 40), min_size=2, max_size=5))
def test_a_replay_saved_again_and_again_appends_and_is_restored_as_it_was_last(game, cuts, tmp_path_factory):
    folder = tmp_path_factory.mktemp("replay")
    played = Played(np.random.default_rng(game.pop("seed")), **game)

    def new() -> Replay:
        shape = (played.num_frames, *FRAME)
        return Replay(shape, np.dtype(np.uint8), capacity=40, num_rows=played.num_rows, num_frames=played.num_frames)

    replay = new()
    for count in cuts:
        before = {path.name: path.stat().st_mtime_ns for path in folder.rglob("*.npy")}
        for step in played.steps(count):
            replay.add(*step)
        replay.save(folder)
        after = {path.name: path.stat().st_mtime_ns for path in folder.rglob("*.npy")}
        assert all(after[name] == before[name] for name in before.keys() & after.keys())
        restored = new()
        restored.restore(folder)
        for mine, theirs in zip(everything(replay), everything(restored), strict=True):
            np.testing.assert_array_equal(mine, theirs)


def test_frames_on_disk_are_cut_at_multiples_of_a_segments_size_and_go_when_no_transition_needs_them(tmp_path):
    replay = Replay((), np.dtype(np.float32), capacity=28)  # and 6 places to spare: segments of 34 // 16 = 2 frames

    def save_after(*numbers: int) -> list[str]:
        for number in numbers:
            obs, next_obs = np.array([number], np.float32), np.array([number + 1], np.float32)
            replay.add(obs, np.zeros(1, int), np.zeros(1), np.ones(1), np.zeros(1, bool), next_obs)
        replay.save(tmp_path)
        return sorted(path.name for path in (tmp_path / "segments").iterdir())

    def named(*ranges: tuple[int, int]) -> list[str]:
        return [f"{start:012d}-{stop:012d}.npy" for start, stop in ranges]

    assert save_after(0, 1, 2, 3) == named((0, 2), (2, 4), (4, 5))  # five frames: the first, and four that followed
    assert save_after(4) == named((0, 2), (2, 4), (4, 6))
    # Transitions 7 to 34 are held; the first of them needs frames 7 and 8, the last one 34 and 35.
    assert save_after(*range(5, 35)) == named(*((start, start + 2) for start in range(6, 36, 2)))


def test_a_restored_replay_knows_where_its_rows_were_in_the_environments_own_type(tmp_path):
    """A step after a restore must not store the frame again that the step before has stored, rounded to float32."""
    one, other = (Replay((1,), np.dtype(np.float32), capacity=10) for _ in range(2))
    obs, next_obs, last = (np.array([[value]]) for value in (0.1, 0.2, 0.3))
    rest = np.zeros(1, int), np.zeros(1), np.ones(1), np.zeros(1, bool)
    one.add(obs, *rest, next_obs)
    one.save(tmp_path)
    other.restore(tmp_path)
    for replay in (one, other):
        replay.add(next_obs, *rest, last)
    assert one._num_stored == other._num_stored == 3


def filled(capacity: int = 10) -> Replay:
    replay = Replay((3,), np.dtype(np.float32), capacity=capacity)
    replay.add(np.ones((1, 3)), np.zeros(1, int), np.zeros(1), np.ones(1), np.zeros(1, bool), np.ones((1, 3)))
    return replay


def test_a_replay_of_another_shape_is_refused_and_changes_nothing(tmp_path):
    filled().save(tmp_path)
    other = Replay((2,), np.dtype(np.float32), capacity=10)
    with pytest.raises(DamagedFile, match="other observations"):
        other.restore(tmp_path)
    assert len(other) == 0


def test_a_broken_or_missing_file_is_refused(tmp_path):
    with pytest.raises(DamagedFile, match="no readable replay"):
        filled().restore(tmp_path)
    filled().save(tmp_path)
    (tmp_path / "transitions.npz").write_bytes(b"PK no")
    with pytest.raises(DamagedFile, match="no readable replay"):
        filled().restore(tmp_path)


def test_a_capacity_below_the_number_of_rows_is_refused():
    with pytest.raises(InvalidValue, match="too small for 4 rows"):
        Replay((3,), np.dtype(np.float32), capacity=3, num_rows=4)


@pytest.mark.parametrize(
    ("shape", "dtype", "preprocess", "expected"),
    [
        ((4, 84, 84), np.uint8, "atari", 4),
        ((4, 80, 80), np.uint8, "cookbook-dqn", 4),
        ((3, 96, 96), np.uint8, "none", 1),
        ((6400,), np.float32, "cookbook-pong", 1),
    ],
)
def test_frame_stacks_are_told_from_other_observations(shape, dtype, preprocess, expected):
    space = gym.spaces.Box(0, 1, shape, dtype)
    assert stack_size(Spec("X-v0", space, gym.spaces.Discrete(2), preprocess=preprocess)) == expected
