"""Every registered agent keeps the contract in every kind of environment that it is made for."""

import pytest

from arena import registry
from arena.errors import DoesNotFit
from arena.testing import assert_contract

CONTINUOUS = {"ppo", "random", "reinforce"}
FOR_GAMES = {"mcts", "minimax"}
#: Agents with memory, and settings with which they learn something of a few steps.
REMEMBERING = {
    "ppo": {"num_steps": 16, "batch_size": 32, "epochs": 2},
    "dqn": {
        "sequence_length": 4, "burn_in": 2, "batch_size": 4, "learning_starts": 50, "train_period_steps": 16,
        "updates_per_training": 2, "buffer_size": 2_000,
    },
}  # fmt: skip


def all_but(*slow: str) -> list:
    """Returns every registered agent but those for two-player games; compiling takes some of them seconds."""
    names = [name for name in registry.plugins() if name not in FOR_GAMES]
    return [pytest.param(name, marks=pytest.mark.slow) if name in slow else name for name in names]


@pytest.mark.parametrize("name", all_but("ppo", "reinforce"))
def test_it_keeps_the_contract_with_vectors(name):
    assert_contract(name, "CartPole-v1")


@pytest.mark.parametrize("name", all_but("dqn", "ppo", "reinforce"))
def test_it_keeps_the_contract_with_discrete_observations(name):
    assert_contract(name, "FrozenLake8x8-v1")


@pytest.mark.parametrize("name", all_but("dqn", "ppo", "reinforce"))
def test_it_keeps_the_contract_with_continuous_actions_or_says_that_it_cannot(name):
    if name in CONTINUOUS:
        assert_contract(name, "Pendulum-v1")
        return
    with pytest.raises(DoesNotFit, match="Pendulum-v1") as caught:
        assert_contract(name, "Pendulum-v1")
    assert "\n" not in str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("env_id", ["CartPole-v1", "FrozenLake8x8-v1", "Pendulum-v1"])
@pytest.mark.parametrize("network", ["lstm", "gru"])
@pytest.mark.parametrize("name", REMEMBERING)
def test_it_keeps_the_contract_with_memory(name, network, env_id):
    settings = {"network": network, "memory_size": 8, "hidden": [8]} | REMEMBERING[name]
    if env_id == "Pendulum-v1" and name not in CONTINUOUS:
        pytest.skip(f"{name} has no continuous actions")
    assert_contract(name, env_id, settings)


@pytest.mark.parametrize("ref", ["random", "agents.mcts:MCTS", "agents.minimax:Minimax"])
def test_it_keeps_the_contract_in_games(ref):
    pytest.importorskip("pyspiel", reason="needs the extra 'two-player'")
    assert_contract(ref, "tic_tac_toe")


@pytest.mark.parametrize("ref", ["agents.mcts:MCTS", "agents.minimax:Minimax"])
def test_it_says_that_it_plays_games_only(ref):
    with pytest.raises(DoesNotFit, match="CartPole-v1") as caught:
        assert_contract(ref, "CartPole-v1")
    assert "\n" not in str(caught.value)
