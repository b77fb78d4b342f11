"""DQN with memory: what an update makes of a sequence, what is replayed, exact resume, and a task that needs memory."""

from __future__ import annotations

from collections.abc import Iterator

import gymnasium as gym
import numpy as np
import pytest

from agents.dqn import DQN
from agents.parts.sequence_replay import Sequences
from agents.parts.td import compiled_sequence_updates
from agents.parts.tensorflow import load
from arena import loop, seeding
from arena import policy as policies
from arena.agent import Spec, Transition
from arena.errors import DamagedFile, InvalidValue
from arena.testing import assert_contract
from envs.rows import Rows, Step

SMALL = {
    "network": "lstm",
    "memory_size": 5,
    "hidden": [8],
    "sequence_length": 3,
    "burn_in": 2,
    "batch_size": 4,
    "buffer_size": 60,
    "learning_starts": 20,
    "target_period_steps": 24,
    "train_period_steps": 8,
    "updates_per_training": 2,
}
BOX = gym.spaces.Box(-1.0, 1.0, (3,), np.float32)


@pytest.fixture(autouse=True)
def interpreted(request: pytest.FixtureRequest) -> Iterator[None]:
    """Runs updates without compiling them, which takes seconds, but in the tests marked slow."""
    load().config.run_functions_eagerly(request.node.get_closest_marker("slow") is None)
    yield
    load().config.run_functions_eagerly(False)


# Updates, by hand: of a "network" that remembers the sum of what it saw, the old sum faded, and values it by action.


class Sum:
    def __init__(self, weights, fade=1.0):
        tf = load()
        self.weights, self.fade = tf.Variable(weights, dtype=tf.float32), tf.Variable(fade)
        self.trainable_variables = [self.weights, self.fade]

    def unroll(self, obs, state, begins):
        tf, states = load(), []
        for t in range(obs.shape[0]):
            state = tf.where(begins[t][:, None], 0.0, self.fade * state) + obs[t]
            states.append(state)
        return {"q": tf.stack(states) * self.weights}, tf.stack(states)


class Descent:
    """Gradient descent at a rate of 1 that keeps the gradients it saw."""

    def __init__(self):
        self.seen = []

    def apply(self, gradients, variables):
        self.seen = [float(x) for gradient in gradients for x in np.ravel(gradient)]
        for gradient, variable in zip(gradients, variables, strict=True):
            variable.assign_sub(gradient)


def sequence_of(obs, next_obs, reward, *, action=None, discount=None, begins=None, leans_on=None, memory=10.0):
    """One sequence of one update, [T, 1, 1, ...]."""
    length = len(obs)

    def column(values, dtype):
        return np.array(values, dtype).reshape(length, 1, 1)

    return Sequences(
        column(obs, np.float32)[..., None],
        column(action or [0] * length, np.int32),
        column(reward, np.float32),
        column(discount or [0.5] * length, np.float32),
        column(next_obs, np.float32)[..., None],
        column(begins or [False] * length, bool),
        column(leans_on or range(length), np.int32),
        np.full((1, 1, 1), memory, np.float32),
    )


def updated(sequences, online, target, *, burn_in=1, double=False):
    """Returns the mean loss, the mean value and the gradients of one update."""
    descent = Descent()
    update = compiled_sequence_updates(
        online,
        target,
        descent,
        burn_in=burn_in,
        double=double,
        rescale=False,
        loss="squared",
        max_gradient_norm=0.0,
        xla=False,
    )
    loss, mean_q = update(*sequences)
    return float(loss), float(mean_q), descent.seen


def test_an_update_values_the_steps_after_the_burn_in_with_the_memory_that_it_leaves():
    sequences = sequence_of([1, 2, 4], [2, 4, 8], [9, 3, 5], action=[0, 1, 0])
    # The memory is 10 + 1 after the burn-in, then 13 and 17: values 13 x 2 and 17 x 1. After the next observations it
    # is 13 + 4 and 17 + 8, worth 17 x 3 and 25 x 3 to the target network.
    errors = 3 + 0.5 * 51 - 26, 5 + 0.5 * 75 - 17  # 2.5, 25.5
    loss, mean_q, gradient = updated(sequences, Sum([1, 2]), Sum([1, 3]))
    assert loss == pytest.approx((errors[0] ** 2 + errors[1] ** 2) / 2)
    assert mean_q == pytest.approx((26 + 17) / 2)
    assert gradient[:2] == pytest.approx([-errors[1] * 17, -errors[0] * 13])


def test_double_values_the_choice_of_the_online_network():
    sequences = sequence_of([2], [4], [3], memory=11.0)
    # The memory is 13, then 17: the online network prefers action 0 (34), which is worth 17 to the target network.
    loss, _, _ = updated(sequences, Sum([2, 1]), Sum([1, 3]), burn_in=0, double=True)
    assert loss == pytest.approx((3 + 0.5 * 17 - 26) ** 2)


