"""Who can be told apart, by hand."""

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from arena.statistics.groups import interval_test, letters, swap_test, told_apart


def test_few_games_by_hand():
    # Three seeds, each won by the first: of the 8 ways to swap, 2 give a difference as large.
    assert swap_test(np.array([[2.0, 3.0, 4.0], [1.0, 1.0, 1.0]]), seed=0)[0, 1] == 2 / 8
    # One seed can be swapped in two ways, and both are as large: one game never tells two agents apart.
    assert swap_test(np.array([[500.0], [0.0]]), seed=0)[0, 1] == 1.0


def test_equal_agents_have_a_p_value_of_one():
    assert (swap_test(np.ones((3, 20)), seed=0) == 1.0).all()


def test_many_games_agree_with_the_exact_test():
    rng = np.random.default_rng(0)
    scores = np.concatenate([rng.normal([[0.0], [0.9]], 1.0, (2, 12)), np.zeros((2, 12))], axis=1)
    # Twelve seeds on which both score the same change nothing: the exact figure, but for chance.
    exact = swap_test(scores[:, :12], seed=0)[0, 1]
    assert swap_test(scores, seed=0)[0, 1] == pytest.approx(exact, abs=0.01)


def test_of_many_games_the_swaps_are_taken_to_be_normal():
    # 1,300 seeds with +1, 1,200 with -1: the sum is 100, its deviation sqrt(2,500) = 50; 2 P(Z > 2) = 0.0455.
    won, drawn = np.repeat([1.0, -1.0], [1300, 1200]), np.zeros(2500)
    p = swap_test(np.array([won, drawn, drawn]), seed=0)
    assert p[0, 1] == pytest.approx(0.0455, abs=1e-4) and p[1, 2] == 1.0
    assert swap_test(np.array([won[800:1800], drawn[:1000]]), seed=0)[0, 1] == pytest.approx(1.0, abs=0.03)


def test_of_many_games_the_interval_test_agrees_with_the_interval():
    draws = np.random.default_rng(0).normal(1.96, 1.0, 200_000)
    assert interval_test(draws, 10_000) == pytest.approx(0.05, abs=0.002)
    assert interval_test(-draws, 10_000) == pytest.approx(0.05, abs=0.002)
    assert interval_test(draws + 1.96, 10_000) == pytest.approx(8.9e-5, rel=0.2)  # four standard deviations nearly
    assert interval_test(np.zeros(10), 10_000) == 1.0
    assert interval_test(np.ones(10), 10_000) == 0.0


def test_few_games_are_tested_with_student_s_tail():
    # Five seeds in each of two environments: z = 2.8 sqrt(4/5) = 2.504, 8 degrees of freedom; 2 P(T > 2.504) = .0367.
    draws = np.random.default_rng(0).normal(2.8, 1.0, 200_000)
    assert interval_test(draws, 5, 2) == pytest.approx(0.0367, abs=0.001)


def test_the_interval_test_gives_no_less_than_swaps_could():
    # Of the 16 ways to swap four games two give a difference as large as the largest there is: 2/16.
    draws = np.random.default_rng(0).normal(50.0, 1.0, 1_000)
    assert interval_test(draws, 4) == interval_test(np.ones(10), 4) == interval_test(draws, 2, 2) == 2 / 16
    assert interval_test(draws, 1) == 1.0


def test_equal_agents_with_few_games_are_rarely_told_apart():
    # The percentile interval alone tells two of four equal agents apart in 59 of 100 leagues of this size.
    rng = np.random.default_rng(0)
    wrong = 0
    for _ in range(100):
        scores = rng.normal(size=(4, 2, 2))  # agents, environments, seeds
        drawn = rng.integers(2, size=(500, 2, 2))
        draws = [score[np.arange(2)[:, None], drawn].mean((1, 2)) for score in scores]
        p = [[interval_test(one - other, 2, 2) for other in draws] for one in draws]
        wrong += told_apart(np.array(p)).any()
    assert wrong <= 5


def test_holm_by_hand():
    # Of p-values .01, .02 and .04 at 5%: .01 <= .05/3, .02 <= .05/2, .04 <= .05. With .03 for .02 it ends there.
    p = np.ones((3, 3))
    p[1, 0], p[2, 0], p[2, 1] = 0.02, 0.01, 0.04
    assert told_apart(p).sum() == 6
    p[1, 0] = 0.03
    assert told_apart(p).tolist() == [[False, False, True], [False, False, False], [True, False, False]]


def test_what_was_not_tested_is_not_told_apart_and_costs_nothing():
    p = np.full((3, 3), np.nan)
    p[1, 0] = 0.04
    assert told_apart(p).tolist() == [[False, True, False], [True, False, False], [False, False, False]]


def test_letters_by_hand():
    # The first and the last are apart, the middle one from neither.
    apart = np.zeros((3, 3), bool)
    apart[0, 2] = apart[2, 0] = True
    assert letters(apart) == ["a", "ab", "b"]
    assert letters(np.zeros((3, 3), bool)) == ["a", "a", "a"]
    assert letters(~np.eye(3, dtype=bool)) == ["a", "b", "c"]
    assert letters(np.zeros((0, 0), bool)) == []


@hypothesis.given(st.integers(1, 6), st.integers(0, 2**15 - 1))
def test_two_share_a_letter_exactly_where_they_are_not_told_apart(num, bits):
    apart = np.zeros((num, num), bool)
    for position, (i, j) in enumerate(zip(*np.tril_indices(num, -1), strict=True)):
        apart[i, j] = apart[j, i] = bits >> position & 1
    found = letters(apart)
    for i in range(num):
        for j in range(num):
            assert bool(set(found[i]) & set(found[j])) != apart[i, j]


@pytest.mark.slow
def test_agents_that_are_alike_are_rarely_told_apart():
    rng = np.random.default_rng(0)
    wrong = sum(told_apart(swap_test(rng.exponential(1.0, (4, 30)), seed=s)).any() for s in range(400))
    assert wrong / 400 < 0.08  # 5% and three standard errors
