"""Every registered agent keeps the contract in every kind of environment that it is made for."""

import pytest

from arena import registry
from arena.errors import DoesNotFit
from arena.testing import assert_contract

CONTINUOUS = {"ppo", "random", "reinforce"}
FOR_GAMES = {"mcts", "minimax"}


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


@pytest.mark.parametrize("ref", ["random", "agents.mcts:MCTS", "agents.minimax:Minimax"])
def test_it_keeps_the_contract_in_games(ref):
    pytest.importorskip("pyspiel", reason="needs the extra 'two-player'")
    assert_contract(ref, "tic_tac_toe")


@pytest.mark.parametrize("ref", ["agents.mcts:MCTS", "agents.minimax:Minimax"])
def test_it_says_that_it_plays_games_only(ref):
    with pytest.raises(DoesNotFit, match="CartPole-v1") as caught:
        assert_contract(ref, "CartPole-v1")
    assert "\n" not in str(caught.value)
