"""Scales of environments."""

import gymnasium as gym
import numpy as np
import pytest

from arena.statistics import human_scores
from arena.statistics.human_scores import HUMAN, SOLVED, scale_of


@pytest.mark.parametrize(
    ("env_id", "random", "human"),
    [("ALE/Pong-v5", -20.7, 14.6), ("BreakoutNoFrameskip-v4", 1.7, 30.5), ("ALE/MsPacman-v5", 307.3, 6951.6)],
)
def test_atari_is_measured_against_a_human(env_id, random, human):
    scale = scale_of(env_id)
    assert (scale.random, scale.reference, scale.source) == (random, human, HUMAN)
    assert scale.normalised(np.array([random, human])) == pytest.approx([0.0, 1.0])


def test_all_57_games_have_a_scale_on_which_people_beat_chance():
    import ale_py

    games = ale_py.roms.get_all_rom_ids()
    assert len(human_scores._ATARI) == 57
    assert set(human_scores._ATARI) <= {game.replace("_", "") for game in games}
    assert all(random < human for random, human in human_scores._ATARI.values())


def test_other_environments_are_measured_against_what_solves_them():
    for env_id in human_scores._CLASSIC:
        assert scale_of(env_id).reference == gym.spec(env_id).reward_threshold
        assert scale_of(env_id).source == SOLVED


def test_published_normalised_scores_by_hand():
    # 18 in Pong: 38.7 of 35.3.
    assert scale_of("ALE/Pong-v5").normalised(np.array([18.0]))[0] == pytest.approx(38.7 / 35.3)


@pytest.mark.parametrize(
    ("env_id", "settings"),
    [("Pendulum-v1", {}), ("mine:Env-v0", {}), ("connect_four", {}), ("FrozenLake-v1", {"is_slippery": False})],
)
def test_nothing_is_guessed(env_id, settings):
    assert scale_of(env_id, settings) is None


def test_a_cap_on_the_length_leaves_the_scale():
    assert scale_of("CartPole-v1", {"max_episode_steps": 100}) == scale_of("CartPole-v1")
