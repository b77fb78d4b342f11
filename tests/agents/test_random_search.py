"""Random search: every candidate plays its episodes, whoever else plays beside it, and the best one wins."""

from collections.abc import Callable

import gymnasium as gym
import numpy as np
import pytest

import envs
from agents.random_search import RandomSearch
from arena import policy as policies
from arena import seeding
from arena.agent import Spec, Transition
from arena.errors import DamagedFile, DoesNotFit
from arena.evaluation import play
from arena.loop import Event, RowStart, observation_digest, run

BOX = gym.spaces.Box(-1.0, 1.0, (3,))


def training_seed(episode: int) -> int:
    return seeding.episode_seed(0, seeding.Stream.TRAINING, episode)


def search(
    num_rows: int, on_event: Callable[[Event], None] = lambda event: None, **settings
) -> tuple[RandomSearch, list]:
    """Returns the agent at the end of its search on CartPole, and the metrics it gave."""
    env = envs.make("CartPole-v1", num_rows)
    agent, metrics = RandomSearch(env.spec, seed=1, settings=settings), []
    for event in run(env, agent, training_seed):
        agent.observe(event.transition)
        metrics.append(agent.learn())
        on_event(event)
        if agent.is_finished:
            break
    return agent, [entry for entry in metrics if entry]


def tiny_search(num_rows: int = 1, seed: int = 0, **settings) -> RandomSearch:
    spec = Spec("Some-v0", BOX, gym.spaces.Discrete(2), num_rows=num_rows)
    return RandomSearch(spec, seed=seed, settings={"candidates": 2, "episodes_per_candidate": 2, **settings})


def feed(agent: RandomSearch, state, reward: list[float], done: list[bool]):
    """Lets the agent act and observe once; returns the next state, begun anew where an episode ended."""
    obs = np.zeros((len(reward), 3), np.float32)
    action, state, extras = agent.act(obs, state)
    ends = np.array(done)
    agent.observe(Transition(obs, action, np.array(reward), ends, np.zeros_like(ends), obs, extras))
    fresh = agent.initial_state(np.arange(len(reward)))
    return type(state)(*(np.where(ends, new, old) for new, old in zip(fresh, state, strict=True)))


def test_ten_candidates_play_ten_episodes_each_unless_told_otherwise():
    finished = []
    agent, metrics = search(1, lambda event: finished.extend(event.finished))
    assert len(finished) == 100
    assert [entry["candidate"] for entry in metrics] == list(range(10))
    lengths = np.array([episode.length for episode in finished]).reshape(10, 10).mean(1)
    assert [entry["candidate_length"] for entry in metrics] == pytest.approx(lengths)
    assert metrics[-1]["best"] == lengths.argmax() == agent.best
    assert metrics[-1]["best_length"] == pytest.approx(lengths.max())


@pytest.mark.parametrize("play", ["sample", "greedy"])
def test_the_scores_do_not_depend_on_the_number_of_rows(play):
    settings = {"candidates": 3, "episodes_per_candidate": 4, "play": play}
    alone, together = search(1, **settings)[1], search(5, **settings)[1]
    first = {entry["candidate"]: entry["candidate_length"] for entry in alone}
    # Episodes are begun in the order in which rows become free, so candidate 0 has the same seeds in both.
    assert first[0] == {entry["candidate"]: entry["candidate_length"] for entry in together}[0]
    assert len(together) == 3


def test_an_episode_counts_for_the_candidate_that_began_it():
    agent = tiny_search(num_rows=3)
    state = agent.initial_state(np.arange(3))
    # Rows 0 and 1 begin candidate 0's two episodes, row 2 the first of candidate 1.
    state = feed(agent, state, [1.0, 1.0, 5.0], [True, False, False])
    assert agent.learn() == {}
    # Row 0 takes up candidate 1's second episode; row 1 ends candidate 0's: lengths and returns 1, 2.
    state = feed(agent, state, [7.0, 1.0, 5.0], [False, True, False])
    assert agent.learn() == {
        "candidate": 0.0,
        "candidate_length": 1.5,
        "candidate_return": 1.5,
        "best": 0.0,
        "best_length": 1.5,
        "best_return": 1.5,
    }
    # Row 1 finds nothing left to begin: its episode, short and rich, counts for nobody.
    state = feed(agent, state, [7.0, 1000.0, 5.0], [True, True, True])
    # Candidate 1: row 2 lasted 3 steps for 15, row 0 lasted 2 steps for 14.
    metrics = agent.learn()
    assert metrics["candidate_length"] == 2.5
    assert metrics["candidate_return"] == 14.5
    assert agent.is_finished


def test_the_objective_decides_between_a_long_and_a_rich_candidate():
    for objective, winner in (("length", 0), ("return", 1)):
        agent = tiny_search(episodes_per_candidate=1, objective=objective)
        state = agent.initial_state(np.arange(1))
        for reward, done in ((0.0, False), (0.0, True), (9.0, True)):
            state = feed(agent, state, [reward], [done])
        assert agent.best == winner


