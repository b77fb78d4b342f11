"""A league's figures from made-up matches."""

import random

import numpy as np
import pytest

from arena.tournaments import ranking, standings
from arena.tournaments.file import Entrant, EnvEntry, TournamentConfig
from arena.tournaments.records import Forfeit, ForfeitType, Match, PlayedGame, PlayedMatch


def config(*env_ids, agents=("a", "b", "c")):
    return TournamentConfig(
        agents=[Entrant(ref=name, name=name) for name in agents], envs=[EnvEntry(id=env_id) for env_id in env_ids]
    )


def match(env, agent, returns, *, first_game=0, forfeits=0, digests=None):
    """A match whose game k has the seed 100 + k."""
    numbers = range(first_game, first_game + len(returns))
    games = tuple(
        PlayedGame((agent,), 100 + k, (float(ret),), (), 10, False, np.zeros(0), digests or f"{env} {agent} {k}")
        for k, ret in zip(numbers, returns, strict=True)
    )
    played = Match(env, (agent,), tuple(100 + k for k in numbers), first_game, 1, {"of": [env, agent, first_game]})
    gave_away = (Forfeit(played.id, len(games), agent, ForfeitType.CRASH, "it fell"),) * forfeits
    return PlayedMatch(played, games, gave_away)


def ranked(league_config, *matches, agents=("a", "b", "c")):
    return ranking.rank(league_config, agents, matches).league


def random_league(seed=0, num_games=30):
    rng = np.random.default_rng(seed)
    return [
        match(env, agent, rng.normal(50 * level, 20, num_games)[block : block + 10], first_game=block)
        for env in range(2)
        for level, agent in enumerate("abc")
        for block in range(0, num_games, 10)
    ]


def test_a_row_by_hand():
    league = ranked(config("CartPole-v1"), match(0, "a", [1, 2, 3, 10]))
    (row,) = league.rows
    assert (row.agent, row.env, row.rank, row.group, row.games) == ("a", "CartPole-v1", 1, "a", 4)
    assert row.mean.value == 4.0 and row.mean.low < 4.0 < row.mean.high
    assert row.std == pytest.approx(np.sqrt((9 + 4 + 1 + 36) / 3))
    assert (row.median, row.iqm.value, row.best, row.worst) == (2.5, 2.5, 10.0, 1.0)
    assert not league.overall and league.improvement is None


def test_equal_means_share_a_rank():
    league = ranked(config("E-v0"), match(0, "a", [1, 3]), match(0, "b", [4, 0]), match(0, "c", [9, 9]))
    assert [(row.agent, row.rank) for row in league.rows] == [("c", 1), ("a", 2), ("b", 2)]


def test_one_game_has_no_interval_and_tells_nobody_apart():
    league = ranked(config("E-v0"), match(0, "a", [1]), match(0, "b", [500]))
    best = league.rows[0]
    assert (best.mean, best.std) == ((500.0, None, None), None)
    assert {row.group for row in league.rows} == {"a"}


def test_who_forfeited_ranks_below_who_did_not_and_has_no_letter():
    league = ranked(
        config("E-v0"),
        match(0, "a", [100, 100], forfeits=1),
        match(0, "b", [1, 2]),
        match(0, "c", [], forfeits=2),
    )
    assert [(row.agent, row.rank, row.group, row.forfeits) for row in league.rows] == [
        ("b", 1, "a", 0),
        ("a", 2, "", 1),
        ("c", 3, "", 2),
    ]
    assert league.rows[2].mean is None
    assert not league.improvement_agents


def test_agents_that_differ_clearly_are_told_apart():
    league = ranked(config("CartPole-v1", "Acrobot-v1"), *random_league())
    assert [row.group for row in league.rows] == ["a", "b", "c"] * 2


