"""The command that films: games, a match, agents side by side, the story of a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from arena.commands.options import EnvSet, Json, Mode, Preprocess, Seed, Trust, app
from arena.errors import InvalidValue

if TYPE_CHECKING:
    from arena.archive import Recording
    from arena.montage import Montage

#: What has no meaning with what.
_MEANINGLESS = {
    "--match": ("--env", "--episodes", "--mode", "--preprocess", "--env-set", "--trust"),
    "--grid": ("--game", "--episodes", "--no-overlay"),
    "--story": ("--env", "--game", "--episodes", "--no-overlay", "--preprocess", "--env-set", "--trust"),
    "": ("--game",),
}


@app.command()
def record(
    refs: Annotated[
        list[str],
        Argument(metavar="REF", help="An agent, as `arena eval` takes it; several with --grid; a folder with --match."),
    ],
    env: Annotated[str | None, Option(metavar="ID", help="Environment id; a match and a run know theirs.")] = None,
    grid: Annotated[bool, Option("--grid", help="Film several agents side by side on the same seed.")] = False,
    story: Annotated[
        bool, Option("--story", help="Film the run folder REF: its agent at 0, 1, 10 and 100% of training.")
    ] = False,
    match: Annotated[
        str | None, Option(metavar="ID", help="Film this match of the tournament folder that REF then is.")
    ] = None,
    game: Annotated[int | None, Option(metavar="N", help="Only this game of the match, counted from 0.")] = None,
    episodes: Annotated[int, Option(metavar="N", help="Games to film.")] = 1,
    seed: Seed = 0,
    out: Annotated[Path, Option(metavar="DIR", help="Where the films go.")] = Path("recordings"),
    fmt: Annotated[str, Option("--format", metavar="mp4|gif", help="H.264 MP4 or GIF.")] = "mp4",
    width: Annotated[int | None, Option(metavar="PX", help="Width of the film.")] = None,
    fps: Annotated[float | None, Option(metavar="N", help="Frames shown in a second, at most.")] = None,
    speed: Annotated[float, Option(metavar="X", help="Times the environment's own.")] = 1.0,
    seconds: Annotated[
        float | None, Option(metavar="S", help="Cut a game (of a story each part: 10) after so many; its end follows.")
    ] = None,
    overlay: Annotated[
        bool, Option("--overlay/--no-overlay", help="Show score, action and values beside the game.")
    ] = True,
    mode: Mode = None,
    preprocess: Preprocess = None,
    env_set: EnvSet = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Film games, a match, agents side by side, a run's story."""
    from arena.config import parse_assignments
    from arena.pace import Look

    given = {
        "--env": env is not None,
        "--game": game is not None,
        "--episodes": episodes != 1,
        "--no-overlay": not overlay,
        "--mode": mode is not None,
        "--preprocess": preprocess is not None,
        "--env-set": bool(env_set),
        "--trust": trust,
    }
    _check_kinds({"--match": match is not None, "--grid": grid, "--story": story}, given)
    if not grid and len(refs) > 1:
        raise InvalidValue(f"{' '.join(refs)} are several; --grid films them side by side")
    ways: dict[str, Any] = {"out": out, "fmt": fmt, "look": Look(width, fps, speed, seconds)}
    if match is not None:
        return _show_recordings(_record_match(Path(refs[0]), match, game, overlay=overlay, **ways), json)
    ways |= {"seed": seed, "mode": mode}
    if story:
        return _show_montage(_record_story(Path(refs[0]), **ways), json)
    if env is None:
        raise InvalidValue("record needs --env ID; only what --match and --story film knows its own")
    ways |= {"preprocess": preprocess, "env_settings": parse_assignments(env_set or (), "--env-set"), "trust": trust}
    if grid:
        return _show_montage(_record_grid(refs, env, **ways), json)
    _show_recordings(_record_games(refs[0], env, episodes, overlay=overlay, **ways), json)


def _check_kinds(kinds: dict[str, bool], given: dict[str, bool]) -> None:
    """Raises InvalidValue for more than one of `kinds`, or where an option is given that it has no use for."""
    kind, *others = [*(name for name, is_chosen in kinds.items() if is_chosen), ""]
    for other in [*others[:-1], *(name for name in _MEANINGLESS[kind] if given[name])]:
        raise InvalidValue(f"{kind} and {other} exclude each other" if kind else f"{other} goes with --match only")


def _record_games(ref: str, env: str, episodes: int, **ways: Any) -> list[Recording]:
    from arena import terminal
    from arena.recording import record as run

    with terminal.bar(f"{ref} on {env}") as update:
        return run(
            ref,
            env,
            episodes=episodes,
            on_progress=lambda p: update(
                (p.filmed + p.frame / max(1, p.num_frames)) / p.episodes, f"{p.filmed} of {p.episodes} games filmed"
            ),
            **ways,
        )


def _record_match(folder: Path, match: str, game: int | None, **ways: Any) -> list[Recording]:
    from arena import terminal
    from arena.tournaments.films import record as run

    with terminal.bar(f"match {match}") as update:
        return run(
            folder,
            match,
            number=game,
            on_frame=lambda filmed, games, frame, num_frames: update(
                (filmed + frame / num_frames) / games, f"{filmed} of {games} games filmed"
            ),
            **ways,
        )


def _record_grid(refs: Sequence[str], env: str, **ways: Any) -> Montage:
    from arena import terminal
    from arena.grid import record_grid

    with terminal.bar(f"{len(refs)} agents on {env}") as update:
        return record_grid(refs, env, on_progress=update, **ways)


def _record_story(run: Path, **ways: Any) -> Montage:
    from arena import terminal
    from arena.story import record_story

    with terminal.bar(f"the story of {run}") as update:
        return record_story(run, on_progress=update, **ways)


def _show_recordings(recordings: list[Recording], json: bool) -> None:
    from arena import terminal

    if json:
        return terminal.print_json({"recordings": [recording.to_json() for recording in recordings]})
    for recording in recordings:
        terminal.out.print(f"{recording.video}  return {recording.game.ret:g}, {recording.game.length:,} steps")


def _show_montage(montage: Montage, json: bool) -> None:
    from arena import terminal

    if json:
        return terminal.print_json(montage.to_json())
    returns = ", ".join(f"{game.agent} {game.ret:g}" for game in montage.games)
    terminal.out.print(f"{montage.video}  {montage.video.stat().st_size / 1e6:.1f} MB, return {returns}")
