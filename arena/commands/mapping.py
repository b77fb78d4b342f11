"""The command that draws a map of what an agent sees."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from typer import Option

from arena.commands.options import Env, EnvSet, Json, Mode, Preprocess, Ref, Seed, Trust, app


@app.command("map")
def map_states(
    ref: Ref,
    env: Env,
    episodes: Annotated[int, Option(metavar="N", help="Games to play.")] = 10,
    seed: Seed = 0,
    points: Annotated[int, Option(metavar="N", help="States on the map, drawn from all that were visited.")] = 2_000,
    out: Annotated[Path | None, Option(metavar="DIR", help="A new folder; maps/AGENT-ENV-DATE by default.")] = None,
    mode: Mode = None,
    preprocess: Preprocess = None,
    env_set: EnvSet = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Draw the states that an agent visits, by their value."""
    from arena import terminal
    from arena.config import parse_assignments
    from arena.state_map import map_states as run

    finished = 0
    with terminal.bar(f"{ref} on {env}") as update:

        def on_event(event: Any) -> None:
            nonlocal finished
            if event.finished:
                finished += len(event.finished)
                update(finished / episodes, f"{finished} of {episodes} games")

        drawn = run(
            ref,
            env,
            episodes=episodes,
            seed=seed,
            points=points,
            out=out,
            mode=mode,
            preprocess=preprocess,
            env_settings=parse_assignments(env_set or (), "--env-set"),
            trust=trust,
            on_event=on_event,
        )
    if json:
        return terminal.print_json(drawn.to_json())
    how = f"`arena board {drawn.folder}` shows them in the Projector"
    terminal.out.print(f"{drawn.points:,} of {drawn.visited:,} states are on {drawn.picture}; {how}")
