"""A match of two agents that a sequential test ends."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.statistics import sequential_test
from arena.tournaments.file import Sprt
from arena.tournaments.schedule import due, outcome
from arena.tournaments.sequential import BIAS, PAIRS_PER_GROUP, decide

TEST = Sprt(elo0=0, elo1=150)  # alpha = beta = 0.05: the bounds are ln 19 = 2.944 and its negative


@pytest.mark.parametrize(
    ("points", "pairs", "accepted"),
    [
        # All won, which has a probability of 1 / (1 + 10 ** -0.375) = 0.7034 under H1 and 0.5 under H0:
        # ln(0.7034 / 0.5) = 0.341 a pair, and 2.944 / 0.341 = 8.6.
        (2.0, 9, "H1"),
        # All lost: ln(0.2966 / 0.5) = -0.522 a pair, and 2.944 / 0.522 = 5.6.
        (0.0, 6, "H0"),
    ],
)
def test_the_test_stops_where_the_ratio_crosses_a_bound(points, pairs, accepted):
    stop = decide(TEST, [points] * 50)
    assert (stop.pairs, stop.accepted, len(stop.llrs)) == (pairs, accepted, pairs)
    assert stop.upper == -stop.lower == pytest.approx(2.9444, abs=1e-4)
    assert abs(stop.llr) >= stop.upper > abs(stop.llrs[-2])


def test_before_that_it_is_open():
    stop = decide(TEST, [2.0] * 8)
    assert (stop.pairs, stop.accepted) == (8, "")
    assert stop.llr == pytest.approx(8 * 0.3413, abs=0.03)  # scores that did not occur count a little too
    assert decide(TEST, []).llr == 0.0


def test_each_score_of_a_pair_has_a_count_of_its_own():
    points = [2.0, 1.5, 1.5, 1.5, 1.0, 0.5, 0.5, 0.0]
    expected = sequential_test.log_likelihood_ratio([1, 2, 1, 3, 1], 0, 150)
    assert decide(TEST, points).llr == expected


def test_the_hypotheses_are_said_in_words():
    assert decide(TEST, []).hypotheses == ("+0 Elo", "+150 Elo")
    normalized = Sprt(elo0=-5, elo1=2.5, model="normalized")
    assert decide(normalized, []).hypotheses == ("-5 normalized Elo", "+2.5 normalized Elo")


@pytest.fixture
def match(arranged):
    """Returns a match of at most 40 pairs, and a function that gives results to its pairs from the first one on."""
    config, entered = arranged.setting("round-robin", 2, pairs=40, stop="sprt", sprt=TEST)

    def after(*points):
        wanted = due(config.model_copy(update={"stop": "none", "sprt": None}), entered, {})
        return {pair.id: arranged.played(pair, result) for pair, result in zip(wanted, points, strict=False)}

    return config, entered, after


def test_pairs_are_handed_out_in_groups(match):
    config, entered, after = match
    assert PAIRS_PER_GROUP == 8
    for num_played, num_due in [(0, 8), (7, 8), (8, 16), (16, 24)]:
        assert len(due(config, entered, after(*([2.0, 0.5] * 20)[:num_played]))) == num_due


def test_the_group_in_which_it_is_decided_is_played_and_what_follows_the_stop_does_not_count(match):
    config, entered, after = match
    won = after(*[2.0] * 9)
    matches = due(config, entered, won)
    assert len(matches) == 16
    assert not outcome(config, entered, won).is_complete
    result = outcome(config, entered, after(*[2.0] * 9, *[0.0] * 7))
    assert result.is_complete
    assert (result.stop.pairs, result.stop.accepted) == (9, "H1")
    assert result.not_counted == tuple(match.id for match in matches[9:])
    assert result.notes == (BIAS,)


def test_a_pair_that_is_missing_holds_the_test_up(match):
    config, entered, after = match
    won = after(*[2.0] * 16)
    third = due(config, entered, {})[2].id
    del won[third]
    result = outcome(config, entered, won)
    assert (result.stop.pairs, result.stop.accepted, len(result.matches)) == (2, "", 8)


def test_a_match_that_is_never_decided_ends_with_its_last_pair(match):
    config, entered, after = match
    result = outcome(config, entered, after(*[2.0, 0.5] * 20))
    assert (result.is_complete, result.stop.pairs, result.stop.accepted) == (True, 40, "")
    assert (len(result.matches), result.not_counted, result.notes) == (40, (), ())


@settings(max_examples=40)
@given(st.integers(0, 2**32), st.randoms(use_true_random=False))
def test_how_many_pairs_are_played_at_once_changes_nothing(arranged, seed, random):
    config, entered = arranged.setting(
        "gauntlet", 2, pairs=30, stop="sprt", sprt=Sprt(elo0=0, elo1=100, alpha=0.2, beta=0.2), seed=seed
    )

    def points(match):
        return match.seeds[0] % 5 / 2

    one_by_one, result = arranged.play_out(config, entered, points)
    at_once, same = arranged.play_out(config, entered, points, random.randrange)
    assert set(one_by_one) == set(at_once)
    assert result == same
