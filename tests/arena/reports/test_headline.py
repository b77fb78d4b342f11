"""The sentence on top of the page."""

import pytest

from arena.reports.headline import headline, of_ranks
from arena.tournaments import ranking
from arena.tournaments.result import load


@pytest.mark.parametrize(
    ("groups", "sentence"),
    [
        ("a", "p played alone in X."),
        ("ab", "p beats q in X."),
        ("abb", "p beats q and r in X."),
        ("aab", "p and q cannot be told apart in X; both beat r."),
        ("aaab", "p, q and r cannot be told apart in X; all beat s."),
        ("aaa", "p, q and r cannot be told apart in X."),
        (("a", "ab", "b"), "p and q cannot be told apart in X; p beats r."),
        (("(53)", "(53)(54)", "(55)"), "p and q cannot be told apart in X; both beat r."),
    ],
)
def test_it_says_who_won_and_how_sure_that_is(groups, sentence):
    assert of_ranks("pqrs"[: len(groups)], groups, "in X") == sentence


def told(folder) -> str:
    result = load(folder)
    return headline(result, ranking.of(result))


def test_a_league_names_the_winner_and_who_forfeited(made):
    folder = made.league({"good": [20.0, 30.0, 25.0, 28.0] * 5, "poor": [1.0, 2.0, 3.0, 1.0] * 5, "bad": None})
    assert told(folder) == "good beats poor in CartPole-v1. bad forfeited."


def test_an_unfinished_tournament_is_spoken_of_with_care(made):
    folder = made.league({"good": [20.0, 30.0, 25.0, 28.0] * 5, "poor": [1.0, 2.0, 3.0, 1.0] * 5}, episodes=30)
    assert told(folder) == "So far: good beats poor in CartPole-v1."


def test_a_tournament_that_has_not_begun_says_so(made):
    assert told(made.folder("round-robin", ["a", "b"], lambda match: None)) == "Nothing has been played yet."


def test_a_knockout_names_its_final_before_what_the_games_prove(made):
    folder = made.folder("knockout", ["a", "b"], lambda match: made.pair(match, (1, 0.5)), pairs=1)
    assert told(folder) == "a won the final against b. a and b cannot be told apart by all games."