def test_no_gradient_goes_back_into_the_burn_in_but_into_the_steps_after_it():
    # With fade f the memory is 10 f + 1 = 6 after the burn-in, s = 6 f + 2 = 5 at the step learned from, whose value
    # is s. The target is 7; the gradient of (7 - s)^2 by f is -2 x 2 x 6, and would be -2 x 2 x (6 + 10 f) through it.
    sequences = sequence_of([1, 2], [0, 0], [0, 7], discount=[0.0, 0.0])
    _, _, gradient = updated(sequences, Sum([1, 0], fade=0.5), Sum([1, 0], fade=0.5))
    assert gradient[2] == pytest.approx(-24.0)
    # Without burn-in both steps are learned from: 10 f + 1 = 6 has the target 0, and s depends on f twice.
    _, _, gradient = updated(sequences, Sum([1, 0], fade=0.5), Sum([1, 0], fade=0.5), burn_in=0)
    assert gradient[2] == pytest.approx((2 * 6 * 10 - 2 * 2 * (6 + 0.5 * 10)) / 2)


def test_memory_begins_anew_with_an_episode_and_one_that_was_cut_off_leans_on_its_own_successor():
    sequences = sequence_of([2, 4], [100, 8], [3, 5], begins=[False, True])
    # The memory is 12, worth 12; its successor makes it 112. Then an episode begins: 4, and 12 after.
    errors = 3 + 0.5 * 112 - 12, 5 + 0.5 * 12 - 4
    loss, mean_q, _ = updated(sequences, Sum([1, 0]), Sum([1, 0]), burn_in=0)
    assert mean_q == pytest.approx((12 + 4) / 2)
    assert loss == pytest.approx((errors[0] ** 2 + errors[1] ** 2) / 2)


def test_an_episode_that_begins_in_the_burn_in_forgets_the_stored_memory():
    sequences = sequence_of([1, 2, 4], [0, 0, 0], [0, 0, 0], discount=[0.0] * 3, begins=[False, True, False])
    _, mean_q, _ = updated(sequences, Sum([1, 0]), Sum([1, 0]), burn_in=2)
    assert mean_q == pytest.approx(2 + 4)


def test_targets_of_several_steps_lean_on_the_memory_after_the_last_of_them():
    sequences = sequence_of([1, 2, 4], [2, 4, 8], [0, 3, 5], discount=[0, 0.25, 0.5], leans_on=[2, 2, 2])
    # The memory is 13 and 17 at the steps learned from; both lean on 17 + 8 = 25.
    errors = 3 + 0.25 * 25 - 13, 5 + 0.5 * 25 - 17
    loss, _, _ = updated(sequences, Sum([1, 0]), Sum([1, 0]))
    assert loss == pytest.approx((errors[0] ** 2 + errors[1] ** 2) / 2)


@pytest.mark.parametrize("double", [False, True])
def test_updates_in_one_call_are_those_of_one_call_each(double):
    pair = [sequence_of([1, 2], [2, 4], [0.5, 0.25]), sequence_of([0.5, 1], [1, 2], [1, 1], begins=[False, True])]
    both = Sequences(*(np.concatenate(arrays, 1) for arrays in zip(*pair, strict=True)))
    both = both._replace(memory=np.concatenate([one.memory for one in pair]))
    how = {"burn_in": 1, "double": double, "rescale": False, "loss": "huber", "max_gradient_norm": 0.1, "xla": False}
    weights = []
    for calls in ([both], pair):
        online = Sum([0.1, 0.2])
        update = compiled_sequence_updates(online, Sum([0.2, 0.1]), Descent(), **how)
        for sequences in calls:
            update(*sequences)
        weights.append(online.weights.numpy())
    np.testing.assert_allclose(weights[0], weights[1], rtol=1e-5)


# The agent.


def new(num_rows=2, seed=1, space=BOX, **settings):
    return DQN(Spec("Test-v0", space, gym.spaces.Discrete(3), num_rows=num_rows), seed=seed, settings=SMALL | settings)


def tape_of(num_steps, num_rows=2, seed=0):
    """Returns (obs, reward, terminated, truncated, next_obs) of noise; about every fifth step ends an episode."""
    rng, tape = np.random.default_rng(seed), []
    obs = rng.normal(size=(num_rows, 3)).astype(np.float32)
    for _ in range(num_steps):
        terminated, truncated = (rng.random(num_rows) < 0.1 for _ in range(2))
        next_obs, begun = (rng.normal(size=(num_rows, 3)).astype(np.float32) for _ in range(2))
        tape.append((obs, rng.normal(size=num_rows), terminated, truncated, next_obs))
        obs = np.where((terminated | truncated)[:, None], begun, next_obs)
    return tape


