from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.parts.transition_replay import TransitionReplay
from arena.errors import DamagedFile, InvalidValue

FLOAT = np.dtype(np.float32)


def transition(number, num_rows):
    """Row k of the n-th step has observation [10 n + k, 0], and its successor's first number is .5 more."""
    first = 10.0 * number + np.arange(num_rows)
    obs = np.stack([first, np.zeros(num_rows)], 1).astype(np.float32)
    rows = np.arange(num_rows)
    return obs, rows, first, np.where(rows % 2, 0.0, 0.9), rows % 2 == 1, obs + np.float32(0.5)


def filled(num_steps, *, capacity=7, num_rows=2):
    replay = TransitionReplay((2,), FLOAT, capacity=capacity, num_rows=num_rows)
    for number in range(num_steps):
        replay.add(*transition(number, num_rows))
    return replay


@given(num_steps=st.integers(1, 20), num_rows=st.integers(1, 3))
def test_it_holds_the_newest_transitions_whole(num_steps, num_rows):
    replay = filled(num_steps, num_rows=num_rows)
    batch = replay.sample(np.random.default_rng(0), replay.new_batch(400))
    given = [10.0 * n + k for n in range(num_steps) for k in range(num_rows)]
    assert len(replay) == min(7, len(given))
    assert set(batch.obs[:, 0].tolist()) == set(given[-7:])  # of 7 transitions 400 draws leave none out
    np.testing.assert_array_equal(batch.reward, batch.obs[:, 0])
    np.testing.assert_array_equal(batch.next_obs[:, 0], batch.obs[:, 0] + 0.5)
    np.testing.assert_array_equal(batch.action, batch.obs[:, 0] % 10)
    np.testing.assert_array_equal(batch.discount, np.where(batch.action % 2, 0.0, 0.9).astype(np.float32))


def test_a_batch_of_batches_is_filled_in_place():
    replay = filled(3)
    batch = replay.new_batch(4, 5)
    assert replay.sample(np.random.default_rng(0), batch) is batch
    assert batch.obs.shape == (4, 5, 2) and batch.action.shape == (4, 5)
    assert (batch.next_obs[..., 0] == batch.obs[..., 0] + 0.5).all()


@pytest.mark.parametrize("num_steps", [2, 9], ids=["not full", "gone round"])
def test_a_restored_replay_samples_and_goes_on_as_the_saved_one(tmp_path, num_steps):
    saved, restored = filled(num_steps), TransitionReplay((2,), FLOAT, capacity=7, num_rows=2)
    saved.save(tmp_path)
    restored.restore(tmp_path)
    for replay in (saved, restored):
        replay.add(*transition(50, 2))
    one, other = (r.sample(np.random.default_rng(1), r.new_batch(30)) for r in (saved, restored))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)


def test_another_capacity_or_a_broken_file_is_refused(tmp_path):
    filled(9).save(tmp_path)
    with pytest.raises(DamagedFile, match="another capacity"):
        TransitionReplay((2,), FLOAT, capacity=8, num_rows=2).restore(tmp_path)
    (tmp_path / "transitions.npz").write_bytes(b"PK\x03\x04 cut off")
    with pytest.raises(DamagedFile, match="no readable replay"):
        filled(1).restore(tmp_path)


def test_a_capacity_below_the_rows_is_refused():
    with pytest.raises(InvalidValue, match="too small"):
        TransitionReplay((2,), FLOAT, capacity=1, num_rows=2)
