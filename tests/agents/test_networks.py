from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from agents.parts.layers import is_image
from agents.parts.networks import Network
from agents.parts.variables import load_variables, save_variables
from arena.errors import DamagedFile, DoesNotFit, InvalidValue, UnknownName
from arena.policy import LiteRTFunction

VECTOR = gym.spaces.Box(-1.0, 1.0, (4,), np.float32)
IMAGE = gym.spaces.Box(0, 255, (4, 84, 84), np.uint8)
SMALL_IMAGE = gym.spaces.Box(0, 255, (2, 44, 44), np.uint8)
HEADS = {"q": 3}


def observations(space, count=5):
    rng = np.random.default_rng(0)
    if isinstance(space, gym.spaces.Discrete):
        return rng.integers(0, int(space.n), count)
    if space.dtype == np.uint8:
        return rng.integers(0, 256, (count, *space.shape), np.uint8)
    return rng.normal(size=(count, *space.shape)).astype(np.float32)


@pytest.mark.parametrize(
    ("space", "options"),
    [
        (VECTOR, {}),
        (VECTOR, {"activation": "tanh", "shared": False, "initializer": "orthogonal"}),
        (gym.spaces.Discrete(6), {}),
        (SMALL_IMAGE, {"kind": "cnn-2013"}),
    ],
    ids=["mlp", "separate tanh", "discrete", "cnn"],
)
def test_acting_learning_and_litert_agree(space, options):
    network = Network(space, {"logits": 3, "value": 1}, seed=1, **options)
    obs = observations(space)
    learning = {name: value.numpy() for name, value in network(obs).items()}
    acting = network.act(obs)
    playing = LiteRTFunction(network.to_litert(["logits", "value"]))(obs)
    assert learning["logits"].shape == (5, 3)
    for name, value in learning.items():
        np.testing.assert_allclose(acting[name], value, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(playing[name], value, rtol=1e-4, atol=1e-5)


def test_acting_follows_the_weights_after_a_refresh():
    network = Network(VECTOR, HEADS)
    before = network.act(observations(VECTOR))["q"]
    network.trainable_variables[-1].assign([1.0, 2.0, 3.0])  # the head's bias, which was 0
    network.refresh()
    moved = network.act(observations(VECTOR))["q"] - before
    np.testing.assert_allclose(moved, np.tile([1.0, 2.0, 3.0], (5, 1)), rtol=1e-5)


def test_the_seed_fixes_the_weights():
    one, same, other = (Network(VECTOR, HEADS, seed=seed).weights() for seed in (1, 1, 2))
    for a, b in zip(one.values(), same.values(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(next(iter(one.values())), next(iter(other.values())))


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        # 8*8*4*16+16, 4*4*16*32+32; 84 -> 20 -> 9, so 9*9*32*256+256; 256*3+3
        ("cnn-2013", 4_112 + 8_224 + 663_808 + 771),
        # 8*8*4*32+32, 4*4*32*64+64, 3*3*64*64+64; 84 -> 20 -> 9 -> 7, so 7*7*64*512+512; 512*3+3
        ("cnn-2015", 8_224 + 32_832 + 36_928 + 1_606_144 + 1_539),
        ("auto", 8_224 + 32_832 + 36_928 + 1_606_144 + 1_539),
    ],
)
def test_the_convolutional_networks_are_those_of_the_papers(kind, parameters):
    assert Network(IMAGE, HEADS, kind=kind).model.count_params() == parameters


def test_auto_is_an_mlp_for_vectors():
    network = Network(VECTOR, HEADS, hidden=(8,))
    assert network.kind == "mlp"
    assert network.model.count_params() == 4 * 8 + 8 + 8 * 3 + 3


def test_only_bytes_of_three_axes_are_images():
    assert is_image(IMAGE)
    assert not is_image(VECTOR)
    assert not is_image(gym.spaces.Discrete(3))


def test_running_statistics_standardise_observations():
    network = Network(VECTOR, HEADS, normalize=True)
    data = np.random.default_rng(1).normal(3.0, 2.0, (100, 4)).astype(np.float32)
    network.update_statistics(data[:30])
    network.update_statistics(data[30:])
    mean, variance = network.model.non_trainable_variables[:2]
    np.testing.assert_allclose(mean.numpy(), data.mean(0), rtol=1e-4)
    np.testing.assert_allclose(variance.numpy(), data.var(0), rtol=1e-4)
    np.testing.assert_allclose(network.act(data)["q"], network(data)["q"].numpy(), rtol=1e-4, atol=1e-5)


def test_weights_come_back_from_a_file(tmp_path):
    one, other = Network(VECTOR, HEADS, seed=1), Network(VECTOR, HEADS, seed=2)
    save_variables(tmp_path / "weights.npz", one.model.weights)
    other.load(tmp_path / "weights.npz")
    np.testing.assert_array_equal(other.act(observations(VECTOR))["q"], one.act(observations(VECTOR))["q"])


def test_weights_of_another_shape_are_refused(tmp_path):
    save_variables(tmp_path / "weights.npz", Network(VECTOR, HEADS, hidden=(8,)).model.weights)
    network = Network(VECTOR, HEADS)
    with pytest.raises(DoesNotFit, match="do not fit"):
        network.load(tmp_path / "weights.npz")
    with pytest.raises(DamagedFile, match="other shapes"):
        load_variables(tmp_path / "weights.npz", network.model.weights)


def test_a_broken_file_of_weights_is_refused(tmp_path):
    (tmp_path / "weights.npz").write_bytes(b"PK nothing")
    with pytest.raises(DamagedFile, match="cannot be read"):
        Network(VECTOR, HEADS).load(tmp_path / "weights.npz")


def test_what_a_network_cannot_take_is_refused():
    with pytest.raises(UnknownName, match="did you mean 'cnn-2015'"):
        Network(IMAGE, HEADS, kind="cnn-2016")
    with pytest.raises(UnknownName, match="activation"):
        Network(VECTOR, HEADS, activation="sine")
    with pytest.raises(DoesNotFit, match="takes images"):
        Network(VECTOR, HEADS, kind="cnn-2015")
    with pytest.raises(DoesNotFit, match="Box or Discrete"):
        Network(gym.spaces.MultiBinary(3), HEADS)
    with pytest.raises(InvalidValue, match="cannot be normalised"):
        Network(SMALL_IMAGE, HEADS, kind="mlp", normalize=True)
