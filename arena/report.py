"""A tournament's standings on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from arena.tournaments import standings

if TYPE_CHECKING:
    from rich.console import Console

    from arena.tournaments.result import Result


def print_standings(console: Console, result: Result) -> None:
    """Prints one table for every environment, with its protocol and who is not entered there under it."""
    from rich.table import Table
    from rich.text import Text

    for env in result.config.envs:
        rows = [row for row in result.standings() if row["env"] == env.label]
        if rows:
            table = Table(
                title=env.label, title_justify="left", title_style="bold", header_style="dim", box=None, pad_edge=False
            )
            for heading in standings.HEADINGS:
                table.add_column(heading, justify="left" if heading == "agent" else "right", no_wrap=True)
            for row in rows:
                table.add_row(*map(Text, standings.cells(row)), style="bold" if row["rank"] == 1 else None)
            console.print(table)
            console.print(Text(result.protocols()[env.label], style="dim"))
        else:
            console.print(Text(env.label, style="bold"))
        for entry in result.not_entered:
            if entry.env == env.label:
                console.print(Text(f"{entry.agent} is not entered: {entry.reason}", style="dim"))
        console.print()
