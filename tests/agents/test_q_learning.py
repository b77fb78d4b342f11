"""Q-learning: updates worked by hand, exact resume, and what its presets reach."""

import math
import tomllib
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import agents.q_learning
import envs
from agents.q_learning import QLearning
from arena import policy as policies
from arena import seeding
from arena.agent import Spec, Transition
from arena.errors import DamagedFile, DoesNotFit
from arena.evaluation import play
from arena.loop import Event, run

PRESETS = tomllib.loads((Path(agents.q_learning.__file__).parent / "presets" / "q_learning.toml").read_text())
VECTOR = Spec("Some-v0", gym.spaces.Box(-1.0, 1.0, (2,)), gym.spaces.Discrete(3))


def table(num_rows: int = 1, seed: int = 0, **settings) -> QLearning:
    spec = Spec("Some-v0", gym.spaces.Discrete(4), gym.spaces.Discrete(2), num_rows=num_rows)
    return QLearning(spec, seed=seed, settings=settings)


def learn_from(agent: QLearning, obs, action, reward, next_obs, terminated=False, truncated=False):
    """Lets the agent learn from one step of one row, or of several rows where lists are given."""
    ends = [np.full(np.shape(np.atleast_1d(action)), end) for end in (terminated, truncated)]
    parts = [np.atleast_1d(part) for part in (obs, action, reward)]
    agent.observe(Transition(*parts, *ends, np.atleast_1d(next_obs), {}))
    return agent.learn()


def training_seed(root: int):
    return lambda episode: seeding.episode_seed(root, seeding.Stream.TRAINING, episode)


def train(
    agent: QLearning, env, root: int, num_episodes: int | None = None, num_steps: int | None = None
) -> list[Event]:
    """Trains for a number of episodes or steps; returns the events."""
    events = []
    for event in run(env, agent, training_seed(root), num_episodes=num_episodes):
        events.append(event)
        agent.progress = event.step / num_steps if num_steps else 0.0
        agent.observe(event.transition)
        agent.learn()
        if event.step == num_steps:
            break
    return events


def greedy_returns(agent: QLearning, env_id: str, num_episodes: int) -> np.ndarray:
    env = envs.make(env_id, 4)
    episodes = play(env, agent.policy(), lambda i: seeding.episode_seed(0, seeding.Stream.EVALUATION, i), num_episodes)
    return np.array([episode.ret for episode in episodes])


def test_a_step_moves_the_value_towards_reward_and_discounted_best_successor():
    agent = table(learning_rate=0.5, discount=0.9, initial_value=2.0)
    learn_from(agent, 0, 1, 1.0, 3)
    # 2 + .5 (1 + .9 * 2 - 2) = 2.4
    assert agent.weights()["q"] == pytest.approx(np.array([[2, 2.4], [2, 2], [2, 2], [2, 2]]))


@pytest.mark.parametrize(
    ("terminated", "truncated", "value"), [(True, False, 3.0), (False, True, 3.9), (True, True, 3.0)]
)
def test_an_end_is_worth_nothing_more_but_a_cut_is_worth_its_successor(terminated, truncated, value):
    agent = table(learning_rate=1.0, discount=0.9, initial_value=1.0)
    learn_from(agent, 0, 0, 3.0, 1, terminated, truncated)
    assert agent.weights()["q"][0, 0] == pytest.approx(value)


@pytest.mark.parametrize(("truncated", "value"), [(False, -400.0), (True, 1.0)])
def test_a_fall_costs_its_price_unless_the_episode_is_at_its_cap(truncated, value):
    agent = table(learning_rate=1.0, fall_reward=-400.0)
    learn_from(agent, 0, 0, 1.0, 1, terminated=True, truncated=truncated)
    assert agent.weights()["q"][0, 0] == value


def test_the_rate_of_a_pair_falls_with_its_visits():
    agent = table(learning_rate=0.5, learning_rate_decay=1.0)
    for _ in range(2):
        learn_from(agent, 0, 0, 8.0, 1, terminated=True)
    learn_from(agent, 0, 1, 8.0, 1, terminated=True)
    # Rates .5 and .25: 4, then 4 + .25 (8 - 4) = 5; the other action is at its first visit.
    assert agent.weights()["q"][0].tolist() == [5.0, 4.0]


def test_rows_learn_in_order_each_from_what_the_rows_before_have_changed():
    agent = table(num_rows=2, learning_rate=1.0, discount=0.5)
    learn_from(agent, [1, 0], [0, 0], [4.0, 1.0], [2, 1])
    # Row 0: q(1, 0) = 4 + .5 * 0. Row 1 sees it: q(0, 0) = 1 + .5 * 4.
    assert agent.weights()["q"][:2, 0].tolist() == [3.0, 4.0]


