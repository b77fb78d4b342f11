import numpy as np
import pytest

from agents.parts.returns import RewardScale, discounted_returns, explained_variance, gae, normalise


def test_discounted_returns_sum_what_follows():
    # 3; 2 + .5 * 3 = 3.5; 1 + .5 * 3.5 = 2.75
    np.testing.assert_allclose(discounted_returns(np.array([1.0, 2.0, 3.0]), 0.5), [2.75, 3.5, 3.0])


def test_a_cut_episode_goes_on_with_the_bootstrap_value():
    # 1 + .5 * 8 = 5; 1 + .5 * 5 = 3.5
    np.testing.assert_allclose(discounted_returns(np.array([1.0, 1.0]), 0.5, bootstrap=8.0), [3.5, 5.0])


def test_every_point_in_pong_starts_a_new_sum():
    # the -1 at step 1 sees nothing of the +1 at step 3: -1; before it .5 * -1; then .5 and 1
    reward = np.array([0.0, -1.0, 0.0, 1.0])
    np.testing.assert_allclose(discounted_returns(reward, 0.5, reset_on_reward=True), [-0.5, -1.0, 0.5, 1.0])


def columns(*rows: tuple[float, ...]) -> list[np.ndarray]:
    """Returns [T, 1] arrays, one for each position in the rows of one step each."""
    return [np.array(column)[:, None] for column in zip(*rows, strict=True)]


def test_gae_of_a_running_episode_by_hand():
    # deltas: 1 + .5 * 4 - 2 = 1; 2 + .5 * 6 - 4 = 1; advantages: 1; 1 + .5 * .5 * 1 = 1.25
    arrays = columns((1.0, 2.0, 4.0, False, False), (2.0, 4.0, 6.0, False, False))
    np.testing.assert_allclose(gae(*arrays, 0.5, 0.5)[:, 0], [1.25, 1.0])


def test_gae_bootstraps_a_terminated_step_with_nothing():
    # the next value of 100 must not count: 1 - 2 = -1; the step before: 1 + .5 * 2 - 2 + .25 * -1 = -.25
    arrays = columns((1.0, 2.0, 2.0, False, False), (1.0, 2.0, 100.0, True, True))
    np.testing.assert_allclose(gae(*arrays, 0.5, 0.5)[:, 0], [-0.25, -1.0])


def test_gae_bootstraps_a_truncated_step_with_its_true_successor():
    # 1 + .5 * 10 - 2 = 4, and nothing of the next episode's advantage of 7 - 1 = 6 leaks into it
    arrays = columns((1.0, 2.0, 10.0, False, True), (7.0, 1.0, 50.0, True, True))
    np.testing.assert_allclose(gae(*arrays, 0.5, 0.5)[:, 0], [4.0, 6.0])


def test_gae_keeps_rows_apart():
    one = columns((1.0, 2.0, 4.0, False, False), (2.0, 4.0, 6.0, False, False))
    other = columns((0.0, 1.0, 1.0, True, True), (3.0, 1.0, 0.0, False, True))
    both = [np.concatenate(pair, axis=1) for pair in zip(one, other, strict=True)]
    np.testing.assert_array_equal(gae(*both, 0.9, 0.8)[:, 0], gae(*one, 0.9, 0.8)[:, 0])
    np.testing.assert_array_equal(gae(*both, 0.9, 0.8)[:, 1], gae(*other, 0.9, 0.8)[:, 0])


def test_gae_with_lambda_1_is_the_return_minus_the_value():
    reward, value = np.array([1.0, 2.0, 3.0])[:, None], np.array([5.0, 4.0, 3.0])[:, None]
    next_value = np.array([4.0, 3.0, 9.0])[:, None]
    terminated = np.array([False, False, True])[:, None]
    advantage = gae(reward, value, next_value, terminated, terminated, 0.9, 1.0)
    np.testing.assert_allclose(advantage[:, 0], discounted_returns(reward[:, 0], 0.9) - value[:, 0])


def test_normalise_gives_mean_0_and_deviation_1():
    # mean 2, standard deviation sqrt(((-1)^2 + 1^2) / 2) = 1
    np.testing.assert_allclose(normalise(np.array([1.0, 3.0])), [-1.0, 1.0], atol=1e-7)
    np.testing.assert_array_equal(normalise(np.array([4.0, 4.0])), [0.0, 0.0])


def test_explained_variance_of_perfect_and_of_constant_values():
    target = np.array([1.0, 2.0, 3.0])
    assert explained_variance(target, target) == 1.0
    assert explained_variance(np.full(3, 7.0), target) == 0.0
    assert explained_variance(target, np.full(3, 7.0)) == 0.0


def test_rewards_are_divided_by_the_deviation_of_the_running_return():
    # returns 2, 2 + 2 * .5 = 3; after the end 2 again: mean 7/3, variance (4 + 9 + 4) / 3 - 49 / 9 = 2 / 9
    scale = RewardScale(1, 0.5)
    scaled = scale(np.full((3, 1), 2.0), np.array([[False], [True], [False]]))
    np.testing.assert_allclose(scaled, 2.0 / np.sqrt(2.0 / 9.0), rtol=1e-6)
    assert scale.returns == [2.0]


def test_the_moments_of_two_batches_are_those_of_both_together():
    reward = np.random.default_rng(0).normal(size=(6, 2))
    done = np.zeros((6, 2), bool)
    whole, parts = RewardScale(2, 0.9), RewardScale(2, 0.9)
    whole(reward, done)
    parts(reward[:2], done[:2])
    parts(reward[2:], done[2:])
    np.testing.assert_allclose(parts.moments, whole.moments)
    np.testing.assert_array_equal(parts.returns, whole.returns)


def test_scaled_rewards_keep_their_sign_and_are_clipped_at_ten():
    reward = np.zeros((1000, 1))
    reward[0], reward[1] = 1.0, -1.0
    scaled = RewardScale(1, 0.0)(reward, np.zeros((1000, 1), bool))
    assert scaled[0, 0] == pytest.approx(10.0)
    assert scaled[1, 0] == pytest.approx(-10.0)
