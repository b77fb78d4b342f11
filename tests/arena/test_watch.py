"""A game in a window, under SDL's dummy driver: no window is opened."""

import numpy as np
import pytest

from arena.errors import ArenaError, InvalidValue
from arena.film import Frame
from arena.loop import Episode
from arena.watch import show, watch

PLAYER = """
import numpy as np
from arena.agent import Decision, Player

class Left(Player):
    def act(self, obs, state):
        return Decision(np.zeros(len(obs), np.int64))
"""


@pytest.fixture(autouse=True)
def no_window(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setattr("arena.watch._PAUSE_S", 0.0)


@pytest.fixture
def left(tmp_path):
    path = tmp_path / "left.py"
    path.write_text(PLAYER)
    return f"{path}:Left"


def frames(num, finished=None):
    picture = np.zeros((40, 60, 3), np.uint8)
    for index in range(num):
        yield Frame(picture, finished if index == num - 1 else None)


@pytest.mark.parametrize("env_id", ["CartPole-v1", "FrozenLake8x8-v1", "ALE/Pong-v5"])
def test_games_are_shown_to_their_end(left, monkeypatch, env_id):
    monkeypatch.setattr("arena.watch.fps_of", lambda spec: 1000.0)
    episodes = watch(left, env_id, max_episodes=2, env_settings={"max_episode_steps": 5})
    assert [episode.number for episode in episodes] == [0, 1]
    assert all(episode.length <= 5 for episode in episodes)


@pytest.mark.parametrize("key", ["K_ESCAPE", "K_q", None])
def test_the_viewer_ends_it_with_escape_q_or_by_closing_the_window(key):
    import pygame

    def until_closed():
        yield from frames(3)
        pygame.event.post(
            pygame.event.Event(pygame.KEYDOWN, key=getattr(pygame, key)) if key else pygame.event.Event(pygame.QUIT)
        )
        yield from frames(1)
        raise AssertionError("it went on after it was closed")

    assert show(until_closed(), 1000.0, "title") == []


def test_finished_games_are_returned():
    episode = Episode(0, 1, 0, 2.0, 3, False)
    assert show(frames(3, episode), 1000.0, "title") == [episode]


def test_without_a_display_the_message_points_to_record(monkeypatch):
    for name in ("SDL_VIDEODRIVER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(ArenaError, match=r"no display .*`arena record`") as caught:
        show(frames(1), 30.0, "title")
    assert "\n" not in str(caught.value)


def test_a_display_that_does_not_answer_is_told_in_one_line(monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "no-such-driver")
    with pytest.raises(ArenaError, match=r"no display .*`arena record`") as caught:
        show(frames(1), 30.0, "title")
    assert "\n" not in str(caught.value)


def test_a_number_of_games_below_one_is_refused(left):
    with pytest.raises(InvalidValue, match="max_episodes"):
        watch(left, "CartPole-v1", max_episodes=0)