def test_a_truncated_episode_counts_like_any_other():
    agent = tiny_search(candidates=1, episodes_per_candidate=1)
    obs = np.zeros((1, 3), np.float32)
    action, _, extras = agent.act(obs, agent.initial_state(np.zeros(1, np.int64)))
    cut = np.ones(1, bool)
    agent.observe(Transition(obs, action, np.ones(1), ~cut, cut, obs, extras))
    assert agent.is_finished


def test_the_policy_plays_as_its_candidate_did():
    agent = tiny_search()
    obs = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
    state = agent.initial_state(np.arange(4))
    policy = agent._policies[0]
    state = state._replace(candidate=np.zeros(4, np.int64))
    assert np.array_equal(agent.act(obs, state).action, policy.act(obs, policy.initial_state(np.arange(4))).action)


def test_discrete_observations_enter_one_hot():
    env = envs.make("FrozenLake-v1")
    agent = RandomSearch(env.spec, seed=0)
    policy = agent.policy()
    greedy = policy.with_mode(policies.Mode("greedy")).act(np.arange(16), ())
    assert np.array_equal(greedy.action, (agent.weights()["w"] + agent.weights()["b"]).argmax(-1))
    assert len(play(env, agent.policy(), training_seed, 2)) == 2


def test_images_are_flattened(tmp_path):
    spec = Spec("Image-v0", gym.spaces.Box(0, 255, (4, 4, 2), np.uint8), gym.spaces.Discrete(3))
    policy = RandomSearch(spec, seed=0).policy()
    obs = np.random.default_rng(0).integers(0, 255, (5, 4, 4, 2), np.uint8)
    loaded = policies.load(policies.save(policy, tmp_path / "best"))
    state = policy.initial_state(np.arange(5))
    assert np.array_equal(loaded.act(obs, state).action, policy.act(obs, state).action)


def test_state_is_restored_exactly_in_the_middle_of_an_episode(tmp_path):
    agent = tiny_search(num_rows=2)
    state = feed(agent, agent.initial_state(np.arange(2)), [1.0, 2.0], [True, False])
    agent.save_state(tmp_path)
    other = tiny_search(num_rows=2, seed=5)
    other.restore_state(tmp_path)
    for one in (agent, other):
        feed(one, state, [3.0, 4.0], [True, True])
    assert agent.learn() == other.learn() != {}
    assert np.array_equal(agent.weights()["w"], other.weights()["w"])


def test_after_a_restore_an_episode_of_the_same_seed_goes_on_and_another_begins(tmp_path):
    agent = tiny_search(candidates=1)
    feed(agent, agent.initial_state(np.array([3])), [100.0], [False])
    agent.save_state(tmp_path)
    for seed, expected in ((3, (101.0 + 1.0) / 2), (4, 1.0)):
        other = tiny_search(candidates=1)
        other.restore_state(tmp_path)
        state = other.initial_state(np.array([seed]))
        for _ in range(2):
            state = feed(other, state, [1.0], [True])
        assert other.learn()["candidate_return"] == expected


def test_a_search_resumed_in_the_middle_of_its_episodes_ends_like_one_that_was_not(tmp_path):
    env = envs.make("CartPole-v1", 2)
    settings = {"candidates": 3, "episodes_per_candidate": 3}
    agent = RandomSearch(env.spec, seed=1, settings=settings)
    actions, starts, next_episode = ([], []), None, 0
    for event in run(env, agent, training_seed):
        agent.observe(event.transition)
        agent.learn()
        for row in range(2):
            actions[row].append(event.transition.action[row])
            if event.transition.done[row]:
                actions[row].clear()
        if event.step == 60:
            agent.save_state(tmp_path)
            digests = [observation_digest(row) for row in event.transition.next_obs]
            starts = [
                RowStart(int(index), training_seed(int(index)), np.array(taken), digest) if taken else None
                for index, taken, digest in zip(event.episodes, actions, digests, strict=True)
            ]
            next_episode = event.next_episode
        if agent.is_finished:
            break
    other = RandomSearch(env.spec, seed=2, settings=settings)
    other.restore_state(tmp_path)
    for event in run(envs.make("CartPole-v1", 2), other, training_seed, starts=starts, next_episode=next_episode):
        other.observe(event.transition)
        other.learn()
        if other.is_finished:
            break
    ends = agent._arrays(), other._arrays()
    assert all(np.array_equal(ends[0][name], ends[1][name]) for name in ends[0])


def test_a_foreign_state_is_refused(tmp_path):
    tiny_search().save_state(tmp_path)
    with pytest.raises(DamagedFile, match="another agent"):
        tiny_search(candidates=3).restore_state(tmp_path)
    (tmp_path / "arrays.npz").write_bytes(b"PK\x03\x04 torn")
    with pytest.raises(DamagedFile):
        tiny_search().restore_state(tmp_path)


def test_the_best_of_another_search_is_the_first_candidate(tmp_path):
    other = tiny_search(seed=7)
    other.save_state(tmp_path)
    agent = tiny_search()
    agent.load_weights(tmp_path)
    assert np.array_equal(agent._w[0], other.weights()["w"])
    with pytest.raises(DoesNotFit):
        tiny_search(candidates=3).load_weights(tmp_path)


def test_continuous_actions_are_refused():
    with pytest.raises(DoesNotFit):
        RandomSearch(Spec("Some-v0", BOX, BOX), seed=0)
