"""Policies: modes of play, and files that say of themselves what they are."""

import json
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from arena import policy
from arena.agent import Mode, Spec
from arena.errors import DamagedFile, DoesNotFit
from arena.functions import Linear, Table
from arena.policy import Card, Policy

DISCRETE = Spec("Some-v0", gym.spaces.Discrete(3), gym.spaces.Discrete(2))
BOX = Spec("Box-v0", gym.spaces.Box(-1.0, 1.0, (2,)), gym.spaces.Box(np.float32([0, -4]), np.float32([1, 4])))


def tabular(mode: str = "greedy") -> Policy:
    return Policy(Table(np.array([[0.0, 1.0], [3.0, 2.0], [0.0, 0.0]])), Card.of("q", DISCRETE, mode, {"rate": 0.1}))


def gaussian(mean: list[float], log_std: list[float], mode: str) -> Policy:
    def function(obs: np.ndarray) -> dict[str, np.ndarray]:
        return {"mean": np.tile(np.float32(mean), (len(obs), 1)), "log_std": np.float32(log_std)}

    return Policy(function, Card.of("g", BOX, mode, {}))


def actions(player: Policy, obs: np.ndarray, num_steps: int = 1) -> np.ndarray:
    """Returns [T, N, ...] actions of the rows with the seeds 0, 1, ..., which see the same observation again."""
    state, chosen = player.initial_state(np.arange(len(obs))), []
    for _ in range(num_steps):
        action, state, _ = player.act(obs, state)
        chosen.append(action)
    return np.stack(chosen)


def test_greedy_takes_the_best_value_and_shows_all():
    decision = tabular().act(np.array([0, 1, 2]), ())
    assert decision.action.tolist() == [1, 0, 0]
    assert decision.extras["q"].tolist() == [[0, 1], [3, 2], [0, 0]]
    assert decision.state == ()


def test_sampling_follows_the_softmax_of_the_outputs():
    # Values 0 and 1: the second is chosen with probability e / (1 + e) = .731, deviation .0044 over 10,000 draws.
    assert abs(actions(tabular("sample"), np.zeros(100, int), 100).mean() - 0.731) < 0.022


def test_epsilon_is_the_share_of_uniform_actions():
    # The worse of two actions is taken with probability .4 / 2 = .2, deviation .004 over 10,000 draws.
    assert abs((actions(tabular("epsilon=0.4"), np.zeros(100, int), 100) == 0).mean() - 0.2) < 0.02


@pytest.mark.parametrize("mode", ["greedy", "sample", "epsilon=0.5"])
def test_a_rows_play_does_not_depend_on_the_rows_around_it(mode):
    player, obs = tabular(mode), np.array([0, 1, 2, 0])
    together = actions(player, obs, 10)
    state = player.initial_state(np.array([2]))
    for step in range(10):
        action, state, _ = player.act(obs[2:3], state)
        assert action[0] == together[step, 2]


def test_categorical_samples_invert_the_distribution():
    logits = np.log(np.array([[0.2, 0.3, 0.5]] * 6))
    draws = np.array([0.0, 0.19, 0.21, 0.49, 0.51, 0.9999])
    assert policy.sample_categorical(logits, draws).tolist() == [0, 0, 1, 1, 2, 2]


def test_probabilities_of_large_logits_are_finite():
    assert policy.softmax(np.array([[1000.0, 0.0]])).tolist() == [[1.0, 0.0]]


def test_a_gaussian_mean_is_scaled_to_the_action_space_and_clipped():
    # From [-1, 1] to [0, 1] and [-4, 4]: 0.5 -> 0.75, and 3 -> clipped to 1 -> 4.
    action = actions(gaussian([0.5, 3.0], [0.0, 0.0], "greedy"), np.zeros((1, 2), np.float32))[0]
    assert action.dtype == np.float32
    assert action.tolist() == [[0.75, 4.0]]


def test_gaussian_samples_have_the_deviation_of_the_network():
    chosen = actions(gaussian([0.0, 0.0], [np.log(0.1), np.log(0.2)], "sample"), np.zeros((100, 2), np.float32), 100)
    # Half the range is 0.5 and 4: deviations .05 and .8; those of 10,000 draws are within 4% of them.
    assert chosen.reshape(-1, 2).mean(0) == pytest.approx([0.5, 0.0], abs=0.04)
    assert chosen.reshape(-1, 2).std(0) == pytest.approx([0.05, 0.8], rel=0.04)


def test_gaussian_epsilon_fills_the_box():
    chosen = actions(gaussian([0.0, 0.0], [0.0, 0.0], "epsilon=1"), np.zeros((100, 2), np.float32), 50).reshape(-1, 2)
    assert BOX.action_space.contains(chosen.min(0)) and BOX.action_space.contains(chosen.max(0))
    assert chosen.min(0) == pytest.approx([0.0, -4.0], abs=0.02)


# Files.


@pytest.mark.parametrize("mode", ["greedy", "sample", "epsilon=0.25"])
def test_an_npz_policy_comes_back_with_its_card_and_mode(tmp_path: Path, mode: str):
    player = tabular().with_mode(Mode.parse(mode)).with_card(step=7, scores={"mean": 1.5})
    path = policy.save(player, tmp_path / "best")
    loaded = policy.load(path)
    assert path.name == "best.npz"
    assert loaded.mode == Mode.parse(mode)
    assert loaded.card == player.card.model_copy(update={"mode": mode, "sha256": loaded.card.sha256})
    assert np.array_equal(loaded.function.q, player.function.q)
    assert [p.name for p in tmp_path.iterdir()] == ["best.npz"]


