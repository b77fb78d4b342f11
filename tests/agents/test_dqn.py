from __future__ import annotations

import itertools

import gymnasium as gym
import numpy as np
import pytest

from agents.dqn import DQN
from agents.parts.td import compiled_updates, rescaled, td_loss, td_targets, unscaled
from agents.parts.tensorflow import load
from arena import loop, seeding
from arena import policy as policies
from arena.agent import Mode, Spec, Transition
from arena.errors import DamagedFile, DoesNotFit
from envs.gym_rows import GymRows
from envs.rows import Rows, Step

SMALL = {
    "learning_rate": 1e-2,
    "batch_size": 16,
    "buffer_size": 500,
    "learning_starts": 32,
    "target_period_steps": 32,
    "train_period_steps": 4,
    "updates_per_training": 1,
    "epsilon_fraction": 0.5,
    "hidden": [16],
}


class Identity(Rows):
    """Two states; the action that names the state is worth 1. An episode has ten steps and is then cut off."""

    def __init__(self, num_rows: int) -> None:
        self.num_rows = num_rows
        two = gym.spaces.Discrete(2)
        self.spec = Spec("Identity-v0", two, two, num_rows=num_rows, max_episode_steps=10)
        self.rngs = [np.random.default_rng(row) for row in range(num_rows)]
        self.states = np.zeros(num_rows, np.int64)

    def reset(self, rows, seeds):
        for row, seed in zip(rows, seeds, strict=True):
            self.rngs[row] = np.random.default_rng(seed)
            self.states[row] = self.rngs[row].integers(2)
        return self.states[rows]

    def step(self, actions):
        reward = (actions == self.states).astype(np.float64)
        self.states = np.array([rng.integers(2) for rng in self.rngs])
        nothing = np.zeros(self.num_rows, bool)
        return Step(self.states, reward, nothing, nothing)

    def render(self):
        return np.zeros((2, 2, 3), np.uint8)


def train(env, agent, num_steps, start=0):
    """Trains over `num_steps` environment steps and returns the metrics of all learn() calls that gave some."""
    given = []
    for event in loop.run(env, agent, lambda i: seeding.episode_seed(0, seeding.Stream.TRAINING, i)):
        agent.progress = min(1.0, (start + event.step) / 1000)
        agent.observe(event.transition)
        metrics = agent.learn()
        if metrics:
            given.append(metrics)
        if event.step >= num_steps:
            return given


def arrays_equal(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one.values(), other.values(), strict=True))


def cartpole_spec(**changes):
    env = gym.make("CartPole-v1")
    return Spec("CartPole-v1", env.observation_space, env.action_space, **changes)


def steps_of(spec, num_steps, reward=1.0):
    """Yields transitions of noise for the rows of `spec`."""
    rng = np.random.default_rng(0)
    rows, shape = spec.num_rows, spec.observation_space.shape
    obs = rng.normal(size=(rows, *shape)).astype(np.float32)
    for _ in range(num_steps):
        next_obs = rng.normal(size=(rows, *shape)).astype(np.float32)
        action = rng.integers(0, spec.num_actions, rows)
        nothing = np.zeros(rows, bool)
        yield Transition(obs, action, np.full(rows, reward), nothing, nothing, next_obs, {})
        obs = next_obs


def test_targets_take_the_greatest_next_value_unless_the_episode_terminated():
    next_q = np.array([[1.0, 3.0], [5.0, 2.0]], np.float32)
    targets = td_targets(np.array([1.0, -1.0], np.float32), np.array([0.5, 0.0], np.float32), next_q, next_q)
    np.testing.assert_allclose(targets.numpy(), [2.5, -1.0])  # 1 + .5 * 3; -1


def test_double_targets_value_the_choice_of_the_online_network():
    next_q, chooser_q = np.array([[1.0, 3.0]], np.float32), np.array([[0.2, 0.1]], np.float32)
    targets = td_targets(np.array([1.0], np.float32), np.array([0.5], np.float32), next_q, chooser_q)
    np.testing.assert_allclose(targets.numpy(), [1.5])  # 1 + .5 * 1


def test_rescaled_values_are_square_roots_with_a_slope_and_come_back():
    values, scaled = [0.0, 3.0, -8.0, 99.0], [0.0, 1.003, -2.008, 9.099]  # sqrt(3 + 1) - 1 + .003; ...
    np.testing.assert_allclose(rescaled(np.array(values, np.float32)).numpy(), scaled, rtol=1e-6)
    np.testing.assert_allclose(unscaled(np.array(scaled, np.float32)).numpy(), values, rtol=1e-3)


