"""Pictures of a training for TensorBoard."""

import numpy as np

import envs
from arena.monitor import Monitor
from arena.previews import Previews, as_picture, is_shown
from arena.registry import resolve


def test_the_evaluations_number_1_4_16_and_64_are_shown():
    assert [number for number in range(100) if is_shown(number)] == [1, 4, 16, 64]


def test_stacked_frames_stand_side_by_side():
    stack = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4)
    picture = as_picture(stack)
    assert picture.shape == (3, 8, 3)
    assert picture[1, 5, 0] == stack[1, 1, 1]


def test_a_game_and_an_observation_are_written_as_images(tmp_path):
    env = envs.make("FrozenLake8x8-v1", 1)
    player = resolve("random").player(env.spec, seed=0)
    previews = Previews(env.spec, agent="random", env_settings={}, warn=lambda line: None)
    with_image = np.zeros((4, 84, 84), np.uint8)
    monitor = Monitor(tmp_path)
    previews.show(monitor, player, 7, with_image, 10)
    for closing in (monitor, previews, env):
        closing.close()
    content = monitor.path.read_bytes()
    assert b"frames/observation" in content
    assert b"frames/evaluation" in content
    assert b"GIF89a" in content


def test_what_cannot_be_rendered_is_told_once(tmp_path, monkeypatch):
    env = envs.make("CartPole-v1", 1)
    player = resolve("random").player(env.spec, seed=0)
    told: list[str] = []
    previews = Previews(env.spec, agent="random", env_settings={"nonsense": 1}, warn=told.append)
    monitor = Monitor(tmp_path)
    for step in (1, 2):
        previews.show(monitor, player, 7, np.zeros(4, np.float32), step)
    for closing in (monitor, previews, env):
        closing.close()
    assert len(told) == 1
