"""What there is: environments, agents."""

from __future__ import annotations

from typing import Annotated, Any

from typer import Argument

from arena.commands.options import Json, app
from arena.errors import ArenaError


@app.command("envs")
def list_envs(
    pattern: Annotated[
        str | None, Argument(metavar="PATTERN", help="Part of an id, or a pattern with * and ?.")
    ] = None,
    json: Json = False,
) -> None:
    """List environments: spaces, longest game, extra needed."""
    from arena import terminal
    from envs import catalogue

    entries = catalogue.entries(pattern)
    if json:
        from dataclasses import asdict

        return terminal.print_json({"envs": [asdict(entry) for entry in entries]})
    if not entries:
        raise ArenaError(f"no environment matches {pattern!r}; `arena envs` lists them all")
    rows = [
        (
            entry.id,
            terminal.space_text(entry.observation_space),
            terminal.space_text(entry.action_space),
            f"{entry.max_episode_steps:,}",
            _extra_text(entry),
        )
        for entry in entries
    ]
    terminal.table(("id", "observations", "actions", "steps", "extra"), rows, right=(3,))


def _extra_text(entry: Any) -> str:
    if not entry.extra:
        return ""
    return str(entry.extra) if entry.is_installed else f"{entry.extra} (not installed)"


@app.command("agents")
def list_agents(json: Json = False) -> None:
    """List agents and the environments they have presets for."""
    from arena import terminal
    from arena.config import presets_by_name
    from arena.registry import plugins

    rows = [
        {
            "name": name,
            "class": entry.value,
            "package": entry.dist.name if entry.dist else "",
            "presets": [preset for preset in presets_by_name(entry.module, name) if preset != "*"],
        }
        for name, entry in plugins().items()
    ]
    if json:
        return terminal.print_json({"agents": rows})
    shown = [(str(row["name"]), str(row["class"]), ", ".join(row["presets"])) for row in rows]
    terminal.table(("name", "class", "presets"), shown)
