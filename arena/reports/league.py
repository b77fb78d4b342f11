"""A league's figures: standings, cross-table, profiles, improvement, and every environment's table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from arena.reports import cells, charts
from arena.reports.view import Block, Cell, Column, Figure, Part, Section, Table, blocks
from arena.reports.words import join, number, span
from arena.statistics import aggregates
from arena.tournaments.league_ranking import League, OverallRow, Profile
from arena.tournaments.league_table import LeagueRow

_GROUPS = "Agents that share a letter in the column 'group' cannot be told apart."
_OTHERS = {"mean": "mean", "median": "median", "optimality_gap": "optimality gap"}
_PROFILES = (
    "How many of an agent's games lie above each score, with 95% bands. "
    "Where one curve lies above another everywhere, it is better by any measure."
)


def sections(league: League, returns: Mapping[str, Mapping[str, np.ndarray]]) -> list[Section]:
    """Returns the sections of a league, the most important first; `returns` are by environment and agent."""
    by_env: dict[str, list[LeagueRow]] = {}
    for row in league.rows:
        by_env.setdefault(row.env, []).append(row)
    if not by_env:
        return []
    is_alone = len(by_env) == 1
    found = [_alone(*by_env.values()) if is_alone else _overall(league, by_env)]
    main = next(iter(by_env)) if is_alone else ""
    if main in league.profiles:
        figure = profile(league.profiles[main], _order(league), "profile", main)
        found.append(Section("profiles", "Performance profiles", _PROFILES, blocks(figure)))
    if league.improvement is not None:
        found.append(_improvement(league))
    parts = []
    for index, (env, rows) in enumerate(by_env.items(), 1):
        there: list[Block] = [] if is_alone else [_table(f"environment-{index}", rows)]
        there += _distributions(index, rows, returns[env])
        if not is_alone and env in league.profiles:
            there.append(profile(league.profiles[env], [row.agent for row in rows], f"profile-{index}", env))
        parts.append(Part(env, there))
    lead = "Raw, undiscounted returns. Each row of bars is an agent's games, as high as its fullest bin."
    return [*found, Section("environments", "Environment by environment", lead, parts)]


def _order(league: League) -> list[str]:
    """Returns the agents, the best first."""
    return [row.agent for row in league.overall] or [row.agent for row in league.rows]


def _alone(rows: Sequence[LeagueRow]) -> Section:
    table = _table("standings-table", rows)
    return Section("standings", "Standings", f"Ranked by mean return. {_GROUPS}", blocks(table))


def _overall(league: League, by_env: Mapping[str, Sequence[LeagueRow]]) -> Section:
    lead = "Ranked by the mean of the ranks in all environments, whose scales cannot be mixed."
    if league.ranked_by == "iqm":
        lead = (
            f"Ranked by the interquartile mean (IQM) of normalised scores, where 0 is a random player. {_GROUPS} "
            "The optimality gap is by how much scores fall short of 1."
        )
    scales = [
        f"{env}: 0 is {number(scale.random)}, 1 is {number(scale.reference)}, {scale.source}"
        for env, scale in league.scales.items()
    ]
    notes = [f"Scales: {'; '.join(scales)}."] if scales else []
    if scales and league.unscaled:
        notes.append(f"Without a known scale, and without a part in these figures: {join(league.unscaled)}.")
    tables = blocks(_overall_table(league.overall, " ".join(notes)), _cross_table(league, by_env))
    return Section("standings", "Standings", lead, tables)


def _overall_table(rows: Sequence[OverallRow], note: str) -> Table:
    by_name = {name: [row.figures[name] if row.figures else None for row in rows] for name in aggregates.NAMES}
    columns, content = cells.leading(rows, "IQM", by_name["iqm"], reference=0.0)
    for name, title in _OTHERS.items():
        if any(by_name[name]):
            columns.append(Column(title))
            content.append(cells.figures(by_name[name]))
    columns += [Column("mean rank"), Column("environments", "in which it played"), cells.FORFEITS]
    content += [
        cells.figures(row.mean_rank for row in rows),
        cells.wholes(row.num_envs for row in rows),
        cells.tallies(row.forfeits for row in rows),
    ]
    caption = "Over all environments, with 95% intervals"
    return Table("standings-table", caption, columns, cells.rows_of(*content), header=1, note=note)


def _cross_table(league: League, by_env: Mapping[str, Sequence[LeagueRow]]) -> Table:
    agents = [row.agent for row in league.overall]
    content = [[Cell(agent) for agent in agents]]
    for rows in by_env.values():
        mine = {row.agent: row for row in rows}
        means = cells.figures(mine[agent].mean if agent in mine else None for agent in agents)
        ranks = [f"rank {mine[agent].rank}" if agent in mine else "" for agent in agents]
        content.append([Cell(mean.text, mean.key, rank) for mean, rank in zip(means, ranks, strict=True)])
    columns = [cells.AGENT, *(Column(env) for env in by_env)]
    return Table(
        "cross-table", "Mean return in every environment, and the rank there", columns, cells.rows_of(*content)
    )


def _table(id: str, rows: Sequence[LeagueRow]) -> Table:
    columns, content = cells.leading(rows, "mean", [row.mean for row in rows])
    columns += [Column("IQM", "interquartile mean"), Column("median"), Column("sd", "sample standard deviation")]
    columns += [Column("worst"), Column("best"), Column("games"), cells.FORFEITS]
    content += [
        *(cells.figures(getattr(row, name) for row in rows) for name in ("iqm", "median", "std", "worst", "best")),
        cells.wholes(row.games for row in rows),
        cells.tallies(row.forfeits for row in rows),
    ]
    caption = f"Returns in {rows[0].env}, with 95% intervals"
    return Table(id, caption, columns, cells.rows_of(*content), header=1)


def _distributions(index: int, rows: Sequence[LeagueRow], returns: Mapping[str, np.ndarray]) -> list[Block]:
    env, samples = rows[0].env, {row.agent: returns[row.agent] for row in rows if row.games}
    if not samples:
        return []
    medians = join([f"{agent} {number(float(np.median(sample)))}" for agent, sample in samples.items()], most=8)
    summary = f"The upright lines are the medians: {medians}."
    svg = charts.histograms(samples, label=f"Distributions of returns in {env}. {summary}", x_title="return")
    return [Figure(f"returns-{index}", f"Distributions of returns in {env}", svg, summary)]


def profile(curves: Profile, order: Sequence[str], id: str, env: str) -> Figure:
    """Returns performance profiles as a drawing of the first agents and a table of all.

    Args:
      order: agents, the best first.
      env: the environment whose returns they are of; "" for normalised scores.
    """
    shares = {agent: charts.Curve(*map(np.asarray, curves.curves[agent])) for agent in order if agent in curves.curves}
    drawn = list(shares)[: charts.NUM_COLOURS]
    colours = {agent: index for index, agent in enumerate(drawn)}
    what = f"return in {env}" if env else "normalised score"
    svg = charts.lines(
        curves.thresholds,
        {agent: shares[agent] for agent in drawn},
        label=f"Performance profiles of {join(drawn, most=8)}. The table below has the figures.",
        x_title=what,
        y_title="share of games above",
        colours=colours,
    )
    picks = np.linspace(0, len(curves.thresholds) - 1, 7).round().astype(int)[1:-1]
    columns = [cells.AGENT, *(Column(f"above {number(float(curves.thresholds[pick]))}") for pick in picks)]
    rows = [[Cell(agent), *(_at(curve, pick) for pick in picks)] for agent, curve in shares.items()]
    table = Table(f"{id}-table", f"Share of games above a {what}", columns, rows)
    summary = f"The best {len(drawn)} are drawn; the table has all {len(shares)}." if len(drawn) < len(shares) else ""
    legend = [(colours[agent], agent) for agent in drawn]
    return Figure(id, f"Performance profile: share of games above every {what}", svg, summary, legend, table)


def _at(curve: charts.Curve, index: int) -> Cell:
    point, low, high = (100 * float(part[index]) for part in curve)
    return Cell(f"{point:.0f}%", point, f"{span(low, high, 0)}%")


def _improvement(league: League) -> Section:
    assert league.improvement is not None
    agents = [agent for agent in _order(league) if agent in league.improvement_agents]
    order = [list(league.improvement_agents).index(agent) for agent in agents]
    value, low, high = (np.asarray(part)[np.ix_(order, order)] for part in league.improvement)

    def cell(i: int, j: int) -> Cell:
        return cells.share(float(value[i, j]), f"{span(100 * low[i, j], 100 * high[i, j], 0)}%")

    lead = (
        "How likely a game of the row's agent scores more than one of the column's in the same environment, ties "
        "counting half, averaged over environments. An interval that holds 50% tells nothing."
    )
    table = cells.matrix("improvement-table", "Probability that the row improves on the column", agents, cell)
    return Section("improvement", "Probability of improvement", lead, blocks(table))
