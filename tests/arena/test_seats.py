"""Several players in one loop: who is asked what, who is to blame, and that rows change nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import envs
from agents.random_agent import RandomAgent
from arena.agent import Decision, Player
from arena.errors import ArenaError, BrokenPlugin
from arena.gamelog import GameLog
from arena.loop import Episode, RowStart, observation_digest, run
from arena.nests import row_of
from arena.seats import Seats

pytest.importorskip("pyspiel", reason="needs the extra two-player")


class Script(Player):
    """Plays its moves one after the other, in every game the same; puts what it is asked onto the tape."""

    def __init__(self, env: envs.Rows, name: str, moves: list[int], tape: list[Any] | None = None) -> None:
        super().__init__(env.spec, seed=0)
        self.name, self.moves, self.tape = name, np.array(moves), [] if tape is None else tape

    def initial_state(self, seeds: np.ndarray) -> np.ndarray:
        self.tape.append((self.name, "state", len(seeds)))
        return np.zeros(len(seeds), np.int64)

    def act(self, obs: dict[str, np.ndarray], state: np.ndarray) -> Decision:
        played = [row[row >= 0].tolist() for row in obs["history"]]
        self.tape.append((self.name, obs["seat"].tolist(), played))
        return Decision(self.moves[state], state + 1)


def alternating(episode: int) -> tuple[int, ...]:
    """A pair: the first player begins the even games."""
    return (0, 1) if episode % 2 == 0 else (1, 0)


def test_the_tape_of_a_game_and_of_its_return_with_seats_swapped():
    env, tape = envs.make("tic_tac_toe"), []
    top, middle = Script(env, "top", [0, 1, 2], tape), Script(env, "middle", [3, 4, 5], tape)
    for event in run(env, Seats([top, middle], alternating), lambda i: 7, num_episodes=2):
        tape.append(("event", event.transition.reward.tolist(), event.finished))
    quiet = ("event", [[0.0, 0.0]], ())
    assert tape == [
        ("top", "state", 1),
        ("middle", "state", 1),
        ("top", [0], [[]]),
        quiet,
        ("middle", [1], [[0]]),
        quiet,
        ("top", [0], [[0, 3]]),
        quiet,
        ("middle", [1], [[0, 3, 1]]),
        quiet,
        ("top", [0], [[0, 3, 1, 4]]),
        ("event", [[1.0, -1.0]], (Episode(0, 7, 0, 1.0, 5, False, (1.0, -1.0)),)),  # x: the top row
        ("top", "state", 1),
        ("middle", "state", 1),
        ("middle", [0], [[]]),
        quiet,
        ("top", [1], [[3]]),
        quiet,
        ("middle", [0], [[3, 0]]),
        quiet,
        ("top", [1], [[3, 0, 4]]),
        quiet,
        ("middle", [0], [[3, 0, 4, 1]]),
        ("event", [[1.0, -1.0]], (Episode(1, 7, 0, 1.0, 5, False, (1.0, -1.0)),)),  # x: the middle row
    ]


def test_rows_are_gathered_by_player_and_idle_ones_left_out():
    env, tape = envs.make("tic_tac_toe", 3), []
    top, middle = Script(env, "top", [0, 1, 2], tape), Script(env, "middle", [3, 4, 5], tape)
    finished = [
        episode
        for event in run(env, Seats([top, middle], alternating), lambda i: 7, num_episodes=3)
        for episode in event.finished
    ]
    asked = [(name, seats) for name, seats, _ in tape if isinstance(seats, list)]
    assert asked == [("top", [0, 0]), ("middle", [0]), ("top", [1]), ("middle", [1, 1])] * 2 + [
        ("top", [0, 0]),
        ("middle", [0]),
    ]
    assert [episode.returns for episode in finished] == [(1.0, -1.0)] * 3


def games(num_rows: int) -> list[tuple[Any, ...]]:
    """Returns seed, actions, returns and digest of six pairs of games between random players."""
    env = envs.make("connect_four", num_rows, settings={"opening_plies": 2})
    seats = Seats([RandomAgent(env.spec, seed=0), RandomAgent(env.spec, seed=1)], alternating)
    log, ended = GameLog("a", "connect_four", players=lambda episode: ("a", "b")), []
    for event in run(env, seats, lambda i: i // 2, num_episodes=12):
        ended += log.add(event)
    ended.sort(key=lambda game: game.episode)
    return [(game.seed, game.actions.tolist(), game.returns, game.digest) for game in ended]


def test_games_do_not_depend_on_the_number_of_rows():
    alone = games(1)
    assert len(alone) == 12
    assert alone == games(5) == games(12)


def test_the_games_of_a_pair_are_no_copies_although_their_openings_are():
    played = games(4)
    assert all(first[0] == second[0] for first, second in zip(played[::2], played[1::2], strict=True))
    assert all(first[1] != second[1] for first, second in zip(played[::2], played[1::2], strict=True))


def test_one_player_may_sit_in_both_seats():
    env = envs.make("tic_tac_toe")
    player = Script(env, "both", [0, 3, 1, 4, 2])
    events = run(env, Seats([player], lambda i: (0, 0)), lambda i: i, num_episodes=1)
    assert [episode.returns for event in events for episode in event.finished] == [(1.0, -1.0)]


def test_values_of_those_who_tell_them_are_shown_and_others_left_open():
    class Telling(Script):
        def act(self, obs: dict[str, np.ndarray], state: np.ndarray) -> Decision:
            return super().act(obs, state)._replace(extras={"q": np.tile(np.arange(9.0), (len(state), 1))})

    env = envs.make("tic_tac_toe", 2)
    players = Telling(env, "telling", [0, 1, 2]), Script(env, "silent", [3, 4, 5])
    event = next(iter(run(env, Seats(players, alternating), lambda i: i, num_episodes=2)))
    assert event.transition.extras["q"][0].tolist() == list(range(9))
    assert np.isnan(event.transition.extras["q"][1]).all()


class Broken(Script):
    """Does something else instead of its second move."""

    instead: Callable[[np.ndarray], Any]

    def act(self, obs: dict[str, np.ndarray], state: np.ndarray) -> Any:
        decision = super().act(obs, state)
        return type(self).instead(state) if state[0] == 1 else decision


def fails(state: np.ndarray) -> Decision:
    raise ZeroDivisionError("division by zero")


@pytest.mark.parametrize(
    ("instead", "line"),
    [
        (
            lambda state: Decision(np.array([3]), state),
            r"Broken.act\(\) chose 3, an illegal move, in seat 0 at ply 3; legal are \[1, 2, 4, 5, 6, 7, 8\]",
        ),
        (lambda state: Decision(np.array([9]), state), r"Broken.act\(\) chose 9, an illegal move"),
        (lambda state: Decision(np.array([-1]), state), r"Broken.act\(\) chose -1, an illegal move"),
        (lambda state: Decision(np.array([1, 2]), state), r"must give actions of shape \(1,\), not \(2,\)"),
        (lambda state: Decision(np.array([1.0], np.float32), state), "must give int64 actions"),
        (lambda state: 4, "must return a Decision, not int"),
        (lambda state: Decision(np.array([1]), None), "Broken's state must be a nest of writable"),
        (lambda state: Decision(np.array([1]), np.array([0.5])), "float64 does not go into int64"),
        (fails, r"Broken.act\(\) failed at test_seats.py:\d+: ZeroDivisionError: division by zero"),
    ],
)
def test_a_player_that_breaks_the_rules_is_named_with_its_move(instead, line):
    Broken.instead = staticmethod(instead)
    env = envs.make("tic_tac_toe")
    broken, other = Broken(env, "broken", [0, 1, 2]), Script(env, "other", [3, 4, 5])
    with pytest.raises(BrokenPlugin, match=line) as caught:
        list(run(env, Seats([broken, other], alternating), lambda i: i, num_episodes=1))
    assert caught.value.player is broken
    assert "\n" not in str(caught.value)


def test_a_first_state_that_fails_names_its_player():
    class Unready(Script):
        def initial_state(self, seeds: np.ndarray) -> np.ndarray:
            raise ValueError("not yet")

    env = envs.make("tic_tac_toe")
    unready = Unready(env, "unready", [])
    with pytest.raises(BrokenPlugin, match=r"Unready.initial_state\(\) failed.*not yet") as caught:
        list(run(env, Seats([Script(env, "other", [0]), unready], alternating), lambda i: i, num_episodes=1))
    assert caught.value.player is unready


def test_the_arenas_own_errors_pass_through_unchanged():
    class Forfeited(ArenaError):
        pass

    class GivesUp(Script):
        def act(self, obs: dict[str, np.ndarray], state: np.ndarray) -> Decision:
            raise given_up

    given_up, env = Forfeited("time"), envs.make("tic_tac_toe")
    players = Script(env, "other", [0]), GivesUp(env, "gives up", [])
    with pytest.raises(Forfeited) as caught:
        list(run(env, Seats(players, alternating), lambda i: i, num_episodes=1))
    assert caught.value is given_up


def test_an_environment_that_fails_blames_no_player(monkeypatch):
    env = envs.make("tic_tac_toe")
    monkeypatch.setattr(env, "step", lambda actions: 1 / 0)
    with pytest.raises(BrokenPlugin, match=r"tic_tac_toe.step\(\) failed") as caught:
        list(run(env, Script(env, "any", [0]), lambda i: i, num_episodes=1))
    assert caught.value.player is None


def test_a_player_without_seats_is_checked_by_the_loop_itself():
    env = envs.make("tic_tac_toe")
    player = Script(env, "both", [0, 0])
    with pytest.raises(BrokenPlugin, match=r"Script.act\(\) chose 0, an illegal move, in seat 1 at ply 2") as caught:
        list(run(env, player, lambda i: i, num_episodes=1))
    assert caught.value.player is player


def test_a_game_in_progress_goes_on_where_it_stopped():
    env = envs.make("tic_tac_toe", 2)
    obs = env.reset(np.array([0]), np.array([7]))
    for action in (0, 3, 1):
        obs = env.step(np.array([action, 0])).obs
    start = RowStart(4, 7, np.array([0, 3, 1]), observation_digest(row_of(obs, 0)))
    player = Script(env, "both", [4, 2])
    events = run(env, player, lambda i: 8, num_episodes=0, starts=[start, None])
    assert [(event.live.tolist(), event.finished) for event in events] == [
        ([True, False], ()),
        ([True, False], (Episode(4, 7, 0, 1.0, 5, False, (1.0, -1.0)),)),
    ]


def test_the_time_that_each_player_spends_is_counted():
    env = envs.make("tic_tac_toe")
    seats = Seats([Script(env, "a", [0, 1, 2]), Script(env, "b", [3, 4, 5]), Script(env, "never", [])], alternating)
    list(run(env, seats, lambda i: i, num_episodes=1))
    assert [seconds > 0 for seconds in seats.seconds] == [True, True, False]
