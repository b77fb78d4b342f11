import numpy as np
import pytest

pytest.importorskip("pyspiel", reason="needs the extra 'two-player'")

from agents.minimax import Minimax
from agents.parts.alpha_beta import UNIT, AlphaBeta, estimated_tree_size
from agents.parts.connect_four import ConnectFour
from arena.errors import ArenaError, DoesNotFit
from envs import make
from envs.games.openspiel import load
from envs.games.positions import position


def minimax(game: str = "tic_tac_toe", settings: dict | None = None, **player_settings) -> Minimax:
    return Minimax(make(game, settings=settings).spec, seed=0, settings=player_settings)


def answer(player: Minimax, *histories: list[int], seed: int = 0) -> list[int]:
    """Returns the moves that the player chooses after each history, in rows side by side."""
    space = player.spec.observation_space
    obs = {
        "history": np.full((len(histories), *space["history"].shape), -1, np.int32),
        "legal": np.zeros((len(histories), player.spec.num_actions), bool),
    }
    for row, moves in enumerate(histories):
        obs["history"][row, : len(moves)] = moves
        obs["legal"][row, position(player.game, obs["history"][row]).legal_actions()] = True
    state = player.initial_state(np.arange(seed, seed + len(histories)))
    return player.act(obs, state).action.tolist()


def worst_return(player: Minimax, seat: int) -> tuple[float, int]:
    """Returns the player's lowest return in `seat` over every reply there is, and the games that were played."""

    def descend(state) -> tuple[float, int]:
        if state.is_terminal():
            return state.player_return(seat), 1
        moves = answer(player, state.history()) if state.current_player() == seat else state.legal_actions()
        results = [descend(state.child(move)) for move in moves]
        return min(worst for worst, _ in results), sum(games for _, games in results)

    return descend(player.game.new_initial_state())


@pytest.mark.parametrize("seat", [0, 1])
@pytest.mark.parametrize("ties", ["first", "random"])
def test_it_never_loses_tic_tac_toe_whatever_the_reply(seat, ties):
    worst, games = worst_return(minimax(ties=ties), seat)
    assert worst == 0.0
    assert games > 40  # even the first seat, with few moves left open, meets dozens of games


# Tic-tac-toe's cells:  0 1 2
#                       3 4 5
#                       6 7 8
def test_it_wins_at_once_where_it_can():
    assert answer(minimax(), [0, 3, 1, 4]) == [2]  # x has 0, 1 and completes the row; blocking 5 would not win


def test_it_blocks_a_win():
    assert answer(minimax(), [0, 4, 1]) == [2]  # x threatens 2


def test_it_sees_a_fork():
    # x 0 and 8, o 4: a corner lets x take the last one and threaten twice; only an edge holds.
    player = minimax()
    assert answer(player, [0, 4, 8])[0] in (1, 3, 5, 7)
    scores = player.scores(np.array([0, 4, 8]))
    assert {move for move, score in scores.items() if score == 0} == {1, 3, 5, 7}
    # After a corner x forks with the other corner and wins with its next move: 4 plies from now.
    assert scores[2] == scores[6] == -(UNIT - 4)


def test_what_it_shows_is_each_moves_return():
    player = minimax()
    space = player.spec.observation_space
    obs = {"history": np.full((1, *space["history"].shape), -1, np.int32), "legal": np.ones((1, 9), bool)}
    obs["history"][0, :4] = [0, 3, 1, 4]
    q = player.act(obs, player.initial_state(np.zeros(1))).extras["q"][0]
    # x wins with 2 and stops 5; anything else lets o complete 3, 4, 5. Taken cells have no value.
    expected = [np.nan, np.nan, 1, np.nan, np.nan, 0, -1, -1, -1]
    assert np.array_equal(q[:5], expected[:5], equal_nan=True)
    assert np.array_equal(q[6:], expected[6:])


def test_a_row_that_is_over_is_left_alone():
    # x has won with 0, 1, 2.
    assert answer(minimax(), [0, 3, 1, 4, 2], [0, 3, 1, 4]) == [0, 2]


def test_an_answer_depends_neither_on_other_rows_nor_on_what_was_searched_before():
    histories = [[4], [0, 4], [0, 8], [1, 4, 0]]
    together = answer(minimax(), *histories)
    fresh = [answer(minimax(), history)[0] for history in histories]
    crowded = minimax(table_size=3)
    assert together == fresh == [answer(crowded, history)[0] for history in reversed(histories)][::-1]


def test_ties_are_drawn_by_the_rows_key():
    player = minimax(ties="random")
    drawn = {answer(player, [], seed=seed)[0] for seed in range(60)}
    assert drawn == set(range(9))  # every first move of tic-tac-toe draws
    assert answer(player, [], seed=7) == answer(player, [], seed=7)
    assert answer(minimax(), [], seed=7) == [0]


def test_beyond_its_depth_it_takes_a_position_for_a_draw():
    # After 0 4 8, a corner loses in 4 plies: 3 do not see it.
    history = np.array([0, 4, 8])
    assert minimax(max_depth=3).scores(history)[2] == 0
    assert minimax(max_depth=4).scores(history)[2] < 0


