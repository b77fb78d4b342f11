"""Standings as rows and tables."""

import csv
import io
import json
from dataclasses import replace

import numpy as np

from arena.tournaments import ranking, standings
from arena.tournaments.outcome import Outcome, Place, Stop
from arena.tournaments.records import Forfeit, ForfeitType, Match, PlayedGame, PlayedMatch


def row(agent, env, mean, **changes):
    figures = {"mean": mean, "low": mean - 1, "high": mean + 1, "std": 2.0, "episodes": 4, "rank": 1, "group": "a"}
    return {"agent": agent, "env": env, **figures, "forfeits": 0, **changes}


def block(agent, *returns):
    match = Match(0, (agent,), tuple(range(len(returns))), 0, 1, {"agent": agent})
    games = [PlayedGame((agent,), seed, (ret,), (), 3, False, np.zeros(3)) for seed, ret in enumerate(returns)]
    forfeits = () if returns else (Forfeit(match.id, 0, agent, ForfeitType.EXIT, "left"),)
    return PlayedMatch(match, tuple(games), forfeits)


def test_a_league_has_a_row_for_every_agent_the_best_first(arranged):
    config, _ = arranged.setting("league", 3, episodes=2)
    figures = ranking.rank(config, ["a", "b", "c"], [block("a", 1.0, 2.0), block("b", 5.0, 7.0), block("c")])
    first, second, third = standings.rows(figures)
    assert (first["agent"], first["rank"], first["mean"], first["episodes"]) == ("b", 1, 6.0, 2)
    assert first["low"] <= 6.0 <= first["high"] and abs(first["std"] - 2**0.5) < 1e-9
    assert (second["agent"], second["rank"]) == ("a", 2)
    assert (third["agent"], third["mean"], third["low"], third["forfeits"]) == ("c", None, None, 1)
    assert standings.cells(third)[:3] == ("3", "c (1 forfeited)", "")


def test_games_have_ratings_scores_and_results(arranged):
    config, entered = arranged.setting("round-robin", 2, pairs=2)
    played, outcome = arranged.play_out(config, entered, lambda match: 1.5)
    rows = standings.rows(ranking.rank(config, ["a00", "a01"], list(played.values()), outcome))
    assert [(r["agent"], r["score"], r["won"], r["drawn"], r["lost"]) for r in rows] == [
        ("a00", 0.75, 2, 2, 0),  # 3 of 4 points: a pair gives a win and a draw
        ("a01", 0.25, 0, 2, 2),
    ]
    assert rows[0]["rating"] > 0 > rows[1]["rating"] and rows[0]["low"] < rows[0]["rating"]
    assert standings.headings(rows[0]) == standings.GAMES and len(standings.cells(rows[0])) == len(standings.GAMES)


def test_an_agent_without_games_has_no_spread_either(arranged):
    config, _ = arranged.setting("league", 2, episodes=2)
    last = standings.rows(ranking.rank(config, ["a", "c"], [block("a", 1.0, 2.0), block("c")]))[-1]
    assert last["std"] is None and standings.cells(last) == ("2", "c (1 forfeited)", "", "", "", "0", "")


def test_a_rating_of_nearly_nothing_has_no_minus():
    figures = {"score": 0.5, "won": 1, "drawn": 0, "lost": 1, "rank": 1, "group": "a", "forfeits": 0}
    cells = standings.cells({"agent": "a", "rating": -1e-14, "low": -0.4, "high": None, **figures})
    assert cells[2:4] == ("+0", "+0 to ")


def test_places_say_what_decided_them():
    cup = Outcome((), True, places=(Place(1, "a", "won the final"), Place(2, "b", "lost the final")))
    assert standings.places(cup) == "places: a won the final; b lost the final"
    swiss = [
        Place(1, "a", "points", {"points": 2.5}),
        Place(2, "b", "Buchholz", {"points": 1}),
        Place(3, "c", "", {"points": 1}),
    ]
    assert standings.places(Outcome((), True, places=tuple(swiss))) == "points: a 2.5; b 1, ahead by Buchholz; c 1"
    assert standings.places(Outcome((), True)) == ""


