"""The figures of two-player games from made-up pairs."""

import random

import numpy as np
import pytest

from arena.tournaments import ranking, standings
from arena.tournaments.outcome import Outcome, Place
from arena.tournaments.records import Forfeit, ForfeitType, PlayedMatch


@pytest.fixture
def cup(arranged):
    """Plays a round-robin out: cup(num_agents, result_of, **keys) returns its configuration, names and matches."""

    def play(num_agents, result_of, **keys):
        config, entered = arranged.setting(keys.pop("format", "round-robin"), num_agents, **keys)
        played, outcome = arranged.play_out(config, entered, result_of)
        return config, [agent.name for agent in entered], list(played.values()), outcome

    return play


def by_chance(match):
    """A stronger agent (of a lower number) scores more; which pairs it wins depends on the seed."""
    lead = int(match.players[1][1:]) - int(match.players[0][1:])
    return float(np.random.default_rng(match.seeds[0]).choice([0, 0.5, 1, 1.5, 2], p=_chances(lead)))


def _chances(lead):
    weights = np.exp(0.5 * lead * np.arange(5))
    return weights / weights.sum()


def test_counts_by_hand(cup):
    points = iter([2.0, 1.5, 1.0, 0.5])
    config, names, matches, _ = cup(2, lambda match: next(points), pairs=4)
    (games,) = ranking.rank(config, names, matches).games
    best, other = games.rows
    assert (best.agent, best.rank, other.rank) == ("a00", 1, 2)
    # The first player wins game 0 in the first three pairs, draws it in the last; game 1 is won, drawn, lost, lost.
    assert (best.wins, best.draws, best.losses, best.games) == (4, 2, 2, 8)
    assert best.pairs == (0, 1, 1, 1, 1) and other.pairs == (1, 1, 1, 1, 0)
    assert best.score.value == pytest.approx(5 / 8)
    assert games.points.tolist() == [[0, 5], [3, 0]] and games.games.tolist() == [[0, 8], [8, 0]]
    assert games.draw_rate.value == pytest.approx(2 / 8)
    assert best.rating.value == pytest.approx(-other.rating.value)
    assert best.rating.low < best.rating.value < best.rating.high


def test_the_seats_by_hand(cup):
    # The first player of a pair begins game 0, and the pairs take turns: whoever begins wins always.
    config, names, matches, _ = cup(2, lambda match: 1.0, pairs=6)
    (games,) = ranking.rank(config, names, matches).games
    assert (games.seats.wins, games.seats.draws, games.seats.losses) == (12, 0, 0)
    assert games.seats.score.value == 1.0
    assert games.seats.advantage.low > 0
    assert [row.rating.value for row in games.rows] == pytest.approx([0.0, 0.0], abs=1e-6)
    assert {row.group for row in games.rows} == {"a"}


def test_clear_differences_are_told_apart_and_others_are_not(cup):
    config, names, matches, _ = cup(3, lambda match: 1.0 if "a02" not in match.players else by_wins(match), pairs=20)
    (games,) = ranking.rank(config, names, matches).games
    assert [row.group for row in games.rows] == ["a", "a", "b"]
    assert games.rows[2].agent == "a02"
    assert games.superiority[0, 2] > 0.999
    assert games.superiority + games.superiority.T == pytest.approx(np.ones((3, 3)))


def by_wins(match):
    return 0.0 if match.players[0] == "a02" else 2.0


def test_equal_results_share_a_rank(cup):
    config, names, matches, outcome = cup(4, lambda match: 1.0, pairs=3)
    rows = ranking.rank(config, names, matches, outcome).games[0].rows
    assert [row.rank for row in rows] == [1, 1, 1, 1]
    config, names, matches, outcome = cup(2, lambda match: 2.0 if match.seeds[0] % 2 else 0.0, pairs=4)
    even = [match for match in matches if match.points == 2.0][:1] + [match for match in matches if not match.points][
        :1
    ]
    rows = ranking.rank(config, names, even, outcome).games[0].rows
    assert len(even) == 2 and [row.rank for row in rows] == [1, 1]  # a pair each


