from collections.abc import Iterator
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import envs
from agents.parts.episodes import EpisodeBuffer
from agents.parts.tensorflow import load
from agents.reinforce import Reinforce
from arena.agent import Spec, Transition
from arena.errors import DamagedFile, DoesNotFit
from arena.evaluation import play
from arena.loop import run
from arena.seeding import Stream, episode_seed

SMALL = {"episodes_per_update": 3, "hidden": (8,), "chunk": 16}
THREE = gym.spaces.Discrete(3)
BOX = gym.spaces.Box(np.array([-2.0, 0.0], np.float32), np.array([2.0, 10.0], np.float32))


@pytest.fixture(autouse=True)
def interpreted(request: pytest.FixtureRequest) -> Iterator[None]:
    """Runs updates without compiling them, which takes seconds; tests with `compiled` in their name do compile."""
    is_compiled = "compiled" in request.node.name or request.node.get_closest_marker("slow")
    load().config.run_functions_eagerly(not is_compiled)
    yield
    load().config.run_functions_eagerly(False)


def agent_for(action_space: gym.Space = THREE, *, num_rows: int = 2, seed: int = 1, **settings) -> Reinforce:
    spec = Spec("Test-v0", gym.spaces.Box(-1.0, 1.0, (3,)), action_space, num_rows=num_rows)
    return Reinforce(spec, seed=seed, settings=SMALL | settings)


def train(agent: Reinforce, num_steps: int, seed: int = 0) -> list[dict[str, float]]:
    """Acts, observes and learns on made-up observations; returns the metrics of the updates."""
    rng = np.random.default_rng(seed)
    n, metrics = agent.spec.num_rows, []
    obs = rng.normal(size=(num_steps + 1, n, 3)).astype(np.float32)
    for t in range(num_steps):
        decision = agent.act(obs[t], ())
        ends = rng.random((2, n)) < 0.15
        agent.observe(Transition(obs[t], decision.action, rng.normal(size=n), *ends, obs[t + 1], decision.extras))
        metrics.append({name: float(value) for name, value in agent.learn().items()})
    return [m for m in metrics if m]


def one_episode(agent: Reinforce, rewards: list[float], *, truncated: bool = False) -> list[Transition]:
    """Plays one episode in a single row; returns its transitions, which the agent has observed."""
    rng = np.random.default_rng(0)
    transitions = []
    for t, reward in enumerate(rewards):
        obs, next_obs = rng.normal(size=(2, 1, 3)).astype(np.float32)
        is_last = np.array([t == len(rewards) - 1])
        decision = agent.act(obs, ())
        ends = is_last & (not truncated), is_last & truncated
        transitions.append(Transition(obs, decision.action, np.array([reward]), *ends, next_obs, decision.extras))
        agent.observe(transitions[-1])
    return transitions


def bits(agent: Reinforce) -> list[bytes]:
    return [array.tobytes() for array in agent.weights().values()]


def test_the_loss_of_one_episode_is_the_one_that_numpy_gives():
    # rewards 1, 2, 3 at discount .5 return 2.75, 3.5, 3: mean 37 / 12
    agent = agent_for(num_rows=1, episodes_per_update=1, discount=0.5, entropy_coefficient=0.1)
    steps = one_episode(agent, [1.0, 2.0, 3.0])
    returns = np.array([2.75, 3.5, 3.0])
    normal = (returns - 37 / 12) / returns.std()
    log_prob = np.array([t.extras["log_prob"][0] for t in steps])
    probs = np.stack([t.extras["probs"][0] for t in steps])
    entropy = -(probs * np.log(probs)).sum(-1).mean()
    metrics = agent.learn()
    assert float(metrics["entropy"]) == pytest.approx(entropy, rel=1e-5)
    assert float(metrics["loss"]) == pytest.approx(-(normal * log_prob).mean() - 0.1 * entropy, rel=1e-4)
    assert metrics["mean_return"] == 6.0


