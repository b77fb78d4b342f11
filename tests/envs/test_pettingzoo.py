"""PettingZoo's environments as rows of games: seats, masks, simultaneous choices, ends, and what does not fit."""

from __future__ import annotations

import sys
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from arena.errors import DoesNotFit, InvalidValue, MissingExtra, UnknownName
from envs import make

pettingzoo = pytest.importorskip("pettingzoo", reason="needs the extra two-player")

ONE = (np.array([0]), np.array([5]))


class Twins(pettingzoo.ParallelEnv):
    """Two agents that choose at the same time; an agent that chooses 2 is out, and 10 rounds are all.

    A choice is worth its number to the one who makes it, and less it to the other.
    """

    metadata: dict[str, Any] = {"name": "twins_v0", "render_modes": ["rgb_array"]}  # noqa: RUF012

    def __init__(self, spaces=None, action_spaces=None, names=("a", "b"), render_mode=None):
        self.render_mode = render_mode
        self.possible_agents = list(names)
        space, actions = gym.spaces.Box(0.0, 9.0, (2,), np.float32), gym.spaces.Discrete(3)
        self.spaces = dict(zip(names, spaces or [space] * len(names), strict=True))
        self.actions = dict(zip(names, action_spaces or [actions] * len(names), strict=True))

    def observation_space(self, agent):
        return self.spaces[agent]

    def action_space(self, agent):
        return self.actions[agent]

    def reset(self, seed=None, options=None):
        self.agents, self.time, self.seed = self.possible_agents[:], 0, seed
        return self._seen(), {agent: {"action_mask": np.array([1, 0, 1], np.int8)} for agent in self.agents}

    def step(self, actions):
        self.time += 1
        reward = {a: float(actions[a]) - sum(actions[o] for o in actions if o != a) for a in self.agents}
        out = {agent: actions[agent] == 2 for agent in self.agents}
        late = dict.fromkeys(self.agents, self.time == 10)
        seen, infos = self._seen(), {agent: {} for agent in self.agents}
        self.agents = [agent for agent in self.agents if not out[agent] and not late[agent]]
        return seen, reward, out, late, infos

    def _seen(self):
        return {agent: np.array([self.time, self.seed], np.float32) for agent in self.agents}


@pytest.fixture
def twins():
    """Registers Twins, as a parallel environment only, for one test."""
    before = dict(pettingzoo.parallel_registry)

    def register(**kwargs):
        pettingzoo.register("parallel", "twins-v0", lambda render_mode=None: Twins(render_mode=render_mode, **kwargs))

    yield register
    pettingzoo.parallel_registry.clear()
    pettingzoo.parallel_registry.update(before)


def test_the_same_moves_give_the_same_game_as_in_openspiel():
    pytest.importorskip("pyspiel")
    settings = {"opening_plies": 4}
    env, twin = make("pettingzoo:connect_four_v3", 8, settings=settings), make("connect_four", 8, settings=settings)
    seeds = np.arange(8)
    obs, same = (rows.reset(np.arange(8), seeds) for rows in (env, twin))
    rng, over = np.random.default_rng(0), np.zeros(8, bool)
    while not over.all():
        for name in ("legal", "seat"):
            assert obs[name].tolist() == same[name].tolist()
        assert obs["history"][:, :42].tolist() == same["history"].tolist()
        action = np.array([rng.choice(np.flatnonzero(row)) if row.any() else 0 for row in obs["legal"]])
        obs, reward, terminated, _ = env.step(action)
        same, same_reward, same_terminated, _ = twin.step(action)
        assert reward.tolist() == same_reward.tolist()
        assert terminated.tolist() == same_terminated.tolist()
        over |= terminated


def test_each_seat_sees_its_own_pieces_first():
    env = make("pettingzoo:tictactoe_v3")
    env.reset(*ONE)
    seen = env.step(np.array([0])).obs["observation"][0]  # planes: mine, theirs
    assert np.argwhere(seen).tolist() == [[0, 0, 1]]


def test_of_a_choice_made_at_the_same_time_nothing_is_known_before_all_have_chosen():
    env = make("pettingzoo:rps_v2")
    env.reset(*ONE)
    obs, reward, _, _ = env.step(np.array([0]))  # rock
    assert (obs["seat"].tolist(), obs["history"][0, :2].tolist(), reward.tolist()) == ([1], [-1, -1], [[0.0, 0.0]])
    obs, reward, _, _ = env.step(np.array([1]))  # paper covers it
    assert (obs["seat"].tolist(), obs["history"][0, :3].tolist(), reward.tolist()) == ([0], [0, 1, -1], [[-1.0, 1.0]])


def test_an_opening_of_half_a_round_hides_its_last_choice():
    env = make("pettingzoo:rps_v2", settings={"opening_plies": 3})
    obs = env.reset(*ONE)
    assert (obs["history"][0, :4] >= 0).tolist() == [True, True, False, False]
    obs = env.step(np.array([0])).obs
    assert (obs["history"][0, :5] >= 0).tolist() == [True, True, True, True, False]


def test_a_parallel_environment_goes_by_turns_and_masks_may_be_in_the_infos(twins):
    twins()
    env = make("pettingzoo:twins_v0")
    obs = env.reset(*ONE)
    assert obs["observation"].tolist() == [[0.0, 5.0]]  # time and seed
    assert obs["legal"].tolist() == [[True, False, True]]
    first = env.step(np.array([0]))
    second = env.step(np.array([0]))
    assert (first.obs["seat"].tolist(), second.obs["seat"].tolist()) == ([1], [0])
    assert second.obs["legal"].tolist() == [[True] * 3]  # no mask any more: all are legal
    rewards = [env.step(np.array([action])).reward.tolist() for action in (1, 0)]
    assert rewards == [[[0.0, 0.0]], [[1.0, -1.0]]]