def follow(agent, tape, state):
    """Acts, observes and learns as the loop and the trainer do; returns the state after it, and the decisions."""
    decisions = []
    for obs, reward, terminated, truncated, next_obs in tape:
        decision = agent.act(obs, state)
        agent.observe(Transition(obs, decision.action, reward, terminated, truncated, next_obs, decision.extras))
        agent.learn()
        state = decision.state
        decisions.append(decision._replace(state=None))
        rows = np.flatnonzero(terminated | truncated)
        state[rows] = agent.initial_state(rows)
    return state, decisions


def begun(agent, num_rows=2):
    return agent.begin(np.arange(num_rows), np.arange(num_rows))


@pytest.mark.parametrize("network", ["lstm", "gru"])
def test_what_is_unrolled_from_the_replay_is_what_was_acted(network):
    agent = new(network=network, learning_starts=1000, num_steps=2)
    tape = tape_of(30)
    _, decisions = follow(agent, tape, begun(agent))
    acted = {
        obs[row].tobytes(): decision.extras["q"][row]
        for (obs, *_), decision in zip(tape, decisions, strict=True)
        for row in range(2)
    }
    batch = agent._replay.sample(np.random.default_rng(0), agent._replay.new_batch(16))
    assert batch.begins.any()
    heads, _ = agent._network.unroll(batch.obs, batch.memory, batch.begins)
    expected = [[acted[obs.tobytes()] for obs in step] for step in batch.obs]
    np.testing.assert_allclose(heads["q"], expected, rtol=1e-4, atol=1e-5)


def test_learning_begins_when_there_is_a_sequence_of_every_row():
    agent = new(num_rows=4, learning_starts=0, train_period_steps=1)
    metrics = []
    state = begun(agent, 4)
    for one in tape_of(6, num_rows=4):
        state, _ = follow(agent, [one], state)
        metrics.append(int(agent._optimizer.iterations) > 0)
    assert metrics == [False] * 4 + [True] * 2  # sequences are of 2 + 3 steps


@pytest.mark.parametrize("num_before", [3, 17, 41], ids=["no sequence yet", "between updates", "gone round"])
def test_a_restored_learner_goes_on_bit_for_bit(num_before, tmp_path):
    one, other = new(seed=1), new(seed=2)
    tape = tape_of(60)
    state, _ = follow(one, tape[:num_before], begun(one))
    one.save_state(tmp_path)
    other.restore_state(tmp_path)
    restored = begun(other)  # what the loop asks for when it goes on
    np.testing.assert_array_equal(restored, state)
    _, decisions = follow(one, tape[num_before:], state)
    _, again = follow(other, tape[num_before:], restored)
    assert [d.action.tolist() for d in decisions] == [d.action.tolist() for d in again]
    for mine, theirs in zip(one.weights().values(), other.weights().values(), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    assert not begun(other).any()  # only the first time


def test_rows_at_an_end_when_they_are_saved_remember_nothing_afterwards(tmp_path):
    one, other = new(), new(seed=2)
    obs = np.ones((2, 3), np.float32)
    decision = one.act(obs, begun(one))
    ends = np.array([True, False])
    one.observe(Transition(obs, decision.action, np.zeros(2), ends, ~ends & False, obs, decision.extras))
    one.save_state(tmp_path)
    other.restore_state(tmp_path)
    restored = begun(other)
    assert not restored[0].any()
    np.testing.assert_array_equal(restored[1], decision.state[1])


def test_episodes_that_cannot_be_brought_back_are_forgotten(tmp_path):
    one, other = new(), new(seed=2)
    follow(one, tape_of(9), begun(one))
    one.save_state(tmp_path)
    other.restore_state(tmp_path)
    other.forget_unfinished()
    assert not begun(other).any()
    follow(other, tape_of(1), other.initial_state(np.arange(2)))
    batch = other._replay.sample(np.random.default_rng(0), other._replay.new_batch(200))
    assert batch.begins[-1].any()  # at the newest step, the one after the restore


def test_a_state_of_another_memory_is_refused(tmp_path):
    new(memory_size=4).save_state(tmp_path)
    with pytest.raises(DamagedFile):
        new().restore_state(tmp_path)


def test_its_policy_remembers_as_it_does(tmp_path):
    agent = new(learning_starts=1000, epsilon_start=0.0, epsilon_end=0.0)
    loaded = policies.load(policies.save(agent.policy(), tmp_path / "best"))
    mine, theirs = agent.initial_state(np.arange(2)), loaded.initial_state(np.arange(2))
    for obs, *_ in tape_of(6):
        one, other = agent.act(obs, mine), loaded.act(obs, theirs)
        np.testing.assert_allclose(other.extras["q"], one.extras["q"], rtol=1e-4, atol=1e-5)
        assert other.action.tolist() == one.action.tolist()
        mine, theirs = one.state, other.state
    without = agent.act(obs, agent.initial_state(np.arange(2)))
    assert np.abs(without.extras["q"] - one.extras["q"]).max() > 1e-4


def test_it_learns_from_pictures():
    space = gym.spaces.Box(0, 255, (2, 44, 44), np.uint8)
    spec = Spec("Tiny-v0", space, gym.spaces.Discrete(3), preprocess="atari")
    agent = DQN(spec, seed=0, settings=SMALL | {"learning_starts": 16})
    rng, state = np.random.default_rng(0), agent.initial_state(np.arange(1))
    obs = rng.integers(0, 256, (1, 2, 44, 44), np.uint8)
    given = []
    for _ in range(24):
        next_obs = np.concatenate([obs[:, 1:], rng.integers(0, 256, (1, 1, 44, 44), np.uint8)], axis=1)
        decision = agent.act(obs, state)
        nothing = np.zeros(1, bool)
        agent.observe(Transition(obs, decision.action, np.ones(1), nothing, nothing, next_obs, decision.extras))
        given.append(agent.learn())
        obs, state = next_obs, decision.state
    assert [step for step, metrics in enumerate(given, start=1) if metrics] == [24]
    assert np.isfinite(float(given[-1]["loss"]))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"buffer_size": 9}, "9 transitions is too small for sequences of 5 steps of 2 rows"),
        ({"num_steps": 4}, "num_steps 4 is more than sequence_length 3"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings, message):
    with pytest.raises(InvalidValue, match=message) as caught:
        new(**settings)
    assert "\n" not in str(caught.value)