@pytest.mark.parametrize(
    ("game", "settings"), [("connect_four", {}), ("connect_four", {"rows": 5, "columns": 6}), ("breakthrough", {})]
)
def test_a_game_that_is_too_large_is_refused_unless_a_depth_is_set(game, settings):
    with pytest.raises(DoesNotFit, match=r"too large .* set max_depth"):
        minimax(game, settings)
    assert len(answer(minimax(game, settings, max_depth=2), [])) == 1


def test_it_plays_games_of_two_only():
    with pytest.raises(DoesNotFit, match=r"minimax plays OpenSpiel's .*games .* not CartPole-v1"):
        Minimax(make("CartPole-v1").spec, seed=0)


def test_a_depth_of_nothing_is_refused():
    from arena.config import check_settings

    with pytest.raises(ArenaError, match="max_depth"):
        check_settings(Minimax, {"max_depth": 0}, "minimax")


# Values of whole boards: https://tromp.github.io/c4/c4.html and https://github.com/ChristopheSteininger/c4.
@pytest.mark.parametrize(
    ("rows", "columns", "value"),
    [
        (4, 4, 0),
        (5, 4, 0),
        (4, 5, 0),
        pytest.param(5, 5, 0, marks=pytest.mark.slow),
        pytest.param(4, 6, -1, marks=pytest.mark.slow),
    ],
)
def test_connect_four_boards_have_their_published_values(rows, columns, value):
    assert np.sign(max(ConnectFour(rows, columns).scores([]).values())) == value


def test_connect_four_scores_count_the_winners_stones_left():
    board = ConnectFour(4, 4)
    # Three in column 0 against three in column 1: the fourth wins with the 4th of 8 stones, 5 are left unplayed or
    # being played. Any other move but the block loses to their fourth, at 9 cells left: -(9 + 1) / 2.
    scores = board.scores([0, 1, 0, 1, 0, 1])
    assert scores[0] == 5
    assert scores[2] == scores[3] == -5


def test_connect_four_prefers_the_centre_among_equals():
    assert answer(minimax("connect_four", {"rows": 4, "columns": 4}), []) == [1]


def random_positions(game, num: int, most_plies: int = 12) -> list[list[int]]:
    """Returns histories of positions that are not over."""
    generator = np.random.default_rng(0)
    histories = []
    while len(histories) < num:
        state = game.new_initial_state()
        for _ in range(generator.integers(most_plies - 8, most_plies)):
            if not state.is_terminal():
                state.apply_action(generator.choice(state.legal_actions()))
        if not state.is_terminal():
            histories.append(state.history())
    return histories


@pytest.mark.parametrize("max_depth", [None, 5])
@pytest.mark.parametrize("size", [(4, 4), (5, 4)])
def test_connect_four_on_bitboards_scores_as_the_search_over_states_does(size, max_depth):
    rows, columns = size
    game = load("connect_four", {"rows": rows, "columns": columns})
    board = ConnectFour(rows, columns, max_depth=max_depth, table_size=1000)
    search = AlphaBeta(game, max_depth=max_depth)
    for history in random_positions(game, 40, 14):
        left = rows * columns - len(history)
        expected = {}
        for move, score in search.scores(position(game, np.array(history))).items():
            plies = UNIT - abs(
                score
            )  # to the end; Pons's score is half of what is then left, its winner's stone included
            expected[move] = int(np.sign(score)) * ((left - plies + 2) // 2)
        found = board.scores(history)
        if max_depth is None:
            assert found == expected
        else:  # threats are seen two plies beyond the depth: what the deeper search does not contradict
            assert all(found[move] == value for move, value in expected.items() if value)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("nim", {"pile_sizes": "1;2;4"}),
        ("dots_and_boxes", {"num_rows": 1, "num_cols": 2}),
        ("clobber", {"rows": 3, "columns": 3}),
        ("breakthrough", {"rows": 4, "columns": 3}),
        ("hex", {"board_size": 3}),
        ("mnk", {"m": 3, "n": 3, "k": 3}),
        ("tic_tac_toe", {}),
        ("connect_four", {"rows": 3, "columns": 4, "x_in_row": 3}),
    ],
)
def test_the_table_changes_no_score(name, parameters):
    game = load(name, parameters)
    with_table, without = AlphaBeta(game), AlphaBeta(game)
    assert with_table._remembers
    without._remembers = False
    for history in random_positions(game, 12, 9):
        state = position(game, np.array(history))
        assert with_table.scores(state) == without.scores(state)
    assert with_table.num_nodes < without.num_nodes


def test_seats_that_move_twice_in_a_row_are_searched_right():
    # One box: its fourth line, the second player's, wins it.
    game = load("dots_and_boxes", {"num_rows": 1, "num_cols": 1})
    scores = AlphaBeta(game).scores(game.new_initial_state())
    assert set(scores.values()) == {-(UNIT - 4)}


def test_a_trees_size_is_estimated():
    # Tic-tac-toe's tree has 549,946 nodes.
    assert estimated_tree_size(load("tic_tac_toe", {})) == pytest.approx(549_946, rel=0.1)