def test_an_action_that_paid_becomes_more_likely():
    agent = agent_for(num_rows=1, episodes_per_update=1, discount=0.0, learning_rate=1e-2)
    steps = one_episode(agent, [0.0, 0.0, 5.0])
    agent.learn()
    paid = steps[-1]
    after = agent._actor.network.act(paid.obs)["logits"][0]
    probs = np.exp(after) / np.exp(after).sum()
    assert probs[paid.action[0]] > paid.extras["probs"][0, paid.action[0]]


def test_an_update_does_not_depend_on_the_size_of_its_chunks():
    small, large = (agent_for(num_rows=1, episodes_per_update=1, baseline="value", chunk=chunk) for chunk in (4, 64))
    for agent in (small, large):
        one_episode(agent, list(range(10)))
        agent.learn()
    for one, other in zip(small.weights().values(), large.weights().values(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_cut_episode_goes_on_with_the_value_of_its_successor_where_there_is_a_baseline():
    agent = agent_for(num_rows=1, episodes_per_update=1, baseline="value", discount=0.5, normalize_returns=False)
    steps = one_episode(agent, [1.0, 1.0], truncated=True)
    value = float(agent._actor.value(steps[-1].next_obs)[0])
    (episode,) = agent._episodes.take()
    np.testing.assert_allclose(agent._returns(episode), [1.5 + value / 4.0, 1.0 + value / 2.0], rtol=1e-6)


def test_a_cut_episode_just_ends_where_there_is_no_baseline():
    agent = agent_for(num_rows=1, episodes_per_update=1, discount=0.5)
    one_episode(agent, [1.0, 1.0], truncated=True)
    (episode,) = agent._episodes.take()
    np.testing.assert_array_equal(agent._returns(episode), [1.5, 1.0])


def test_only_complete_episodes_enter_an_update():
    buffer = EpisodeBuffer(2, np.dtype(np.float32))
    for t, done in enumerate(([False, False], [True, False], [False, True])):
        rows = np.array([10.0 + t, 20.0 + t])
        buffer.add({"obs": rows, "reward": rows}, np.array(done))
    assert [episode["reward"].tolist() for episode in buffer.take()] == [[10.0, 11.0], [20.0, 21.0, 22.0]]
    assert buffer.num_complete == 0
    rows = np.array([13.0, 23.0])
    buffer.add({"obs": rows, "reward": rows}, np.array([True, True]))
    assert [episode["reward"].tolist() for episode in buffer.take()] == [[12.0, 13.0], [23.0]]


def test_training_twice_from_one_seed_gives_equal_bits_compiled():
    one, other = agent_for(), agent_for()
    assert train(one, 30) == train(other, 30)
    assert bits(one) == bits(other)


def test_another_seed_gives_other_weights():
    assert bits(agent_for(seed=1)) != bits(agent_for(seed=2))


def test_a_step_of_rmsprop_does_not_depend_on_the_size_of_the_gradient():
    # the first: rate * g / sqrt((1 - decay) * g^2)
    settings = {"optimizer": "rmsprop", "learning_rate": 1e-3, "rmsprop_decay": 0.99, "activation": "tanh"}
    agent = agent_for(num_rows=1, episodes_per_update=1, **settings)
    before = {name: array.copy() for name, array in agent.weights().items()}
    one_episode(agent, [1.0, 0.0, 2.0])
    assert agent.learn()
    moved = np.concatenate([np.abs(agent.weights()[name] - before[name]).ravel() for name in before])
    assert moved == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("actions", [gym.spaces.Discrete(3), BOX], ids=["discrete", "continuous"])
@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_a_restored_agent_goes_on_as_if_it_had_never_stopped(tmp_path: Path, actions: gym.Space, optimizer: str):
    options = {"optimizer": optimizer, "baseline": "value", "learning_rate": 1e-2}
    one = agent_for(actions, **options)
    train(one, 23)
    one.save_state(tmp_path)
    other = agent_for(actions, **options)
    other.restore_state(tmp_path)
    metrics = train(one, 20, seed=5)
    assert metrics and metrics == train(other, 20, seed=5)
    assert bits(one) == bits(other)


def test_an_agent_without_any_step_can_be_saved_and_restored(tmp_path: Path):
    agent_for().save_state(tmp_path)
    other = agent_for()
    other.restore_state(tmp_path)
    assert other.learn() == {}


def test_broken_and_foreign_states_are_refused(tmp_path: Path):
    agent_for().save_state(tmp_path)
    with pytest.raises(DamagedFile, match="2 rows"):
        agent_for(num_rows=3).restore_state(tmp_path)
    (tmp_path / "episodes.npz").write_bytes(b"PK nonsense")
    with pytest.raises(DamagedFile):
        agent_for().restore_state(tmp_path)


def test_load_weights_takes_the_weights_and_nothing_else(tmp_path: Path):
    one = agent_for(num_rows=5)
    train(one, 6)
    one.save_state(tmp_path)
    other = agent_for(seed=9)
    other.load_weights(tmp_path)
    assert bits(other) == bits(one)
    with pytest.raises(DoesNotFit):
        agent_for(hidden=(16,)).load_weights(tmp_path)


def test_continuous_actions_stay_in_bounds_and_have_the_units_of_the_environment():
    action = agent_for(BOX, initial_log_std=2.0).act(np.zeros((500, 3), np.float32), ()).action
    assert action.dtype == np.float32
    np.testing.assert_allclose(action.min(0), [-2.0, 0.0])  # so much noise reaches every bound
    np.testing.assert_allclose(action.max(0), [2.0, 10.0])


def test_the_cookbooks_pong_observations_are_kept_in_one_byte_each():
    space = gym.spaces.Box(-1.0, 1.0, (6400,))
    spec = Spec("ALE/Pong-v5", space, gym.spaces.Discrete(6), preprocess="cookbook-pong")
    agent = Reinforce(spec, seed=0, settings={"hidden": (200,), "activation": "relu", "initializer": "xavier"})
    obs = np.random.default_rng(0).integers(-1, 2, (1, 6400)).astype(np.float32)
    decision = agent.act(obs, ())
    no, yes = np.array([False]), np.array([True])
    agent.observe(Transition(obs, decision.action, np.ones(1), yes, no, obs, decision.extras))
    (episode,) = agent._episodes.take()
    assert episode["obs"].dtype == np.int8
    np.testing.assert_array_equal(episode["obs"], obs)


@pytest.mark.slow
def test_it_balances_the_pole_within_40_000_steps():
    env, test = envs.make("CartPole-v1", 8), envs.make("CartPole-v1", 10)
    agent = Reinforce(env.spec, seed=0, settings={"baseline": "value", "learning_rate": 5e-3})
    for event in run(env, agent, lambda i: episode_seed(0, Stream.TRAINING, i)):
        agent.observe(event.transition)
        agent.learn()
        if event.step >= 40_000:
            break
    games = play(test, agent.policy(), lambda i: episode_seed(0, Stream.EVALUATION, i), 20)
    assert np.mean([game.ret for game in games]) >= 300.0  # random play: about 22


def test_steps_of_episodes_that_cannot_go_on_are_forgotten():
    buffer = EpisodeBuffer(2, np.dtype(np.float32))
    over, going = np.array([False, True]), np.array([False, False])
    for value, done in ((1.0, over), (2.0, going)):  # row 0 is two steps into an episode, row 1 one step
        buffer.add({"obs": np.full((2, 1), value), "reward": np.full(2, value)}, done)
    buffer.forget_unfinished()
    buffer.add({"obs": np.full((2, 1), 3.0), "reward": np.full(2, 3.0)}, ~going)
    assert [episode["reward"].tolist() for episode in buffer.take()] == [[1.0], [3.0], [3.0]]
