"""The project's own environments: what is hidden in them, and the maze's rules."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from arena.errors import InvalidValue, UnknownName
from arena.film import fps_of
from envs import Rows, make

NORTH, EAST, SOUTH, WEST = range(4)


def maze(seed: int = 0, **settings: int) -> tuple[Rows, np.ndarray]:
    env = make("arena/TMaze-v0", settings=settings, render=True)
    return env, env.reset(np.array([0]), np.array([seed]))[0]


def walk(env: Rows, actions: list[int]) -> list[tuple[list[float], float, bool, bool]]:
    """Returns observation, reward, terminated and truncated after every action."""
    steps = [env.step(np.array([action])) for action in actions]
    return [(s.obs[0].tolist(), float(s.reward[0]), bool(s.terminated[0]), bool(s.truncated[0])) for s in steps]


def seed_of_sign(sign: list[float]) -> int:
    return next(seed for seed in range(50) if maze(seed)[1].tolist() == sign)


def test_both_velocities_are_hidden_and_nothing_else() -> None:
    hidden, full = make("arena/CartPoleNoVelocity-v1", 2), make("CartPole-v1", 2)
    rows, seeds, over = np.arange(2), np.array([5, 6]), np.zeros(2, bool)
    np.testing.assert_array_equal(hidden.reset(rows, seeds), full.reset(rows, seeds)[:, [0, 2]])
    rng = np.random.default_rng(0)
    while not over.all():
        action = rng.integers(2, size=2)
        mine, theirs = hidden.step(action), full.step(action)
        np.testing.assert_array_equal(mine.obs, theirs.obs[:, [0, 2]])
        for name in ("reward", "terminated", "truncated"):
            np.testing.assert_array_equal(getattr(mine, name), getattr(theirs, name))
        over |= mine.terminated
    assert hidden.spec.max_episode_steps == 500


@pytest.mark.parametrize(("sign", "right", "wrong"), [([0, 1, 1], NORTH, SOUTH), ([1, 1, 0], SOUTH, NORTH)])
def test_the_sign_says_where_the_goal_is(sign: list[float], right: int, wrong: int) -> None:
    seed = seed_of_sign(sign)
    for last, reward in ((right, 4.0), (wrong, -0.1)):
        env, _ = maze(seed)
        steps = walk(env, [EAST] * 20 + [last])
        assert steps[:19] == [([1, 0, 1], 0.0, False, False)] * 19
        assert steps[19:] == [([0, 1, 0], 0.0, False, False), ([0, 1, 0], reward, True, False)]


def test_whoever_walks_into_a_wall_stands_still_and_pays() -> None:
    env, sign = maze()
    start = ([*sign.tolist()], -0.1, False, False)
    assert walk(env, [WEST, NORTH, SOUTH]) == [start] * 3
    assert walk(env, [EAST, NORTH, SOUTH]) == [([1, 0, 1], r, False, False) for r in (0.0, -0.1, -0.1)]
    assert walk(env, [WEST]) == [(sign.tolist(), 0.0, False, False)]  # back at the sign
    assert walk(env, [EAST] * 21)[-2:] == [([0, 1, 0], r, False, False) for r in (0.0, -0.1)]


def test_both_goals_are_about_equally_frequent() -> None:
    signs = [maze(seed)[1].tolist() for seed in range(200)]
    assert 70 < signs.count([0, 1, 1]) < 130  # 100 +- 7.1
    assert signs.count([0, 1, 1]) + signs.count([1, 1, 0]) == 200


def test_an_episode_ends_at_its_limit() -> None:
    env, _ = maze(max_episode_steps=3)
    assert [step[2:] for step in walk(env, [EAST] * 3)] == [(False, False), (False, False), (False, True)]
    assert make("arena/TMaze-v0").spec.max_episode_steps == 1_000


def test_the_corridor_has_the_length_that_is_asked_for() -> None:
    env, _ = maze(length=3)
    assert [step[0] for step in walk(env, [EAST] * 3)] == [[1, 0, 1], [1, 0, 1], [0, 1, 0]]
    assert env.spec.protocol["length"] == 3


@pytest.mark.parametrize("length", [0, 501, 2.5, "long"])
def test_a_length_that_cannot_be_is_refused_in_one_line(length: object) -> None:
    with pytest.raises(InvalidValue, match="length") as caught:
        make("arena/TMaze-v0", settings={"length": length})
    assert "\n" not in str(caught.value)


def test_a_name_that_is_nearly_right_is_told() -> None:
    with pytest.raises(UnknownName, match="did you mean 'arena/TMaze-v0'"):
        make("arena/TMase-v0")


def test_pictures_show_the_agent_the_sign_and_the_end() -> None:
    env, _ = maze()
    first = env.render()
    assert first.dtype == np.uint8
    assert first.shape[2] == 3
    walk(env, [EAST])
    second = env.render()
    assert second.shape == first.shape
    assert not np.array_equal(first, second)
    assert fps_of(env.spec) == 8.0
    assert maze(length=500)[0].render().shape[1] < 2_200


def test_gymnasium_finds_nothing_wrong() -> None:
    from gymnasium.utils.env_checker import check_env

    for env_id in ("arena/TMaze-v0", "arena/CartPoleNoVelocity-v1"):
        check_env(gym.make(f"envs.memory:{env_id}").unwrapped, skip_render_check=True)