class Remembering(DQN):
    """DQN with memory and small settings, for the contract."""

    class Settings(DQN.Settings):
        network: str = "lstm"
        hidden: tuple[int, ...] = (8,)
        memory_size: int = 5
        learning_starts: int = 50
        batch_size: int = 8
        train_period_steps: int = 50
        updates_per_training: int = 2


def test_it_keeps_the_contract():
    assert_contract(f"{__file__}:Remembering", "CartPole-v1")


class Recall(Rows):
    """Shows one of two cues, then nothing, then asks: only the answer that names the cue is rewarded, with 1."""

    length = 8
    blank, question = 2, 3

    def __init__(self, num_rows: int) -> None:
        self.num_rows = num_rows
        spaces = gym.spaces.Discrete(4), gym.spaces.Discrete(2)
        self.spec = Spec("Recall-v0", *spaces, num_rows=num_rows, max_episode_steps=self.length)
        self.cues, self.times = (np.zeros(num_rows, np.int64) for _ in range(2))

    def reset(self, rows, seeds):
        self.times[rows] = 0
        self.cues[rows] = [np.random.default_rng(seed).integers(2) for seed in seeds]
        return self.cues[rows]

    def step(self, actions):
        terminated = self.times == self.length - 1
        reward = np.where(terminated & (actions == self.cues), 1.0, 0.0)
        self.times = self.times + 1
        obs = np.where(self.times == self.length - 1, self.question, self.blank)
        return Step(obs, reward, terminated, np.zeros(self.num_rows, bool))

    def render(self):
        return np.zeros((2, 2, 3), np.uint8)


@pytest.mark.slow
@pytest.mark.parametrize("network", ["lstm", "gru", "mlp"])
def test_with_memory_it_answers_at_least_90_of_100_questions_and_without_it_about_half(network):
    settings = {
        "network": network,
        "memory_size": 16,
        "hidden": [16],
        "learning_rate": 5e-3,
        "discount": 0.9,
        "num_steps": 2,
        "sequence_length": 16,
        "burn_in": 0,
        "batch_size": 16,
        "buffer_size": 4_000,
        "learning_starts": 200,
        "target_period_steps": 100,
        "train_period_steps": 20,
        "updates_per_training": 2,
        "epsilon_fraction": 0.5,
    }
    env, num_steps = Recall(4), 6_000
    agent = DQN(env.spec, seed=0, settings=settings)
    for event in loop.run(env, agent, lambda i: seeding.episode_seed(0, seeding.Stream.TRAINING, i)):
        agent.progress = event.step / num_steps
        agent.observe(event.transition)
        agent.learn()
        if event.step >= num_steps:
            break
    seed_of = lambda i: seeding.episode_seed(0, seeding.Stream.SELECTION, i)  # noqa: E731
    played = loop.run(Recall(10), agent.policy(), seed_of, num_episodes=100)
    right = sum(episode.ret for event in played for episode in event.finished)
    assert (right >= 90) if network != "mlp" else (30 <= right <= 70)  # 50 +- 4 standard deviations
