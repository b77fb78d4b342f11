import numpy as np
import pytest

pytest.importorskip("pyspiel", reason="needs the extra 'two-player'")

from agents.mcts import MCTS
from agents.random_agent import RandomAgent
from arena.errors import ArenaError, DoesNotFit
from arena.loop import Episode, run
from arena.seats import Seats
from arena.seeding import Stream, episode_seed
from envs import make


def pairs(num_games: int, num_rows: int, simulations: int = 50) -> list[Episode]:
    """Returns games of mcts against random at tic-tac-toe: seats swap, both games of a pair have one seed."""
    env = make("tic_tac_toe", num_rows, settings={"opening_plies": 1})
    players = MCTS(env.spec, seed=0, settings={"simulations": simulations}), RandomAgent(env.spec, seed=0)
    seats = Seats(players, lambda game: (game % 2, 1 - game % 2))
    events = run(env, seats, lambda game: episode_seed(0, Stream.EVALUATION, game // 2), num_episodes=num_games)
    games = [game for event in events for game in event.finished]
    return sorted(games, key=lambda game: game.number)


def outcomes(games: list[Episode]) -> list[tuple]:
    return [(game.seed, game.returns, game.length) for game in games]


def test_it_beats_random_at_tic_tac_toe():
    results = [game.returns[game.number % 2] for game in pairs(40, 8, simulations=200)]
    assert results.count(-1.0) <= 2  # the opening may be lost already; 0 or 1 of 40 for a perfect player
    assert results.count(1.0) >= 30


def test_games_do_not_depend_on_the_number_of_rows():
    assert outcomes(pairs(8, 1)) == outcomes(pairs(8, 3)) == outcomes(pairs(8, 8))


@pytest.fixture
def begun() -> tuple[MCTS, dict[str, np.ndarray]]:
    """A player, and what it sees in four rows after the same opening."""
    env = make("connect_four", 4, settings={"opening_plies": 3})
    obs = env.reset(np.arange(4), np.full(4, 5))
    return MCTS(env.spec, seed=0, settings={"simulations": 40}), obs


def test_a_move_is_a_function_of_the_rows_key(begun):
    player, obs = begun
    decision = player.act(obs, player.initial_state(np.array([1, 2, 1, 3])))
    visits = decision.extras["probs"]
    assert np.array_equal(visits[0], visits[2])
    assert not np.array_equal(visits[0], visits[1])
    again = player.act(obs, player.initial_state(np.array([1, 2, 1, 3])))
    assert np.array_equal(again.extras["probs"], visits)


def test_the_next_move_is_drawn_anew(begun):
    player, obs = begun
    first = player.act(obs, player.initial_state(np.arange(4)))
    second = player.act(obs, first.state)
    assert not np.array_equal(first.extras["probs"], second.extras["probs"])


def test_it_shows_its_shares_of_the_visits(begun):
    player, obs = begun
    decision = player.act(obs, player.initial_state(np.arange(4)))
    visits = decision.extras["probs"]
    assert visits.sum(axis=1) == pytest.approx(np.ones(4))
    assert np.array_equal(visits.argmax(axis=1), decision.action)  # nothing is proven so early


def test_it_plays_a_proven_win():
    env = make("tic_tac_toe")
    player = MCTS(env.spec, seed=0, settings={"simulations": 100})
    env.reset(np.array([0]), np.array([0]))
    for move in (0, 3, 1, 4):
        obs = env.step(np.array([move])).obs
    assert player.act(obs, player.initial_state(np.array([0]))).action.tolist() == [2]


def test_a_row_that_is_over_is_left_alone():
    env = make("tic_tac_toe")
    player = MCTS(env.spec, seed=0)
    env.reset(np.array([0]), np.array([0]))
    for move in (0, 3, 1, 4, 2):
        obs = env.step(np.array([move])).obs
    decision = player.act(obs, player.initial_state(np.array([0])))
    assert decision.action.tolist() == [0] and not decision.extras["probs"].any()


def test_it_plays_games_of_two_only():
    with pytest.raises(DoesNotFit, match=r"mcts plays OpenSpiel's .*games .* not CartPole-v1"):
        MCTS(make("CartPole-v1").spec, seed=0)


@pytest.mark.parametrize("settings", [{"simulations": 1}, {"uct_c": -1.0}, {"depth": 3}])
def test_settings_that_cannot_be_are_refused(settings):
    from arena.config import check_settings

    with pytest.raises(ArenaError, match=next(iter(settings))):
        check_settings(MCTS, settings, "mcts")
