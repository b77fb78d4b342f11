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
    """List agents, their presets, and the pretrained policies."""
    from arena import terminal, zoo
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
    entries = zoo.entries()
    if json:
        pretrained = [{"ref": entry.ref, "agent": entry.agent, "env": entry.env, **entry.scores} for entry in entries]
        return terminal.print_json({"agents": rows, "zoo": pretrained})
    shown = [(str(row["name"]), str(row["class"]), ", ".join(row["presets"])) for row in rows]
    terminal.table(("name", "class", "presets"), shown)
    if entries:
        terminal.out.print()
        head = ("pretrained", "score", "95% interval", "games", "mode")
        terminal.table(head, [_score_row(entry.ref, entry.scores) for entry in entries], right=(1, 2, 3))


def _score_row(ref: str, scores: dict[str, Any]) -> tuple[str, str, str, str, str]:
    interval = f"{scores['low']:,.2f} to {scores['high']:,.2f}"
    return ref, f"{scores['mean']:,.2f}", interval, f"{scores['episodes']:,}", scores["mode"]
