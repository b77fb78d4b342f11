"""Preprocessing, against numbers worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from arena.errors import DoesNotFit, UnknownName
from envs.preprocessing import NAMES, ON_SCREENS, choose, flat_grey, pong_objects, small_grey

ALL = np.arange(2)


def screens(*colours: tuple[int, int, int]) -> np.ndarray:
    """Returns one screen of each colour."""
    return np.stack([np.full((210, 160, 3), colour, np.uint8) for colour in colours])


def test_small_grey_is_the_rounded_luma() -> None:
    # .299 x 200 + .587 x 100 + .114 x 50 = 59.8 + 58.7 + 5.7 = 124.2; the second: .299 x 2 = .598 -> 1
    grey = small_grey(screens((200, 100, 50), (2, 0, 0)))
    assert grey.shape == (2, 80, 80)
    assert grey.dtype == np.uint8
    assert (grey[0] == 124).all()
    assert (grey[1] == 1).all()


def test_small_grey_takes_the_nearest_pixel_of_rows_31_to_195() -> None:
    screen = screens((0, 0, 0))
    screen[0, 31, 0] = 10  # pixel (0, 0) comes from row 31 + 0, column 0
    screen[0, 31 + 161, 158] = 20  # pixel (79, 79): row floor(79 x 164 / 80) = floor(161.95) = 161, column 158
    screen[0, 31 + 41, 2] = 30  # pixel (20, 1): row 20 x 164 / 80 = 41, column 2
    screen[0, 30] = screen[0, 195] = 99  # outside
    screen[0, :, 1::2] = 99  # odd columns are passed over
    grey = small_grey(screen)[0]
    assert (grey[0, 0], grey[79, 79], grey[20, 1]) == (10, 20, 30)
    assert np.count_nonzero(grey) == 3


def test_pong_objects_are_all_that_is_not_background_in_red() -> None:
    screen = screens((144, 72, 17), (109, 118, 43))  # Pong's two backgrounds
    screen[0, 35, 0] = (92, 186, 92)  # a paddle at the first pixel taken
    screen[0, 193, 158] = (236, 236, 236)  # the ball at the last: 35 + 2 x 79 = 193, 2 x 79 = 158
    screen[0, 36, 0] = screen[0, 35, 1] = screen[0, 34, 0] = screen[0, 195, 0] = 255  # passed over
    screen[1, 35, 2] = (0, 255, 255)  # no red: background
    objects = pong_objects(screen)
    assert objects.shape == (2, 6400)
    assert objects.dtype == np.float32
    assert np.flatnonzero(objects[0]).tolist() == [0, 6399]
    assert objects[0, 0] == 1.0
    assert not objects[1].any()


def test_flat_grey_cuts_the_contrast_and_centres() -> None:
    # means 0, 149 1/3, 150 (cut), 255 -> -1, 21.33 / 128 = .1667, -1, 127 / 128 = .9922
    grey = flat_grey(screens((0, 0, 0), (210, 164, 74), (228, 111, 111), (255, 255, 255)))
    assert grey.shape == (4, 33600)
    assert grey.dtype == np.float32
    assert grey[:, 0] == pytest.approx([-1.0, 0.16666667, -1.0, 0.9921875])
    assert (grey == grey[:, :1]).all()


def test_four_pictures_are_stacked_oldest_first_from_four_times_the_first() -> None:
    stack = ON_SCREENS["cookbook-dqn"](2)
    first = stack.reset(ALL, screens((1, 1, 1), (5, 5, 5)))
    assert first[:, :, 0, 0].tolist() == [[1, 1, 1, 1], [5, 5, 5, 5]]
    stack.step(screens((2, 2, 2), (6, 6, 6)))
    obs = stack.step(screens((3, 3, 3), (7, 7, 7)))
    assert obs[:, :, 0, 0].tolist() == [[1, 1, 2, 3], [5, 5, 6, 7]]


def test_stacks_begin_anew_in_the_rows_that_are_reset_only() -> None:
    stack = ON_SCREENS["cookbook-dqn"](2)
    stack.reset(ALL, screens((1, 1, 1), (5, 5, 5)))
    before = stack.step(screens((2, 2, 2), (6, 6, 6)))
    kept = before.copy()
    assert stack.reset(np.array([1]), screens((9, 9, 9)))[0, :, 0, 0].tolist() == [9, 9, 9, 9]
    obs = stack.step(screens((3, 3, 3), (8, 8, 8)))
    assert obs[:, :, 0, 0].tolist() == [[1, 1, 2, 3], [9, 9, 9, 8]]
    assert np.array_equal(before, kept)


def test_differences_begin_with_zeros_and_anew_at_reset() -> None:
    difference = ON_SCREENS["cookbook-pong"](2)
    white, black = (236, 236, 236), (0, 0, 0)
    assert not difference.reset(ALL, screens(white, black)).any()
    assert difference.step(screens(black, white))[:, 0].tolist() == [-1.0, 1.0]
    assert not difference.reset(np.array([0]), screens(white)).any()
    assert difference.step(screens(white, white))[:, 0].tolist() == [0.0, 0.0]
    assert difference.step(screens(black, white))[:, 0].tolist() == [-1.0, 0.0]


@pytest.mark.parametrize("name", ON_SCREENS)
def test_observations_are_in_their_space(name: str) -> None:
    preprocessor = ON_SCREENS[name](2)
    noise = np.random.default_rng(0).integers(0, 256, (2, 210, 160, 3), np.uint8)
    for obs in (preprocessor.reset(ALL, noise), preprocessor.step(noise[::-1])):
        assert all(preprocessor.space.contains(one) for one in obs)


def test_the_default_is_atari_for_games_and_none_elsewhere() -> None:
    assert choose("ALE/Pong-v5", None, is_atari=True) == "atari"
    assert choose("CartPole-v1", None, is_atari=False) == "none"


def test_an_unknown_name_lists_the_choices() -> None:
    with pytest.raises(UnknownName, match="did you mean 'cookbook-dqn'") as raised:
        choose("ALE/Pong-v5", "cookbook-dqm", is_atari=True)
    assert all(name in str(raised.value) for name in NAMES)


@pytest.mark.parametrize("name", set(NAMES) - {"none"})
def test_preprocessing_of_screens_fits_atari_only(name: str) -> None:
    with pytest.raises(DoesNotFit, match="CartPole-v1 takes 'none' only"):
        choose("CartPole-v1", name, is_atari=False)