def test_who_is_out_moves_no_more_and_the_game_goes_on(twins):
    twins()
    env = make("pettingzoo:twins_v0")
    env.reset(*ONE)
    env.step(np.array([2]))
    step = env.step(np.array([0]))
    assert (step.obs["seat"].tolist(), step.terminated.tolist()) == ([1], [False])
    assert step.reward.tolist() == [[2.0, -2.0]]
    step = env.step(np.array([1]))
    assert (step.obs["seat"].tolist(), step.reward.tolist()) == ([1], [[0.0, 1.0]])
    assert step.obs["history"][0, :4].tolist() == [2, 0, 1, -1]
    step = env.step(np.array([2]))
    assert (step.terminated.tolist(), step.truncated.tolist()) == ([True], [False])


def test_a_game_that_its_environment_cuts_off_is_truncated(twins):
    twins()
    env = make("pettingzoo:twins_v0")
    env.reset(*ONE)
    steps = [env.step(np.array([0])) for _ in range(20)]  # 10 rounds of two
    assert [step.truncated[0] for step in steps] == [False] * 19 + [True]
    assert not any(step.terminated[0] for step in steps)


@pytest.mark.parametrize(
    ("kwargs", "line"),
    [
        ({"names": ("a", "b", "c")}, "pettingzoo:twins_v0 is for 3 agents; the arena plays games for two"),
        (
            {"action_spaces": [gym.spaces.Discrete(3), gym.spaces.Discrete(4)]},
            r"agents with different spaces: Box\(.*\), Discrete\(3\) and Box\(.*\), Discrete\(4\)",
        ),
        (
            {"action_spaces": [gym.spaces.Box(0, 1, (2,))] * 2},
            r"has actions Box\(.*; in games they are numbered",
        ),
        ({"action_spaces": [gym.spaces.Discrete(3, start=1)] * 2}, "numbered from 0"),
        ({"spaces": [gym.spaces.Text(3)] * 2}, r"has observations Text\(.*an agent can be given arrays"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(twins, kwargs, line):
    twins(**kwargs)
    with pytest.raises(DoesNotFit, match=line) as caught:
        make("pettingzoo:twins_v0")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("env_id", "settings", "error", "line"),
    [
        ("pettingzoo:connect_for_v3", {}, UnknownName, "did you mean 'pettingzoo:connect_four_v3'"),
        ("pettingzoo:no_such_module:game_v0", {}, UnknownName, "no module 'no_such_module'"),
        ("pettingzoo:rps_v2", {"wind": 1}, InvalidValue, "pettingzoo:rps_v2 does not take wind=1: TypeError"),
        ("pettingzoo:rps_v2", {"opening_plies": -1}, InvalidValue, "at least 0, not -1"),
        ("pettingzoo:rps_v2", {"max_episode_steps": 0}, InvalidValue, "at least 1, not 0"),
    ],
)
def test_a_mistake_is_one_line(env_id, settings, error, line):
    with pytest.raises(error, match=line) as caught:
        make(env_id, settings=settings)
    assert "\n" not in str(caught.value)


def test_settings_reach_the_environment():
    env = make("pettingzoo:rps_v2", settings={"max_cycles": 2})
    env.reset(*ONE)
    assert [env.step(np.array([0])).truncated[0] for _ in range(4)] == [False, False, False, True]


@pytest.mark.parametrize(
    ("env_id", "module", "line"),
    [
        ("pettingzoo:rps_v2", "pettingzoo", "pettingzoo:rps_v2 needs the extra 'two-player'; install it with: pip"),
        ("pettingzoo:tennis_v3", "multi_agent_ale_py", "pettingzoo:tennis_v3 needs the extra 'two-player'"),
        ("pettingzoo:chess_v6", "chess", "pettingzoo:chess_v6 needs the package 'chess', which is not installed"),
    ],
)
def test_a_missing_package_is_named(monkeypatch, env_id, module, line):
    for name in [name for name in sys.modules if name.startswith(("pettingzoo.atari", "pettingzoo.classic.chess"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra, match=line):
        make(env_id)


def screens(sticky: float | None, seeds: list[int]) -> np.ndarray:
    """Returns the screens of Pong after the same 120 moves, two seats of sixty frames, from each seed."""
    settings = {} if sticky is None else {"repeat_action_probability": sticky}
    env = make("pettingzoo:pong_v3", len(seeds), settings=settings)
    env.reset(np.arange(len(seeds)), np.array(seeds))
    for t in range(120):
        obs = env.step(np.full(len(seeds), 2 + (t // 12) % 2)).obs  # up and down, both
    return obs["observation"]


def test_atari_games_have_sticky_actions_so_that_seeds_are_different_games():
    pytest.importorskip("multi_agent_ale_py", reason="needs the extra two-player")
    first, second, again = screens(None, [1, 2, 1])
    assert not np.array_equal(first, second)
    assert np.array_equal(first, again)
    assert make("pettingzoo:pong_v3").spec.protocol["sticky_actions"] == 0.25


def test_without_sticky_actions_all_seeds_are_one_game():
    pytest.importorskip("multi_agent_ale_py", reason="needs the extra two-player")
    first, second = screens(0.0, [1, 2])
    assert np.array_equal(first, second)
