"""Ranks and tables."""

import csv
import io

from arena.tournaments import standings


def match(agent, env, mean, std=0.0, episodes=4, **protocol):
    return {
        "agent": agent,
        "env": env,
        "mean": mean,
        "std": std,
        "episodes": episodes,
        "protocol": protocol,
    }


def test_equal_means_share_a_rank_and_the_next_counts_them_all():
    rows = standings.rank([match("a", "E", 1.0), match("b", "E", 3.0), match("c", "E", 2.0), match("d", "E", 2.0)])
    assert [(row["agent"], row["rank"]) for row in rows] == [("b", 1), ("c", 2), ("d", 2), ("a", 4)]


def test_every_environment_is_ranked_for_itself():
    rows = standings.rank([match("a", "E", 1.0), match("a", "F", 5.0), match("b", "E", 3.0), match("b", "F", 4.0)])
    assert [(row["env"], row["agent"], row["rank"]) for row in rows] == [
        ("E", "b", 1),
        ("E", "a", 2),
        ("F", "a", 1),
        ("F", "b", 2),
    ]


def test_a_row_has_exactly_the_fields_of_a_standing():
    assert tuple(standings.rank([match("a", "E", 1.0)])[0]) == standings.FIELDS


def test_the_standard_error_is_the_deviation_over_the_root_of_the_games():
    assert standings.standard_error({"std": 6.0, "episodes": 9}) == 2.0  # 6 / sqrt(9)


def test_csv_keeps_numbers_whole():
    rows = standings.rank([match("a, b", "E", 1 / 3)])
    (read,) = csv.DictReader(io.StringIO(standings.to_csv(rows)))
    assert float(read["mean"]) == 1 / 3 and read["agent"] == "a, b"


def test_markdown_lists_who_is_not_entered_even_where_nobody_is():
    matches = [match("a", "E", 1.0, cap=5)]
    left_out = [{"agent": "b", "env": "E", "reason": "too wide"}, {"agent": "b", "env": "F", "reason": "too tall"}]
    text = standings.to_markdown(standings.rank(matches), left_out, standings.protocols(matches))
    assert "| 1 | a | 1.00 | 0.00 | 0.00 | 4 |" in text
    assert "Protocol: cap 5 · episodes 4." in text
    assert "- b is not entered: too wide" in text
    assert "## F\n\n- b is not entered: too tall" in text


def test_a_bar_in_a_name_does_not_break_the_table():
    assert standings.markdown_table(["h"], [["a|b"]], "l")[2] == r"| a\|b |"


def test_the_protocol_says_where_agents_differ():
    matches = [
        match("a", "E", 1.0, frame_skip=4, mode="greedy"),
        match("b", "E", 1.0, frame_skip=4, mode="sample"),
        match("c", "E", 1.0, frame_skip=4, mode="greedy"),
    ]
    assert standings.protocols(matches) == {"E": "frame skip 4 · mode greedy (a, c), sample (b) · episodes 4"}