def test_targets_of_rescaled_values_are_of_the_values_themselves():
    next_q = np.array([[2.008, 0.0]], np.float32)  # of 8 and 0
    targets = td_targets(np.array([-1.0], np.float32), np.array([0.5], np.float32), next_q, next_q, rescale=True)
    np.testing.assert_allclose(targets.numpy(), [1.003], rtol=1e-4)  # of -1 + .5 * 8 = 3


def test_the_huber_loss_is_a_square_up_to_one_and_a_line_beyond():
    error = np.array([-3.0, -0.5, 0.0, 1.0, 2.0], np.float32)
    np.testing.assert_allclose(td_loss(error, "huber").numpy(), [2.5, 0.125, 0.0, 0.5, 1.5])
    np.testing.assert_allclose(td_loss(error, "squared").numpy(), [9.0, 0.25, 0.0, 1.0, 4.0])


def test_updates_in_one_call_are_those_of_one_call_each():
    spec = cartpole_spec()
    agents = [DQN(spec, seed=3, settings=SMALL | {"double": True, "updates_per_training": u}) for u in (4, 1)]
    batch = agents[0]._batch
    rng = np.random.default_rng(0)
    for array in (batch.obs, batch.next_obs, batch.reward):
        array[...] = rng.normal(size=array.shape)
    batch.action[...] = rng.integers(0, 2, batch.action.shape)
    agents[0]._update(*batch)
    for i in range(4):
        agents[1]._update(*(array[i : i + 1] for array in batch))
    for one, other in zip(agents[0].weights().values(), agents[1].weights().values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_a_clipped_gradient_moves_the_weights_by_its_norm_at_most():
    load()
    import keras

    agent = DQN(cartpole_spec(), seed=0, settings=SMALL)
    network = agent._network
    before = agent.weights()
    descent = keras.optimizers.SGD(1.0)
    descent.build(network.trainable_variables)
    update = compiled_updates(
        network, agent._target, descent, double=False, rescale=False, loss="squared", max_gradient_norm=0.5, xla=False
    )
    batch = agent._replay.new_batch(1, 16)
    batch.reward[...], batch.obs[...] = 100.0, 1.0
    update(*batch)
    moved = sum(np.square(new - old).sum() for new, old in zip(agent.weights().values(), before.values(), strict=True))
    assert np.sqrt(moved) == pytest.approx(0.5, rel=1e-4)


def test_observations_are_standardised_by_those_that_were_replayed():
    spec = cartpole_spec()
    agent = DQN(spec, seed=0, settings=SMALL | {"normalize_observations": True, "batch_size": 64})
    for transition in steps_of(spec, 200):
        agent.observe(transition._replace(obs=100 + 5 * transition.obs, next_obs=100 + 5 * transition.next_obs))
        agent.learn()
    mean, variance, _ = (array for name, array in agent.weights().items() if "normalization" in name)
    np.testing.assert_allclose(mean, 100.0, rtol=0.01)
    np.testing.assert_allclose(np.sqrt(variance), 5.0, rtol=0.15)
    obs = np.full((1, 4), 105.0, np.float32)
    played, acted = agent.policy().act(obs, ()), agent.act(obs, ())
    np.testing.assert_allclose(played.extras["q"], acted.extras["q"], rtol=1e-4)


@pytest.mark.parametrize("num_rows", [1, 4])
def test_it_learns_which_action_names_the_state(num_rows):
    env = Identity(num_rows)
    agent = DQN(env.spec, seed=0, settings=SMALL | {"discount": 0.5, "epsilon_end": 1.0})
    metrics = train(env, agent, 1500)
    q = agent.act(np.array([0, 1]), ()).extras["q"]
    # Playing right for ever is worth 1 / (1 - .5) = 2, the other action 0 + .5 * 2 = 1. Being cut off is no end.
    np.testing.assert_allclose(q, [[2.0, 1.0], [1.0, 2.0]], atol=0.2)
    assert set(metrics[-1]) == {"loss", "mean_q", "epsilon"}
    assert float(metrics[-1]["loss"]) < 0.1
    assert float(metrics[-1]["mean_q"]) == pytest.approx(1.5, abs=0.3)  # half of the actions are right
    assert metrics[-1]["epsilon"] == 1.0


def test_training_twice_from_one_seed_gives_equal_bits():
    weights = []
    for seed in (0, 0, 1):
        env = Identity(2)
        agent = DQN(env.spec, seed=seed, settings=SMALL)
        train(env, agent, 200)
        weights.append(agent.weights())
    assert arrays_equal(weights[0], weights[1])
    assert not arrays_equal(weights[0], weights[2])


def test_a_restored_learner_goes_on_bit_for_bit(tmp_path):
    spec = cartpole_spec(num_rows=2)
    settings = SMALL | {"target_period_steps": 40}
    one, other = (DQN(spec, seed=seed, settings=settings) for seed in (1, 2))
    tape = list(steps_of(spec, 60))
    for transition in tape[:37]:
        one.observe(transition)
        one.learn()
        one.act(transition.obs, ())
    one.save_state(tmp_path)
    other.restore_state(tmp_path)
    for agent in (one, other):
        agent.progress = 0.4
    for transition in tape[37:]:
        actions = []
        for agent in (one, other):
            agent.observe(transition)
            agent.learn()
            actions.append(agent.act(transition.obs, ()).action.tolist())
        assert actions[0] == actions[1]
    assert arrays_equal(one.weights(), other.weights())


def test_a_state_of_another_network_is_refused(tmp_path):
    DQN(cartpole_spec(), seed=0, settings=SMALL | {"hidden": [8]}).save_state(tmp_path)
    with pytest.raises(DamagedFile, match="other shapes"):
        DQN(cartpole_spec(), seed=0, settings=SMALL).restore_state(tmp_path)


def test_it_starts_from_another_runs_weights_and_nothing_else(tmp_path):
    spec = cartpole_spec()
    one, other = (DQN(spec, seed=seed, settings=SMALL) for seed in (1, 2))
    one.save_state(tmp_path)
    other.load_weights(tmp_path)
    assert arrays_equal(one.weights(), other.weights())
    assert arrays_equal(other._target.weights(), other.weights())
    with pytest.raises(DoesNotFit):
        DQN(spec, seed=0, settings=SMALL | {"hidden": [8]}).load_weights(tmp_path)


def test_periods_count_the_steps_of_all_rows():
    spec = cartpole_spec(num_rows=4)
    agent = DQN(spec, seed=0, settings=SMALL | {"learning_starts": 20, "train_period_steps": 8})
    made = []
    for transition in steps_of(spec, 9):
        agent.observe(transition)
        made.append(bool(agent.learn()))
    # Steps 4, 8, ... 36: every second call passes a multiple of 8, and step 20 is not yet after 20.
    assert made == [False] * 5 + [True, False, True, False]


def test_more_rows_than_a_training_period_make_up_for_it():
    spec = cartpole_spec(num_rows=8)
    agent = DQN(spec, seed=0, settings=SMALL | {"learning_starts": 8, "train_period_steps": 4})
    for transition in steps_of(spec, 3):
        agent.observe(transition)
        agent.learn()
    assert int(agent._optimizer.iterations) == 2 * 2 * 1  # calls after step 8, trainings in each, updates in each


def test_the_target_network_waits_for_its_period():
    spec = cartpole_spec()
    settings = SMALL | {"learning_starts": 0, "train_period_steps": 2, "target_period_steps": 5}
    agent = DQN(spec, seed=0, settings=settings)
    first = agent.weights()
    for step, transition in enumerate(steps_of(spec, 6), start=1):
        agent.observe(transition)
        before = agent.weights()
        agent.learn()
        if step < 5:
            assert arrays_equal(agent._target.weights(), first)
        if step == 5:
            assert arrays_equal(agent._target.weights(), before)
    assert not arrays_equal(agent._target.weights(), first)


def test_rewards_are_clipped_only_where_asked():
    for clip, expected in ((True, 1.0), (False, 7.0)):
        agent = DQN(cartpole_spec(), seed=0, settings=SMALL | {"reward_clip": clip})
        agent.observe(next(steps_of(agent.spec, 1, reward=7.0)))
        batch = agent._replay.sample(np.random.default_rng(0), agent._batch)
        assert set(batch.reward.ravel().tolist()) == {expected}


def test_epsilon_falls_with_progress_and_decides_how_often_actions_are_random():
    agent = DQN(cartpole_spec(), seed=0, settings=SMALL | {"epsilon_end": 0.0})
    obs = np.tile(np.array([0.1, 0.2, 0.3, 0.4], np.float32), (4000, 1))
    greedy = agent.act(obs, ()).extras["q"].argmax(-1)
    fractions = []
    for agent.progress in (0.0, 0.25, 0.5, 1.0):
        fractions.append((agent.act(obs, ()).action != greedy).mean())
    # Half of the random actions are the greedy one by chance: 1/2, 1/4, 0, 0; three standard deviations are .024.
    np.testing.assert_allclose(fractions, [0.5, 0.25, 0.0, 0.0], atol=0.03)


def test_its_policy_is_saved_and_plays_what_the_network_says(tmp_path):
    agent = DQN(cartpole_spec(), seed=0, settings=SMALL)
    policy = agent.policy()
    assert policy.mode == Mode("greedy")
    loaded = policies.load(policies.save(policy, tmp_path / "best"))
    obs = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    q = agent.act(obs, ()).extras["q"]
    decision = loaded.act(obs, loaded.initial_state(np.arange(50)))
    np.testing.assert_allclose(decision.extras["q"], q, rtol=1e-4, atol=1e-5)
    assert decision.action.tolist() == q.argmax(-1).tolist()
    assert loaded.card.settings["hidden"] == [16]


def test_its_policy_plays_with_the_epsilon_that_was_set():
    agent = DQN(cartpole_spec(), seed=0, settings=SMALL | {"play_epsilon": 0.001})
    assert str(agent.policy().mode) == "epsilon=0.001"


def test_it_learns_from_frame_stacks():
    space = gym.spaces.Box(0, 255, (2, 44, 44), np.uint8)
    spec = Spec("Tiny-v0", space, gym.spaces.Discrete(3), preprocess="atari")
    agent = DQN(spec, seed=0, settings=SMALL | {"network": "cnn-2013", "learning_starts": 16})
    rng = np.random.default_rng(0)
    obs = rng.integers(0, 256, (1, 2, 44, 44), np.uint8)
    given = []
    for _ in range(32):
        next_obs = np.concatenate([obs[:, 1:], rng.integers(0, 256, (1, 1, 44, 44), np.uint8)], axis=1)
        action = agent.act(obs, ()).action
        nothing = np.zeros(1, bool)
        agent.observe(Transition(obs, action, np.ones(1), nothing, nothing, next_obs, {}))
        given.append(agent.learn())
        obs = next_obs
    assert [step for step, metrics in enumerate(given, start=1) if metrics] == [20, 24, 28, 32]
    assert np.isfinite(float(given[31]["loss"]))


def test_what_it_cannot_play_is_refused():
    box = gym.spaces.Box(-1.0, 1.0, (2,), np.float32)
    with pytest.raises(DoesNotFit, match="not a discrete set"):
        DQN(Spec("Continuous-v0", box, box), seed=0)
    with pytest.raises(DoesNotFit, match="Box or Discrete observations"):
        DQN(Spec("Binary-v0", gym.spaces.MultiBinary(3), gym.spaces.Discrete(2)), seed=0)


@pytest.mark.slow
def test_cartpole_from_seed_0_scores_over_150_within_10_000_steps():
    """Over 150 on average in its best of ten evaluations; a random player's games last 22 steps."""
    env = GymRows(lambda: gym.make("CartPole-v1"), cartpole_spec(max_episode_steps=500), 1)
    games = GymRows(lambda: gym.make("CartPole-v1"), cartpole_spec(max_episode_steps=500), 10)
    settings = {
        "learning_rate": 2.3e-3,
        "target_period_steps": 10,
        "train_period_steps": 256,
        "updates_per_training": 128,
        "epsilon_end": 0.04,
    }
    agent = DQN(env.spec, seed=0, settings=settings)
    scores = []
    events = loop.run(env, agent, lambda i: seeding.episode_seed(0, seeding.Stream.TRAINING, i))
    for event in itertools.takewhile(lambda event: event.step <= 10_000, events):
        agent.progress = event.step / 10_000
        agent.observe(event.transition)
        agent.learn()
        if event.step % 1_000 == 0:
            played = loop.run(
                games, agent.policy(), lambda i: seeding.episode_seed(0, seeding.Stream.SELECTION, i), num_episodes=10
            )
            scores.append(np.mean([episode.ret for one in played for episode in one.finished]))
    assert max(scores) > 150
