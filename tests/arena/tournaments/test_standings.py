"""Standings as rows and tables."""

import csv
import io
import json

import numpy as np

from arena.tournaments import ranking, standings
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
