"""The parts of the page that only some formats have."""

import pytest

from arena.reports import formats
from arena.tournaments.outcome import Meeting, Outcome, Stop
from arena.tournaments.result import load


def better_wins(made, names):
    """Plays a pair that the one who comes first among `names` wins by 2 to 0."""

    def play(match):
        first, second = map(names.index, match.players)
        return made.pair(match, (1, 1) if first < second else (0, 0))

    return play


def texts(table):
    return [[cell.text for cell in row] for row in table.rows]


def test_a_knockout_has_a_bracket_and_a_table_of_its_ties(made):
    names = ["a", "b", "c", "d", "e"]
    result = load(made.folder("knockout", names, better_wins(made, names), pairs=2))
    bracket, table = formats.knockout(result.outcome).parts[0].blocks
    # Of five agents three have a bye; 4 v 5 is played first. The match for the third place is in the table alone.
    assert [(title, [tie.names for tie in ties]) for title, ties in bracket.rounds] == [
        ("Quarter-final", [("a",), ("d", "e"), ("b",), ("c",)]),
        ("Semi-final", [("a", "d"), ("b", "c")]),
        ("Final", [("a", "b")]),
    ]
    final = bracket.rounds[-1][1][0]
    assert (final.scores, final.winner) == (("4", "0"), "a")
    assert ["third place", "c", "d", "4-0", "c", "points"] in texts(table)


def test_a_tie_that_is_open_or_decided_otherwise_says_so():
    ties = (
        Meeting(1, "semi-final", ("a", "b"), (2.5, 1.5), "a", "tie-break pair 2"),
        Meeting(1, "semi-final", ("c", "d"), (0.5, 0.5)),
    )
    bracket, _ = formats.knockout(Outcome((), False, meetings=ties)).parts[0].blocks
    first, second = bracket.rounds[0][1]
    assert (first.scores, first.note) == (("2½", "1½"), "by tie-break pair 2")
    assert (second.scores, second.winner, second.note) == (("½", "½"), None, "undecided")


def test_a_swiss_has_places_tie_breaks_and_rounds(made):
    names = ["a", "b", "c"]
    result = load(made.folder("swiss", names, better_wins(made, names), pairs=1, rounds=3))
    (table,) = formats.swiss(result.outcome).parts[0].blocks
    assert [column.title for column in table.columns][:4] == ["#", "agent", "points", "Buchholz"]
    rows = {row[1]: row for row in texts(table)}
    # a beats both and has a bye: 3 points; b beats c and has a bye; c has nothing but its bye.
    assert [(rows[name][0], rows[name][2]) for name in names] == [("1", "3"), ("2", "2"), ("3", "1")]
    assert sorted(rows["a"][-3:]) == ["beat b 2-0", "beat c 2-0", "bye"]
    assert sorted(rows["c"][-3:]) == ["bye", "lost to a 0-2", "lost to b 0-2"]


def test_a_sequential_test_shows_its_way_to_the_verdict():
    stop = Stop(3, "H1", (0.5, 1.9, 3.1), -2.94, 2.94, ("elo is 0", "elo is 50"))
    facts, figure, bias = formats.sequential(stop, ["a", "b"]).parts[0].blocks
    assert ("verdict", "H1 is accepted: elo is 50") in facts.pairs
    assert figure.summary == "After 3 pairs the ratio is 3.10."
    assert "biased" in bias.text


def test_an_open_test_claims_nothing():
    blocks = formats.sequential(Stop(0, "", (), -2.94, 2.94, ("x", "y")), ["a", "b"]).parts[0].blocks
    assert [block.kind for block in blocks] == ["facts"]
    assert ("verdict", "undecided") in blocks[0].pairs


@pytest.mark.parametrize(("value", "text"), [(0, "0"), (0.5, "½"), (2.5, "2½"), (12.0, "12")])
def test_points_are_written_as_in_chess(value, text):
    assert formats.points(value) == text
