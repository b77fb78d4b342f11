"""Players in processes of their own: they play as elsewhere, and what they do wrong is a forfeit of the right type."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import envs
from arena import registry
from arena.errors import ArenaError, DoesNotFit
from arena.evaluation import play
from arena.isolation import launcher, processes
from arena.isolation.forfeited import Forfeited, SeatLost
from arena.isolation.limits import Limits
from arena.isolation.player import IsolatedPlayer
from arena.isolation.process import PREFIX
from arena.tournaments.records import ForfeitType

STRANGERS = Path(__file__).with_name("strangers.py")
HOSTILE = Path(__file__).parents[3] / "benchmarks" / "hostile_agents"
ROW = np.arange(1)


@pytest.fixture(autouse=True)
def nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    launcher.stop()
    before = processes.resident(os.getpid()).keys()
    yield
    assert not list(tmp_path.glob(f"{PREFIX}*"))
    launcher.stop()
    of_others = before | {pid for other in before for pid in processes.resident(other)}  # a browser starts its own
    assert not processes.resident(os.getpid()).keys() - of_others


def stranger(name: str, env: str = "CartPole-v1", **options: Any) -> IsolatedPlayer:
    file = HOSTILE if ".py:" in name else STRANGERS
    ref = f"{file}/{name}" if ".py:" in name else f"{file}:{name}"
    return IsolatedPlayer("stranger", ref, envs.make(env, 1).spec, **{"seed": 1, **options})


def moves(player: IsolatedPlayer, count: int, env: str = "CartPole-v1") -> list[Any]:
    """Returns the first actions of a game."""
    row = envs.make(env, 1)
    obs, state, actions = row.reset(ROW, ROW), player.initial_state(ROW), []
    for _ in range(count):
        action, state, _ = player.act(obs, state)
        obs = row.step(action)[0]
        actions.append(action.tolist())
    return actions


def forfeit(name: str, env: str = "CartPole-v1", count: int = 10, **options: Any) -> Forfeited:
    """Returns how a player forfeits its game."""
    with pytest.raises(Forfeited) as raised, stranger(name, env, **options) as player:
        moves(player, count, env)
    assert raised.value.agent == "stranger"
    return raised.value


@pytest.mark.parametrize("name", ["Leans", "Remembers"])
@pytest.mark.parametrize("num_rows", [1, 3])
def test_an_isolated_player_plays_the_games_that_it_plays_in_this_process(name: str, num_rows: int):
    def games(player: Any) -> list[tuple[float, int]]:
        return [(game.ret, game.length) for game in play(envs.make("CartPole-v1", num_rows), player, lambda i: i, 7)]

    here = registry.resolve(f"{STRANGERS}:{name}").player(envs.make("CartPole-v1", num_rows).spec, seed=1)
    with stranger(name) as there:
        assert games(there) == games(here)


def test_a_builtin_agent_draws_the_same_actions_in_a_process_of_its_own():
    spec = envs.make("Pendulum-v1", 1).spec
    here = registry.resolve("random").player(spec, seed=1)
    with IsolatedPlayer("random", "random", spec, seed=1) as there:
        assert moves(there, 20, "Pendulum-v1") == moves(here, 20, "Pendulum-v1")  # type: ignore[arg-type]


def test_a_game_with_legal_actions_is_played_through_mappings():
    pytest.importorskip("pyspiel", reason="the extra two-player is not installed")
    with stranger("Leans", "tic_tac_toe") as player:
        assert moves(player, 4, "tic_tac_toe") == [[0], [1], [2], [3]]  # the first empty square, in turn


def test_only_what_a_viewer_shows_comes_along():
    with stranger("Leans") as player:
        obs = np.array([[0, 0, 0.25, 0.5]], np.float32)
        decision = player.act(obs, player.initial_state(ROW))
    assert {name: array.tolist() for name, array in decision.extras.items()} == {"q": [[-0.75, 0.75]]}


def test_a_player_that_draws_from_global_generators_plays_alike_every_time():
    def actions(seed: int) -> list[Any]:
        with stranger("DrawsFromGlobals", seed=seed) as player:
            return moves(player, 8)

    assert actions(3) == actions(3)
    assert len({str(actions(seed)) for seed in range(4)}) > 1


def test_a_player_that_does_not_fit_says_so():
    with pytest.raises(DoesNotFit, match="CartPole-v1 is beneath it"), stranger("Refuses"):
        raise AssertionError


def test_what_an_agent_prints_is_kept_as_far_as_the_limit_goes():
    with stranger("Misbehaves", settings={"how": "print"}, limits=Limits(log_kb=2)) as player:
        moves(player, 1)
    lines = player.log.splitlines()
    assert lines[:2] == ["line 0", "line 1"] and lines[-1] == "line 19999"
    assert 2048 < len(player.log) < 2100
    printed = sum(len(f"line {number}\n") for number in range(20_000))
    assert f"[... {printed - 2048:,} bytes cut ...]" in lines


MEMORY = {"fork_without_end": 1 << 20}  # its children count in full, though they share most of their memory
BAD = [
    (
        "raises_at_import.py:FailsToImport",
        "failed import",
        "raises_at_import.py cannot be imported: RuntimeError: no import today",
    ),
    ("hostile.py:RaisesAtStart", "crash", "RaisesAtStart.__init__() failed at hostile.py:"),
    ("hostile.py:RaisesOnMoveSeven", "crash", "RaisesOnMoveSeven.act() failed at hostile.py:"),
    ("hostile.py:WrongShape", "wrong shape", "actions of shape (2,) instead of (1,)"),
    ("hostile.py:IllegalAction", "illegal action", "is none of the 2, 0 to 1"),
    ("hostile.py:Exits", "exit", "its process exited with code 3"),
    ("hostile.py:Forks", "crash", "RuntimeError: my children play on"),
]


@pytest.mark.parametrize(("name", "type", "reason"), BAD)
def test_a_hostile_agent_forfeits_for_what_it_did(name: str, type: str, reason: str):
    error = forfeit(name)
    assert error.type == type
    assert reason in error.reason
    assert "/" not in error.reason  # no folder of this machine is on record


def test_an_action_that_is_not_a_number_is_a_forfeit():
    error = forfeit("hostile.py:NotANumber", "Pendulum-v1")
    assert (error.type, error.reason) == (ForfeitType.NOT_A_NUMBER, "the action [[nan]]")


def test_a_traceback_is_in_the_log_of_a_forfeit():
    assert "KeyError: 'move seven'" in forfeit("hostile.py:RaisesOnMoveSeven").log


def test_a_hang_is_a_timeout():
    error = forfeit("hostile.py:Hangs", limits=Limits(move_s=1))
    assert (error.type, error.reason) == (ForfeitType.TIMEOUT, "a move took longer than 1 s")


def test_a_move_just_over_the_limit_is_a_timeout():
    error = forfeit("hostile.py:SleepsTooLong", limits=Limits(move_s=1), settings={"late_s": 1.05})
    assert error.type == ForfeitType.TIMEOUT


def test_a_move_below_the_limit_is_none():
    with stranger("hostile.py:SleepsTooLong", limits=Limits(move_s=60), settings={"late_s": 0.2}) as player:
        assert len(moves(player, 8)) == 8


def test_a_start_over_the_limit_is_a_timeout(tmp_path: Path):
    (tmp_path / "slow.py").write_text("import time\ntime.sleep(3600)\nclass Slow: ...\n")
    player = IsolatedPlayer(
        "slow", f"{tmp_path}/slow.py:Slow", envs.make("CartPole-v1", 1).spec, seed=0, limits=Limits(start_s=0.3)
    )
    with pytest.raises(Forfeited, match=r"slow forfeits \(timeout\): its start took longer than 0.3 s"), player:
        raise AssertionError


def test_memory_over_the_limit_is_a_forfeit():
    error = forfeit("hostile.py:Allocates", limits=Limits(memory_mb=400, move_s=60))
    assert error.type == ForfeitType.OUT_OF_MEMORY
    assert error.reason.endswith("MiB of memory; the limit is 400 MiB")


@pytest.mark.parametrize(
    ("how", "type", "reason"),
    [
        ("segfault", "crash", "its process was killed by SIGSEGV"),
        ("kill_itself", "crash", "its process was killed by SIGKILL"),
        ("exit_politely", "exit", "it called sys.exit('good bye')"),
        ("want_memory", "out of memory", "Misbehaves.act() failed at strangers.py:"),
        ("allocate_in_a_child", "out of memory", "the limit is 400 MiB"),
        ("fork_without_end", "crash", "it started more than 512 processes"),
        ("ignore_the_contract", "wrong shape", "act() must return a Decision with an array of actions, not int"),
        ("answer_with_a_list", "wrong shape", "act() must return a Decision with an array of actions, not list"),
        ("answer_with_objects", "wrong shape", "act() must return a Decision with an array of actions, not ndarray"),
        ("answer_with_floats", "wrong shape", "actions of type float64 instead of int64"),
        ("change_its_state", "wrong shape", "its state was () a row and became float64[]"),
        (
            "hold_an_object",
            "wrong shape",
            "its state must be a nest of arrays, or () if memoryless, and has a Misbehaves",
        ),
        ("write_on_the_line", "crash", "it broke the protocol: a frame of"),
        ("close_the_line", "crash", "it closed its line to the runner"),
        ("claim_another_type", "crash", "\N{REPLACEMENT CHARACTER}[31mxxx"),
    ],
)
def test_misbehaviour_is_a_forfeit_of_its_type(how: str, type: str, reason: str):
    error = forfeit("Misbehaves", settings={"how": how}, limits=Limits(memory_mb=MEMORY.get(how, 400), move_s=60))
    assert error.type == type
    assert reason in error.reason
    assert len(error.reason) <= 500


def test_memory_that_is_taken_between_moves_is_a_forfeit_at_the_next():
    with stranger("Misbehaves", settings={"how": "allocate_later"}, limits=Limits(memory_mb=400)) as player:
        state = player.initial_state(ROW)
        obs = np.zeros((1, 4), np.float32)
        with pytest.raises(Forfeited, match="out of memory"):
            while True:
                player.act(obs, state)


def test_a_folder_is_removed_whatever_the_agent_made_of_it():
    with stranger("Misbehaves", settings={"how": "bury_its_folder"}) as player:
        moves(player, 1)


def test_a_player_that_has_forfeited_plays_no_more():
    with stranger("hostile.py:Exits") as player:
        with pytest.raises(Forfeited):
            moves(player, 8)
        with pytest.raises(SeatLost, match="stranger is not running"):
            moves(player, 1)


def test_a_space_of_an_unusual_kind_is_refused_before_anything_runs():
    import dataclasses

    import gymnasium as gym

    spec = dataclasses.replace(envs.make("CartPole-v1", 1).spec, observation_space=gym.spaces.Text(4))
    with (
        pytest.raises(DoesNotFit, match="CartPole-v1 has a Text space"),
        IsolatedPlayer("x", f"{STRANGERS}:Leans", spec, seed=0),
    ):
        raise AssertionError


def test_a_reference_to_nothing_is_a_mistake_of_the_user_and_no_forfeit():
    with pytest.raises(ArenaError, match="unknown class"), stranger("hostile.py:Nobody"):
        raise AssertionError
