"""Knockouts: brackets, ties, places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.tournaments.knockout import bracket, num_ties


def test_the_brackets_are_the_standard_ones():
    # Two neighbours add up to the number of places plus one, in every round if the better seeds win.
    assert [seed + 1 for seed in bracket(8)] == [1, 8, 4, 5, 2, 7, 3, 6]
    assert [seed + 1 for seed in bracket(16)] == [1, 16, 8, 9, 4, 13, 5, 12, 2, 15, 7, 10, 3, 14, 6, 11]


def test_byes_go_to_the_best_seeds():
    assert bracket(5) == [0, None, 3, 4, 1, None, 2, None]


def by_seed(match):
    return 1.5


def test_when_the_better_always_wins_the_places_are_the_seeds(arranged):
    config, entered = arranged.setting("knockout", 4, pairs=1)
    _, outcome = arranged.play_out(config, entered, by_seed)
    meetings = [(meeting.round, meeting.name, meeting.players, meeting.winner) for meeting in outcome.meetings]
    assert meetings == [
        (1, "semi-final", ("a00", "a03"), "a00"),
        (1, "semi-final", ("a01", "a02"), "a01"),
        (2, "third place", ("a02", "a03"), "a02"),
        (2, "final", ("a00", "a01"), "a00"),
    ]
    assert [(place.rank, place.agent, place.by) for place in outcome.places] == [
        (1, "a00", "won the final"),
        (2, "a01", "lost the final"),
        (3, "a02", "won the match for the third place"),
        (4, "a03", "lost the match for the third place"),
    ]
    assert outcome.is_complete


def test_a_round_is_drawn_when_the_one_before_is_complete(arranged):
    from arena.tournaments.schedule import due

    config, entered = arranged.setting("knockout", 4, pairs=2)
    first = due(config, entered, {})
    assert [(match.players, match.first_game) for match in first] == [
        (("a00", "a03"), 0),
        (("a00", "a03"), 2),
        (("a01", "a02"), 0),
        (("a01", "a02"), 2),
    ]
    done = {match.id: arranged.played(match, 0.5) for match in first[:3]}
    assert due(config, entered, done) == first
    done[first[3].id] = arranged.played(first[3], 0.5)  # the worse seeds win both: a03 and a02 go on
    assert [match.players for match in due(config, entered, done)[4:]] == [("a00", "a01")] * 2 + [("a02", "a03")] * 2


def test_a_level_tie_is_played_on_with_new_openings_pair_by_pair(arranged):
    # 2 pairs are level at 2-2; so is the first tie-break pair; the second goes to the worse seed by 1.5-0.5.
    config, entered = arranged.setting("knockout", 2, pairs=2, tiebreak_pairs=3)
    points = {0: 2.0, 2: 0.0, 4: 1.0, 6: 0.5}
    done, outcome = arranged.play_out(config, entered, lambda match: points[match.first_game])
    assert [played.match.first_game for played in done.values()] == [0, 2, 4, 6]
    assert len({played.match.seeds for played in done.values()}) == 4
    (final,) = outcome.meetings
    assert (final.points, final.winner, final.by) == ((3.5, 4.5), "a01", "tie-break pair 2")


@pytest.mark.parametrize("tiebreak_pairs", [0, 2])
def test_a_tie_that_stays_level_goes_to_the_better_seed(arranged, tiebreak_pairs):
    config, entered = arranged.setting("knockout", 2, pairs=1, tiebreak_pairs=tiebreak_pairs)
    done, outcome = arranged.play_out(config, entered, lambda match: 1.0)
    assert len(done) == 1 + tiebreak_pairs
    assert (outcome.meetings[0].winner, outcome.meetings[0].by) == ("a00", "the better seed")


def test_of_three_the_loser_of_the_only_semi_final_is_third(arranged):
    config, entered = arranged.setting("knockout", 3, pairs=1)
    _, outcome = arranged.play_out(config, entered, by_seed)
    assert [(place.rank, place.agent) for place in outcome.places] == [(1, "a00"), (2, "a01"), (3, "a02")]
    assert [meeting.players for meeting in outcome.meetings if meeting.is_bye] == [("a00",)]


def test_who_goes_out_early_shares_a_place(arranged):
    config, entered = arranged.setting("knockout", 6, pairs=1)
    _, outcome = arranged.play_out(config, entered, by_seed)
    # Of the places of eight, 7 and 8 are empty: seeds 1 and 2 have byes, 4 beats 5 and 3 beats 6.
    assert [(place.rank, place.agent) for place in outcome.places[4:]] == [(5, "a04"), (5, "a05")]


@given(st.integers(2, 17), st.data())
def test_a_knockout_has_a_tie_for_everybody_who_goes_out_and_one_for_the_third_place(arranged, num_agents, data):
    config, entered = arranged.setting("knockout", num_agents, pairs=1, tiebreak_pairs=1)
    _, outcome = arranged.play_out(config, entered, lambda match: data.draw(st.sampled_from([0.0, 0.5, 1.0, 2.0])))
    ties = [meeting for meeting in outcome.meetings if not meeting.is_bye]
    byes = [meeting for meeting in outcome.meetings if meeting.is_bye]
    assert len(ties) == num_ties(num_agents) == num_agents - 1 + (num_agents >= 4)
    assert sorted(place.agent for place in outcome.places) == [agent.name for agent in entered]
    assert {meeting.round for meeting in byes} <= {1}
    assert {meeting.players[0] for meeting in byes} == {agent.name for agent in entered[: len(byes)]}
    losers = [next(name for name in tie.players if name != tie.winner) for tie in ties if tie.name != "third place"]
    assert len(set(losers)) == num_agents - 1
    for number in {meeting.round for meeting in outcome.meetings}:
        agents = [name for meeting in outcome.meetings if meeting.round == number for name in meeting.players]
        assert len(set(agents)) == len(agents)
