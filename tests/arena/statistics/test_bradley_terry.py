"""Ratings against closed forms, published estimates, choix, and a search that knows nothing of the formulas."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from scipy.optimize import minimize

from arena.statistics import bradley_terry
from arena.statistics.bradley_terry import ELO, fit, rate
from arena.statistics.groups import told_apart

LOST, DRAWN, WON = range(3)

# Davidson (1970), six brands of chocolate pudding: brands i and j, preferred i, preferred j, no preference.
PUDDING = """1 2 19 22 16; 1 3 16 19 12; 2 3 19 19 10; 1 4 18 23 13; 2 4 23 19 9; 3 4 19 20 15; 1 5 13 19 18;
2 5 16 20 12; 3 5 16 15 17; 4 5 17 14 16; 1 6 18 21 12; 2 6 22 20 12; 3 6 13 18 10; 4 6 14 19 18; 5 6 11 21 12"""
# After Davidson's seven iterations, as the vignette of R's PlackettLuce gives them.
WORTH, NU = (0.1388005, 0.1729985, 0.1617420, 0.1653930, 0.1586805, 0.2023855), 0.7468147

# How often the row beat the column. Python's choix 0.4.1, in a scratch environment:
#   choix.ilsr_pairwise(4, [(i, j) for i in range(4) for j in range(4) for _ in range(WINS[i][j])], alpha=0)
WINS = ((0, 7, 9, 4), (3, 0, 6, 8), (2, 5, 0, 6), (5, 1, 3, 0))
CHOIX = (0.538616605666143, 0.21637095498706838, -0.22319057149922256, -0.5317969891539888)


def either_seat(rows):
    """Games (i, j, lost, drawn, won by i) of unknown seats: half of them in each."""
    seats = np.array([row[:2] for row in rows])
    results = np.array([row[2:] for row in rows], float) / 2
    return np.concatenate([seats, seats[:, ::-1]]), np.concatenate([results, results[:, ::-1]])[None]


def random_results(seed, num_players, pairs=6):
    rng = np.random.default_rng(seed)
    meetings = np.array([(i, j) for i in range(num_players) for j in range(i + 1, num_players)])
    results = rng.multinomial(pairs, rng.dirichlet(np.ones(9)), len(meetings)).reshape(-1, 3, 3)
    return meetings, results


def test_the_published_estimates_with_ties():
    rows = [[int(number) for number in row.split()] for row in PUDDING.replace("\n", " ").split(";")]
    best = fit(6, *either_seat([(i - 1, j - 1, lost, drawn, won) for i, j, won, lost, drawn in rows]))
    worth = np.exp(best.strength[0])
    assert worth / worth.sum() == pytest.approx(WORTH, abs=2.5e-5)
    assert best.nu[0] == pytest.approx(NU, abs=2.5e-5)
    assert best.seat[0] == pytest.approx(0.0, abs=1e-9)


def test_strengths_without_draws_are_those_of_choix():
    rows = [(i, j, WINS[j][i], 0, WINS[i][j]) for i in range(4) for j in range(i)]
    best = fit(4, *either_seat(rows))
    assert best.strength[0] == pytest.approx(CHOIX, abs=1e-7)
    assert best.nu[0] == 0.0


def test_two_players_by_hand():
    # Won 6, drawn 2, lost 2 in each seat: no advantage, the odds of winning are 3 = exp(a - b), those of a draw
    # 2 / sqrt(6 * 2) = nu.
    best = fit(2, np.array([[0, 1], [1, 0]]), np.array([[[2.0, 2.0, 6.0], [6.0, 2.0, 2.0]]]))
    assert np.ptp(best.strength[0]) == pytest.approx(np.log(3))
    assert best.nu[0] == pytest.approx(2 / np.sqrt(12))
    assert best.seat[0] == pytest.approx(0.0, abs=1e-9)


def test_the_seat_by_hand():
    # Equal players; who begins wins 9 of 12 decided games: odds of 3.
    best = fit(2, np.array([[0, 1], [1, 0]]), np.array([[[3.0, 4.0, 9.0], [3.0, 4.0, 9.0]]]))
    assert best.seat[0] == pytest.approx(np.log(3))
    assert best.strength[0] == pytest.approx([0.0, 0.0], abs=1e-9)


def test_the_fit_is_where_a_plain_search_finds_the_maximum():
    meetings, results = random_results(4, 4)
    seats, games = bradley_terry._games(meetings, results.reshape(1, -1, 9) + 0.1)

    def loss(at):
        lead = (at[seats[:, 0]] - at[seats[:, 1]] + at[4]) / 2
        weights = np.exp(np.stack([-lead, np.full(len(lead), at[5]), lead], axis=1))
        return -(games[0] * np.log(weights / weights.sum(1, keepdims=True))).sum() + at[:4].sum() ** 2

    found = minimize(loss, np.zeros(6), tol=1e-10).x
    best = fit(4, seats, games)
    assert best.strength[0] == pytest.approx(found[:4], abs=1e-4)
    assert (best.seat[0], np.log(best.nu[0])) == pytest.approx((found[4], found[5]), abs=1e-4)


def test_four_hundred_points_are_odds_of_ten():
    results = np.zeros((1, 3, 3))
    results[0, WON, WON], results[0, LOST, LOST] = 10_000, 1_000
    ratings = rate(2, np.array([[0, 1]]), results, seed=0, resamples=200)
    assert ratings.rating.value == pytest.approx([200.0, -200.0], abs=0.5)


@hypothesis.settings(max_examples=15)
@hypothesis.given(st.integers(0, 10_000), st.integers(2, 4))
def test_intervals_hold_the_rating_and_relations_are_symmetric(seed, num_players):
    ratings = rate(num_players, *random_results(seed, num_players), seed=seed, resamples=500)
    assert (ratings.rating.low <= ratings.rating.value).all() and (ratings.rating.value <= ratings.rating.high).all()
    assert ratings.seat_advantage.low <= ratings.seat_advantage.value <= ratings.seat_advantage.high
    assert ratings.nu.low <= ratings.nu.value <= ratings.nu.high
    assert ratings.rating.value.sum() == pytest.approx(0.0, abs=1e-6)
    assert ratings.superiority + ratings.superiority.T == pytest.approx(np.ones((num_players, num_players)))
    assert (ratings.p_values == ratings.p_values.T).all() and (np.diag(ratings.p_values) == 1.0).all()


def test_renaming_players_renames_ratings_and_nothing_else():
    meetings, results = random_results(1, 4)
    plain = bradley_terry.best_fit(4, meetings, results)
    turned = bradley_terry.best_fit(4, 3 - meetings, results)
    assert turned.strength[0, ::-1] == pytest.approx(plain.strength[0])
    swapped = bradley_terry.best_fit(4, meetings[:, ::-1], results[:, ::-1, ::-1].transpose(0, 2, 1))
    assert swapped.strength == pytest.approx(plain.strength)
    assert swapped.seat == pytest.approx(plain.seat)


def test_one_sided_results_have_finite_ratings_that_grow_with_their_number():
    results = np.zeros((1, 3, 3))
    leads, widths = [], []
    for pairs in (1, 3, 20):
        results[0, WON, WON] = pairs
        ratings = rate(2, np.array([[0, 1]]), results, seed=0, resamples=2_000)
        leads.append(np.ptp(ratings.rating.value))
        widths.append(ratings.rating.low[0])
    assert leads == sorted(leads) and np.isfinite(leads).all()
    assert widths[0] < 0 < widths[1] < widths[2]  # one pair tells nothing, three and twenty do
    assert ratings.superiority[0, 1] > 0.999


def test_the_prior_is_one_pair_for_every_player():
    # Two players without a pair of their own are even; the virtual pair draws a third of its games: nu = 1.
    ratings = rate(2, np.array([[0, 1]]), np.zeros((1, 3, 3)), seed=0, resamples=500)
    assert ratings.rating.value == pytest.approx([0.0, 0.0], abs=1e-9)
    assert ratings.nu.value == pytest.approx(1.0)
    # One pair, won twice, and a virtual one: won 2 2/3, drawn 2/3, lost 2/3 games: odds of winning 4.
    results = np.zeros((1, 3, 3))
    results[0, WON, WON] = 1
    ratings = rate(2, np.array([[0, 1]]), results, seed=0, resamples=500)
    assert np.ptp(ratings.rating.value) == pytest.approx(ELO * np.log(4))


def test_without_a_prior_one_sided_results_are_refused():
    with pytest.raises(ValueError, match="no finite ratings"):
        fit(2, *either_seat([(0, 1, 0, 1, 5)]))


def test_players_that_no_game_links_are_found():
    results = np.ones((2, 3, 3))
    assert not rate(4, np.array([[0, 1], [2, 3]]), results, seed=0, resamples=100).is_connected
    assert rate(3, np.array([[0, 1], [1, 2]]), results, seed=0, resamples=100).is_connected


@pytest.mark.parametrize(("num_players", "results"), [(3, np.zeros((1, 3, 3))), (2, np.zeros((2, 3, 3)))])
def test_a_player_without_a_meeting_and_tables_that_do_not_fit_are_refused(num_players, results):
    with pytest.raises(ValueError):
        rate(num_players, np.array([[0, 1]]), results, seed=0)


def test_pairs_that_vary_less_than_their_games_have_narrower_intervals():
    # Every pair ends 1 : 1, the opening deciding who wins; or 2 : 0 and 0 : 2 by turns. Game by game it is the same.
    balanced, swept = np.zeros((1, 3, 3)), np.zeros((1, 3, 3))
    balanced[0, WON, LOST] = balanced[0, LOST, WON] = 20
    swept[0, WON, WON] = swept[0, LOST, LOST] = 20
    narrow, wide = (rate(2, np.array([[0, 1]]), table, seed=0, resamples=2_000) for table in (balanced, swept))
    assert narrow.rating.high[0] < 0.5 * wide.rating.high[0]


def test_rounding_errors_of_very_many_games_do_not_keep_the_fit_from_ending():
    meetings = np.array([(i, j) for i in range(10) for j in range(i)])
    results = np.random.default_rng(0).multinomial(20_000, [1 / 9] * 9, size=len(meetings)).reshape(-1, 3, 3)
    assert np.abs(rate(10, meetings, results, seed=0, resamples=100).rating.value).max() < 3.0  # all are equal


@pytest.mark.slow
def test_intervals_of_ratings_cover_as_often_as_they_say():
    rng = np.random.default_rng(0)
    strength, seat, nu = np.array([0.6, 0.0, -0.6]), 0.3, 0.7
    meetings = np.array([(0, 1), (0, 2), (1, 2)])
    covered, apart, trials = 0, 0, 300
    for trial in range(trials):
        results = np.zeros((3, 3, 3))
        equal = np.zeros((3, 3, 3))
        for table, values in ((results, strength), (equal, np.zeros(3))):
            for row, (i, j) in enumerate(meetings):
                chances = []
                for lead in (values[i] - values[j] + seat, values[i] - values[j] - seat):
                    weights = np.array([np.exp(-lead / 2), nu, np.exp(lead / 2)])
                    chances.append(weights / weights.sum())
                table[row] = rng.multinomial(25, np.outer(*chances).ravel()).reshape(3, 3)
        ratings = rate(3, meetings, results, seed=trial, resamples=1_000).rating
        covered += ((ratings.low <= ELO * strength) & (ELO * strength <= ratings.high)).mean()
        apart += told_apart(rate(3, meetings, equal, seed=trial, resamples=1_000).p_values).any()
    # Standard errors 1.3% and 1.3%; the prior shrinks, so a little less is covered.
    assert 0.90 < covered / trials < 0.98
    assert apart / trials < 0.10
