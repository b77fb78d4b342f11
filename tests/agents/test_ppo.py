from collections.abc import Iterator
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

import envs
from agents.parts import returns
from agents.parts.clipped_updates import clipped_policy_loss, value_loss
from agents.parts.tensorflow import load
from agents.ppo import PPO
from arena import policy
from arena.agent import Spec, Transition
from arena.errors import ArenaError, DamagedFile, DoesNotFit, InvalidValue
from arena.evaluation import play
from arena.loop import run
from arena.seeding import Stream, episode_seed

SMALL = {"num_steps": 4, "batch_size": 4, "epochs": 2, "hidden": (8,)}
THREE = gym.spaces.Discrete(3)
BOX = gym.spaces.Box(np.array([-2.0, 0.0], np.float32), np.array([2.0, 10.0], np.float32))


@pytest.fixture(autouse=True)
def interpreted(request: pytest.FixtureRequest) -> Iterator[None]:
    """Runs updates without compiling them, which takes seconds; tests with `compiled` in their name do compile."""
    is_compiled = "compiled" in request.node.name or request.node.get_closest_marker("slow")
    load().config.run_functions_eagerly(not is_compiled)
    yield
    load().config.run_functions_eagerly(False)


def agent_for(action_space: gym.Space = THREE, *, num_rows: int = 2, seed: int = 1, **settings) -> PPO:
    spec = Spec("Test-v0", gym.spaces.Box(-1.0, 1.0, (3,)), action_space, num_rows=num_rows)
    return PPO(spec, seed=seed, settings=SMALL | settings)


def feed(agent: PPO, num_steps: int, seed: int = 0, surprise: float = 0.0) -> Iterator[Transition]:
    """Acts and observes on made-up observations; `surprise` makes the drawn actions look less likely than they were."""
    rng = np.random.default_rng(seed)
    n = agent.spec.num_rows
    obs = rng.normal(size=(num_steps + 1, n, 3)).astype(np.float32)
    for t in range(num_steps):
        decision = agent.act(obs[t], ())
        extras = {**decision.extras, "log_prob": decision.extras["log_prob"] - surprise * rng.normal(size=n)}
        terminated, truncated = rng.random(n) < 0.2, rng.random(n) < 0.2
        transition = Transition(obs[t], decision.action, rng.normal(size=n), terminated, truncated, obs[t + 1], extras)
        agent.observe(transition)
        yield transition


def train(agent: PPO, num_steps: int, seed: int = 0) -> list[dict[str, float]]:
    metrics = [{name: float(value) for name, value in agent.learn().items()} for _ in feed(agent, num_steps, seed)]
    return [m for m in metrics if m]


def bits(agent: PPO) -> list[bytes]:
    return [array.tobytes() for array in agent.weights().values()]