def test_epsilon_falls_with_the_root_of_the_episodes():
    agent = table()
    seen = [learn_from(agent, 0, 0, 0.0, 1, terminated=True)["epsilon"] for _ in range(3)]
    assert seen == pytest.approx([1 / math.sqrt(2), 1 / math.sqrt(3), 1 / 2])


def test_epsilon_can_fall_in_a_line_over_the_training():
    agent = table(epsilon_schedule="linear", epsilon_start=0.5, epsilon_end=0.1, epsilon_fraction=0.8)
    agent.progress = 0.4
    assert learn_from(agent, 0, 0, 0.0, 1, terminated=True)["epsilon"] == pytest.approx(0.3)


def test_metrics_come_with_the_ends_of_episodes():
    agent = table(learning_rate=1.0, discount=1.0)
    assert learn_from(agent, 0, 0, 2.0, 1) == {}
    assert agent.learn() == {}
    # Errors 2 and -4: 3 on average.
    assert learn_from(agent, 1, 0, -4.0, 2, terminated=True)["td_error"] == 3.0


def test_features_take_the_step_that_their_formula_says():
    agent = QLearning(VECTOR, seed=0, settings={"learning_rate": 0.25, "discount": 0.5, "features_per_width": 50})
    rbf = agent.policy().function
    obs, next_obs = np.float32([[0.5, -0.5]]), np.float32([[0.6, -0.4]])
    learn_from(agent, obs, 1, 2.0, next_obs)
    x = np.cos(((obs[0] - rbf.mean) / rbf.scale) @ rbf.w + rbf.b)
    # All values are 0 before, so the error is 2; the rate is .25, times 2 / 50 for features of unit norm per kernel.
    assert agent.weights()["q"][:, 1] == pytest.approx(0.25 * 2 / 50 * 2.0 * x, abs=1e-4)
    assert not agent.weights()["q"][:, [0, 2]].any()


def test_features_stand_for_the_kernels_of_their_widths():
    agent = QLearning(VECTOR, seed=0, settings={"widths": [0.5], "features_per_width": 20_000})
    rbf = agent.policy().function
    x, y = np.float32([0.1, 0.2]), np.float32([0.6, -0.3])
    estimate = 2 / 20_000 * rbf.features(x) @ rbf.features(y)
    # Standardised by the deviation of a uniform on [-1, 1], 1/sqrt(3): |x - y|^2 = 3 * (.25 + .25) = 1.5.
    assert estimate == pytest.approx(math.exp(-0.5 * 1.5), abs=0.02)


@pytest.mark.parametrize(
    ("samples", "mean", "deviation"), [("bounds", 0.0, 2 / math.sqrt(12)), ("unit", 0.5, 1 / math.sqrt(12))]
)
def test_observations_are_standardised_on_uniform_samples(samples, mean, deviation):
    rbf = QLearning(VECTOR, seed=0, settings={"samples": samples}).policy().function
    assert rbf.mean == pytest.approx(mean, abs=0.02)
    assert rbf.scale == pytest.approx(deviation, abs=0.02)


def test_play_explores_as_often_as_epsilon_says():
    agent = table(num_rows=1, epsilon_start=0.2, epsilon_end=0.2)
    agent.weights()["q"][:, 1] = 1.0
    actions = np.concatenate([agent.act(np.zeros(10, np.int64), ()).action for _ in range(1000)])
    # Half of the explored 20% choose action 0 of 10,000: 1,000, with a deviation of 30.
    assert abs((actions == 0).sum() - 1000) < 150


def test_the_policy_is_frozen_and_plays_greedily():
    agent = table(learning_rate=1.0)
    learn_from(agent, 0, 1, 1.0, 1, terminated=True)
    policy = agent.policy()
    learn_from(agent, 0, 0, 9.0, 1, terminated=True)
    assert policy.act(np.zeros(1, np.int64), ()).action.tolist() == [1]
    assert agent.policy().act(np.zeros(1, np.int64), ()).action.tolist() == [0]


@pytest.mark.parametrize("num_rows", [1, 3])
def test_training_resumed_from_its_state_is_the_same_to_the_bit(tmp_path, num_rows):
    settings = {"samples": "unit", "features_per_width": 20}
    env = envs.make("CartPole-v0", num_rows)
    agent, other = (QLearning(env.spec, seed=seed, settings=settings) for seed in (0, 1))
    train(agent, env, 0, num_episodes=9)
    agent.save_state(tmp_path)
    other.restore_state(tmp_path)
    returns = [[episode.ret for event in train(one, env, 5, 9) for episode in event.finished] for one in (agent, other)]
    assert returns[0] == returns[1]
    assert np.array_equal(agent.weights()["q"], other.weights()["q"])


