"""The sample of states: what is kept of a game, whichever rows it was played in, and what it is worth."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from arena.agent import Spec, Transition
from arena.errors import DoesNotFit
from arena.loop import Event
from arena.state_sample import ACTION_VALUE, RETURN, Sampler, States, discounted_returns, kind_of, successor_features

LINE = gym.spaces.Box(0, 10_000, (2,), np.float32)
NUMBERS = gym.spaces.Discrete(500)
FRAMES = gym.spaces.Box(0, 255, (4, 6, 5), np.uint8)


def spec(space: gym.Space, env_id: str = "Line-v0") -> Spec:
    return Spec(env_id, space, gym.spaces.Discrete(3))


def sampled(space: gym.Space, num_rows: int, size: int, *, seed: int = 0, with_q: bool = True) -> States:
    """Returns the sample of 6 games of 20 steps, observed as [game, step], in so many rows; every reward is 1."""
    sampler = Sampler(spec(space), size, seed)
    for first in range(0, 6, num_rows):
        games = np.arange(first, first + num_rows)
        for step in range(20):
            obs = np.stack([np.array([game, step], np.float32) for game in games])
            q = np.stack([games, games + step / 100, -games], axis=1)
            zeros = np.zeros(num_rows, bool)
            transition = Transition(obs, games % 3, np.ones(num_rows), zeros, zeros, obs, {"q": q} if with_q else {})
            sampler.add(Event(0, transition, games < 6, games, (), 0))
    return sampler.states()


@pytest.mark.parametrize("num_rows", [1, 3, 4])  # of 4 rows, two are idle in the end
def test_the_sample_does_not_depend_on_the_rows(num_rows):
    states = sampled(LINE, num_rows, 25)
    assert (len(states.values), states.num_visited, states.kind) == (25, 120, "vectors")
    np.testing.assert_array_equal(states.observations, sampled(LINE, 2, 25).observations)
    np.testing.assert_array_equal(states.observations, np.stack([states.episodes, states.steps], 1))
    assert sorted(zip(states.episodes, states.steps, strict=True)) == list(
        zip(states.episodes, states.steps, strict=True)
    )
    np.testing.assert_array_equal(states.actions, states.episodes % 3)


def test_another_seed_draws_others_and_a_large_sample_holds_all():
    first, other = (sampled(LINE, 2, 25, seed=seed).observations.tolist() for seed in (0, 1))
    assert first != other
    everything = sampled(LINE, 2, 200)
    assert len({tuple(place) for place in everything.observations.tolist()}) == 120


def test_every_state_is_as_likely_as_any_other():
    # 300 samples of 12 of 120 states: each is drawn 30 times in the mean, with a deviation of √(300 · 0.1 · 0.9) ≈ 5.2.
    drawn = np.zeros((6, 20))
    for seed in range(300):
        states = sampled(LINE, 6, 12, seed=seed)
        drawn[states.episodes, states.steps] += 1
    assert abs(drawn - 30).max() < 5 * 5.2
    assert 4 < drawn.std() < 6.5


def test_a_value_is_the_greatest_action_value_where_there_are_some():
    states = sampled(LINE, 2, 25)
    assert states.value_is == ACTION_VALUE
    np.testing.assert_allclose(states.values, states.episodes + states.steps / 100)


def test_without_action_values_it_is_the_discounted_return_that_followed():
    states = sampled(LINE, 2, 25, with_q=False)
    assert states.value_is == RETURN
    # A reward of 1 in each of the n steps that are left: 1 + 0.99 + ... = (1 - 0.99ⁿ) / 0.01
    np.testing.assert_allclose(states.values, (1 - 0.99 ** (20 - states.steps)) / 0.01)


def test_discounted_returns_are_those_by_hand():
    # 4; 2 + 0.5 · 4 = 4; 1 + 0.5 · 4 = 3
    assert discounted_returns([1.0, 2.0, 4.0], 0.5) == [3.0, 4.0, 4.0]


def test_successor_features_count_what_follows():
    # In the game 7, 9, 9: 7 is followed by itself, 9 after one step and 9 after two: [1, 0.99 + 0.99²].
    # 9 is visited twice, once with another one to come: ((1 + 0.99) + 1) / 2 = 1.495. In the game 7 alone: [1, 0].
    features = successor_features(np.array([9, 7, 9]), [[7, 9, 9], [7]])
    np.testing.assert_allclose(features, [[0, 1.495], [1, (0.99 + 0.9801) / 2], [0, 1.495]], rtol=1e-6)


def event(obs: np.ndarray) -> Event:
    no = np.zeros(1, bool)
    return Event(0, Transition(obs, np.zeros(1, np.int64), np.ones(1), no, no, obs, {}), ~no, np.zeros(1, int), (), 0)


def test_numbers_become_successor_features():
    sampler = Sampler(spec(NUMBERS), 10, 0)
    for number in (400, 3, 400):
        sampler.add(event(np.array([number])))
    states = sampler.states()
    assert states.kind == "numbers"
    # Of 3 and 400: 3 is followed by 400; 400 by nothing, or by 3 and then itself.
    loop = [0.495, (1 + 0.9801 + 1) / 2]
    np.testing.assert_allclose(states.observations, [loop, [1, 0.99], loop], rtol=1e-6)


def test_of_stacked_frames_the_newest_is_kept():
    frames = np.arange(120, dtype=np.uint8).reshape(1, 4, 6, 5)
    sampler = Sampler(spec(FRAMES), 3, 0)
    sampler.add(event(frames))
    states = sampler.states()
    assert (states.kind, states.observations.dtype) == ("pictures", np.uint8)
    np.testing.assert_array_equal(states.observations, frames[:, 3])


def test_large_pictures_are_thinned_out():
    screens = np.zeros((1, 210, 160, 3), np.uint8)
    sampler = Sampler(spec(gym.spaces.Box(0, 255, (210, 160, 3), np.uint8)), 3, 0)
    sampler.add(event(screens))
    assert sampler.states().observations.shape == (1, 105, 80, 3)  # every second row and column


def test_observations_that_are_no_arrays_do_not_fit():
    with pytest.raises(DoesNotFit, match=r"arrays or whole numbers; Cards-v0 has Tuple"):
        kind_of(spec(gym.spaces.Tuple((NUMBERS, NUMBERS)), "Cards-v0"))