def test_the_same_policy_is_the_same_bytes(tmp_path: Path):
    first, second = (policy.save(tabular(), tmp_path / name).read_bytes() for name in ("a", "b"))
    assert first == second


def test_a_litert_policy_carries_its_card_in_the_file_and_survives_another_round(litert_policy: Path, tmp_path: Path):
    loaded = policy.load(litert_policy)
    again = policy.load(policy.save(loaded.with_card(step=9).with_mode(Mode("sample")), tmp_path / "again"))
    assert (again.card.step, again.card.agent, str(again.mode)) == (9, "network", "sample")
    obs = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    assert np.array_equal(loaded.function(obs)["logits"], again.function(obs)["logits"])


def test_a_litert_row_is_the_same_bits_in_every_batch(litert_policy: Path):
    function = policy.load(litert_policy).function
    obs = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
    together = function(obs)["logits"]
    for start, stop in ((0, 1), (7, 8), (3, 40)):
        assert np.array_equal(function(obs[start:stop])["logits"], together[start:stop])


def npz(path: Path, **arrays: object) -> Path:
    np.savez(path, **arrays)
    return path


def header(**changes: object) -> np.ndarray:
    card = tabular().card.model_dump()
    return np.array(json.dumps({"function": "table", "card": card} | changes))


DAMAGED_NPZ = {
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(policy.save(tabular(), path).read_bytes()[:-30]),
    "another format": lambda path: path.write_bytes(b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False}"),
    "no card": lambda path: npz(path, q=np.zeros((3, 2))),
    "no JSON": lambda path: npz(path, **{policy.CARD_KEY: np.array("{")}),
    "an unknown function": lambda path: npz(path, **{policy.CARD_KEY: header(function="magic")}),
    "a header that is a list": lambda path: npz(path, **{policy.CARD_KEY: np.array("[]")}),
    "arrays of another function": lambda path: npz(path, **{policy.CARD_KEY: header()}, w=np.zeros(3)),
    "a card without its agent": lambda path: npz(path, **{policy.CARD_KEY: header(card={})}, q=np.zeros((3, 2))),
    "objects": lambda path: npz(path, **{policy.CARD_KEY: header()}, q=np.array([{}], object)),
}


@pytest.mark.parametrize("damage", DAMAGED_NPZ)
def test_a_damaged_npz_policy_is_one_line(tmp_path: Path, damage: str):
    path = tmp_path / "policy.npz"
    DAMAGED_NPZ[damage](path)
    with pytest.raises(DamagedFile, match=r"policy\.npz is not a policy of the arena, or is damaged") as caught:
        policy.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: b"TFL3TFL3TFL3",
        lambda content: content[: len(content) // 2],
        lambda content: b"\x00" * 4 + content[4:],
        lambda content: content.replace(policy.CARD_KEY.encode(), b"arena.cart"),
        lambda content: content.replace(b'"format"', b'"farmat"'),
        lambda content: content.replace(b'"mode": "greedy"', b'"mode": "sample"'),
        lambda content: content[:1000] + bytes([content[1000] ^ 1]) + content[1001:],
        lambda content: content + content,
    ],
    ids=[
        "empty",
        "a stub",
        "cut in half",
        "a root that is nowhere",
        "no card",
        "a broken card",
        "an edited card",
        "one bit in its middle",
        "written twice",
    ],
)
def test_a_damaged_litert_policy_is_one_line(litert_policy: Path, tmp_path: Path, damage):
    path = tmp_path / "policy.tflite"
    path.write_bytes(damage(litert_policy.read_bytes()))
    with pytest.raises(DamagedFile, match=r"policy\.tflite is not a policy of the arena, or is damaged") as caught:
        policy.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spec", "line"),
    [
        (Spec("S-v0", gym.spaces.Discrete(4), gym.spaces.Discrete(2)), r"observations are discrete\(3\), here .*\(4\)"),
        (Spec("S-v0", gym.spaces.Discrete(3), gym.spaces.Discrete(5)), r"actions are discrete\(2\), here .*\(5\)"),
        (Spec("S-v0", gym.spaces.Box(0, 1, (3,)), gym.spaces.Discrete(2)), r"here they are box\(3,\) float32"),
    ],
)
def test_a_policy_for_other_spaces_does_not_fit(spec: Spec, line: str):
    with pytest.raises(DoesNotFit, match=r"best was trained on Some-v0 and does not fit S-v0: its .*" + line):
        policy.check_fits(tabular().card, spec, "best")


def test_a_linear_policy_plays_what_it_played_before_it_was_saved(tmp_path: Path):
    random = np.random.default_rng(0)
    function = Linear(random.normal(size=(2, 3)).astype(np.float32), random.normal(size=3).astype(np.float32))
    spec = Spec("L-v0", gym.spaces.Box(-1.0, 1.0, (2,)), gym.spaces.Discrete(3))
    player = Policy(function, Card.of("linear", spec, "sample", {}))
    again = policy.load(policy.save(player, tmp_path / "linear"))
    obs = random.normal(size=(20, 2)).astype(np.float32)
    assert np.array_equal(actions(player, obs, 5), actions(again, obs, 5))


def test_a_file_with_pickled_objects_is_refused_in_the_arenas_own_words(tmp_path):
    path = tmp_path / "policy.npz"
    np.savez(path, **{policy.CARD_KEY: np.array([{"a": 1}], dtype=object)})
    with pytest.raises(DamagedFile, match="pickled objects, which are never loaded"):
        policy.load(path)
