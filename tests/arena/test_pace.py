"""Which of a game's frames a film shows, and how fast."""

import pytest

from arena.errors import InvalidValue
from arena.pace import Look, Pace


def shown(pace, num_frames):
    return [number for number in range(num_frames) if pace.wants()]


def test_all_frames_are_shown_at_the_environments_own_speed():
    pace = Pace(50.0, Look(), "mp4")
    assert pace.fps == 50.0
    assert shown(pace, 5) == [0, 1, 2, 3, 4]


def test_a_gif_shows_at_most_25_frames_a_second():
    pace = Pace(50.0, Look(), "gif")
    assert pace.fps == 25.0
    assert shown(pace, 6) == [0, 2, 4]


def test_fewer_frames_a_second_leave_out_frames_and_keep_the_speed():
    pace = Pace(50.0, Look(fps=15), "mp4")
    assert pace.fps == 15.0
    assert shown(pace, 11) == [0, 4, 7, 10]  # the first ones after 0, 1, 2 and 3 times 50 / 15 = 3.33


def test_more_frames_than_there_are_cannot_be_shown():
    assert Pace(15.0, Look(fps=60), "gif").fps == 15.0


def test_twice_as_fast_leaves_out_every_other_frame():
    pace = Pace(30.0, Look(speed=2.0), "mp4")
    assert pace.fps == 30.0
    assert shown(pace, 6) == [0, 2, 4]


def test_half_as_fast_shows_every_frame_for_longer():
    pace = Pace(30.0, Look(speed=0.5), "mp4")
    assert pace.fps == 15.0
    assert shown(pace, 3) == [0, 1, 2]


def test_a_fast_game_has_more_frames_a_second_where_that_is_asked_for():
    pace = Pace(15.0, Look(speed=2.0, fps=60), "mp4")
    assert pace.fps == 30.0
    assert shown(pace, 3) == [0, 1, 2]


def test_no_rounding_error_leaves_out_a_frame_or_shows_one_too_many():
    pace = Pace(60.0, Look(fps=60 / 7), "mp4")
    assert shown(pace, 70_000) == list(range(0, 70_000, 7))


def test_after_so_many_seconds_of_film_the_play_is_cut():
    pace = Pace(50.0, Look(speed=2.0, seconds=0.1), "mp4")
    assert shown(pace, 100) == [0, 2, 4, 6, 8]  # 0.1 s at 50 frames a second
    assert pace.is_cut


def test_without_a_limit_nothing_is_cut():
    pace = Pace(50.0, Look(), "mp4")
    assert len(shown(pace, 100_000)) == 100_000
    assert not pace.is_cut


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"width": 63}, "width must be a whole number of at least 64 pixels, not 63"),
        ({"width": 100.5}, "not 100.5"),
        ({"fps": 0}, "fps must be a number above 0, not 0"),
        ({"speed": -1.0}, "speed must be a number above 0, not -1.0"),
        ({"speed": float("nan")}, "not nan"),
        ({"seconds": float("inf")}, "seconds must be a number above 0, not inf"),
        ({"seconds": True}, "not True"),
    ],
)
def test_what_no_film_can_look_like_is_told_in_one_line(given, line):
    with pytest.raises(InvalidValue, match=line):
        Look(**given)
