"""What only some formats have: a knockout's bracket, the rounds of a swiss, a sequential test."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from arena.reports import charts
from arena.reports.view import Block, Bracket, Cell, Column, Facts, Figure, Meeting, Section, Table, Text, blocks
from arena.reports.words import DASH, count, number
from arena.tournaments import outcome as played

_THIRD = "third place"


def knockout(outcome: played.Outcome) -> Section:
    """Returns the bracket, and every tie in a table."""
    rounds: dict[int, list[played.Meeting]] = {}
    for meeting in outcome.meetings:
        if meeting.name != _THIRD:
            rounds.setdefault(meeting.round, []).append(meeting)
    drawn = [(ties[0].name.capitalize(), [_tie(tie) for tie in ties]) for _, ties in sorted(rounds.items())]
    columns = [
        Column("round", is_number=False),
        Column("better seed", is_number=False),
        Column("other", is_number=False),
        Column("points", is_number=False),
        Column("goes on", is_number=False),
        Column("by", is_number=False),
    ]
    rows = [
        [
            Cell(tie.name, tie.round),
            Cell(tie.players[0]),
            Cell("" if tie.is_bye else tie.players[1]),
            Cell(_score(tie)),
            Cell(tie.winner),
            Cell(tie.by),
        ]
        for tie in outcome.meetings
    ]
    table = Table("ties-table", "Every tie", columns, rows, header=1)
    lead = " ".join(outcome.notes)
    return Section("bracket", "Bracket", lead, blocks(Bracket("tree", "The bracket, from left to right", drawn), table))


def swiss(outcome: played.Outcome) -> Section:
    """Returns everybody's places, tie-breaks and rounds."""
    numbers = sorted({meeting.round for meeting in outcome.meetings})
    names = list(outcome.places[0].values) if outcome.places else []
    columns = [
        Column("#"),
        Column("agent", is_number=False),
        *(Column(name) for name in names),
        Column("ahead by", "what puts it ahead of the next", is_number=False),
    ]
    columns += [Column(f"round {round}", is_number=False) for round in numbers]
    agents = [place.agent for place in outcome.places] or sorted(
        {name for meeting in outcome.meetings for name in meeting.players}
    )
    places = {place.agent: place for place in outcome.places}
    rows = []
    for agent in agents:
        place = places.get(agent)
        rank = Cell(str(place.rank), place.rank) if place else Cell(DASH)
        values = [Cell(f"{place.values[name]:g}", place.values[name]) for name in names] if place else []
        rows.append(
            [
                rank,
                Cell(agent),
                *values,
                Cell(place.by if place else ""),
                *(Cell(_met(outcome, agent, round)) for round in numbers),
            ]
        )
    table = Table("rounds-table", "Places and rounds", columns, rows, header=1)
    return Section("rounds", "Rounds", " ".join(outcome.notes), blocks(table))


def sequential(stop: played.Stop, names: Sequence[str]) -> Section:
    """Returns how the sequential test went, pair by pair."""
    hypotheses = dict(zip(("H0", "H1"), stop.hypotheses, strict=True))
    verdict = f"{stop.accepted} is accepted: {hypotheses[stop.accepted]}" if stop.accepted else "undecided"
    facts = Facts(
        [
            ("verdict", verdict),
            ("pairs that count", f"{stop.pairs:,}"),
            (
                "log-likelihood ratio",
                f"{number(stop.llr)}, between the bounds {number(stop.lower)} and {number(stop.upper)}",
            ),
            *hypotheses.items(),
        ]
    )
    drawing: list[Block] = []
    if len(stop.llrs) > 1:
        llrs, pairs = np.array(stop.llrs), np.arange(1, len(stop.llrs) + 1, dtype=float)
        bounds = {
            "the ratio": llrs,
            "H1 is accepted here": np.full_like(llrs, stop.upper),
            "H0 is accepted here": np.full_like(llrs, stop.lower),
        }
        colours = {name: index for index, name in enumerate(bounds)}
        scale = charts.scale_of(stop.lower, stop.upper, *llrs.tolist())
        curves = {name: charts.Curve(values, values, values) for name, values in bounds.items()}
        summary = f"After {count(stop.pairs, 'pair')} the ratio is {number(stop.llr)}."
        svg = charts.lines(
            pairs,
            curves,
            label=summary,
            x_title="pairs",
            y_title="log-likelihood ratio",
            colours=colours,
            y_scale=scale,
        )
        drawing = [
            Figure(
                "llr",
                "The log-likelihood ratio after every pair",
                svg,
                summary,
                [(index, name) for name, index in colours.items()],
            )
        ]
    bias = Text("Estimates after an early stop are biased towards the verdict.") if stop.accepted else None
    return Section("test", "Sequential test", f"Is {names[0]} stronger than {names[1]}?", blocks(facts, *drawing, bias))


def _tie(tie: played.Meeting) -> Meeting:
    if tie.is_bye:
        return Meeting(tie.players, ("",), tie.winner, "bye")
    note = f"by {tie.by}" if tie.by not in ("", "points") else "" if tie.winner else "undecided"
    return Meeting(tie.players, (points(tie.points[0]), points(tie.points[1])), tie.winner or None, note)


def _met(outcome: played.Outcome, agent: str, round: int) -> str:
    """Returns an agent's meeting of a round: "beat random 3-1"."""
    for meeting in outcome.meetings:
        if meeting.round == round and agent in meeting.players:
            if meeting.is_bye:
                return "bye"
            seat = meeting.players.index(agent)
            other, own, theirs = meeting.players[1 - seat], meeting.points[seat], meeting.points[1 - seat]
            what = {agent: "beat", other: "lost to"}.get(meeting.winner, "drew with" if meeting.by else "plays")
            return f"{what} {other} {points(own)}-{points(theirs)}"
    return ""


def _score(tie: played.Meeting) -> str:
    return "-".join(points(value) for value in tie.points) if not tie.is_bye else ""


def points(value: float) -> str:
    """Returns points as chess writes them: "2½"."""
    whole, half = math.floor(value), value % 1 == 0.5
    if not half:
        return f"{value:g}"
    return f"{whole or ''}½"