@pytest.mark.parametrize("env_id", ["CartPole-v0", "FrozenLake-v1"])
def test_a_saved_policy_answers_the_same_whatever_the_batch(tmp_path, env_id):
    env = envs.make(env_id, 5)
    agent = QLearning(env.spec, seed=0, settings={"samples": "unit"})
    events = train(agent, env, 0, num_episodes=10)
    obs = events[3].transition.obs
    loaded = policies.load(policies.save(agent.policy(), tmp_path / "final"))
    together = loaded.act(obs, ()).extras["q"]
    assert np.array_equal(together, agent.policy().act(obs, ()).extras["q"])
    assert np.array_equal(together[2:3], loaded.act(obs[2:3], ()).extras["q"])


def test_the_features_left_by_learning_are_those_of_the_next_observation():
    env = envs.make("CartPole-v0", 2)
    agent = QLearning(env.spec, seed=0, settings={"samples": "unit"})
    for event in run(env, agent, training_seed(0), num_episodes=8):
        agent.observe(event.transition)
        agent.learn()
        for row, x in zip(event.transition.next_obs, agent._encoded, strict=True):
            assert np.array_equal(x, agent.policy().function.features(row))


def test_values_start_from_another_run_and_visits_anew(tmp_path):
    first = table(learning_rate=0.5, learning_rate_decay=1.0)
    learn_from(first, 0, 0, 8.0, 1, terminated=True)
    first.save_state(tmp_path)
    second = table(learning_rate=0.5, learning_rate_decay=1.0)
    second.load_weights(tmp_path)
    learn_from(second, 0, 0, 8.0, 1, terminated=True)
    # 4, and half the way to 8 once more: the rate is that of a first visit.
    assert second.weights()["q"][0, 0] == 6.0


def test_a_foreign_state_is_refused_and_changes_nothing(tmp_path):
    QLearning(VECTOR, seed=0, settings={"features_per_width": 3}).save_state(tmp_path)
    agent = table(initial_value=1.0)
    with pytest.raises(DamagedFile, match="another agent"):
        agent.restore_state(tmp_path)
    with pytest.raises(DoesNotFit, match="another agent"):
        agent.load_weights(tmp_path)
    assert (agent.weights()["q"] == 1.0).all()


@pytest.mark.parametrize(
    ("observations", "actions", "settings", "message"),
    [
        (gym.spaces.Discrete(3), gym.spaces.Box(-1.0, 1.0, (1,)), {}, "not a discrete set"),
        (gym.spaces.Box(0, 255, (8, 8), np.uint8), gym.spaces.Discrete(2), {}, "vector observations"),
        (gym.spaces.Box(-np.inf, np.inf, (4,)), gym.spaces.Discrete(2), {}, "set samples to 'unit'"),
    ],
)
def test_spaces_that_it_cannot_handle_are_refused_in_one_line(observations, actions, settings, message):
    with pytest.raises(DoesNotFit, match=message) as caught:
        QLearning(Spec("Some-v0", observations, actions), seed=0, settings=settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_are_settings_that_the_agent_knows(name):
    assert {"steps", "num_envs", "settings"} <= set(PRESETS[name])
    QLearning.Settings.model_validate(PRESETS[name]["settings"])


def train_with_preset(env_id: str, seed: int, num_episodes: int | None = None) -> tuple[QLearning, list[float]]:
    """Returns the agent after its preset's budget (or a number of episodes), and the training's returns."""
    env, preset = envs.make(env_id, PRESETS[env_id]["num_envs"]), PRESETS[env_id]
    agent = QLearning(env.spec, seed=seed, settings=preset["settings"])
    events = train(agent, env, seed, num_episodes, None if num_episodes else preset["steps"])
    return agent, [episode.ret for event in events for episode in event.finished]


def test_the_cliff_is_passed_on_the_shortest_path():
    agent, _ = train_with_preset("CliffWalking-v1", 0)
    assert greedy_returns(agent, "CliffWalking-v1", 2).tolist() == [-13.0, -13.0]


@pytest.mark.slow
def test_taxi_reaches_seven_and_a_half():
    agent, _ = train_with_preset("Taxi-v4", 0)
    assert greedy_returns(agent, "Taxi-v4", 1000).mean() >= 7.5


@pytest.mark.slow
def test_the_frozen_lake_is_crossed_in_four_games_of_five():
    agent, _ = train_with_preset("FrozenLake8x8-v1", 0)
    assert greedy_returns(agent, "FrozenLake8x8-v1", 1000).mean() >= 0.8


@pytest.mark.slow
def test_cart_pole_is_solved_by_the_cookbooks_measure():
    _, returns = train_with_preset("CartPole-v0", 0, num_episodes=1000)
    assert np.mean(returns[-100:]) >= 195.7
