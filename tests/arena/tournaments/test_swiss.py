"""Swiss tournaments: pairing, byes, rounds, places."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.tournaments.schedule import due
from arena.tournaments.swiss import pair


def met(*pairs):
    return frozenset(frozenset(two) for two in pairs)


def test_the_first_round_sets_the_upper_half_against_the_lower():
    assert pair((0.0,) * 8, (0,) * 8, met()) == (((0, 4), (1, 5), (2, 6), (3, 7)), None)


def test_agents_of_equal_points_meet_and_one_too_many_floats_down():
    # Points 1: 0, 1, 2; points 0: 3, 4, 5. In the upper group 0 meets 1 (half of three, rounded down, further on);
    # 2 floats down to the top of the lower group; 4 and 5 are left.
    assert pair((1.0, 1.0, 1.0, 0.0, 0.0, 0.0), (0,) * 6, met())[0] == ((0, 1), (2, 3), (4, 5))


def test_those_who_have_met_meet_others():
    # 0 would meet 2 and 1 would meet 3; with 0-2 played, 0 takes 3 and 1 takes 2.
    assert pair((0.0,) * 4, (0,) * 4, met((0, 2)))[0] == ((0, 3), (1, 2))


def test_an_opponent_is_passed_over_if_the_rest_could_not_be_paired_then():
    # 0 would meet 2, but 1 and 3 have met; so would 0-3 leave 1-2, which is new.
    assert pair((0.0,) * 4, (0,) * 4, met((1, 3)))[0] == ((0, 3), (1, 2))


def test_a_second_meeting_is_made_where_it_cannot_be_avoided_and_only_there():
    # New are only the meetings within 0, 1, 2 and within 3, 4, 5: two of three pairs at most.
    across = met(*((one, other) for one in (0, 1, 2) for other in (3, 4, 5)))
    pairs, _ = pair((0.0,) * 6, (0,) * 6, across)
    assert sum(frozenset(two) not in across for two in pairs) == 2


def test_the_bye_goes_to_the_lowest_that_had_none():
    assert pair((1.0, 1.0, 0.0), (0, 0, 0), met())[1] == 2
    assert pair((1.0, 0.5, 1.0), (0, 0, 1), met((0, 1)))[1] == 1
    assert pair((1.0, 1.0, 1.0), (1, 1, 1), met())[1] == 2  # all had one: they begin again


def test_a_bye_that_would_force_a_second_meeting_goes_to_the_next_above():
    # Without 2, 0 and 1 would meet again; without 1, 0 and 2 meet for the first time.
    assert pair((1.0, 1.0, 0.0), (0, 0, 0), met((0, 1))) == (((0, 2),), 1)


def best_by_trying_all(num_agents, played):
    """Returns the largest number of new pairs that any pairing has."""

    def best(left):
        if len(left) < 2:
            return 0
        first, rest = left[0], left[1:]
        return max(
            (frozenset((first, other)) not in played) + best([agent for agent in rest if agent != other])
            for other in rest
        )

    if num_agents % 2:
        return max(best([agent for agent in range(num_agents) if agent != bye]) for bye in range(num_agents))
    return best(list(range(num_agents)))


@settings(max_examples=150)
@given(st.integers(2, 8), st.data())
def test_no_second_meeting_is_made_that_can_be_avoided(num_agents, data):
    meetings = list(combinations(range(num_agents), 2))
    played = met(*data.draw(st.sets(st.sampled_from(meetings))))
    totals = tuple(data.draw(st.sampled_from([0.0, 0.5, 1.0, 2.0])) for _ in range(num_agents))
    pairs, bye = pair(totals, (0,) * num_agents, played)
    assert sum(frozenset(two) not in played for two in pairs) == best_by_trying_all(num_agents, played)
    agents = [agent for two in pairs for agent in two] + ([bye] if bye is not None else [])
    assert sorted(agents) == list(range(num_agents))


@settings(max_examples=40)
@given(st.integers(2, 13), st.data())
def test_a_swiss_pairs_everybody_once_a_round_and_gives_nobody_two_byes(arranged, num_agents, data):
    most = num_agents - 1 + num_agents % 2
    rounds = data.draw(st.integers(1, most))
    config, entered = arranged.setting("swiss", num_agents, pairs=1, rounds=rounds)
    _, outcome = arranged.play_out(config, entered, lambda match: data.draw(st.sampled_from([0.0, 1.0, 1.5])))
    assert outcome.is_complete
    names = sorted(agent.name for agent in entered)
    for number in range(1, rounds + 1):
        assert (
            sorted(name for meeting in outcome.meetings if meeting.round == number for name in meeting.players) == names
        )
    byes = [meeting.players[0] for meeting in outcome.meetings if meeting.is_bye]
    assert len(byes) == rounds * (num_agents % 2)
    assert len(set(byes)) == len(byes)
    assert sorted(place.agent for place in outcome.places) == names


@pytest.mark.parametrize("num_agents", [3, 6, 7, 8, 20, 21])
def test_up_to_half_as_many_rounds_as_agents_nobody_meets_twice(arranged, num_agents):
    # Everybody has then not met at least half of the others: by Dirac's theorem they can always be paired.
    config, entered = arranged.setting("swiss", num_agents, pairs=1, rounds=num_agents // 2)
    _, outcome = arranged.play_out(config, entered, lambda match: 1.5 if match.seeds[0] % 2 else 0.5)
    meetings = [meeting.players for meeting in outcome.meetings if not meeting.is_bye]
    assert len(set(meetings)) == len(meetings)


def test_a_round_is_drawn_when_the_one_before_is_complete(arranged):
    config, entered = arranged.setting("swiss", 4, pairs=2, rounds=2)
    first = due(config, entered, {})
    assert [match.players for match in first] == [("a00", "a02")] * 2 + [("a01", "a03")] * 2
    done = {match.id: arranged.played(match, 2.0) for match in first[:3]}
    assert due(config, entered, done) == first
    done[first[3].id] = arranged.played(first[3], 2.0)
    second = due(config, entered, done)[4:]
    assert [(match.players, match.round) for match in second] == [(("a00", "a01"), 2)] * 2 + [(("a02", "a03"), 2)] * 2


def test_when_the_better_always_wins_the_first_seed_wins_and_the_places_say_by_what(arranged):
    config, entered = arranged.setting("swiss", 4, pairs=1)
    _, outcome = arranged.play_out(config, entered, lambda match: 2.0)
    # Round 1: a00-a02, a01-a03; round 2: a00-a01, a02-a03. Points 2, 1, 1, 0; Buchholz of a00 2, a01 2, a02 2, a03 2.
    # Sonneborn-Berger: a01 beat a03 (0), a02 beat a03 (0). They have not met; both have 2 game points.
    assert [(place.agent, place.by) for place in outcome.places] == [
        ("a00", "points"),
        ("a01", "the better seed"),
        ("a02", "points"),
        ("a03", ""),
    ]
    assert outcome.notes == (
        "Places: points, then Buchholz, then Sonneborn-Berger, then direct encounter, then game points, "
        "then the better seed. A bye is worth a meeting won.",
    )


def test_a_bye_is_worth_a_meeting_won(arranged):
    config, entered = arranged.setting("swiss", 3, pairs=2, rounds=1)
    _, outcome = arranged.play_out(config, entered, lambda match: 2.0)
    values = {place.agent: place.values for place in outcome.places}
    assert [meeting.players for meeting in outcome.meetings if meeting.is_bye] == [("a02",)]
    assert (values["a02"]["points"], values["a02"]["game points"]) == (1.0, 4.0)
    assert values["a00"]["points"] == 1.0


def test_a_second_meeting_has_other_openings_than_the_first(arranged):
    # After two rounds of six that leave two groups of three who have met, the third must repeat a meeting.
    config, entered = arranged.setting("swiss", 6, pairs=2, rounds=5)
    done, outcome = arranged.play_out(config, entered, lambda match: 1.0)
    assert len({played.match.id for played in done.values()}) == 5 * 3 * 2
    assert outcome.is_complete
