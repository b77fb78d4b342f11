"""Tie-breaks, worked by hand."""

from arena.tournaments.tie_breaks import (
    Result,
    buchholz,
    decided_by,
    direct_encounter,
    ranked,
    sonneborn_berger,
    totals,
)

# Four agents, each meets the others once:  A beats B and C, draws with D;  B beats C;  D draws with B;  C beats D.
#       A    B    C    D   points
#   A   .    1    1    1/2   2.5
#   B   0    .    1    1/2   1.5
#   C   0    0    .    1     1
#   D   1/2  1/2  0    .     1
TABLE = [
    [Result(1, 1.0, 2.0), Result(2, 1.0, 2.0), Result(3, 0.5, 1.0)],
    [Result(0, 0.0, 0.0), Result(2, 1.0, 1.5), Result(3, 0.5, 1.0)],
    [Result(0, 0.0, 0.0), Result(1, 0.0, 0.5), Result(3, 1.0, 2.0)],
    [Result(0, 0.5, 1.0), Result(1, 0.5, 1.0), Result(2, 0.0, 0.0)],
]


def test_points_add_up():
    assert totals(TABLE) == [2.5, 1.5, 1.0, 1.0]


def test_buchholz_is_the_sum_of_the_opponents_points():
    # 1.5 + 1 + 1, 2.5 + 1 + 1, 2.5 + 1.5 + 1, 2.5 + 1.5 + 1
    assert buchholz(TABLE) == [3.5, 4.5, 5.0, 5.0]


def test_sonneborn_berger_is_what_the_beaten_have_and_half_of_what_the_drawn_have():
    # 1.5 + 1 + 0.5,  1 + 0.5,  1,  1.25 + 0.75
    assert sonneborn_berger(TABLE) == [3.0, 1.5, 1.0, 2.0]


def test_direct_encounter_counts_only_where_all_of_the_group_have_met():
    assert direct_encounter(TABLE, [2, 3]) == [1.0, 0.0]
    assert direct_encounter(TABLE, [1, 2, 3]) == [1.5, 1.0, 0.5]
    assert direct_encounter([row[:2] for row in TABLE], [2, 3]) == [0.0, 0.0]  # C and D have not met yet


def test_the_first_tie_break_that_differs_decides():
    rows = ranked(TABLE)
    assert [agent for agent, _ in rows] == [0, 1, 3, 2]
    values = dict(rows)
    assert values[3] == {
        "points": 1.0,
        "Buchholz": 5.0,
        "Sonneborn-Berger": 2.0,
        "direct encounter": 0.0,
        "game points": 2.0,
    }
    assert decided_by(values[1], values[3]) == "points"
    assert decided_by(values[3], values[2]) == "Sonneborn-Berger"


def test_of_agents_that_nothing_tells_apart_the_better_seed_is_ahead():
    drawn = [[Result(1, 0.5, 1.0)], [Result(0, 0.5, 1.0)]]
    (first, values), (second, others) = ranked(drawn)
    assert (first, second, decided_by(values, others)) == (0, 1, "the better seed")


def test_what_is_level_in_a_circle_is_parted_by_game_points():
    # Each beats one of the other two: 1 point, Buchholz 2, Sonneborn-Berger 1, direct encounter 1.
    circle = [
        [Result(1, 1.0, 1.5), Result(2, 0.0, 0.0)],
        [Result(2, 1.0, 2.0), Result(0, 0.0, 0.5)],
        [Result(0, 1.0, 2.0), Result(1, 0.0, 0.0)],
    ]
    rows = ranked(circle)
    assert [agent for agent, _ in rows] == [1, 2, 0]
    assert decided_by(rows[0][1], rows[1][1]) == "game points"


def test_a_bye_counts_as_a_win_against_an_opponent_with_as_many_points_as_oneself():
    # A beats B and has a bye then: 2 points.  Its Buchholz is 0 + 2, its Sonneborn-Berger 0 + 2.
    results = [[Result(1, 1.0, 2.0), Result(None, 1.0, 2.0)], [Result(0, 0.0, 0.0), Result(2, 0.0, 0.0)]]
    results.append([Result(None, 1.0, 2.0), Result(1, 1.0, 2.0)])
    assert buchholz(results) == [2.0, 4.0, 2.0]
    assert sonneborn_berger(results) == [2.0, 0.0, 2.0]
