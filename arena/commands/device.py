"""Commands for models on a device."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from arena.commands.options import EnvSet, Json, LiteRTFile, Seed, app

Exported = Annotated[str, Argument(metavar="REF", help="An agent, as for `arena eval`; or component:NAME.")]


@app.command()
def export(
    ref: Exported,
    out: Annotated[Path, Option(metavar="FILE", help="A new .tflite file; .npz for tables and linear features.")],
    quantize: Annotated[
        str, Option(metavar="KIND", help="none, float16, dynamic (8-bit weights) or int8 (8 bits throughout).")
    ] = "none",
    env: Annotated[
        str | None, Option(metavar="ID", help="Where to play; the environment on the policy's card by default.")
    ] = None,
    env_set: EnvSet = None,
    episodes: Annotated[int, Option(metavar="N", help="Games that the file and the agent both play.")] = 20,
    seed: Seed = 0,
    json: Json = False,
) -> None:
    """Write a policy or a component as one file for an app."""
    from arena import component_export, device_report, terminal
    from arena.config import parse_assignments
    from arena.errors import InvalidValue
    from arena.export import export as run

    if ref.startswith(component_export.PREFIX):
        if env or env_set:
            raise InvalidValue("a component plays no games: leave out --env and --env-set")
        name = ref.removeprefix(component_export.PREFIX)
        exported = component_export.export(name, out, quantize=quantize, seed=seed)
        return terminal.print_json(exported.to_json()) if json else device_report.print_component_export(exported)
    with terminal.phases() as update:
        result = run(
            ref,
            out,
            quantize=quantize,
            env_id=env,
            env_settings=parse_assignments(env_set or (), "--env-set"),
            episodes=episodes,
            seed=seed,
            on_progress=lambda phase, done, total: update(phase, done, total, f"{done} of {total} games"),
        )
    if json:
        return terminal.print_json(result.to_json())
    device_report.print_export(result)


@app.command()
def inspect(file: LiteRTFile, json: Json = False) -> None:
    """Show what is in a LiteRT file."""
    from arena import device_report, terminal
    from arena.inspection import inspect as run

    result = run(file)
    if json:
        return terminal.print_json(result.to_json())
    device_report.print_inspection(result)


@app.command()
def profile(
    file: LiteRTFile,
    threads: Annotated[int, Option(metavar="N", help="Threads of the interpreter.")] = 1,
    runs: Annotated[int, Option(metavar="N", help="Calls that are timed, after the first one.")] = 500,
    json: Json = False,
) -> None:
    """Measure a LiteRT file: latency, operators, memory."""
    from arena import device_report, terminal
    from arena.profiling import profile as run

    with terminal.bar(f"profiling {file}") as update:
        result = run(file, threads=threads, runs=runs, on_progress=update)
    if json:
        return terminal.print_json(result.to_json())
    device_report.print_profile(result)
