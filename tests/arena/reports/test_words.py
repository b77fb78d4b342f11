"""Numbers and lists as people read them."""

import pytest

from arena.reports.words import count, decimals, duration, join, number, span


def test_numbers_have_thousands_and_a_true_minus_sign():
    assert number(1234.567) == "1,234.57"
    assert number(-0.5, 1) == "\N{MINUS SIGN}0.5"
    assert number(-0.001) == "0.00"
    assert number(float("nan")) == "\N{EN DASH}"
    assert span(-1, 2, 0) == "\N{MINUS SIGN}1 to 2"


@pytest.mark.parametrize(
    ("values", "places"), [((1, 500), 0), ((1.5, 500), 1), ((1.5, -20.25), 2), ((1.5, 12_000.0), 0), ((), 0)]
)
def test_a_column_has_as_many_decimals_as_its_values_need(values, places):
    assert decimals(values) == places


def test_lists_are_joined_and_long_ones_cut():
    assert join(["a"]) == "a"
    assert join(["a", "b", "c"]) == "a, b and c"
    assert join(list("abcdefgh"), most=4) == "a, b, c and 5 others"


def test_counts_and_durations_are_in_words():
    assert count(1, "match", "matches") == "1 match"
    assert count(2000, "game") == "2,000 games"
    assert [duration(seconds) for seconds in (42, 700, 11_100)] == ["42 s", "12 min", "3 h 5 min"]
