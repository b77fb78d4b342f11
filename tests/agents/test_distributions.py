import gymnasium as gym
import numpy as np
import pytest

from agents.parts.distributions import Categorical, Gaussian, distribution_of
from arena.agent import Spec
from arena.errors import DoesNotFit

LOG_2_PI = np.log(2.0 * np.pi)


def spec_of(action_space: gym.Space) -> Spec:
    return Spec("Test-v0", gym.spaces.Box(-1.0, 1.0, (3,)), action_space)


def steering() -> gym.spaces.Box:
    return gym.spaces.Box(np.array([-2.0, 0.0], np.float32), np.array([2.0, 10.0], np.float32))


def test_categorical_probabilities_and_entropy_by_hand():
    # logits ln 1 and ln 3 give 1/4 and 3/4; entropy = ln 4 - 3/4 ln 3
    outputs = {"logits": np.log(np.array([[1.0, 3.0]], np.float32))}
    categorical = Categorical(2)
    draw = categorical.draw(outputs, np.random.default_rng(0))
    np.testing.assert_allclose(draw.shown["probs"], [[0.25, 0.75]], rtol=1e-6)
    np.testing.assert_allclose(categorical.log_prob(outputs, np.array([1])), [np.log(0.75)], rtol=1e-6)
    np.testing.assert_allclose(categorical.entropy(outputs), [np.log(4.0) - 0.75 * np.log(3.0)], rtol=1e-6)


def test_cross_entropy_by_hand():
    # from 1/2 and 1/2 to 1/4 and 3/4: (ln 4 + ln 4/3) / 2; from 0 and 1: ln 4/3
    outputs = {"logits": np.log(np.array([[1.0, 3.0], [1.0, 3.0]], np.float32))}
    given = np.array([[0.5, 0.5], [0.0, 1.0]], np.float32)
    expected = [0.5 * np.log(16.0 / 3.0), np.log(4.0 / 3.0)]
    np.testing.assert_allclose(Categorical(2).cross_entropy(outputs, given), expected, rtol=1e-6)


def test_categorical_draws_follow_the_probabilities():
    logits = np.log(np.array([[0.2, 0.5, 0.3]], np.float32)).repeat(20_000, axis=0)
    draw = Categorical(3).draw({"logits": logits}, np.random.default_rng(0))
    # the standard error of a frequency is at most sqrt(.25 / 20,000) = .0035
    np.testing.assert_allclose(np.bincount(draw.action) / 20_000, [0.2, 0.5, 0.3], atol=0.015)


def test_numpy_and_tensorflow_agree_on_the_probability_of_a_draw():
    rng = np.random.default_rng(0)
    for distribution, head in ((Categorical(5), "logits"), (Gaussian(steering(), -0.7), "mean")):
        outputs = {head: rng.normal(size=(50, distribution.heads[head])).astype(np.float32)}
        draw = distribution.draw(outputs, rng)
        np.testing.assert_allclose(distribution.log_prob(outputs, draw.sample), draw.log_prob, rtol=1e-4, atol=1e-5)


def test_gaussian_density_and_entropy_by_hand():
    # log_std 0: -(1^2 + 2^2) / 2 - 2 * ln(2 pi) / 2, and entropy 2 * (1 + ln(2 pi)) / 2
    gaussian = Gaussian(steering(), 0.0)
    outputs = {"mean": np.zeros((1, 2), np.float32)}
    log_prob = gaussian.log_prob(outputs, np.array([[1.0, -2.0]], np.float32))
    np.testing.assert_allclose(log_prob, [-2.5 - LOG_2_PI], rtol=1e-6)
    np.testing.assert_allclose(gaussian.entropy(outputs), [1.0 + LOG_2_PI], rtol=1e-6)


def test_gaussian_actions_have_the_units_of_the_space():
    # with hardly any noise a mean of (-1, 0) is the lower bound and the middle: -2 and 5
    gaussian = Gaussian(steering(), -20.0)
    draw = gaussian.draw({"mean": np.array([[-1.0, 0.0]], np.float32)}, np.random.default_rng(0))
    np.testing.assert_allclose(draw.action, [[-2.0, 5.0]], atol=1e-5)
    assert draw.action.dtype == np.float32


def test_gaussian_actions_stay_in_bounds_however_wide_the_noise():
    space = steering()
    draw = Gaussian(space, 3.0).draw({"mean": np.zeros((1000, 2), np.float32)}, np.random.default_rng(0))
    assert all(space.contains(action) for action in draw.action)
    assert (np.abs(draw.sample) > 1.0).any()  # what log_prob() takes was not clipped


def test_the_action_space_decides_the_distribution():
    assert isinstance(distribution_of(spec_of(gym.spaces.Discrete(3)), 0.0), Categorical)
    assert isinstance(distribution_of(spec_of(steering()), 0.0), Gaussian)


@pytest.mark.parametrize(
    "space", [gym.spaces.Box(-np.inf, np.inf, (2,)), gym.spaces.MultiDiscrete([2, 3]), gym.spaces.Box(0.0, 1.0, (2, 2))]
)
def test_actions_that_are_neither_discrete_nor_a_bounded_vector_do_not_fit(space):
    with pytest.raises(DoesNotFit, match="Test-v0 has actions"):
        distribution_of(spec_of(space), 0.0)
