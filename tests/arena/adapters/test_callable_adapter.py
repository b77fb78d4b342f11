"""A plain function plays: one observation in, one action out."""

import gymnasium as gym
import numpy as np
import pytest

from arena import registry
from arena.adapters.callable import player_class
from arena.agent import Spec
from arena.errors import BrokenPlugin, DoesNotFit
from arena.evaluation import evaluate
from arena.testing import assert_contract
from envs import make

CARTPOLE = make("CartPole-v1").spec
SEEDS = np.arange(3)


def acted(function, spec=CARTPOLE, obs=None):
    player = player_class(function, "function")(spec, seed=0)
    return player.act(np.zeros((3, 4), np.float32) if obs is None else obs, player.initial_state(SEEDS)).action


def test_a_function_is_asked_row_by_row():
    obs = np.array([[0, 0, -1, 0], [0, 0, 1, 0]], np.float32)
    action = acted(lambda row: int(row[2] > 0), obs=obs)
    assert action.tolist() == [0, 1]
    assert action.dtype == np.int64


@pytest.mark.parametrize("answer", [1, np.int64(1), np.array(1), np.array([1], np.int32), [1]])
def test_a_number_may_come_in_any_form(answer):
    assert acted(lambda row: answer).tolist() == [1, 1, 1]


def test_continuous_actions_come_in_the_environments_type_and_shape():
    spec = make("Pendulum-v1").spec
    for answer in (0.5, [0.5], np.array([[0.5]])):
        action = acted(lambda row, answer=answer: answer, spec)
        assert (action.shape, action.dtype, action[0, 0]) == ((3, 1), np.float32, 0.5)


def test_a_seed_is_another_one_at_every_move_and_the_same_in_every_replay():
    player = player_class(lambda row, seed: seed % 2, "coin")(CARTPOLE, seed=0)
    obs = np.zeros((100, 4), np.float32)
    first = player.act(obs, player.initial_state(np.arange(100)))
    second = player.act(obs, first.state)
    assert 25 < first.action.sum() < 75  # 5 standard deviations of 100 fair coins
    assert (first.action != second.action).any()
    np.testing.assert_array_equal(first.action, player.act(obs, player.initial_state(np.arange(100))).action)


def test_legal_actions_are_all_of_them_where_none_is_forbidden():
    seen = []
    acted(lambda row, *, legal: seen.append(legal.tolist()) or 0)
    assert seen == [[True, True]] * 3


def test_a_game_gives_the_mapping_of_one_row_and_its_legal_actions():
    spec = Spec("game", gym.spaces.Dict({}), gym.spaces.Discrete(3))
    obs = {"seat": np.array([0, 1]), "legal": np.array([[False, True, True], [True, False, False]])}
    player = player_class(lambda row, legal: int(legal.argmax()) + 0 * int(row["seat"]), "first_legal")(spec, seed=0)
    assert player.act(obs, ()).action.tolist() == [1, 0]


def test_legal_actions_that_cannot_be_numbered_do_not_fit():
    with pytest.raises(DoesNotFit, match=r"function\(\) asks for legal actions, and Pendulum-v1 has none to number"):
        acted(lambda row, legal: 0.0, make("Pendulum-v1").spec)


def test_built_in_functions_without_a_signature_and_objects_that_are_called_play_too():
    class Constant:
        def __call__(self, row):
            return 1

    assert acted(Constant()).tolist() == [1, 1, 1]
    assert acted(max, obs=np.ones((2, 4), np.int64)).tolist() == [1, 1]


SOURCE = """
def lean(obs):
    return int(obs[2] + obs[3] > 0)

def dice(obs, seed):
    return seed % 2

def tired(obs):
    raise RuntimeError("no more")

LEFT = 0
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(SOURCE)
    return path


def test_a_function_in_a_file_keeps_the_contract_and_plays(file):
    for name in ("lean", "dice"):
        assert_contract(f"{file}:{name}", "CartPole-v1")
    result = evaluate(f"{file}:lean", "CartPole-v1", episodes=3)
    assert (result.agent, result.protocol["mode"]) == ("lean", "own")
    assert result.mean > 100.0  # a pole pushed to where it leans stands for long


def test_results_do_not_depend_on_rows(file):
    alone, together = (evaluate(f"{file}:dice", "CartPole-v1", episodes=6, num_envs=n).returns for n in (1, 6))
    assert alone == together


def test_a_function_that_fails_is_one_line(file):
    with pytest.raises(BrokenPlugin, match=r"^tired\.act\(\) failed at mine\.py:9: RuntimeError: no more$"):
        evaluate(f"{file}:tired", "CartPole-v1", episodes=1)


def test_what_is_neither_is_one_line(file):
    with pytest.raises(BrokenPlugin, match=r"mine\.py:LEFT is neither a class that extends .* nor a function"):
        registry.resolve(f"{file}:LEFT")
