"""A tournament's standings on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from arena.tournaments import ranking, standings

if TYPE_CHECKING:
    from rich.console import Console

    from arena.tournaments.result import Result


def print_standings(console: Console, result: Result) -> None:
    """Prints one table for every environment, with its protocol and who is not entered there under it."""
    from rich.table import Table
    from rich.text import Text

    figures, protocols = ranking.of(result), result.protocols()
    rows = standings.rows(figures)
    labels = [env.label for env in result.config.envs]
    for env in dict.fromkeys([*(row["env"] for row in rows if row["env"] not in labels), *labels]):
        there = [row for row in rows if row["env"] == env]
        if there:
            table = Table(
                title=env, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False
            )
            lines = [standings.headings(there[0]), *map(standings.cells, there)]
            for heading, *cells in zip(*lines, strict=True):
                width = None if heading == "agent" else max(map(len, (heading, *cells)))  # names make room
                justify: Literal["left", "right"] = "left" if heading in ("agent", "group") else "right"
                table.add_column(heading, justify=justify, no_wrap=True, min_width=width)
            for row, line in zip(there, lines[1:], strict=True):
                table.add_row(*map(Text, line), style="bold" if row["rank"] == 1 else None)
            console.print(table)
        else:
            console.print(Text(env, style="bold"))
        if env in protocols:
            console.print(Text(protocols[env], style="dim"))
        for missing in standings.not_entered([vars(entry) for entry in result.not_entered], env):
            console.print(Text(missing, style="dim"))
        console.print()
    told = [standings.places(result.outcome), standings.verdict(result.outcome.stop)]
    forfeits = standings.forfeits(result.told_forfeits())
    for note in (*filter(None, told), *result.warnings, *figures.warnings, *forfeits):
        console.print(Text(note))
