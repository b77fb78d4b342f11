"""Atari games: the protocol, its settings, and pictures that are those of the game played."""

from __future__ import annotations

import numpy as np
import pytest

from arena.errors import InvalidValue, UnknownName
from envs import make

ROW = np.array([0])


def test_the_default_protocol_is_that_of_machado_et_al() -> None:
    spec = make("ALE/Pong-v5").spec
    assert dict(spec.protocol) == {
        "preprocessing": "atari",
        "sticky_actions": 0.25,
        "frame_skip": 4,
        "episode_end": "full game",
        "max_frames": 108_000,
        "max_episode_steps": 27_000,
    }
    assert str(spec.observation_space) == "Box(0, 255, (4, 84, 84), uint8)"
    assert spec.max_episode_steps == 27_000
    assert spec.num_actions == 6


def test_settings_reach_the_emulator_and_the_protocol() -> None:
    settings = {"repeat_action_probability": 0, "frameskip": 3, "episodic_life": True, "full_action_space": True}
    spec = make("ALE/Pong-v5", settings={**settings, "max_num_frames_per_episode": 100, "num_threads": 1}).spec
    assert dict(spec.protocol) == {
        "preprocessing": "atari",
        "sticky_actions": 0,
        "frame_skip": 3,
        "episode_end": "life lost",
        "max_frames": 100,
        "max_episode_steps": 34,  # 33 steps are 99 frames
        "full_action_space": True,
    }
    assert spec.num_actions == 18


def test_the_cap_counts_steps_and_truncates() -> None:
    env = make("ALE/Pong-v5", settings={"max_episode_steps": 3, "frameskip": 2})
    env.reset(ROW, ROW)
    assert [bool(env.step(ROW).truncated[0]) for _ in range(3)] == [False, False, True]


def test_scores_are_not_clipped() -> None:
    env = make("ALE/MsPacman-v5", settings={"max_episode_steps": 150})
    env.reset(ROW, ROW)
    rng = np.random.default_rng(0)
    rewards = {float(env.step(rng.integers(9, size=1)).reward[0]) for _ in range(150)}
    assert 10.0 in rewards  # a pellet


def test_a_game_does_not_depend_on_the_number_of_threads() -> None:
    tapes = []
    for num_threads in (1, 2):
        env = make("ALE/Breakout-v5", 2, settings={"num_threads": num_threads})
        rng = np.random.default_rng(0)
        env.reset(np.arange(2), np.array([3, 4]))
        tapes.append([env.step(rng.integers(4, size=2)).obs for _ in range(30)])
    assert np.array_equal(*tapes)


@pytest.mark.parametrize("preprocess", ["atari", "cookbook-pong"])
def test_pictures_are_those_of_the_game_that_is_played(preprocess: str) -> None:
    shown = make("ALE/Pong-v5", preprocess=preprocess, render=True)
    screens = make("ALE/Pong-v5", preprocess="none")
    shown.reset(ROW, np.array([7]))
    screen = screens.reset(ROW, np.array([7]))
    rng = np.random.default_rng(0)
    for _ in range(40):
        assert np.array_equal(shown.render(), screen[0])
        action = rng.integers(6, size=1)
        screen = screens.step(action).obs
        shown.step(action)
    assert shown.render().shape == (210, 160, 3)
    assert shown.render().dtype == np.uint8


def test_rendering_changes_nothing_of_the_game() -> None:
    plain, shown = make("ALE/Breakout-v5"), make("ALE/Breakout-v5", render=True)
    rng = np.random.default_rng(0)
    assert np.array_equal(plain.reset(ROW, ROW), shown.reset(ROW, ROW))
    for action in rng.integers(4, size=(40, 1)):
        for mine, theirs in zip(plain.step(action), shown.step(action), strict=True):
            assert np.array_equal(mine, theirs)


def test_rows_that_were_made_without_render_say_so() -> None:
    env = make("ALE/Pong-v5")
    env.reset(ROW, ROW)
    with pytest.raises(RuntimeError, match="render=True"):
        env.render()


@pytest.mark.parametrize("key", ["reward_clipping", "game", "num_envs", "life_loss_info", "frame_skip", "self"])
def test_settings_that_the_arena_keeps_to_itself_are_unknown(key: str) -> None:
    with pytest.raises(UnknownName, match=r"unknown setting of ALE/Pong-v5.*repeat_action_probability"):
        make("ALE/Pong-v5", settings={key: 1})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("repeat_action_probability", 1.5),
        ("repeat_action_probability", True),
        ("frameskip", 0),
        ("frameskip", 2.5),
        ("noop_max", -1),
        ("noop_max", 2**40),
        ("max_episode_steps", "many"),
        ("max_episode_steps", 2**30),
        ("episodic_life", 1),
    ],
)
def test_values_that_cannot_be_are_refused_in_one_line(key: str, value: object) -> None:
    with pytest.raises(InvalidValue, match=r"of ALE/Pong-v5 is ") as raised:
        make("ALE/Pong-v5", settings={key: value})
    assert "\n" not in str(raised.value)


def test_two_caps_contradict_each_other() -> None:
    with pytest.raises(InvalidValue, match="not both"):
        make("ALE/Pong-v5", settings={"max_episode_steps": 5, "max_num_frames_per_episode": 20})


def test_the_size_of_screens_is_fixed_where_preprocessing_needs_it() -> None:
    assert make("ALE/Pong-v5", settings={"img_height": 42}).spec.observation_space.shape == (4, 42, 84)
    with pytest.raises(UnknownName, match="img_height"):
        make("ALE/Pong-v5", preprocess="none", settings={"img_height": 42})
