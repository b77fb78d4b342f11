"""PPO with memory: sequences stay whole, states are carried and begun anew, and a resume is exact."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from agents.parts import returns
from agents.parts.tensorflow import load
from agents.ppo import PPO
from agents.reinforce import Reinforce
from arena.agent import Spec, Transition
from arena.errors import DamagedFile, InvalidValue

SMALL = {"num_steps": 4, "batch_size": 8, "epochs": 2, "hidden": (8,), "memory_size": 5, "network": "lstm"}
THREE = gym.spaces.Discrete(3)
BOX = gym.spaces.Box(np.array([-2.0, 0.0], np.float32), np.array([2.0, 10.0], np.float32))


@pytest.fixture(autouse=True)
def interpreted(request: pytest.FixtureRequest) -> Iterator[None]:
    """Runs updates without compiling them, which takes seconds, but in tests with `compiled` in their name."""
    load().config.run_functions_eagerly("compiled" not in request.node.name)
    yield
    load().config.run_functions_eagerly(False)


def agent_for(action_space: gym.Space = THREE, *, num_rows: int = 2, seed: int = 1, **settings: Any) -> PPO:
    spec = Spec("Test-v0", gym.spaces.Box(-1.0, 1.0, (3,)), action_space, num_rows=num_rows)
    return PPO(spec, seed=seed, settings=SMALL | settings)


class Feed:
    """A made-up environment: acts and observes as the loop does, and begins rows anew where episodes end."""

    def __init__(self, agent: PPO, seed: int = 0) -> None:
        self.rng, self.num_rows = np.random.default_rng(seed), agent.spec.num_rows
        self.obs = self._draw()
        self.state: Any = None

    def _draw(self) -> np.ndarray:
        return self.rng.normal(size=(self.num_rows, 3)).astype(np.float32)

    def step(self, agent: PPO) -> Transition:
        if self.state is None:
            self.state = agent.begin(np.arange(self.num_rows), np.arange(self.num_rows))
        decision = agent.act(self.obs, self.state)
        terminated, truncated = (self.rng.random(self.num_rows) < 0.15 for _ in range(2))
        next_obs, reward = self._draw(), self.rng.normal(size=self.num_rows)
        transition = Transition(self.obs, decision.action, reward, terminated, truncated, next_obs, decision.extras)
        agent.observe(transition)
        self.state, self.obs = decision.state, next_obs
        return transition

    def renew(self, agent: PPO, done: np.ndarray) -> None:
        rows = np.flatnonzero(done)
        self.state[rows] = agent.initial_state(rows)

    def go(self, agent: PPO, num_steps: int) -> list[dict[str, float]]:
        """Steps and learns; returns the metrics of the updates."""
        found = []
        for _ in range(num_steps):
            transition = self.step(agent)
            if metrics := agent.learn():
                found.append({name: float(value) for name, value in metrics.items()})
            self.renew(agent, transition.done)
        return found


def bits(agent: PPO) -> list[bytes]:
    return [array.tobytes() for array in agent.weights().values()]


@pytest.mark.parametrize("network", ["lstm", "gru"])
def test_before_the_first_update_new_probabilities_are_the_old_ones(network: str) -> None:
    # One minibatch of all rows, one epoch: what is computed anew from the start of the rollout is what acted, so every
    # ratio is 1: nothing is clipped, the divergence is 0, and the loss is minus the mean normal advantage, 0.
    agent = agent_for(network=network, epochs=1, num_rows=6, batch_size=24, num_steps=4)
    feed = Feed(agent)
    for _ in range(3):  # the second and third rollout begin with states that are carried
        agent._optimizer.learning_rate = 0.0
        (metrics,) = feed.go(agent, 4)
        assert metrics["approx_kl"] == pytest.approx(0.0, abs=1e-6)
        assert metrics["clip_fraction"] == 0.0
        assert metrics["policy_loss"] == pytest.approx(0.0, abs=1e-5)


def test_ended_episodes_are_seen_as_such_inside_a_rollout() -> None:
    agent = agent_for(num_rows=3, num_steps=8)
    feed = Feed(agent, seed=2)
    dones = []
    for _ in range(7):
        transition = feed.step(agent)
        feed.renew(agent, transition.done)
        dones.append(transition.done)
    assert np.any(dones)
    np.testing.assert_array_equal(agent._begins()[1:], dones)
    assert not agent._begins()[0].any()
    # unrolled from the start of the rollout, the values are those that were acted on
    arrays = agent._rollout
    heads, _ = agent._actor.network.unroll(arrays["obs"][:7], arrays["memory"], agent._begins()[:7])
    np.testing.assert_allclose(heads["value"][..., 0], arrays["value"][:7], rtol=1e-4, atol=1e-5)


def test_truncated_steps_bootstrap_with_the_state_after_them() -> None:
    agent = agent_for(num_steps=6)
    feed = Feed(agent, seed=3)
    expected, counts = [], []
    for _ in range(6):
        transition = feed.step(agent)
        expected.append(agent._actor.value(transition.next_obs, transition.extras["next_memory"]))
        counts.append(~transition.terminated)
        feed.renew(agent, transition.done)
    assert not np.all(counts)
    found = agent._rollout["next_value"]
    np.testing.assert_allclose(found[counts], np.stack(expected)[counts], rtol=1e-5)


def test_metrics_are_those_worked_out_with_numpy() -> None:
    agent = agent_for(epochs=1, num_rows=2, batch_size=8, discount=0.9, gae_lambda=0.8)
    feed = Feed(agent, seed=5)
    feed.go(agent, 4)
    steps, advantages = agent._rollout, None
    for _ in range(4):
        transition = feed.step(agent)
        feed.renew(agent, transition.done)
    value = steps["value"].copy()
    advantages = returns.gae(steps["reward"], value, steps["next_value"], steps["terminated"], steps["done"], 0.9, 0.8)
    metrics = agent.learn()
    assert float(metrics["value_loss"]) == pytest.approx(np.square(advantages).mean(), rel=1e-4)


def test_minibatches_are_of_whole_rows() -> None:
    agent = agent_for(num_rows=5, num_steps=4, batch_size=8, epochs=3)
    indices = agent._shuffled()  # 8 steps are two rows of 4; the fifth row sits out
    assert indices.shape == (6, 2)
    for epoch in indices.reshape(3, 4):
        assert len(set(epoch.tolist())) == 4
    assert agent_for(num_rows=5, num_steps=16, batch_size=8)._shuffled().shape == (10, 1)  # at least one row


@pytest.mark.parametrize("actions", [THREE, BOX], ids=["discrete", "continuous"])
@pytest.mark.parametrize("network", ["lstm", "gru"])
def test_a_restored_agent_goes_on_as_if_it_had_never_stopped(tmp_path: Path, actions: gym.Space, network: str) -> None:
    options = {"network": network, "normalize_observations": True, "learning_rate": 1e-2}
    one = agent_for(actions, **options)
    feed = Feed(one)
    feed.go(one, 6)  # one update and half a rollout
    one.save_state(tmp_path)
    other = agent_for(actions, seed=9, **options)
    other.restore_state(tmp_path)
    again = Feed(other)
    again.rng.bit_generator.state = feed.rng.bit_generator.state
    again.obs = feed.obs  # and the state, which the loop does not keep, comes from begin()
    assert feed.go(one, 7) == again.go(other, 7)
    assert bits(one) == bits(other)


def test_rows_that_were_at_an_end_begin_anew_after_a_resume(tmp_path: Path) -> None:
    agent = agent_for(num_rows=40)
    feed = Feed(agent)
    feed.go(agent, 1)
    transition = feed.step(agent)  # and a checkpoint before the loop begins the rows anew
    agent.save_state(tmp_path)
    other = agent_for(num_rows=40, seed=4)
    other.restore_state(tmp_path)
    state = other.begin(np.arange(40), np.arange(40))
    assert transition.done.any()
    assert not state[transition.done].any()
    np.testing.assert_array_equal(state[~transition.done], feed.state[~transition.done])
    assert not other.begin(np.arange(40), np.arange(40)).any()  # only once


def test_what_cannot_go_on_is_forgotten(tmp_path: Path) -> None:
    agent = agent_for()
    Feed(agent).go(agent, 3)
    agent.save_state(tmp_path)
    agent.restore_state(tmp_path)
    agent.forget_unfinished()
    assert not agent.begin(np.arange(2), np.arange(2)).any()


def test_the_state_of_other_memories_is_refused(tmp_path: Path) -> None:
    agent_for().save_state(tmp_path)
    for other in ({"network": "gru"}, {"network": "auto"}, {"memory_size": 6}):
        with pytest.raises(DamagedFile):
            agent_for(**other).restore_state(tmp_path)


def test_acting_depends_on_the_state_of_the_own_row_alone() -> None:
    agent = agent_for(num_rows=3)
    feed = Feed(agent)
    feed.go(agent, 3)
    obs, state = feed.obs, feed.state.copy()
    before = agent._actor.network.step(obs, state)[0]["logits"]
    state[1] = 0.0
    after = agent._actor.network.step(obs, state)[0]["logits"]
    np.testing.assert_allclose(before[[0, 2]], after[[0, 2]], rtol=1e-5)
    assert np.abs(before[1] - after[1]).max() > 1e-4


def test_the_policy_remembers_as_the_agent_does() -> None:
    agent = agent_for(BOX, num_rows=3)
    feed = Feed(agent)
    feed.go(agent, 8)
    policy = agent.policy()
    rng = np.random.default_rng(3)
    mine, theirs = agent.initial_state(np.arange(3)), policy.initial_state(np.arange(3))
    for _ in range(5):
        obs = rng.normal(size=(3, 3)).astype(np.float32)
        heads, mine = agent._actor.network.step(obs, mine)
        decision = policy.act(obs, theirs)
        theirs = decision.state
        np.testing.assert_allclose(decision.extras["mean"], heads["mean"], rtol=1e-4, atol=1e-6)


def test_training_compiled_is_the_same_every_time() -> None:
    one, other = agent_for(num_rows=4), agent_for(num_rows=4)
    assert Feed(one).go(one, 8) == Feed(other).go(other, 8)
    assert bits(one) == bits(other)


def test_reinforce_says_that_it_has_no_memory() -> None:
    spec = Spec("Test-v0", gym.spaces.Box(-1.0, 1.0, (3,)), THREE)
    with pytest.raises(InvalidValue, match="reinforce has no memory"):
        Reinforce(spec, seed=0, settings={"network": "lstm"})