def test_a_verdict_names_the_hypothesis_and_the_pairs():
    stop = Stop(28, "H1", (0.1,) * 28, -2.9, 2.9, ("+0 Elo", "+40 Elo"))
    assert standings.verdict(stop) == "The sequential test accepts H1, a difference of +40 Elo, after 28 pairs."
    assert standings.verdict(replace(stop, accepted="H0")).startswith(
        "The sequential test accepts H0, a difference of +0"
    )
    assert standings.verdict(replace(stop, pairs=1, accepted="")) == "The sequential test is open after 1 pair."
    assert standings.verdict(None) == ""


def test_forfeits_that_repeat_share_a_line_and_long_lists_are_cut():
    late = {"agent": "a", "env": "E", "type": ForfeitType.TIMEOUT, "reason": "a move took longer than 1 s"}
    line = "a forfeited on E: timeout: a move took longer than 1 s"
    assert standings.forfeits([late]) == [line]
    assert standings.forfeits([late, late]) == [f"{line} (2 times)"]
    many = [late | {"agent": f"a{number}"} for number in range(9)]
    assert standings.forfeits(many, most=8) == [line.replace("a ", f"a{number} ", 1) for number in range(9)]
    assert standings.forfeits(many, most=3)[3:] == ["and 6 more"]


def test_figures_become_what_json_knows(arranged):
    config, _ = arranged.setting("league", 2, episodes=2)
    told = standings.plain(ranking.rank(config, ["a", "b"], [block("a", 1.0, 2.0), block("b", 5.0, 7.0)]))
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["league"]["rows"][0]["mean"]["value"] == 6.0
    assert standings.plain({"x": (np.float64("nan"), np.arange(2))}) == {"x": [None, [0, 1]]}


def test_csv_keeps_numbers_whole():
    (read,) = csv.DictReader(io.StringIO(standings.to_csv([row("a, b", "E", 1 / 3)])))
    assert float(read["mean"]) == 1 / 3 and read["agent"] == "a, b"
    assert standings.to_csv([]) == "agent\n"


def test_markdown_lists_who_is_not_entered_even_where_nobody_is():
    left_out = [{"agent": "b", "env": "E", "reason": "too wide"}, {"agent": "b", "env": "F", "reason": "too tall"}]
    text = standings.to_markdown([row("a", "E", 1.0)], left_out, {"E": "cap 5"})
    assert "| 1 | a | 1.00 | 0.00 to 2.00 | 2.00 | 4 | a |" in text
    assert "Protocol: cap 5." in text
    assert "- b is not entered: too wide" in text
    assert "## F\n\n- b is not entered: too tall" in text


def test_a_bar_in_a_name_does_not_break_the_table():
    assert standings.markdown_table(["h"], [["a|b"]], "l")[2] == r"| a\|b |"


def test_the_protocol_says_where_agents_differ():
    modes = (("a", "greedy"), ("b", "sample"), ("c", "greedy"))
    matches = [
        {"agent": agent, "env": "E", "protocol": {"frame_skip": 4, "mode": mode}, "games": "episodes 4"}
        for agent, mode in modes
    ]
    assert standings.protocols(matches) == {"E": "frame skip 4 · mode greedy (a, c), sample (b) · episodes 4"}


def test_agents_that_are_left_out_for_one_reason_share_a_line():
    left_out = [
        {"agent": "a", "env": "Pong", "reason": "too small"},
        {"agent": "b", "env": "Pong", "reason": "too large"},
        {"agent": "c", "env": "Pong", "reason": "too small"},
        {"agent": "d", "env": "Breakout", "reason": "too small"},
    ]
    assert standings.not_entered(left_out, "Pong") == [
        "a, c are not entered: too small",
        "b is not entered: too large",
    ]
