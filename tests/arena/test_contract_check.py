"""`arena check`: every way to break the contract is found and named."""

from pathlib import Path

import pytest

from arena.errors import DoesNotFit
from arena.testing import assert_contract, check

PLAYER = """
import numpy as np
from arena.agent import Agent, Decision, Player
from arena.seeding import row_keys, row_uniform

class Mine(Player):
    def __init__(self, spec, *, seed, settings=None):
        super().__init__(spec, seed=seed, settings=settings)
        self.random = np.random.default_rng()
        self.calls = 0
    def initial_state(self, seeds):
        return row_keys(seeds)
    def act(self, obs, state):
        draw, state = row_uniform(state)
        self.calls += 1
        action = (draw * 2).astype(np.int64)
        {body}
        return Decision(action, state)
"""
LEARNER = """
import numpy as np
from arena.agent import Agent, Decision
from arena.functions import Linear
from arena.policy import Card, Policy

class Mine(Agent):
    def __init__(self, spec, *, seed, settings=None):
        super().__init__(spec, seed=seed, settings=settings)
        self.w = np.zeros((4, 2), np.float32)
    def act(self, obs, state): return Decision(np.arange(len(obs)) % 2)
    def observe(self, t): self.seen = t.next_obs
    def learn(self):
        self.w[0, 0] += 1
        return {{"weight": float(self.w[0, 0])}}
    def policy(self):
        return Policy(Linear(self.w.copy(), np.zeros(2, np.float32)), Card.of("mine", self.spec, "greedy", {{}}))
    def save_state(self, folder): np.save(folder / "w.npy", self.w)
    def restore_state(self, folder): self.w = np.load(folder / "w.npy")
    {body}
"""


def ref(folder: Path, source: str, body: str) -> str:
    path = folder / "mine.py"
    path.write_text(source.format(body=body))
    return f"{path}:Mine"


def broken(ref: str) -> list[str]:
    return [f"{rule}: {problem}" for rule, problem in check(ref, "CartPole-v1") if problem]


def test_a_player_that_keeps_the_contract_breaks_nothing(tmp_path):
    assert broken(ref(tmp_path, PLAYER, "pass")) == []
    assert len(check(ref(tmp_path, PLAYER, "pass"), "CartPole-v1")) == 4


def test_a_learner_that_keeps_the_contract_breaks_nothing(tmp_path):
    assert broken(ref(tmp_path, LEARNER, "pass")) == []
    assert len(check(ref(tmp_path, LEARNER, "pass"), "CartPole-v1")) == 8


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("action = action[:, None]", r"Mine\.act\(\) must give actions of shape \(3,\), not \(3, 1\)"),
        ("action = action.astype(np.float32)", r"must give int64 actions for Discrete\(2\), not float32"),
        ("action = action + 2", r"action \d is not in Discrete\(2\)"),
        ("return action", r"must return a Decision, not ndarray"),
        ("raise OSError('gone')", r"act\(\) failed at mine\.py:17: OSError: gone"),
        ("return Decision(action, state, {'q': np.zeros((1, 2))})", r'extras\["q"\] has 1 rows for 3 observations'),
        (
            "action[:] = len(obs) // 2",
            r"an answer does not depend on the rows around it: row \d plays \d among 3 rows and \d alone",
        ),
        ("action[:] = self.random.integers(2, size=len(obs))", r"the same seeds give the same games: .* became"),
        ("obs[:] = 0", r"act\(\) leaves the observations as they are: it writes into its argument"),
    ],
)
def test_a_rule_that_a_player_breaks_is_named(tmp_path, body, problem):
    lines = broken(ref(tmp_path, PLAYER, body))
    with pytest.raises(AssertionError, match=problem):
        assert_contract(ref(tmp_path, PLAYER, body), "CartPole-v1")
    assert not any("\n" in line for line in lines)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("def learn(self): return {'loss': 'high'}", r"observe\(\) and learn\(\) run: learn\(\) must return floats"),
        ("def learn(self): return None", r"learn\(\) must return a mapping of floats by name, not NoneType"),
        ("def learn(self): return {'w': self.v}", r"learn\(\) failed at mine\.py:\d+: AttributeError"),
        ("def observe(self, t): t.gone", r"observe\(\) failed at mine\.py:\d+: AttributeError"),
        (
            "made = []\n    def learn(self):\n"
            "        self.made += [self] * (self not in self.made)\n"
            "        self.w[:] = [0, (-1) ** self.made.index(self)]; return {}",  # the second chooses the opposite
            r"its policies choose",
        ),
        ("def policy(self): return self", r"policy\(\) returns an agent that still learns"),
        ("def restore_state(self, folder): self.w = -np.load(folder / 'w.npy') + [0, 1000]", r"it chose .* before and"),
        ("def save_state(self, folder): 1 / 0", r"save_state\(\) failed at mine\.py:\d+: ZeroDivisionError"),
    ],
)
def test_a_rule_that_a_learner_breaks_is_named(tmp_path, body, problem):
    with pytest.raises(AssertionError, match=problem):
        assert_contract(ref(tmp_path, LEARNER, body), "CartPole-v1")


def test_a_saved_policy_can_be_checked(litert_policy):
    assert_contract(str(litert_policy), "CartPole-v1")


def test_an_agent_that_does_not_fit_is_not_a_broken_one():
    with pytest.raises(DoesNotFit):
        check("q_learning", "Pendulum-v1")