def test_the_clipped_loss_and_its_gradient_by_hand():
    # ratios 1.5, .5, 1.1 and clip .2: min(1.5, 1.2) * 2 = 2.4, min(.5 * -1, .8 * -1) = -.8, 1.1 * 3 = 3.3; sum 4.9
    tf = load()
    log_ratio = tf.constant(np.log([1.5, 0.5, 1.1]), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(log_ratio)
        loss = clipped_policy_loss(log_ratio, tf.zeros(3), tf.constant([2.0, -1.0, 3.0]), 0.2)
    assert float(loss) == pytest.approx(-4.9 / 3.0, rel=1e-5)
    # a clipped sample has no gradient, the other -ratio * advantage / 3
    np.testing.assert_allclose(tape.gradient(loss, log_ratio), [0.0, 0.0, -1.1], rtol=1e-5)


def test_the_value_loss_with_and_without_its_clip_by_hand():
    # errors 2^2 and 1^2; moved by .5 at most the values become 1.5 and 1: errors .5^2 and 1^2, the larger counts
    tf = load()
    value, old, target = tf.constant([3.0, 1.0]), tf.constant([1.0, 1.0]), tf.constant([1.0, 2.0])
    assert float(value_loss(value, old, target, None)) == pytest.approx(2.5)
    assert float(value_loss(value, old, target, 0.5)) == pytest.approx(2.5)
    # where the clipped value is the worse one: value 3 comes near the target 3, but clipped it stays at 1.5
    assert float(value_loss(tf.constant([3.0]), tf.constant([1.0]), tf.constant([3.0]), 0.5)) == pytest.approx(1.5**2)


@pytest.mark.parametrize("value_lambda", [None, 0.95])
def test_the_metrics_of_one_minibatch_are_those_that_numpy_gives(value_lambda):
    agent = agent_for(batch_size=8, epochs=1, discount=0.9, gae_lambda=0.8, value_lambda=value_lambda)
    steps = list(feed(agent, 4, surprise=0.3))
    logits = np.log(np.stack([t.extras["probs"] for t in steps]))
    value = np.stack([t.extras["value"] for t in steps])
    next_value = np.stack([agent._actor.value(t.next_obs) for t in steps])
    reward, terminated, done = (np.stack([getattr(t, k) for t in steps]) for k in ("reward", "terminated", "done"))
    old = np.stack([t.extras["log_prob"] for t in steps])
    metrics = agent.learn()

    advantage, error = (
        returns.gae(reward, value, next_value, terminated, done, 0.9, lam) for lam in (0.8, value_lambda or 0.8)
    )
    target, normal = error + value, returns.normalise(advantage)
    new = np.take_along_axis(logits, np.stack([t.action for t in steps])[..., None], -1)[..., 0]
    ratio = np.exp(new - old)
    expected = {
        "policy_loss": -np.minimum(ratio * normal, np.clip(ratio, 0.8, 1.2) * normal).mean(),
        "value_loss": ((value - target) ** 2).mean(),
        "entropy": -(np.exp(logits) * logits).sum(-1).mean(),
        "approx_kl": (ratio - 1.0 - np.log(ratio)).mean(),
        "clip_fraction": (np.abs(ratio - 1.0) > 0.2).mean(),
        "explained_variance": 1.0 - (target - value).var() / target.var(),
        "learning_rate": 3e-4,
    }
    assert {name: float(v) for name, v in metrics.items()} == pytest.approx(expected, rel=1e-4, abs=1e-5)


def test_the_first_adam_step_moves_the_value_by_the_learning_rate_towards_its_targets():
    agent = agent_for(batch_size=8, epochs=1, learning_rate=1e-3)
    for t in feed(agent, 4):
        t.reward[:] = 100.0
    agent._rollout["reward"][:] = 100.0  # far above all values
    bias = agent._actor.network._heads["value"].weights[1]
    before = bias.numpy()[0]
    agent.learn()
    assert bias.numpy()[0] - before == pytest.approx(1e-3, rel=1e-2)


def test_it_learns_once_a_rollout_and_says_nothing_in_between():
    agent = agent_for()
    silent = [agent.learn() == {} for _ in feed(agent, 8)]
    assert silent == [True, True, True, False] * 2


def test_truncated_steps_bootstrap_with_their_successor_and_others_with_the_next_step():
    agent = agent_for()
    steps = list(feed(agent, 4))
    rollout = agent._rollout
    for t, transition in enumerate(steps):
        expected = agent._actor.value(transition.next_obs)
        counts = ~transition.terminated
        np.testing.assert_allclose(rollout["next_value"][t][counts], expected[counts], rtol=1e-5)


def test_training_twice_from_one_seed_gives_equal_bits_compiled():
    one, other = agent_for(), agent_for()
    assert train(one, 12) == train(other, 12)
    assert bits(one) == bits(other)


def test_another_seed_gives_other_weights():
    assert bits(agent_for(seed=1)) != bits(agent_for(seed=2))


@pytest.mark.parametrize("actions", [gym.spaces.Discrete(3), BOX], ids=["discrete", "continuous"])
def test_a_restored_agent_goes_on_as_if_it_had_never_stopped(tmp_path: Path, actions: gym.Space):
    options = {"normalize_observations": True, "normalize_rewards": True, "learning_rate": 1e-2}
    one = agent_for(actions, **options)
    train(one, 6)  # one update and half a rollout
    one.save_state(tmp_path)
    other = agent_for(actions, seed=1, **options)
    other.restore_state(tmp_path)
    assert train(one, 7, seed=5) == train(other, 7, seed=5)
    assert bits(one) == bits(other)


def test_another_agents_state_is_refused(tmp_path: Path):
    agent_for().save_state(tmp_path)
    with pytest.raises(DamagedFile):
        agent_for(num_rows=3).restore_state(tmp_path)


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
    agent = agent_for(BOX, initial_log_std=2.0)
    action = agent.act(np.zeros((500, 3), np.float32), ()).action
    assert action.dtype == np.float32
    np.testing.assert_allclose(action.min(0), [-2.0, 0.0])  # so much noise reaches every bound
    np.testing.assert_allclose(action.max(0), [2.0, 10.0])


def test_the_policy_plays_what_the_agent_has_learned():
    agent = agent_for(BOX, normalize_observations=True)
    train(agent, 8)
    obs = np.random.default_rng(3).normal(size=(5, 3)).astype(np.float32)
    decision = agent.policy().act(obs, ())
    np.testing.assert_allclose(decision.extras["mean"], agent._actor.network.act(obs)["mean"], rtol=1e-4, atol=1e-6)
    std = np.exp(agent.weights()["log_std"])
    np.testing.assert_allclose(decision.extras["std"], np.broadcast_to(std, (5, 2)), rtol=1e-6)


def test_schedules_follow_the_progress():
    agent = agent_for(learning_rate=1e-2, learning_rate_schedule="linear")
    agent.progress = 0.75
    assert train(agent, 4)[0]["learning_rate"] == pytest.approx(2.5e-3)


def test_a_falling_entropy_coefficient_is_at_any_moment_like_a_constant_one():
    falling, constant = (
        agent_for(entropy_coefficient=0.4, entropy_schedule="linear"),
        agent_for(entropy_coefficient=0.1),
    )
    falling.progress = 0.75
    train(falling, 4)
    train(constant, 4)
    assert bits(falling) == bits(constant)
    without = agent_for()
    train(without, 4)
    assert bits(falling) != bits(without)


def test_a_rollout_stops_learning_where_the_policy_has_moved_too_far():
    # rate .5 moves the policy far beyond the target at once; the second of 8 minibatches sees it and is the last
    far, near = agent_for(epochs=4, learning_rate=0.5), agent_for(epochs=4, learning_rate=0.5, target_kl=1e-6)
    train(far, 4)
    train(near, 4)
    assert int(far._optimizer.iterations) == 8
    assert int(near._optimizer.iterations) == 2


def test_rewards_are_clipped_only_where_asked():
    agent = agent_for(reward_clip=0.5)
    steps = list(feed(agent, 4))
    expected = np.clip(np.stack([t.reward for t in steps]), -0.5, 0.5)
    np.testing.assert_array_equal(agent._rollout["reward"], expected)


def test_with_reset_on_reward_a_point_is_like_the_end_of_an_episode():
    one, other = (agent_for(reset_on_reward=asked, normalize_rewards=True) for asked in (True, False))
    for agent in (one, other):
        list(feed(agent, 4))
        agent._rollout["reward"][:2] = [[0.0, 1.0], [-1.0, 0.0]]
    is_point = other._rollout["reward"] != 0.0
    other._rollout["terminated"] |= is_point
    other._rollout["done"] |= is_point
    assert other.learn() == one.learn()
    assert bits(other) == bits(one) != bits(agent_for())


@pytest.fixture
def teacher(tmp_path: Path) -> str:
    """A policy that knows what it wants, where a new agent's is all but uniform."""
    agent = agent_for(seed=7)
    head = agent._actor.network._heads["logits"].weights[0]
    head.assign(head * 1_000.0)
    return str(policy.save(agent.policy(), tmp_path / "teacher"))


def test_what_a_teacher_adds_is_the_mean_cross_entropy_to_its_probabilities(teacher: str):
    agent = agent_for(batch_size=8, epochs=1, teacher=teacher)
    steps = list(feed(agent, 4))
    taught = policy.load(Path(teacher))
    wanted, mine = (
        np.stack([shown["probs"] for shown in all_shown])
        for all_shown in ([taught.act(t.obs, ()).extras for t in steps], [t.extras for t in steps])
    )
    expected = -(wanted * np.log(mine)).sum(-1).mean()
    assert agent.learn()["teacher_cross_entropy"] == pytest.approx(expected, rel=1e-4)
    assert wanted.max(-1).mean() > 0.6 > 0.4 > mine.max(-1).mean()


def test_a_taught_agent_comes_to_do_what_its_teacher_does_compiled(teacher: str):
    agent = agent_for(teacher=teacher, teacher_coefficient=20.0, learning_rate=1e-2, hidden=(32,))
    obs = np.random.default_rng(3).normal(size=(50, 3)).astype(np.float32)
    wanted = policy.load(Path(teacher)).act(obs, ()).extras["probs"]
    before = np.abs(agent.act(obs, ()).extras["probs"] - wanted).mean()
    train(agent, 160)
    assert np.abs(agent.act(obs, ()).extras["probs"] - wanted).mean() < 0.3 * before


def test_a_teacher_counts_less_as_training_goes_on(teacher: str):
    falling, constant, without = (
        agent_for(teacher=teacher, teacher_coefficient=2.0),
        agent_for(teacher=teacher, teacher_coefficient=0.5, teacher_schedule="constant"),
        agent_for(),
    )
    falling.progress = 0.75
    for agent in (falling, constant, without):
        train(agent, 4)
    assert bits(falling) == bits(constant) != bits(without)
    falling.progress = 1.0
    assert train(falling, 4)[0].keys() - train(without, 4)[0].keys() == {"teacher_cross_entropy"}


def test_what_cannot_teach_is_refused(tmp_path: Path, teacher: str):
    with pytest.raises(InvalidValue, match=r"teacher must be a saved policy .* not random \(plugin\)"):
        agent_for(teacher="random")
    with pytest.raises(ArenaError, match="no policy file"):
        agent_for(teacher=str(tmp_path / "none.tflite"))
    with pytest.raises(DoesNotFit, match="teacher"):
        agent_for(gym.spaces.Discrete(4), teacher=teacher)
    continuous = policy.save(agent_for(BOX).policy(), tmp_path / "continuous")
    with pytest.raises(InvalidValue, match="probabilities"):
        agent_for(BOX, teacher=str(continuous))
    remembering = policy.save(agent_for(network="gru").policy(), tmp_path / "remembering")
    with pytest.raises(InvalidValue, match="no memory"):
        agent_for(teacher=str(remembering))


def test_a_rollout_of_one_step_is_refused():
    with pytest.raises(InvalidValue, match="num_steps"):
        agent_for(num_rows=1, num_steps=1)


def test_images_go_through_the_shared_convolutions():
    spec = Spec("Test-v0", gym.spaces.Box(0, 255, (4, 84, 84), np.uint8), gym.spaces.Discrete(3), num_rows=2)
    agent = PPO(spec, seed=0, settings=SMALL | {"network": "cnn-2013"})
    obs = np.random.default_rng(0).integers(0, 255, (2, 4, 84, 84), np.uint8)
    no = np.zeros(2, bool)
    for _ in range(4):
        decision = agent.act(obs, ())
        agent.observe(Transition(obs, decision.action, np.ones(2), no, no, obs, decision.extras))
    assert np.isfinite(float(agent.learn()["policy_loss"]))


@pytest.mark.slow
def test_it_balances_the_pole_within_40_000_steps():
    env, test = envs.make("CartPole-v1", 8), envs.make("CartPole-v1", 10)
    settings = {"num_steps": 32, "epochs": 20, "discount": 0.98, "gae_lambda": 0.8, "learning_rate": 1e-3}
    agent = PPO(env.spec, seed=0, settings=settings)
    for event in run(env, agent, lambda i: episode_seed(0, Stream.TRAINING, i)):
        agent.observe(event.transition)
        agent.learn()
        if event.step >= 40_000:
            break
    games = play(test, agent.policy(), lambda i: episode_seed(0, Stream.EVALUATION, i), 20)
    assert np.mean([game.ret for game in games]) >= 400.0  # random play: about 22


def test_steps_of_episodes_that_cannot_go_on_are_forgotten():
    agent, other = agent_for(normalize_rewards=True), agent_for(normalize_rewards=True)
    list(feed(agent, 3, seed=5))
    agent.forget_unfinished()
    agent._actor.rng.bit_generator.state = other._actor.rng.bit_generator.state
    assert train(agent, 3) == train(other, 3) == []
    assert train(agent, 1, seed=9) == train(other, 1, seed=9) != []
    assert bits(agent) == bits(other)
