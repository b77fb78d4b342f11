"""TensorBoard, and the check of an agent."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from arena.commands.options import Env, Ref, app
from arena.errors import ArenaError


@app.command()
def board(
    folder: Annotated[Path, Argument(metavar="DIR", help="A run folder, or the folder of all runs.")] = Path("runs"),
    port: Annotated[int, Option(metavar="P", help="Port of the server.")] = 6006,
) -> None:
    """Start TensorBoard."""
    from arena.board import serve

    serve(folder, port)


@app.command()
def check(ref: Ref, env: Env) -> None:
    """Tell whether an agent keeps the contract, or what it breaks."""
    from arena import terminal
    from arena.testing import check as run

    findings = run(ref, env)
    for finding in findings:
        terminal.out.print(
            f"{'✓' if finding.is_kept else '✗'} {finding.rule}" + (f": {finding.problem}" if finding.problem else "")
        )
    broken = sum(not finding.is_kept for finding in findings)
    if broken:
        raise ArenaError(f"{ref} breaks {broken} of {len(findings)} rules of the contract")
