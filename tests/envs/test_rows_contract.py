"""What every environment keeps, whatever makes it: the contract of envs.rows."""

from __future__ import annotations

import copy
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import pytest

from arena.loop import observation_digest
from arena.nests import row_of
from envs import Rows, Step, make

CAP = 6  # steps; short episodes end for certain


class Case(NamedTuple):
    env_id: str
    preprocess: str | None = None


CASES = [
    Case("CartPole-v1"),
    Case("FrozenLake8x8-v1"),
    Case("Taxi-v4"),
    Case("CliffWalking-v1"),
    Case("Blackjack-v1"),
    Case("Pendulum-v1"),
    Case("LunarLander-v3"),
    Case("arena/CartPoleNoVelocity-v1"),
    Case("arena/TMaze-v0"),
    Case("InvertedPendulum-v5"),
    Case("connect_four"),  # no column is full, and nobody has won, within the cap: every action is legal
    Case("pettingzoo:connect_four_v3"),
    Case("pettingzoo:rps_v2"),
    Case("pettingzoo:pong_v3"),
    Case("ALE/Pong-v5", "atari"),
    Case("ALE/Pong-v5", "cookbook-pong"),
    Case("ALE/Pong-v5", "cookbook-dqn"),
    Case("ALE/Pong-v5", "cookbook-grey"),
    Case("ALE/Pong-v5", "none"),
]
SLOW = CASES[-3:]  # a seeded game takes 0.14 s to begin; the others stand for these in the fast suite
NEEDS = {
    "LunarLander-v3": "Box2D",
    "InvertedPendulum-v5": "mujoco",
    "connect_four": "pyspiel",
    "pettingzoo:connect_four_v3": "pettingzoo",
    "pettingzoo:rps_v2": "pettingzoo",
    "pettingzoo:pong_v3": "multi_agent_ale_py",
}


@pytest.fixture(
    params=[pytest.param(case, marks=pytest.mark.slow if case in SLOW else ()) for case in CASES],
    ids=[f"{case.env_id}-{case.preprocess or 'default'}" for case in CASES],
)
def case(request: pytest.FixtureRequest) -> Case:
    if request.param.env_id in NEEDS:
        pytest.importorskip(NEEDS[request.param.env_id])
    return request.param  # type: ignore[no-any-return]


def rows_of(case: Case, num_rows: int) -> Rows:
    return make(case.env_id, num_rows, preprocess=case.preprocess, settings={"max_episode_steps": CAP})


def actions(env: Rows, seed: int) -> np.ndarray:
    """Returns [CAP, ...]: one row's actions for an episode."""
    rng, space = np.random.default_rng(seed), env.spec.action_space
    if isinstance(space, gym.spaces.Discrete):
        return rng.integers(int(space.n), size=CAP)
    assert isinstance(space, gym.spaces.Box)
    return rng.uniform(space.low, space.high, (CAP, *space.shape)).astype(np.float32)


def begin(env: Rows, row: int, seed: int) -> str:
    return observation_digest(row_of(env.reset(np.array([row]), np.array([seed])), 0))


def outcome_of(step: Step, row: int) -> tuple[str, Any, bool, bool]:
    digest = observation_digest(row_of(step.obs, row))
    return digest, step.reward[row].tolist(), bool(step.terminated[row]), bool(step.truncated[row])


def arrays(obs: Any) -> list[np.ndarray]:
    return list(obs.values()) if isinstance(obs, dict) else [obs]


def is_same(a: Any, b: Any) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(arrays(a), arrays(b), strict=True))


def expected_shapes(env: Rows) -> list[tuple[tuple[int, ...], Any]]:
    """Returns shape and dtype of every array of two rows' observations."""
    space = env.spec.observation_space
    if not isinstance(space, gym.spaces.Dict):
        return [((2, *(space.shape or ())), space.dtype)]
    view, history = space["observation"].shape, space["history"].shape
    num_actions = env.spec.num_actions
    return [
        ((2, *view), np.float32),
        ((2, num_actions), np.bool_),
        ((2,), np.int64),
        ((2, *history), np.int32),
    ]


def test_observations_are_of_the_space_and_its_dtype(case: Case) -> None:
    env = rows_of(case, 2)
    space = env.spec.observation_space
    obs = env.reset(np.arange(2), np.array([4, 5]))
    plan = actions(env, 0)
    for t in range(3):
        assert [(values.shape, values.dtype) for values in arrays(obs)] == expected_shapes(env)
        assert all(space.contains(row_of(obs, row)) for row in range(2))
        obs, reward, terminated, truncated = env.step(np.stack([plan[t]] * 2))
        assert reward.dtype == np.float64
        assert terminated.dtype == truncated.dtype == np.bool_
        assert terminated.shape == truncated.shape == (2,)
        assert reward.shape == ((2, 2) if env.spec.num_seats == 2 else (2,))


