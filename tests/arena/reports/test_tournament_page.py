"""The page of a tournament, from its store to the file."""

import random
import re

import pytest

from arena.errors import ArenaError
from arena.reports import tournament
from arena.reports.view import View
from arena.tournaments import ranking
from arena.tournaments.result import load

GOOD, POOR = [20.0, 30.0, 25.0, 28.0] * 5, [1.0, 2.0, 3.0, 1.0] * 5
HOSTILE = "<img src=x onerror=alert(1)>\u202e"


def view(folder) -> View:
    result = load(folder)
    return tournament.view_of(result, ranking.of(result))


def blocks(view, section: str) -> list:
    (found,) = [part for part in view.sections if part.id == section]
    return [block for part in found.parts for block in part.blocks]


def rows(table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def test_a_league_of_one_environment_has_its_table_first(made):
    page = view(made.league({"good": GOOD, "poor": POOR, "bad": None}))
    ids = [section.id for section in page.sections]
    assert ids == [
        "standings", "profiles", "improvement", "environments", "forfeits", "protocol", "reproduce", "matches",
    ]  # fmt: skip
    (table,) = blocks(page, "standings")
    titles = [column.title for column in table.columns]
    first, second, last = rows(table)
    assert [first[titles.index(title)] for title in ("#", "agent", "mean", "group", "worst", "best", "games")] == [
        "1", "good", "25.75", "a", "20", "30", "20",
    ]  # fmt: skip
    assert (second[1], second[titles.index("group")]) == ("poor", "b")
    assert (last[1], last[titles.index("mean")], last[titles.index("forfeits")]) == ("bad", "\N{EN DASH}", "2")
    (matrix,) = blocks(page, "improvement")
    assert rows(matrix) == [["good", "\N{EN DASH}", "100%"], ["poor", "0%", "\N{EN DASH}"]]
    (profile,) = blocks(page, "profiles")
    assert [name for _, name in profile.legend] == ["good", "poor"]
    (returns,) = blocks(page, "environments")
    assert returns.summary == "The upright lines are the medians: good 26.50 and poor 1.50."


def test_a_league_of_several_environments_has_a_cross_table_and_a_table_for_each(made):
    page = view(made.league({"good": GOOD, "poor": POOR}, envs=["CartPole-v1", "Acrobot-v1"]))
    overall, cross = blocks(page, "standings")
    assert [column.title for column in cross.columns] == ["agent", "CartPole-v1", "Acrobot-v1"]
    assert rows(cross)[0] == ["good", "25.75", "25.75"]
    assert overall.note.startswith("Scales: CartPole-v1: 0 is ")
    tables = [block for block in blocks(page, "environments") if block.kind == "table"]
    assert [table.caption for table in tables] == [
        "Returns in CartPole-v1, with 95% intervals",
        "Returns in Acrobot-v1, with 95% intervals",
    ]


def test_environments_without_a_scale_are_ranked_by_mean_rank(made):
    page = view(made.league({"good": GOOD, "poor": POOR}, envs=["CartPole-v1", "Pendulum-v1"]))
    assert page.headline.startswith("good has the best mean rank, 1, over 2 environments")
    overall, _ = blocks(page, "standings")
    assert [row[1] for row in rows(overall)] == ["good", "poor"]
    assert overall.note.endswith("Without a known scale, and without a part in these figures: Pendulum-v1.")


def beats(made, names):
    def play(match):
        first, second = map(names.index, match.players)
        return made.pair(match, (1, 1) if first < second else (0, 0))

    return play


@pytest.mark.parametrize("kind", ("round-robin", "gauntlet", "knockout", "swiss"))
def test_every_format_of_games_has_ratings_a_cross_table_and_what_is_its_own(made, kind):
    names = ["a", "b", "c", "d"]
    page = view(made.folder(kind, names, beats(made, names), pairs=3))
    ids = [section.id for section in page.sections]
    own = {"knockout": ["bracket"], "swiss": ["rounds"]}.get(kind, [])
    assert ids[: len(own) + 4] == [*own, "standings", "cross-table", "superiority", "seats"]
    (table,) = blocks(page, "standings")
    assert rows(table)[0][:2] == ["1", "a"]
    (points,) = blocks(page, "cross-table")
    assert rows(points)[0][:2] == ["a", "\N{EN DASH}"]
    assert "6" in rows(points)[0]  # all the points of three pairs


def test_places_say_what_gave_them(made):
    names = ["a", "b", "c", "d"]
    (table,) = blocks(view(made.folder("knockout", names, beats(made, names), pairs=1)), "standings")
    assert [row[1].detail for row in table.rows[:2]] == ["won the final", "lost the final"]
    (table,) = blocks(view(made.folder("swiss", names, beats(made, names), pairs=1)), "standings")
    assert table.rows[0][1].detail == "ahead by points"


def test_several_games_are_rated_together_and_each_alone(made):
    names = ["a", "b"]
    folder = made.folder("round-robin", names, beats(made, names), pairs=3, envs=["tic_tac_toe", "breakthrough"])
    page = view(folder)
    assert blocks(page, "standings")[0].caption == "Ratings and scores in all environments, with 95% intervals"
    tables = [block.caption for block in blocks(page, "environments") if block.kind == "table"]
    assert tables[::2] == [
        "Ratings and scores in tic_tac_toe, with 95% intervals",
        "Ratings and scores in breakthrough, with 95% intervals",
    ]


def test_a_sequential_test_stands_beside_the_ratings(made):
    names = ["a", "b"]
    sprt = {"elo0": 0.0, "elo1": 200.0}
    page = view(made.folder("round-robin", names, beats(made, names), pairs=40, stop="sprt", sprt=sprt))
    facts, *_ = blocks(page, "test")
    assert dict(facts.pairs)["verdict"].startswith("H1 is accepted")


def test_an_unfinished_tournament_says_what_is_missing(made):
    page = view(made.league({"good": GOOD, "poor": POOR}, episodes=40))
    # 4 blocks of 10 games each; 2 of each agent are played.
    warning = "The tournament is not over: 4 matches of those drawn so far are missing. arena resume goes on with it."
    assert warning in page.warnings


def test_a_tournament_of_which_nothing_is_played_has_a_page(made):
    folder = made.folder("round-robin", ["a", "b"], lambda match: None)
    text = tournament.write(folder).read_text()
    assert "Nothing has been played yet." in text


def test_warnings_come_first(made):
    page = view(made.folder("league", ["a"], lambda match: made.block(match, [7.0] * 10), warnings=["Beware."]))
    assert page.warnings[0] == "Beware."
    assert "games on different seeds are the same game" in page.warnings[1]


def test_the_file_is_self_contained_and_strangers_names_stay_text(made):
    folder = made.league({HOSTILE: GOOD, "poor": POOR, "bad": None})
    path = tournament.write(folder, videos=False)
    text = path.read_text()
    assert path == folder / "report.html"
    assert "<img" not in text
    assert "\u202e" not in text
    assert not re.search(r'(?:src|href)="(?!#|data:)', text)
    assert "name = &#34;league&#34;" in text  # tournament.toml


def test_the_page_is_the_same_when_made_again(made):
    folder = made.league({"good": GOOD, "poor": POOR})
    first = tournament.write(folder, videos=False).read_bytes()
    assert tournament.write(folder, videos=False).read_bytes() == first


def test_a_folder_without_a_tournament_is_one_clear_line(tmp_path):
    with pytest.raises(ArenaError, match="holds no tournament"):
        tournament.write(tmp_path)


def test_a_large_tournament_in_chromium(made, opened):
    draw = random.Random(0)
    names = [f"agent {index}" for index in range(12)] + [HOSTILE]
    folder = made.folder("round-robin", names, lambda match: made.pair(match, draw.choices((0, 0.5, 1), k=2)), pairs=4)
    path = tournament.write(folder, videos=False)
    for width in (375, 1280):
        page = opened(path, width=width)
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    heading = page.locator("#standings-table th button", has_text="Elo")
    heading.click()
    heading.click()
    ratings = page.locator("#standings-table tbody tr td:nth-child(3)").evaluate_all(
        "cells => cells.map(cell => Number(cell.dataset.key))"
    )
    assert len(ratings) == 13
    assert ratings == sorted(ratings)
