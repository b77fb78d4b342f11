"""The panel beside a game: what it says, and that it covers nothing."""

import gymnasium as gym
import numpy as np
import pytest

from arena.agent import Spec
from arena.loop import Episode
from arena.overlay import PANEL_WIDTH, Panel, Shot, action_names
from arena.pictures import even, scaled

BACKGROUND = (21, 23, 28)
CHOSEN = (255, 179, 71)
BAR = (88, 108, 142)


def spec(env_id="CartPole-v1", actions=None):
    actions = actions or gym.spaces.Discrete(2)
    return Spec(env_id, gym.spaces.Box(-1.0, 1.0, (4,), np.float32), actions)


def shot(action=1, extras=None, picture=None, score=0.0):
    picture = np.full((400, 600, 3), 200, np.uint8) if picture is None else picture
    return Shot(picture, episode=0, step=3, score=score, action=np.asarray(action), extras=extras or {})


def count(frame, colour):
    return int((frame == colour).all(-1).sum())


def bar_width(frame, colour):
    """Returns the length of the longest run of a colour in any row of pixels; no letter is as wide."""
    edges = np.diff((frame[190:] == colour).all(-1).astype(int), prepend=0, append=0, axis=1)
    starts, ends = np.argwhere(edges == 1)[:, 1], np.argwhere(edges == -1)[:, 1]
    return int((ends - starts).max(initial=0))


def test_the_game_stands_beside_the_panel_untouched():
    picture = np.random.default_rng(0).integers(0, 256, (400, 600, 3), np.uint8)
    frame = Panel("dqn", spec()).draw(shot(picture=picture))
    assert frame.shape == (400, 600 + PANEL_WIDTH, 3)
    np.testing.assert_array_equal(frame[:, :600], picture)


@pytest.mark.parametrize(("height", "width"), [(210, 160), (33, 41), (240, 720), (401, 601), (630, 480)])
@pytest.mark.parametrize("num_actions", [2, 18, 40])
def test_frames_have_even_sides_whatever_the_picture(height, width, num_actions):
    panel = Panel("dqn", spec("X-v0", gym.spaces.Discrete(num_actions)))
    frame = panel.draw(shot(picture=np.zeros((height, width, 3), np.uint8)))
    assert frame.dtype == np.uint8
    assert frame.shape[0] % 2 == frame.shape[1] % 2 == 0


def test_small_pictures_are_enlarged_by_whole_numbers_without_new_colours():
    screen = np.random.default_rng(0).integers(0, 256, (210, 160, 3), np.uint8)
    large = scaled(screen)  # 640 // 210 = 3
    assert large.shape == (630, 480, 3)
    np.testing.assert_array_equal(large[::3, ::3], screen)
    np.testing.assert_array_equal(large[1::3, 2::3], screen)


def test_large_pictures_are_left_as_they_are():
    picture = np.zeros((400, 600, 3), np.uint8)
    assert scaled(picture) is picture
    assert even(picture) is picture


def test_a_probability_of_a_half_fills_half_of_the_bar():
    full = Panel("ppo", spec()).draw(shot(1, {"probs": np.array([0.0, 1.0])}))
    half = Panel("ppo", spec()).draw(shot(1, {"probs": np.array([0.5, 0.5])}))
    assert bar_width(half, CHOSEN) == pytest.approx(bar_width(full, CHOSEN) / 2, abs=1)


def test_action_values_are_shown_by_what_they_are_worth_less_than_the_best():
    panel = Panel("dqn", spec("X-v0", gym.spaces.Discrete(3)))
    values = np.array([10.0, 9.0, 8.0])  # spread 2, so 9 is half a spread below the best
    frame = panel.draw(shot(0, {"q": values}))
    assert bar_width(frame, BAR) == pytest.approx(bar_width(frame, CHOSEN) / 2, abs=1)
    # Later near-ties are measured by the widest spread so far: 0.1 of 2 is a twentieth.
    frame = panel.draw(shot(0, {"q": np.array([5.0, 4.9, 4.9])}))
    assert bar_width(frame, BAR) == pytest.approx(bar_width(frame, CHOSEN) * 0.95, abs=1)