def test_arrays_that_were_handed_out_stay_as_they_are(case: Case) -> None:
    env = rows_of(case, 2)
    kept = [env.reset(np.arange(2), np.array([4, 5]))]
    plan = actions(env, 0)
    copies = [copy.deepcopy(kept[0])]
    for t in range(3):
        obs = env.step(np.stack([plan[t]] * 2)).obs
        kept.append(obs)
        copies.append(copy.deepcopy(obs))
    env.reset(np.array([1]), np.array([6]))
    env.step(np.stack([plan[3]] * 2))
    assert all(is_same(a, b) for a, b in zip(kept, copies, strict=True))


def test_an_episode_depends_on_its_seed_and_actions_alone(case: Case) -> None:
    alone, crowd = rows_of(case, 1), rows_of(case, 3)
    plan, noise = actions(alone, 1), actions(alone, 2)

    expected = [begin(alone, 0, 21)]
    tape = [outcome_of(alone.step(plan[t : t + 1]), 0) for t in range(CAP)]

    crowd.reset(np.array([2, 0]), np.array([77, 78]))  # row 2 has played before; row 1 has never begun
    crowd.step(np.stack([noise[0]] * 3))
    first = [begin(crowd, 2, 21)]
    again = []
    for t in range(CAP):
        if t == 2:
            crowd.reset(np.array([1, 0]), np.array([79, 80]))  # neighbours come and go
        again.append(outcome_of(crowd.step(np.stack([noise[t], noise[t - 1], plan[t]])), 2))
    ended = next((t for t, (_, _, terminated, truncated) in enumerate(tape) if terminated or truncated), CAP)
    assert ended < CAP  # the cap, if nothing else
    assert first == expected
    assert again[: ended + 1] == tape[: ended + 1]


def test_seeds_go_to_the_rows_they_are_given_for(case: Case) -> None:
    env = rows_of(case, 2)
    plan = actions(env, 3)
    straight = env.reset(np.array([0, 1]), np.array([31, 32]))
    next_straight = env.step(np.stack([plan[0]] * 2)).obs
    crossed = env.reset(np.array([1, 0]), np.array([31, 32]))
    next_crossed = env.step(np.stack([plan[0]] * 2)).obs
    assert is_same(straight, crossed)
    assert [observation_digest(row_of(next_straight, row)) for row in (0, 1)] == [
        observation_digest(row_of(next_crossed, row)) for row in (1, 0)
    ]


def test_a_row_that_has_ended_stands_still_until_it_is_begun_again(case: Case) -> None:
    env = rows_of(case, 2)
    plan = actions(env, 1)
    begin(env, 0, 21)
    for t in range(CAP):
        last = env.step(np.stack([plan[t]] * 2))
        if last.terminated[0] or last.truncated[0]:
            break
    assert last.terminated[0] or last.truncated[0]
    begin(env, 1, 22)
    still = env.step(np.stack([plan[0]] * 2))
    assert outcome_of(still, 0)[0] == outcome_of(last, 0)[0]
    assert not np.any(still.reward[0])
    assert outcome_of(still, 0)[2:] == (False, False)
    begin(env, 0, 21)
    moved = env.step(np.stack([plan[0]] * 2))
    fresh = rows_of(case, 1)
    begin(fresh, 0, 21)
    assert outcome_of(moved, 0) == outcome_of(fresh.step(plan[:1]), 0)


@pytest.mark.parametrize("env_id", ["CartPole-v1", "FrozenLake-v1", "Pendulum-v1", "MountainCar-v0"])
def test_observations_are_the_true_successors_to_the_last(env_id: str) -> None:
    """The same steps as Gymnasium's own, the last observation included."""
    env, bare = make(env_id, 2), gym.make(env_id)
    rng = np.random.default_rng(0)
    assert np.array_equal(env.reset(np.arange(2), np.array([9, 8]))[0], bare.reset(seed=9)[0])
    over = False
    while not over:
        if isinstance(bare.action_space, gym.spaces.Discrete):
            action = rng.integers(int(bare.action_space.n), size=2)
        else:
            action = rng.uniform(-2, 2, (2, 1)).astype(np.float32)
        obs, reward, terminated, truncated = env.step(action)
        expected = bare.step(action[0])
        assert np.array_equal(obs[0], expected[0])
        assert (reward[0], terminated[0], truncated[0]) == expected[1:4]
        over = terminated[0] or truncated[0]
    bare.close()
