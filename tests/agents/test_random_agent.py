"""The random player: uniform, cheap, and a function of the episode's seed alone."""

import gymnasium as gym
import numpy as np
import pytest

from agents.random_agent import RandomAgent
from arena.agent import Spec
from arena.errors import DoesNotFit


def player_for(action_space: gym.Space) -> RandomAgent:
    spec = Spec("Some-v0", gym.spaces.Box(0.0, 1.0, (2,)), action_space)
    return RandomAgent(spec, seed=0)


def play(player: RandomAgent, seeds: list[int], num_steps: int) -> np.ndarray:
    """Returns [T, N, ...] actions."""
    state, actions = player.initial_state(np.array(seeds)), []
    for _ in range(num_steps):
        action, state, _ = player.act(np.zeros((len(seeds), 2), np.float32), state)
        actions.append(action)
    return np.stack(actions)


def test_discrete_actions_are_uniform_over_all_of_them():
    actions = play(player_for(gym.spaces.Discrete(4)), list(range(100)), 100)
    assert actions.dtype == np.int64
    counts = np.bincount(actions.ravel(), minlength=4)
    # 10,000 draws of probability 1/4: deviation sqrt(10,000 * 3/16) = 43; five of them.
    assert len(counts) == 4
    assert np.abs(counts - 2500).max() < 217


def test_box_actions_are_uniform_within_their_bounds():
    space = gym.spaces.Box(np.array([-2.0, 0.0], np.float32), np.array([2.0, 1.0], np.float32))
    actions = play(player_for(space), list(range(100)), 50)
    assert actions.dtype == np.float32
    assert actions.shape == (50, 100, 2)
    assert space.contains(actions.min((0, 1)))
    assert space.contains(actions.max((0, 1)))
    # The mean of 5,000 uniforms on a width w has a deviation of w / sqrt(12 * 5,000) = w * .0041.
    assert np.abs(actions.mean((0, 1)) - [0.0, 0.5]).max() < 0.1
    assert abs(np.corrcoef(actions.reshape(-1, 2).T)[0, 1]) < 0.1


@pytest.mark.parametrize("space", [gym.spaces.Discrete(6), gym.spaces.Box(-1.0, 1.0, (3,))])
def test_a_game_depends_on_its_seed_and_not_on_the_rows_around_it(space):
    player = player_for(space)
    together = play(player, [3, 4, 5], 20)
    assert np.array_equal(together[:, 1:2], play(player, [4], 20))
    assert not np.array_equal(together[:, 0], together[:, 1])


@pytest.mark.parametrize(
    "space",
    [
        gym.spaces.Box(-np.inf, np.inf, (2,)),
        gym.spaces.Box(0, 5, (2,), np.int64),
        gym.spaces.MultiDiscrete([2, 3]),
    ],
)
def test_other_actions_are_refused_in_one_line(space):
    with pytest.raises(DoesNotFit, match=r"Some-v0 has") as caught:
        player_for(space)
    assert "\n" not in str(caught.value)


def test_in_games_actions_are_uniform_over_the_legal_ones():
    spec = Spec("Some-v0", gym.spaces.Box(0.0, 1.0, (2,)), gym.spaces.Discrete(5), num_seats=2)
    player = RandomAgent(spec, seed=0)
    legal = np.tile([False, True, False, True, True], (9_000, 1))
    legal[:10] = [False, False, False, False, True]
    legal[10] = False  # a game that is over
    action, _, _ = player.act({"legal": legal}, player.initial_state(np.arange(9_000)))
    assert action.dtype == np.int64
    assert action[:11].tolist() == [4] * 10 + [0]
    counts = np.bincount(action[11:], minlength=5)
    assert counts[[0, 2]].tolist() == [0, 0]
    # 8,989 draws of probability 1/3: deviation sqrt(8,989 * 2/9) = 45; five of them.
    assert np.abs(counts[[1, 3, 4]] - 8_989 / 3).max() < 224
