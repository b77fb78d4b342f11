"""The schedule: which matches there are, in which order, and what makes one the same match."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.isolation.limits import Limits
from arena.seeding import Stream, episode_seed
from arena.tournaments.file import Entrant, EnvEntry, Sprt
from arena.tournaments.schedule import Schedule, due, outcome

FORMATS = ["round-robin", "gauntlet", "knockout", "swiss"]


def test_a_league_has_blocks_of_up_to_ten_games_on_the_same_seeds_for_all(arranged):
    config, entered = arranged.setting(
        "league", 2, episodes=25, envs=[EnvEntry(id="CartPole-v1"), EnvEntry(id="Taxi-v4")], seed=3
    )
    matches = due(config, entered, {})
    assert [(match.first_game, match.env, match.players) for match in matches[:5]] == [
        (0, 0, ("a00",)),
        (0, 0, ("a01",)),
        (0, 1, ("a00",)),
        (0, 1, ("a01",)),
        (10, 0, ("a00",)),
    ]
    for env in (0, 1):
        for name in ("a00", "a01"):
            mine = [match for match in matches if (match.env, match.players) == (env, (name,))]
            assert [len(match.seeds) for match in mine] == [10, 10, 5]
            seeds = [seed for match in mine for seed in match.seeds]
            assert seeds == [episode_seed(3, Stream.EVALUATION, game) for game in range(25)]


def test_each_pass_of_a_round_robin_has_every_meeting_with_the_opening_of_its_number(arranged):
    config, entered = arranged.setting("round-robin", 4, pairs=2, seed=7)
    matches = due(config, entered, {})
    table = [("a00", "a03"), ("a01", "a02"), ("a02", "a03"), ("a00", "a01"), ("a01", "a03"), ("a00", "a02")]
    assert [match.players for match in matches] == table * 2
    assert [match.round for match in matches] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]
    assert [match.first_game for match in matches] == [0] * 6 + [2] * 6
    assert [match.seeds for match in matches] == [
        (episode_seed(7, Stream.EVALUATION, number),) * 2 for number in (0, 1) for _ in range(6)
    ]


def test_a_gauntlet_sets_the_first_agents_against_all_others(arranged):
    config, entered = arranged.setting("gauntlet", 4, pairs=1, challengers=1)
    assert [match.players for match in due(config, entered, {})] == [("a00", name) for name in ("a01", "a02", "a03")]


def test_every_environment_of_a_round_robin_has_every_meeting(arranged):
    config, entered = arranged.setting("round-robin", 3, pairs=1, envs=[EnvEntry(id="go"), EnvEntry(id="othello")])
    matches = due(config, entered, {})
    assert sorted((match.env, match.players) for match in matches) == [
        (env, players) for env in (0, 1) for players in (("a00", "a01"), ("a00", "a02"), ("a01", "a02"))
    ]


@pytest.mark.parametrize("format", ["league", "round-robin"])
def test_who_does_not_fit_an_environment_is_left_out_there(arranged, format):
    config, entered = arranged.setting(format, 3, envs=[EnvEntry(id="go"), EnvEntry(id="othello")])
    matches = Schedule(config, entered, {("a01", 0)}).due({})
    assert {name for match in matches if match.env == 0 for name in match.players} == {"a00", "a02"}
    assert {name for match in matches if match.env == 1 for name in match.players} == {"a00", "a01", "a02"}


@pytest.mark.parametrize("format", ["league", "round-robin", "gauntlet"])
def test_a_newcomer_changes_no_match_of_the_others(arranged, format):
    config, entered = arranged.setting(format, 4)
    longer, more = arranged.setting(format, 5)
    before = {match.id for match in due(config, entered, {})}
    after = {match.id: match for match in due(longer, more, {})}
    assert before <= set(after)
    assert all("a04" in match.players for id, match in after.items() if id not in before)


def test_a_match_is_the_same_in_whatever_round_and_under_whatever_name(arranged):
    config, entered = arranged.setting("round-robin", 3)
    named = config.model_copy(
        update={"agents": [agent.model_copy(update={"name": agent.name.upper()}) for agent in config.agents]}
    )
    renamed = due(named, [replace(agent, name=agent.name.upper()) for agent in entered], {})
    assert [match.id for match in renamed] == [match.id for match in due(config, entered, {})]


def test_an_agent_that_is_entered_twice_plays_matches_of_its_own(arranged):
    config, entered = arranged.setting("round-robin", 3)
    twins = [entered[0], replace(entered[0], name="a01"), entered[2]]
    ids = [match.id for match in due(config, twins, {})]
    assert len(set(ids)) == len(ids) == 3 * config.pairs
    alone, one = arranged.setting("league", 2)
    league = [match.id for match in due(alone, [one[0], replace(one[0], name="a01")], {})]
    assert len(set(league)) == len(league)


def changed(**keys):
    return lambda config, entered: (config.model_copy(update=keys), entered)


def agents(**keys):
    return lambda config, entered: (config, [replace(entered[0], **keys), *entered[1:]])


def entrant(**keys):
    def change(config, entered):
        return config.model_copy(
            update={"agents": [Entrant(ref="a00", name="a00", **keys), *config.agents[1:]]}
        ), entered

    return change


def env(**keys):
    return changed(envs=[EnvEntry(**({"id": "connect_four"} | keys))])


@pytest.mark.parametrize(
    "change",
    [
        changed(seed=1),
        changed(opening_plies=5),
        env(id="othello"),
        env(settings={"rows": 5}),
        env(preprocess="flat"),
        agents(digest="another"),
        agents(settings={"depth": 2}),
        agents(ref="other.py:A"),
        agents(is_pooled=False),
        entrant(mode="sample"),
        entrant(train=10),
    ],
)
def test_whatever_a_result_depends_on_makes_another_match(arranged, change):
    config, entered = arranged.setting("gauntlet", 2, pairs=1)
    (match,) = due(config, entered, {})
    (other,) = due(*change(config, entered), {})
    assert other.id != match.id


@pytest.mark.parametrize(("is_pooled", "is_same"), [(True, True), (False, False)])
def test_limits_define_only_matches_in_which_somebody_is_limited(arranged, is_pooled, is_same):
    config, entered = arranged.setting("gauntlet", 2, pairs=1)
    entered[1] = replace(entered[1], is_pooled=is_pooled)
    (match,), (other,) = (
        due(config.model_copy(update={"limits": limits}), entered, {}) for limits in (Limits(), Limits(move_s=1.0))
    )
    assert (match.id == other.id) == is_same


def test_ids_stay_what_they_are_from_one_version_of_the_arena_to_the_next(arranged):
    # Whoever changes this number changes fixtures.VERSION: folders that were written before cannot be extended.
    config, entered = arranged.setting("round-robin", 2, pairs=1)
    assert due(config, entered, {})[0].id == "88f3b49dec9b1d55"


def test_a_fixed_schedule_is_over_when_all_is_played(arranged):
    config, entered = arranged.setting("round-robin", 3, pairs=2)
    done, result = arranged.play_out(config, entered, lambda match: 1.0)
    assert result.is_complete and len(done) == 6
    done.popitem()
    assert not outcome(config, entered, done).is_complete
    assert result.to_json() == {
        "is_complete": True,
        "meetings": [],
        "places": [],
        "stop": None,
        "not_counted": [],
        "notes": [],
    }


def pair_points(match):
    """Returns a result that depends on the match alone."""
    return int(match.id, 16) % 5 / 2


@settings(max_examples=30)
@given(st.sampled_from(FORMATS), st.integers(2, 9), st.randoms(use_true_random=False))
def test_the_order_in_which_matches_finish_changes_nothing(arranged, format, num_agents, random):
    config, entered = arranged.setting(format, num_agents, pairs=2, tiebreak_pairs=1)
    in_order, result = arranged.play_out(config, entered, pair_points)
    shuffled, same = arranged.play_out(config, entered, pair_points, random.randrange)
    assert set(shuffled) == set(in_order)
    assert same == result
    assert [match.id for match in same.matches] == [match.id for match in result.matches]


@settings(max_examples=20)
@given(st.sampled_from(FORMATS), st.integers(2, 12))
def test_nobody_plays_two_opponents_in_a_round_and_no_id_comes_twice(arranged, format, num_agents):
    config, entered = arranged.setting(format, num_agents, pairs=2)
    _, result = arranged.play_out(config, entered, pair_points)
    ids = [match.id for match in result.matches]
    assert len(set(ids)) == len(ids)
    for number in {match.round for match in result.matches}:
        meetings = {match.players for match in result.matches if match.round == number}
        names = [name for players in meetings for name in players]
        assert len(set(names)) == len(names)


@pytest.mark.parametrize("format", [*FORMATS, "sprt"])
def test_a_schedule_that_is_kept_answers_as_a_new_one_does(arranged, format):
    if format == "sprt":
        test = Sprt(elo0=0, elo1=200)
        config, entered = arranged.setting("round-robin", 2, pairs=40, stop="sprt", sprt=test)
    else:
        config, entered = arranged.setting(format, 5, pairs=1)
    kept, done = Schedule(config, entered), {}
    while waiting := [match for match in kept.due(done) if match.id not in done]:
        assert kept.outcome(done) == outcome(config, entered, done)
        done[waiting[-1].id] = arranged.played(waiting[-1], pair_points(waiting[-1]))
    assert kept.outcome(done) == outcome(config, entered, done)


@pytest.mark.parametrize("format", ["knockout", "swiss"])
@pytest.mark.parametrize("num_left", [0, 1])
def test_whoever_is_left_alone_has_nothing_to_play(arranged, format, num_left):
    config, entered = arranged.setting(format, 2)
    result = outcome(config, entered[:num_left], {})
    assert (result.matches, result.is_complete) == ((), True)
