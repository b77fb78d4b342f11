"""Round-robins and gauntlets: who meets whom."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.tournaments.meetings import gauntlet, round_robin


@pytest.mark.parametrize(
    ("num_agents", "table"),
    [
        (4, "1-4 2-3, 4-3 1-2, 2-4 3-1"),
        (6, "1-6 2-5 3-4, 6-4 5-3 1-2, 2-6 3-1 4-5, 6-5 1-4 2-3, 3-6 4-2 5-1"),
        (
            8,
            "1-8 2-7 3-6 4-5, 8-5 6-4 7-3 1-2, 2-8 3-1 4-7 5-6, 8-6 7-5 1-4 2-3, "
            "3-8 4-2 5-1 6-7, 8-7 1-6 2-5 3-4, 4-8 5-3 6-2 7-1",
        ),
    ],
)
def test_a_round_robin_follows_the_berger_tables(num_agents, table):
    # FIDE Handbook C.05, annex 1; seats are balanced within a pair, so only who meets whom is taken from it.
    expected = [
        [{int(number) - 1 for number in meeting.split("-")} for meeting in row.split()] for row in table.split(", ")
    ]
    assert [[set(meeting) for meeting in meetings] for meetings in round_robin(num_agents)] == expected


def test_with_an_odd_number_whoever_would_meet_the_last_sits_out():
    assert round_robin(3) == [[(1, 2)], [(0, 1)], [(2, 0)]]  # the table of four without its fourth


@given(st.integers(2, 40))
def test_a_round_robin_has_every_meeting_once_and_nobody_twice_in_a_round(num_agents):
    rounds = round_robin(num_agents)
    assert len(rounds) == num_agents - 1 + num_agents % 2
    assert_once_each(rounds, combinations(range(num_agents), 2))


@given(st.integers(2, 30).flatmap(lambda n: st.tuples(st.just(n), st.integers(1, n - 1))))
def test_a_gauntlet_has_every_challenge_once_and_nobody_twice_in_a_round(sizes):
    num_agents, num_challengers = sizes
    rounds = gauntlet(num_agents, num_challengers)
    assert len(rounds) == max(num_challengers, num_agents - num_challengers)
    assert_once_each(
        rounds,
        ((one, other) for one in range(num_challengers) for other in range(num_challengers, num_agents)),
    )


def assert_once_each(rounds, meetings):
    for meets in rounds:
        agents = [agent for meeting in meets for agent in meeting]
        assert len(set(agents)) == len(agents)
    assert sorted(tuple(sorted(meeting)) for meets in rounds for meeting in meets) == sorted(meetings)