def test_over_environments_with_known_scales_the_interquartile_mean_ranks():
    # Normalised by (22.41, 475) and (-200, -110): a has .5 and 1, b 1 and 0, in every game.
    middle = (22.41 + 475) / 2
    league = ranked(
        config("CartPole-v1", "MountainCar-v0", agents=("a", "b")),
        match(0, "a", [middle] * 4),
        match(1, "a", [-110] * 4),
        match(0, "b", [475] * 4),
        match(1, "b", [-200] * 4),
        agents=("a", "b"),
    )
    assert league.ranked_by == "iqm" and not league.unscaled
    assert [row.agent for row in league.overall] == ["a", "b"]
    figures = league.overall[0].figures
    assert {name: figure.value for name, figure in figures.items()} == pytest.approx(
        {"mean": 0.75, "median": 0.75, "iqm": 0.75, "optimality_gap": 0.25}
    )
    assert [row.mean_rank for row in league.overall] == [1.5, 1.5]


def test_scales_are_never_mixed():
    league = ranked(
        config("CartPole-v1", "Pendulum-v1"),
        *(match(0, agent, [level, level + 1]) for level, agent in enumerate("abc")),
        *(match(1, agent, [-level, -level - 1.5]) for level, agent in enumerate("abc")),
    )
    assert league.ranked_by == "mean rank"
    assert (list(league.scales), league.unscaled) == (["CartPole-v1"], ["Pendulum-v1"])
    assert [(row.mean_rank, row.rank, row.group) for row in league.overall] == [(2.0, 1, "")] * 3
    assert league.overall[0].figures["mean"].value < 0.01  # of CartPole alone
    assert "" not in league.profiles


def test_overall_who_forfeited_or_was_not_there_comes_last():
    league = ranked(
        config("CartPole-v1", "Acrobot-v1"),
        match(0, "a", [475.0] * 3),
        match(0, "b", [20.0] * 3),
        match(0, "c", [400.0] * 3),
        match(1, "b", [-500.0] * 3),
        match(1, "c", [-100.0], forfeits=1),
    )
    assert league.overall[0].agent == "b"
    assert [(row.agent, row.figures is None) for row in league.overall[1:]] == [("a", True), ("c", True)]
    assert league.overall[1].num_envs == 1


def test_improvement_by_hand():
    league = ranked(
        config("E-v0", "F-v0", agents=("a", "b")),
        match(0, "a", [1, 2]),
        match(0, "b", [0, 2]),
        match(1, "a", [5, 5]),
        match(1, "b", [5, 5]),
        agents=("a", "b"),
    )
    # In E 1 beats 0 and loses to 2, 2 beats 0 and ties with 2: 2.5 of 4. In F all tie.
    assert league.improvement.value[0, 1] == pytest.approx((2.5 / 4 + 0.5) / 2)
    assert league.improvement_agents == ["a", "b"]


def test_profiles_cover_every_environment_and_the_normalised_scores():
    league = ranked(config("CartPole-v1", "Acrobot-v1"), *random_league())
    assert set(league.profiles) == {"CartPole-v1", "Acrobot-v1", ""}
    curve = league.profiles["CartPole-v1"].curves["a"]
    assert (curve.value[0], curve.value[-1]) == (1.0, 0.0)
    assert (curve.low <= curve.value).all() and (curve.value <= curve.high).all()


def test_games_that_repeat_are_warned_of():
    same = match(0, "a", [5.0] * 10, digests="the same last observation")
    league = ranked(config("E-v0"), same, match(0, "b", [5.0] * 10))
    assert league.warnings == ["a on E-v0: all 10 games on different seeds are the same game"]


def test_the_order_of_matches_changes_nothing_to_the_last_bit():
    matches = random_league()
    whole = standings.plain(ranking.rank(config("CartPole-v1", "Acrobot-v1"), "abc", matches))
    for seed in range(3):
        random.Random(seed).shuffle(matches)
        assert standings.plain(ranking.rank(config("CartPole-v1", "Acrobot-v1"), "abc", matches)) == whole


def test_a_league_that_is_being_played_compares_what_all_have_played():
    matches = random_league()
    half = [played for played in matches if not (played.match.players == ("c",) and played.match.first_game)]
    league = ranked(config("CartPole-v1", "Acrobot-v1"), *half)
    assert [row.games for row in league.rows if row.env == "CartPole-v1"] == [10, 30, 30]
    assert all(row.figures for row in league.overall)


def test_nothing_played_gives_empty_tables():
    league = ranked(config("E-v0"))
    assert (league.rows, league.overall, league.profiles, league.warnings) == ([], [], {}, [])
