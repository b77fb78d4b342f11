"""The parts of isolation that need no process: states as bytes, specs on the wire, printed output, forfeits, limits."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
import pydantic
import pytest

from arena.agent import Spec
from arena.isolation import specs
from arena.isolation.forfeited import Forfeited
from arena.isolation.limits import Limits
from arena.isolation.output import Output, one_line
from arena.isolation.states import NotRows, Packer
from arena.isolation.warden import remove
from arena.tournaments.records import ForfeitType


class Pair(NamedTuple):
    """A state of two parts."""

    first: np.ndarray
    second: Any


STATE = Pair(np.arange(6, dtype=np.float64).reshape(3, 2), {"a": [np.array([True, False, True])], "b": ()})


def test_a_state_comes_back_from_its_bytes():
    packer = Packer()
    rows = packer.pack(STATE, 3)
    assert rows.shape == (3, 17) and rows.dtype == np.uint8  # two of 8 bytes, and one of 1
    state = packer.unpack(rows[[2, 0]])  # rows are independent of each other
    assert isinstance(state, Pair) and isinstance(state.second["a"], list)
    assert state.first.tolist() == [[4, 5], [0, 1]] and state.second["a"][0].tolist() == [True, True]
    state.first[0] = 7  # it may be written to


def test_a_player_without_memory_has_no_bytes():
    packer = Packer()
    assert packer.pack((), 4).shape == (4, 0)
    assert packer.unpack(np.zeros((2, 0), np.uint8)) == ()


@pytest.mark.parametrize("state", [3, "x", [1], {"a": None}, np.array(1.0), np.zeros(2), np.array([None] * 3)])
def test_what_is_no_nest_of_rows_is_refused(state: Any):
    with pytest.raises(NotRows, match="its state must be a nest"):
        Packer().pack(state, 3)


@pytest.mark.parametrize("other", [STATE._replace(second=()), STATE._replace(first=np.zeros((3, 2), np.float32)), ()])
def test_a_state_that_changes_its_form_is_refused(other: Any):
    packer = Packer()
    packer.pack(STATE, 3)
    with pytest.raises(NotRows, match="act\\(\\) must keep it as it began"):
        packer.pack(other, 3)


SPACES = [
    gym.spaces.Box(np.array([-1, -2], np.float32), np.array([1, np.inf], np.float32)),
    gym.spaces.Box(0, 255, (84, 84, 4), np.uint8),
    gym.spaces.Discrete(5, start=2),
    gym.spaces.MultiDiscrete([[2, 3], [4, 5]]),
    gym.spaces.MultiBinary((2, 3)),
    gym.spaces.Dict({"observation": gym.spaces.Box(0, 1, (3, 4)), "legal": gym.spaces.MultiBinary(4)}),
    gym.spaces.Tuple([gym.spaces.Discrete(2), gym.spaces.Box(-1.5, 1.5, ())]),
]


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_a_spec_arrives_as_it_was(space: gym.Space[Any]):
    spec = Spec("Game-v1", space, gym.spaces.Discrete(3), max_episode_steps=7, num_seats=2, protocol={"sticky": 0.25})
    told, arrays = specs.to_wire(spec)
    assert specs.from_wire(told, arrays) == spec
    assert sum(array.nbytes for array in arrays.values()) < 100  # bounds that are all the same are sent once


def test_output_keeps_the_beginning_and_the_end():
    output = Output(8)
    for part in (b"abc", b"def", b"ghijklmnop", b"q"):
        output.add(part)
    assert output.text == "abcd\n[... 9 bytes cut ...]\nnopq"


def test_output_below_the_limit_is_kept_whole():
    output = Output(8)
    output.add(b"abcdefgh")
    assert output.text == "abcdefgh"


def test_what_is_printed_steers_no_terminal():
    output = Output(100)
    output.add(b"a\x1b[2Jb\r\nc\td\xff\x9b\xe2\x80\xae\n")
    mark = "\N{REPLACEMENT CHARACTER}"
    assert output.text == f"a{mark}[2Jb\nc\td{mark}{mark}{mark}\n"
    assert one_line("a\n\x07  b" + "c" * 600, 10) == f"a {mark} bccccc"[:9] + "\N{HORIZONTAL ELLIPSIS}"


def test_a_forfeit_survives_being_sent_to_another_process():
    error = pickle.loads(pickle.dumps(Forfeited("x", ForfeitType.EXIT, "it left", "bye")))
    assert (error.agent, error.type, error.reason, error.log) == ("x", ForfeitType.EXIT, "it left", "bye")
    assert str(error) == "x forfeits (exit): it left"


@pytest.mark.parametrize("limits", [{"move_s": 0}, {"start_s": float("inf")}, {"memory_mb": -1}, {"moves": 1}])
def test_limits_that_make_no_sense_are_refused(limits: dict[str, Any]):
    with pytest.raises(pydantic.ValidationError):
        Limits(**limits)


def test_a_folder_that_is_not_there_is_fine(tmp_path: Path):
    remove(tmp_path / "nothing")