def test_the_order_of_matches_changes_nothing_to_the_last_bit(cup):
    config, names, matches, _ = cup(4, by_chance, pairs=8)
    whole = standings.plain(ranking.rank(config, names, matches))
    for seed in range(3):
        random.Random(seed).shuffle(matches)
        random.Random(seed).shuffle(names)
        assert standings.plain(ranking.rank(config, names, matches)) == whole


def test_the_format_gives_the_places_where_it_has_some(cup):
    config, names, matches, outcome = cup(4, by_chance, pairs=2, format="knockout")
    (games,) = ranking.rank(config, names, matches, outcome).games
    assert [(row.agent, row.rank) for row in games.rows] == [(p.agent, p.rank) for p in outcome.places]
    assert games.rows[0].place_by == outcome.places[0].by


def test_who_has_no_place_yet_comes_after_who_has(cup):
    config, names, matches, _ = cup(3, by_chance, pairs=4)
    outcome = Outcome((), False, places=(Place(3, "a00", "went out"),))
    (games,) = ranking.rank(config, names, matches, outcome).games
    assert games.rows[0].agent == "a00"


def test_what_does_not_count_is_left_out(cup):
    config, names, matches, _ = cup(2, lambda match: 2.0, pairs=5)
    outcome = Outcome((), True, not_counted=(matches[-1].match.id,), notes=("It was stopped.",))
    (games,) = ranking.rank(config, names, matches, outcome).games
    assert games.rows[0].games == 8
    assert "It was stopped." in games.warnings


def test_forfeits_are_counted_and_lost(cup):
    config, names, matches, _ = cup(2, lambda match: 2.0, pairs=3)
    match = matches[0]
    gave_away = Forfeit(match.match.id, 0, match.match.players[1], ForfeitType.TIMEOUT, "slow")
    matches[0] = PlayedMatch(match.match, match.games, (gave_away, gave_away))
    (games,) = ranking.rank(config, names, matches).games
    forfeits = {row.agent: row.forfeits for row in games.rows}
    assert sorted(forfeits.values()) == [0, 2]
    assert forfeits[match.match.players[1]] == 2


def test_an_agent_without_games_has_no_rating(cup):
    config, names, matches, _ = cup(2, by_chance, pairs=3)
    (games,) = ranking.rank(config, [*names, "late"], matches).games
    last = games.rows[-1]
    assert (last.agent, last.rank, last.rating, last.score, last.group) == ("late", 3, None, None, "")
    assert np.isnan(games.superiority[2]).all()


def test_groups_that_no_game_links_are_warned_of(cup):
    config, names, matches, _ = cup(4, by_chance, pairs=3)
    apart = [played for played in matches if set(played.match.players) in ({"a00", "a01"}, {"a02", "a03"})]
    assert any("not all players are linked" in line for line in ranking.rank(config, names, apart).warnings)


def test_pairs_that_repeat_are_warned_of(cup):
    config, names, matches, _ = cup(2, lambda match: 2.0, pairs=6)  # all of the same length, without a digest
    (line,) = ranking.rank(config, names, matches).warnings
    assert line == "a00 v a01 on connect_four: all 6 pairs on different seeds are the same pair"


def test_several_environments_are_rated_together_first(cup):
    from arena.tournaments.file import EnvEntry

    envs = [EnvEntry(id="tic_tac_toe"), EnvEntry(id="connect_four")]
    config, names, matches, _ = cup(3, by_chance, pairs=4, envs=envs)
    tables = ranking.rank(config, names, matches).games
    assert [table.env for table in tables] == ["all environments", "tic_tac_toe", "connect_four"]
    assert tables[0].games.sum() == tables[1].games.sum() + tables[2].games.sum()


def test_nothing_played_gives_rows_without_figures(cup):
    config, names, *_ = cup(2, by_chance, pairs=1)
    assert ranking.rank(config, names, []).games == []
    outcome = Outcome((), False)
    assert ranking.rank(config, names, [], outcome).warnings == []