def test_continuous_actions_are_signed_bars_with_a_tick_at_the_action():
    torque = gym.spaces.Box(-2.0, 2.0, (1,), np.float32)
    left = Panel("ppo", spec("Pendulum-v1", torque)).draw(shot([-2.0], {"mean": np.array([-1.0])}))
    right = Panel("ppo", spec("Pendulum-v1", torque)).draw(shot([2.0], {"mean": np.array([1.0])}))
    assert bar_width(left, BAR) == pytest.approx(bar_width(right, BAR), abs=3)
    columns = [np.flatnonzero((frame == BAR).all(-1).any(0)).mean() for frame in (left, right)]
    assert columns[0] < columns[1]


def test_a_player_that_shows_nothing_has_its_action_marked_and_no_bars():
    frame = Panel("random", spec()).draw(shot(1))
    assert count(frame[190:, 600:], CHOSEN) > 0
    assert bar_width(frame, BAR) == 0


@pytest.mark.parametrize("extras", [{"q": np.array([np.nan, 1.0])}, {"probs": np.zeros(5)}, {"q": np.zeros(2)}])
def test_odd_extras_do_not_stop_a_film(extras):
    Panel("dqn", spec()).draw(shot(1, extras, score=float("inf")))


def test_long_names_are_cut_short_within_the_panel():
    frame = Panel("an agent with a name that is far too long for any panel", spec()).draw(shot())
    assert (frame[:60, -12:] == BACKGROUND).all()


def test_actions_have_their_meanings_where_they_are_known():
    pong = spec("ALE/Pong-v5", gym.spaces.Discrete(6))
    assert action_names(pong) == ["noop", "fire", "right", "left", "right fire", "left fire"]
    assert action_names(spec("ALE/Pong-v5", gym.spaces.Discrete(18)))[-1] == "down left fire"
    assert action_names(spec()) == ["left", "right"]
    assert action_names(spec("Strange-v3", gym.spaces.Discrete(3))) == ["0", "1", "2"]
    assert action_names(spec("Strange-v3", gym.spaces.Box(-1, 1, (2,), np.float32))) == ["0", "1"]
    assert action_names(spec("Strange-v3", gym.spaces.MultiDiscrete([2, 2]))) == []


def test_actions_of_other_kinds_are_written_out():
    Panel("x", spec("Strange-v3", gym.spaces.MultiDiscrete([2, 2]))).draw(shot([1, 0]))


def match_shot(**changes):
    extras = {"probs": np.array([0.1, 0.2, 0.7])}
    picture = np.full((100, 100, 3), 200, np.uint8)
    moves = {0: "left", 2: "right"}
    return Shot(picture, 0, 3, 0.0, np.asarray(2), extras, to_move=0, moves=moves)._replace(**changes)


def match_panel():
    space = gym.spaces.Box(0.0, 1.0, (2,))
    return Panel("a - b", Spec("connect_four", space, gym.spaces.Discrete(3), num_seats=2), ("first", "second"))


def test_beside_a_game_of_two_both_names_have_their_colours_and_whose_move_it_is_stands_out():
    panel = match_panel()
    ours, theirs = (panel.draw(match_shot(to_move=seat, extras={})) for seat in (0, 1))
    red, yellow = (226, 74, 74), (246, 200, 68)  # the pieces of connect_four
    assert count(ours, red) > 50 < count(ours, yellow)
    changed = np.argwhere((ours != theirs).any(-1))[:, 0]
    assert set(changed // 34) == {1, 2}  # the lines of the two names, 34 pixels each from 40 on, and nothing else


def test_beside_a_game_of_two_the_best_legal_moves_are_shown():
    panel = match_panel()
    shown, silent = panel.draw(match_shot()), panel.draw(match_shot(extras={"probs": np.full(3, np.nan)}))
    assert count(shown, BAR) > 0 == count(silent, BAR)  # what is not known is not drawn
    assert shown.shape == silent.shape


def test_the_end_of_a_game_of_two_names_the_winner():
    panel = match_panel()
    ends = [Episode(0, 1, 0, ret, 3, False, (ret, -ret)) for ret in (1.0, -1.0, 0.0)]
    assert [panel._outcome(end) for end in ends] == ["first wins", "second wins", "drawn"]
    frames = [panel.draw(match_shot(finished=end, to_move=None)) for end in ends]
    assert not np.array_equal(frames[0], frames[1])
    assert frames[0].shape == panel.draw(match_shot()).shape
