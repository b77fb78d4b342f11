"""The sequential test against fastchess, by hand, and by simulation."""

import numpy as np
import pytest

from arena.statistics.sequential_test import MODELS, SCORES, bounds, log_likelihood_ratio

# Disservin/fastchess, app/tests/sprt_test.cpp: counts of 0, 0.5, 1, 1.5 and 2 points; elo0, elo1; model; LLR.
FASTCHESS = [
    ((365, 16618, 36229, 16974, 390), (0, 2), "normalized", 2.25),
    ((127, 4883, 10712, 5150, 104), (-1.75, 0.25), "normalized", 3.01),
    ((223, 9863, 21279, 10037, 246), (0.5, 2.5), "logistic", -3.07),
    ((871, 26175, 55983, 26678, 821), (0, 2), "logistic", -4.98),
    ((379, 10170, 21828, 10640, 343), (0, 2), "normalized", 2.946),  # its pull request 783
    ((77, 1, 0, 0, 0), (-1000, -500), "normalized", -2.95),  # its pull request 882
    ((72, 10, 0, 0, 0), (-1000, -500), "normalized", -2.97),  # likewise
]


@pytest.mark.parametrize(("counts", "elo", "model", "expected"), FASTCHESS)
def test_the_ratio_is_that_of_fastchess(counts, elo, model, expected):
    assert log_likelihood_ratio(counts, *elo, model) == pytest.approx(expected, abs=0.006)


def test_the_bounds_by_hand():
    assert bounds(0.05, 0.05) == pytest.approx((-np.log(19), np.log(19)))  # 2.94
    assert bounds(0.05, 0.10) == pytest.approx((np.log(0.1 / 0.95), np.log(0.9 / 0.05)))


def test_a_clean_sweep_by_hand():
    # The likeliest distribution of mean s puts s on a win and the rest on a loss: n log(s1 / s0).
    score = 1 / (1 + 10 ** (-50 / 400))
    assert log_likelihood_ratio((0, 0, 0, 0, 30), 0, 50) == pytest.approx(30 * np.log(score / 0.5), abs=0.005)


def test_nothing_played_says_nothing():
    assert [log_likelihood_ratio((0,) * 5, 0, 5, model) for model in MODELS] == [0.0, 0.0]


@pytest.mark.parametrize("model", MODELS)
def test_turning_the_board_turns_the_sign(model):
    counts = (3, 7, 20, 11, 4)
    here = log_likelihood_ratio(counts, 0, 30, model)
    assert log_likelihood_ratio(counts[::-1], -30, 0, model) == pytest.approx(-here, abs=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_every_beginning_of_a_match_has_a_finite_ratio(model):
    rng = np.random.default_rng(0)
    for elo in ((0, 5), (-10, 10), (0, 200), (-400, -100)):
        ratios = [log_likelihood_ratio(row, *elo, model) for row in np.eye(5, dtype=int)]
        ratios += [log_likelihood_ratio(100 * row, *elo, model) for row in np.eye(5, dtype=int)]
        ratios += [
            log_likelihood_ratio(rng.multinomial(12, rng.dirichlet(np.full(5, 0.3))), *elo, model) for _ in range(20)
        ]
        assert np.isfinite(ratios).all()
        assert ratios[0] < ratios[4] and ratios[5] < ratios[9]


@pytest.mark.parametrize(
    "wrong", [((1, 2, 3), 0, 5, "logistic"), ((1,) * 5, 5, 0, "logistic"), ((1,) * 5, 0, 5, "bayesian")]
)
def test_wrong_arguments_are_refused(wrong):
    with pytest.raises(ValueError):
        log_likelihood_ratio(*wrong)


@pytest.mark.parametrize("wrong", [(0.0, 0.05), (0.5, 0.5), (0.05, -0.1)])
def test_impossible_error_rates_are_refused(wrong):
    with pytest.raises(ValueError):
        bounds(*wrong)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_error_rates_are_as_promised(model):
    rng = np.random.default_rng(1)
    base = np.array([0.1, 0.2, 0.4, 0.2, 0.1])
    lower, upper = bounds(0.05, 0.05)
    elo1 = 80.0
    deviation = np.sqrt(base @ (SCORES - 0.5) ** 2)
    # How far the mean must be from a half: the expected score, or deviations of a pair, which is sqrt(2) of a game's.
    per_elo = np.log(10) / 400
    target = 1 / (1 + np.exp(-elo1 * per_elo)) if model == "logistic" else 0.5 + elo1 * per_elo / 2**0.5 * deviation
    tilt = base * (1 + (SCORES - 0.5) * (target - 0.5) / deviation**2)
    assert tilt @ SCORES == pytest.approx(target)
    trials, wrong = 100, {"H0": 0, "H1": 0}
    for truth, chances in (("H0", base), ("H1", tilt)):
        for _ in range(trials):
            counts, ratio = np.zeros(5), 0.0
            while lower < ratio < upper:
                counts[rng.choice(5, p=chances)] += 1
                ratio = log_likelihood_ratio(counts, 0.0, elo1, model)
            wrong[truth] += (ratio >= upper) == (truth == "H0")
    # 5% of 100, with a standard deviation of 2.2.
    assert wrong["H0"] <= 12 and wrong["H1"] <= 12
