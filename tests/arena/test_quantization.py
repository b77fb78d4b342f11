"""Quantization: fewer bits, the same inputs and outputs, nearly the same answers."""

import gymnasium as gym
import numpy as np
import pytest

from agents.parts.networks import Network
from arena import policy, quantization
from arena.litert import with_batch_of_one
from arena.policy import LiteRTFunction
from arena.quantization import quantize, visited_observations
from envs import make

SPACES = {
    "mlp": gym.spaces.Box(-1.0, 1.0, (6,)),
    "cnn": gym.spaces.Box(0, 255, (4, 84, 84), np.uint8),
    "discrete": gym.spaces.Discrete(16),
}
HEADS = {"mean": 3}


@pytest.fixture(scope="module", params=SPACES)
def network(request) -> tuple[bytes, np.ndarray]:
    """A network with random weights as a LiteRT file, and observations."""
    space = SPACES[request.param]
    space.seed(0)
    content = Network(space, HEADS, seed=1).to_litert(list(HEADS), extra={"log_std": np.float32([-0.5, 0.0, 0.5])})
    return content, np.stack([space.sample() for _ in range(32)])


@pytest.mark.parametrize(("kind", "error"), [("float16", 1e-3), ("dynamic", 0.03), ("int8", 0.03)])
def test_answers_stay_close_and_the_interface_the_same(network, kind, error):
    content, obs = network
    before, after = LiteRTFunction(content), LiteRTFunction(quantize(content, kind, obs))
    wanted, given = before(obs), after(obs)
    assert np.ptp(wanted["mean"]) > 0.1
    assert np.abs(given["mean"] - wanted["mean"]).max() < error * np.ptp(wanted["mean"])
    assert np.array_equal(given["log_std"], wanted["log_std"])
    old, new = (function._interpreter.get_input_details()[0] for function in (before, after))
    assert new["dtype"] == old["dtype"]
    assert new["shape_signature"].tolist() == old["shape_signature"].tolist() == [-1, *obs.shape[1:]]
    assert given["mean"].dtype == np.float32


@pytest.mark.parametrize("kind", ["float16", "dynamic", "int8"])
def test_a_row_is_the_same_bits_in_every_batch(network, kind):
    content, obs = network
    function = LiteRTFunction(with_batch_of_one(quantize(content, kind, obs)))
    together = function(obs)["mean"]
    for start, stop in ((0, 1), (7, 8), (3, 20)):
        assert np.array_equal(function(obs[start:stop])["mean"], together[start:stop])


def test_eight_bits_take_little_more_than_a_quarter(network):
    content, obs = network
    if len(content) > 1_000_000:
        assert len(quantize(content, "dynamic")) < 0.27 * len(content)
        assert len(quantize(content, "int8", obs)) < 0.27 * len(content)


def test_a_quantized_file_is_found_whole_after_it_was_saved(network, tmp_path):
    content, obs = network
    function = LiteRTFunction(quantize(content, "dynamic"))
    card = policy.Card(agent="a", env="e", preprocess="none", observation_space={}, action_space={})
    again = policy.load(policy.save(policy.Policy(function, card), tmp_path / "policy"))
    assert np.array_equal(again.function(obs)["mean"], function(obs)["mean"])


# Observations for calibration.


def test_calibration_observations_come_from_the_policys_own_games_and_its_seed(litert_policy, monkeypatch):
    monkeypatch.setattr(quantization, "NUM_OBSERVATIONS", 20)
    env, player, visited, finished = make("CartPole-v1", 2), policy.load(litert_policy), set(), []

    def watch(event):
        visited.update(obs.tobytes() for obs in event.transition.obs[event.live])
        finished.extend(event.finished)

    first, states = visited_observations(env, player, 3, watch)
    assert states is None
    assert first.shape == (20, 4)
    assert {obs.tobytes() for obs in first} <= visited
    assert len(finished) == quantization.CALIBRATION_GAMES
    assert np.array_equal(visited_observations(env, player, 3)[0], first)
    assert not np.array_equal(visited_observations(env, player, 4)[0], first)


def test_short_games_give_what_they_have(litert_policy, monkeypatch):
    monkeypatch.setattr(quantization, "CALIBRATION_STEPS", 10)
    assert len(visited_observations(make("CartPole-v1", 2), policy.load(litert_policy), 0)[0]) == 10
