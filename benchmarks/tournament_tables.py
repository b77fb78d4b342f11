"""The part of docs/benchmarks.md about tournaments, from what is measured of them in benchmarks/results."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

Results = Mapping[str, Any]
Table = Callable[[Sequence[str], Iterable[Sequence[Any]]], str]
Row = tuple[str, str, str, str]  # what, must, measured, script

HEAD = """## Tournaments

The leagues are of policies that were trained for a moment: what they score does not matter here."""

FAULTS = """### Faults

`python benchmarks/hostile.py` — twelve agents that do harm and two that do not, in one tournament; then the two alone.
The games of the two must be the same, every forfeit of the right type, and no process and no file left behind."""


def page(read: Callable[[str], Results], is_measured: Callable[[str], bool], table: Table) -> str:
    """Returns the part as Markdown; what has not been measured is left out."""
    rows = [row for name, rows_of in ROWS.items() if is_measured(name) for row in rows_of(read(name))]
    lines = [(what, must, value, f"`benchmarks/{script}.py`") for what, must, value, script in rows]
    parts = [HEAD, table(("what", "must", "measured", "script"), lines)]
    if is_measured("hostile"):
        found = read("hostile")
        parts += [FAULTS, table(("agent", "on", "forfeit", "reason on record"), found["forfeits"])]
        parts.append(f"{found['seconds']:.0f} s in all. Faults found: {'; '.join(found['faults']) or 'none'}.")
    return "\n\n".join(parts)


def speed(data: Results) -> list[Row]:
    """Returns the rows about the league and the large tournament."""
    league, large, script = data["league"], data["large"], "tournament_speed"
    what = f"league of {league['matches']} matches: random and five learners' policies, 4 environments"
    first = large["seconds until resume begins its first match"]
    memory = f"{large['MB after a tenth']:.0f} MB after a tenth, {large['MB in the end']:.0f} MB in the end"
    shares = f"{league['share of the speed-up of two processes']:.2f} (rounds {_range(league['shares'], '.2f')})"
    committed = f"{large['matches']:,} matches"
    return [
        (f"{what}: `--jobs 1` and `--jobs 2`", "the same", _same(league["results are identical"]), script),
        ("two workers' speed-up / that of two independent processes", "0.85", shares, script),
        ("runner's own time / time spent playing", "5%", f"{league['overhead']:.1%}", script),
        (f"resident memory over {committed}", "does not grow", memory, script),
        (f"{committed} committed: resume's start", "1 s", f"{first['from the call']:.2f} s", script),
        ("the same from the start of the process", "-", f"{first['from the start of the process']:.2f} s", script),
        (f"{committed} committed: report", "10 s", f"{large['report_s']:.1f} s", script),
    ]


def evaluate_policy(data: Results) -> list[Row]:
    """Returns the rows about evaluating one policy, here and with Stable-Baselines3."""
    rows = []
    for name, found in data["comparisons"].items():
        rates = {side: statistics.median(values) for side, values in data["rates"][name].items()}
        ratio = f"{found['ratio']:.1f} (rounds {_range(found['ratios'], '.1f')})"
        told = f"{ratio}: {rates['arena']:,.0f} and {rates['sb3']:,.0f} steps/s"
        must = f"{data['configuration']['must']:g}" if name == "as users call it" else "-"
        what = f"evaluating a CartPole policy / Stable-Baselines3's `evaluate_policy`, {name}"
        rows.append((what, must, told, "evaluate_policy"))
    return rows


def bootstrap(data: Results) -> list[Row]:
    """Returns the row about the bootstrap."""
    envs, seeds = data["scores"]
    what = f"mean, median, IQM and optimality gap of {envs} x {seeds} scores, {data['resamples']:,} resamples"
    return [(what, f"{data['limit_s']} s", f"{data['seconds']} s", "bootstrap_speed")]


def games(data: Results) -> list[Row]:
    """Returns the row about moves per second."""
    told = f"{data['moves_per_s']:,} moves/s ({data['bare_moves_per_s']:,} in OpenSpiel alone)"
    return [(f"connect_four, random against random, {data['rows']} rows", f"{data['must']:,}", told, "game_speed")]


def minimax(data: Results) -> list[Row]:
    """Returns the rows about how well minimax and mcts play."""
    script, rows = "minimax_perfect", []
    for found in data["tic_tac_toe"]:
        what = f"minimax in seat {found['seat']} of tic_tac_toe, against every possible reply"
        told = f"{found['won']} won, {found['drawn']} drawn, {found['lost']} lost"
        rows.append((what, "loses none", told, script))
    for found in data["connect_four"]:
        what = f"minimax's value of connect_four on {found['rows']} x {found['columns']}"
        slowest = found["after_4_plies_s"]["slowest"]
        told = f"{found['value']}; first move {found['first_move_s']} s, after 4 plies at most {slowest} s"
        rows.append((what, found["published"], told, script))
    for found in data["mcts_against_random"]:
        what = f"mcts ({found['simulations']} simulations) against random at {found['game']}, {found['pairs']} pairs"
        (low, high), (elo, elo_low, elo_high) = found["score_interval"], found["elo_difference"]
        told = f"scores {found['score']} [{low}, {high}], Elo {elo:+} [{elo_low:+}, {elo_high:+}]"
        rows.append((what, "above, by its interval", told, script))
    return rows


def isolation(data: Results) -> list[Row]:
    """Returns the rows about what a process of its own costs an agent."""
    told = f"{data['start_ms']} ms ({data['first_start_s']} s for the first), {data['end_ms']} ms"
    return [
        ("start and end of an agent in a process of its own", "-", told, "isolation_cost"),
        ("a move there", "-", f"{data['move_us']} us ({data['move_in_process_us']} in process)", "isolation_cost"),
    ]


def soak(data: Results) -> list[Row]:
    """Returns the rows about tournaments that are killed."""
    rows = []
    for name, found in data["tournaments"].items():
        kills = sum(found["kills"].values())
        what = f"{name} of {found['matches']} matches, killed {kills} times and resumed"
        told = "; ".join(found["faults"]) or "none lost, none doubled, all the same"
        rows.append((what, "no match lost or doubled", told, "tournament_soak"))
    return rows


ROWS: dict[str, Callable[[Results], list[Row]]] = {
    "tournament_speed": speed,
    "evaluate_policy": evaluate_policy,
    "bootstrap_speed": bootstrap,
    "game_speed": games,
    "minimax_perfect": minimax,
    "isolation_cost": isolation,
    "tournament_soak": soak,
}


def _range(values: Sequence[float], form: str) -> str:
    return f"{min(values):{form}} to {max(values):{form}}"


def _same(is_same: bool) -> str:
    return "the same" if is_same else "not the same"
