"""What counts as an action."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from arena.isolation.referee import Foul, check
from arena.tournaments.records import ForfeitType

FOUR = gym.spaces.Discrete(4)
BOX = gym.spaces.Box(-2.0, 2.0, (3,), np.float32)
FREE = gym.spaces.Box(-np.inf, np.inf, (1,), np.float32)
PAIR = gym.spaces.MultiDiscrete([2, 3])
LEGAL = {"legal": np.array([[True, False, True, False], [False, True, False, False]])}


@pytest.mark.parametrize(
    ("action", "space", "obs"),
    [
        (np.array([0, 3]), FOUR, np.zeros((2, 4))),
        (np.array([2, 1]), FOUR, LEGAL),
        (np.array([[-2, 2, 2.00001]], np.float32), BOX, np.zeros((1, 4))),  # what rounding may add to a bound
        (np.array([[1e30]], np.float32), FREE, np.zeros((1, 4))),
        (np.array([[1, 2]]), PAIR, np.zeros((1, 4))),
    ],
)
def test_what_the_space_holds_is_an_action(action: np.ndarray, space: gym.Space[Any], obs: Any):
    check(action, space, obs, len(action))


@pytest.mark.parametrize(
    ("action", "space", "obs", "type", "reason"),
    [
        (None, FOUR, None, "wrong shape", "no action"),
        (np.array([[1]]), FOUR, None, "wrong shape", "actions of shape (1, 1) instead of (1,)"),
        (np.array([1], np.int32), FOUR, None, "wrong shape", "actions of type int32 instead of int64"),
        (np.array([1.0]), FOUR, None, "wrong shape", "actions of type float64 instead of int64"),
        (np.array([np.nan]), FOUR, None, "not a number", "the action [nan]"),
        (np.array([4]), FOUR, None, "illegal action", "the action 4 is none of the 4, 0 to 3"),
        (np.array([-1]), FOUR, None, "illegal action", "the action -1 is none of the 4, 0 to 3"),
        (np.array([1]), FOUR, LEGAL, "illegal action", "the action 1 is illegal here; legal: [0, 2]"),
        (np.array([[0, 0, np.inf]], np.float32), BOX, None, "not a number", "the action [[0.0, 0.0, inf]]"),
        (np.array([[np.inf]], np.float32), FREE, None, "not a number", "the action [[inf]]"),
        (
            np.array([[0, 0, 2.1]], np.float32),
            BOX,
            None,
            "illegal action",
            "is outside of Box(-2.0, 2.0, (3,), float32)",
        ),
        (np.array([[0.0, 0.0, 0.0]]), BOX, None, "wrong shape", "actions of type float64 instead of float32"),
        (np.array([[0, 3]]), PAIR, None, "illegal action", "the action [[0, 3]] is outside of MultiDiscrete([2 3])"),
    ],
)
def test_what_is_none_costs_the_game(action: Any, space: gym.Space[Any], obs: Any, type: str, reason: str):
    with pytest.raises(Foul) as raised:
        check(action, space, obs, 1)
    assert raised.value.type == ForfeitType(type)
    assert reason in str(raised.value)
