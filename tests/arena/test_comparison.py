"""The comparison of two policies: agreement, divergence, and the paired score."""

import gymnasium as gym
import numpy as np
import pytest

from arena.agent import Spec
from arena.comparison import categorical_kl, compare, gaussian_kl
from arena.functions import Linear, Table
from arena.policy import Card, Policy
from envs import make

CARTPOLE = make("CartPole-v1").spec
LAKE = make("FrozenLake-v1").spec


def linear(scale: float = 1.0, mode: str = "greedy") -> Policy:
    w = scale * np.float32([[0, 0], [0, 0.1], [0, 1], [0, 0.5]])
    return Policy(Linear(w, np.zeros(2, np.float32)), Card.of("linear", CARTPOLE, mode, {}))


def test_a_policy_agrees_with_itself():
    result = compare(make("CartPole-v1", 3), linear(mode="sample"), linear(mode="sample"), num_games=5, seed=0)
    assert (result.agreement, result.decided_agreement, result.kl) == (1.0, 1.0, 0.0)
    assert (result.difference, result.low, result.high) == (0.0, 0.0, 0.0)
    assert result.games == 5
    assert result.observations >= 5 * 8
    assert result.mean == result.other_mean


def test_the_opposite_policy_never_agrees_and_falls_at_once():
    result = compare(make("CartPole-v1", 2), linear(), linear(-1.0), num_games=4, seed=0)
    assert (result.agreement, result.kl) == (0.0, None)
    assert result.difference == result.other_mean - result.mean < -50
    assert result.low <= result.difference <= result.high < 0


def test_the_numbers_do_not_depend_on_the_rows():
    one, three = (
        compare(make("CartPole-v1", n), linear(mode="sample"), linear(0.3, "sample"), num_games=5, seed=1)
        for n in (1, 3)
    )
    assert (one.observations, one.mean, one.other_mean) == (three.observations, three.mean, three.other_mean)
    assert one.kl == pytest.approx(three.kl)
    assert one.agreement == three.agreement < 1.0


def test_near_ties_are_left_out_of_what_is_decided():
    # The first state's two best values are .5 apart in a range of 100: a near tie, in which the other policy differs.
    # It goes left for ever from there (the slippery ice moves it, a hole ends the game), so both kinds are met.
    q = np.tile(np.float64([100, 50, 0, 0]), (16, 1))
    q[0] = [50, 49.5, 0, 0]
    other = q.copy()
    other[0] = [49.5, 50, 0, 0]
    first, second = (Policy(Table(values), Card.of("table", LAKE, "greedy", {})) for values in (q, other))
    result = compare(make("FrozenLake-v1", 2), first, second, num_games=5, seed=0)
    assert 0.0 < result.decided < 1.0
    assert result.agreement == pytest.approx(result.decided)
    assert result.decided_agreement == 1.0


def test_continuous_actions_are_compared_by_their_distance():
    env = make("Pendulum-v1", 2)
    # Means 0 and .25 in [-1, 1] are torques 0 and .5 in [-2, 2], an eighth of the range.
    first, second = (
        Policy(lambda obs, mean=mean: {"mean": np.full((len(obs), 1), mean), "log_std": np.zeros(1)}, card)
        for mean, card in ((0.0, Card.of("g", env.spec, "sample", {})), (0.25, Card.of("g", env.spec, "sample", {})))
    )
    result = compare(env, first, second, num_games=2, seed=0)
    assert (result.agreement, result.decided_agreement) == (None, None)
    # With the same noise of deviation 1 both are clipped now and then, and the distance is less than an eighth.
    assert 0.05 < result.action_difference < 0.125
    assert result.kl == pytest.approx(0.25**2 / 2)


def test_divergences_by_hand():
    # KL((1/2, 1/2) || (1/4, 3/4)) = ln(2)/2 + ln(2/3)/2.
    kl = categorical_kl(np.array([[0.5, 0.5]]), np.array([[0.25, 0.75]]))
    assert kl == pytest.approx([(np.log(2) + np.log(2 / 3)) / 2])
    # Deviations 1 and 2, means 1 apart: ln 2 + (1 + 1) / 8 - 1/2; twice that in two dimensions.
    p = {"mean": np.zeros((1, 2)), "std": np.ones((1, 2))}
    q = {"mean": np.ones((1, 2)), "std": np.full((1, 2), 2.0)}
    assert gaussian_kl(p, q) == pytest.approx([2 * (np.log(2) - 0.25)])


def test_one_action_alone_is_compared_too():
    spec = Spec("One-v0", gym.spaces.Discrete(16), gym.spaces.Discrete(4))
    only = Policy(Table(np.zeros((16, 1))), Card.of("table", spec, "greedy", {}))
    assert compare(make("FrozenLake-v1"), only, only, num_games=1, seed=0).agreement == 1.0
