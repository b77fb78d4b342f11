"""Forfeits and matches as the page shows them."""

import pytest

from arena.reports import played
from arena.tournaments.records import Forfeit, ForfeitType
from arena.tournaments.result import load


@pytest.fixture
def league(made):
    def play(match):
        if match.players == ("bad",):
            forfeit = Forfeit(match.id, 1, "bad", ForfeitType.CRASH, "ValueError: oh", "x" * 9_000 + "the end")
            return made.block(match, [1.0], [forfeit])
        return made.block(match, [3.0, 5.0])

    return load(made.folder("league", ["good", "bad"], play, envs=["CartPole-v1"], episodes=2))


def test_forfeits_are_counted_by_agent_and_kind_and_have_their_logs(league):
    section = played.forfeits(league)
    assert section.lead == "1 forfeit by 1 agent; what an agent printed is under each."
    table, (fold,) = section.parts[0].blocks[0], section.parts[1].blocks
    assert [[cell.text for cell in row] for row in table.rows] == [["bad", "1"]]
    assert fold.summary == f"crash: ValueError: oh (CartPole-v1, match {league.matches[1].match.id}, game 2)"
    assert fold.text.startswith("(the last 8,000 characters)\nxxx")
    assert fold.text.endswith("xthe end")


def test_a_tournament_without_forfeits_says_so(made):
    folder = made.folder("league", ["good"], lambda match: made.block(match, [1.0]), episodes=1)
    assert played.forfeits(load(folder)).lead == "None: every game was played to its end."


def test_of_very_many_forfeits_the_first_are_shown_and_the_others_counted(league, monkeypatch):
    monkeypatch.setattr(played, "_MOST_LOGS", 0)
    assert played.forfeits(league).parts[-1].blocks[0].text.startswith("1 more are not shown here")


def test_every_match_is_listed(league):
    section = played.matches(league)
    (listing,) = section.parts[0].blocks
    good, bad = league.matches
    assert section.lead == "2 matches, 3 games."
    seed = str(good.match.seeds[0])
    assert listing.data == [
        [1, "CartPole-v1", "good", 2, 4.0, 5.0, 3.0, seed, 8, "", good.match.id],
        [2, "CartPole-v1", "bad", 1, 1.0, 1.0, 1.0, seed, 1, "bad: crash", bad.match.id],
    ]
    assert len(listing.columns) == len(listing.data[0])


def test_pairs_are_listed_with_their_points(made):
    folder = made.folder("round-robin", ["a", "b"], lambda match: made.pair(match, (1, 0.5)), pairs=1)
    result = load(folder)
    (listing,) = played.matches(result).parts[0].blocks
    (match,) = result.matches
    assert listing.data == [[1, "tic_tac_toe", 1, "a", "b", 1.5, str(match.match.seeds[0]), 14, "", match.match.id]]
    assert len(listing.columns) == len(listing.data[0])


def test_very_long_lists_are_cut(league, monkeypatch):
    monkeypatch.setattr(played, "_MOST_LISTED", 1)
    (listing,) = played.matches(league).parts[0].blocks
    assert len(listing.data) == 1
    assert "The first 1 are here; arena report --csv writes out all 2." in listing.note
