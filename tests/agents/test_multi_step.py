"""Transitions of several steps end with their episode, or with what is known of it."""

import numpy as np
import pytest

from agents.parts.replay import Replay
from agents.parts.transition_replay import TransitionReplay

FLOAT = np.dtype(np.float32)
each_kind = pytest.mark.parametrize("kind", [Replay, TransitionReplay])


class InOrder:
    """Draws every transition once, the oldest first."""

    def integers(self, low, high=None, size=None):
        return np.arange(*((low, high) if high is not None else (0, low)))


def play(replay, steps):
    """Adds steps of (rewards, terminated, truncated) of the rows; observation t of row k is 10 k + t, and 5 more after.

    An observation after an episode's end is the first of another one.
    """
    for t, (reward, terminated, truncated) in enumerate(steps):
        obs = 10.0 * np.arange(len(reward), dtype=np.float32) + t
        discount = np.where(terminated, 0.0, 0.5)
        ended = np.array(terminated) | np.array(truncated)
        replay.add(obs[:, None], np.zeros(len(reward), int), np.array(reward), discount, ended, obs[:, None] + 1)


def sampled(replay):
    batch = replay.sample(InOrder(), replay.new_batch(len(replay)))
    return [
        (float(o), float(r), float(d), float(n))
        for o, r, d, n in zip(batch.obs[:, 0], batch.reward, batch.discount, batch.next_obs[:, 0], strict=True)
    ]


@each_kind
def test_rewards_are_summed_up_to_the_end_of_the_episode(kind):
    replay = kind((1,), FLOAT, capacity=20, num_steps=3)
    play(replay, [([4], [False], [False]), ([2], [False], [False]), ([8], [True], [False]), ([6], [False], [False])])
    assert sampled(replay) == [
        (0, 4 + 0.5 * 2 + 0.25 * 8, 0.0, 3),  # three steps, the third of which terminates
        (1, 2 + 0.5 * 8, 0.0, 3),
        (2, 8, 0.0, 3),
        (3, 6, 0.5, 4),  # the newest: no more is known
    ]


@each_kind
def test_a_cut_off_episode_leans_on_the_value_of_its_last_observation(kind):
    replay = kind((1,), FLOAT, capacity=20, num_steps=3)
    play(replay, [([4], [False], [False]), ([2], [False], [True]), ([8], [False], [False])])
    assert sampled(replay) == [(0, 4 + 0.5 * 2, 0.25, 2), (1, 2, 0.5, 2), (2, 8, 0.5, 3)]


@each_kind
def test_every_row_goes_on_in_itself(kind):
    replay = kind((1,), FLOAT, capacity=20, num_rows=2, num_steps=2)
    play(replay, [([1, 2], [False, True], [False] * 2), ([4, 8], [False, False], [False] * 2)])
    assert sampled(replay) == [(0, 1 + 0.5 * 4, 0.25, 2), (10, 2, 0.0, 11), (1, 4, 0.5, 2), (11, 8, 0.5, 12)]


@each_kind
def test_it_is_so_after_the_ring_has_gone_round(kind):
    replay = kind((1,), FLOAT, capacity=3, num_steps=2)
    play(replay, [([float(t)], [False], [False]) for t in range(7)])
    assert sorted(sampled(replay)) == [(4, 4 + 0.5 * 5, 0.25, 6), (5, 5 + 0.5 * 6, 0.25, 7), (6, 6, 0.5, 7)]


@each_kind
def test_an_episode_that_is_given_up_does_not_go_on_in_the_next(kind):
    replay = kind((1,), FLOAT, capacity=20, num_steps=2)
    replay.cut()  # of nothing yet
    play(replay, [([4], [False], [False])])
    replay.cut()
    play(replay, [([2], [False], [False])])
    assert sampled(replay) == [(0, 4, 0.5, 1), (0, 2, 0.5, 1)]


@each_kind
def test_what_is_restored_knows_where_episodes_ended(kind, tmp_path):
    one, other = (kind((1,), FLOAT, capacity=20, num_steps=2) for _ in range(2))
    play(one, [([4], [False], [True]), ([2], [False], [False])])
    one.save(tmp_path)
    other.restore(tmp_path)
    assert sampled(other) == sampled(one) == [(0, 4, 0.5, 1), (1, 2, 0.5, 2)]
