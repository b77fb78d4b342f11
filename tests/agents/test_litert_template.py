from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from agents.parts.litert import LiteRTTemplate
from agents.parts.networks import Network
from arena.policy import LiteRTFunction

VECTOR = gym.spaces.Box(-1.0, 1.0, (4,), np.float32)
IMAGE = gym.spaces.Box(0, 255, (2, 44, 44), np.uint8)


def scrambled(network):
    rng = np.random.default_rng(1)
    network.set_weights([rng.uniform(0.1, 0.3, size=w.shape).astype(np.float32) for w in network.read()])


@pytest.mark.parametrize(
    ("space", "options"),
    [(VECTOR, {}), (VECTOR, {"shared": False}), (IMAGE, {"kind": "cnn-2013"}), (VECTOR, {"normalize": True})],
    ids=["mlp", "separate", "cnn", "normalised"],
)
def test_a_second_file_has_the_weights_of_its_time(space, options):
    network = Network(space, {"logits": 3, "value": 1}, **options)
    first = network.to_litert(["logits", "value"], {"log_std": np.float32([0.5])})
    scrambled(network)
    second = network.to_litert(["logits", "value"], {"log_std": np.float32([-0.5])})
    obs = np.stack([space.sample() for _ in range(3)])
    answer = LiteRTFunction(second)(obs)
    for name, value in network(obs).items():
        np.testing.assert_allclose(answer[name], value, rtol=1e-4)
    assert answer["log_std"] == np.float32([-0.5])
    assert LiteRTFunction(first)(obs)["log_std"] == np.float32([0.5])  # the first file has not changed


def test_conversions_are_made_once_for_all_weights(monkeypatch):
    network = Network(VECTOR, {"q": 3})
    network.to_litert(["q"])
    monkeypatch.setattr(network, "_convert", lambda *_: pytest.fail("converted again"))
    scrambled(network)
    network.to_litert(["q"])


def test_weights_that_the_converter_has_folded_into_others_are_converted_every_time():
    converted = []

    def convert(arrays):
        converted.append(arrays)
        network = Network(VECTOR, {"q": 3})
        return network.to_litert(["q"])

    template = LiteRTTemplate(convert, [(5, 5)])  # no such array is in the file
    assert len(converted) == 1
    template.file([np.zeros((5, 5), np.float32)])
    assert len(converted) == 2
