"""Commands that play: for a score, in a window, by keyboard."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from typer import Argument, Option

from arena.commands.options import Env, EnvSet, Json, Mode, Preprocess, Ref, Seed, Trust, app
from arena.errors import InvalidValue

if TYPE_CHECKING:
    from arena.challenge import Standing


@app.command("eval")
def evaluate(
    ref: Ref,
    env: Env,
    episodes: Annotated[int, Option(metavar="N", help="Games to play.")] = 10,
    seed: Seed = 0,
    num_envs: Annotated[int | None, Option(metavar="N", help="Rows to play in; the results are the same.")] = None,
    mode: Mode = None,
    preprocess: Preprocess = None,
    env_set: EnvSet = None,
    trust: Trust = False,
    json: Json = False,
) -> None:
    """Play games and report their returns."""
    from arena import terminal
    from arena.config import parse_assignments
    from arena.evaluation import evaluate as run

    finished = 0
    with terminal.bar(f"{ref} on {env}") as update:

        def on_event(event: Any) -> None:
            nonlocal finished
            if event.finished:
                finished += len(event.finished)
                update(finished / episodes, f"{finished} of {episodes} games")

        result = run(
            ref,
            env,
            episodes=episodes,
            seed=seed,
            num_envs=num_envs,
            mode=mode,
            preprocess=preprocess,
            env_settings=parse_assignments(env_set or (), "--env-set"),
            trust=trust,
            on_event=on_event,
        )
    if json:
        return terminal.print_json(result.to_json())
    speed = result.steps / max(result.seconds, 1e-9)
    terminal.out.print(
        f"{result.agent} on {result.env}: {result.mean:.2f} ± {result.std:.2f} over {result.episodes} games"
    )
    terminal.out.print(
        f"from {min(result.returns):g} to {max(result.returns):g}, {result.steps:,} steps, {speed:,.0f} steps/s"
    )
    protocol = terminal.protocol_line(result.protocol)
    terminal.out.print(protocol, style="dim", soft_wrap=not terminal.out.is_terminal)


@app.command()
def watch(
    ref: Ref,
    env: Env,
    seed: Seed = 0,
    mode: Mode = None,
    preprocess: Preprocess = None,
    env_set: EnvSet = None,
    trust: Trust = False,
) -> None:
    """Show games in a window; Esc closes it."""
    from arena.config import parse_assignments
    from arena.watch import watch as run

    run(
        ref,
        env,
        seed=seed,
        mode=mode,
        preprocess=preprocess,
        env_settings=parse_assignments(env_set or (), "--env-set"),
        trust=trust,
    )


@app.command()
def play(
    env: Annotated[str, Argument(metavar="ENV", help="An environment, as ALE/Pong-v5, or a game for two, as chess.")],
    against: Annotated[
        list[str] | None,
        Option(
            metavar="REF", help="An agent to compare with, may be repeated; of a game for two, the one to play against."
        ),
    ] = None,
    episodes: Annotated[int | None, Option(metavar="N", help="Games to play by keyboard: 3.")] = None,
    speed: Annotated[float | None, Option(metavar="X", help="Times the environment's own, as 0.5.")] = None,
    keys: Annotated[bool, Option("--keys", help="Tell what the keys do, and leave.")] = False,
    seat: Annotated[int | None, Option(metavar="0|1", help="Yours; in most games seat 0 begins.")] = None,
    assignments: Annotated[
        list[str] | None, Option("--set", metavar="KEY=VALUE", help="A setting of the agent; may be repeated.")
    ] = None,
    env_set: EnvSet = None,
    seed: Seed = 0,
    mode: Mode = None,
    trust: Trust = False,
    save: Annotated[Path | None, Option(metavar="FILE", help="Keep the record of a game for two in this file.")] = None,
) -> None:
    """Play the agents' seeds by keyboard, or against one of them."""
    from arena.config import parse_assignments
    from envs.games import is_game

    env_settings = parse_assignments(env_set or (), "--env-set")
    for_two = {"--seat": seat, "--set": assignments, "--mode": mode, "--save": save}
    alone = {"--episodes": episodes, "--speed": speed, "--keys": keys or None, "--trust": trust or None}
    given = [name for name, value in (alone if is_game(env) else for_two).items() if value is not None]
    if given:
        kind = "a game for two, played in the terminal" if is_game(env) else "no game for two"
        raise InvalidValue(f"{env} is {kind}: {given[0]} means nothing there")
    if not is_game(env):
        if keys:
            return _tell_keys(env, env_settings)
        return _challenge(
            env,
            against or (),
            3 if episodes is None else episodes,
            seed,
            1.0 if speed is None else speed,
            env_settings,
            trust,
        )
    if len(against or ()) != 1:
        raise InvalidValue(f"{env} is a game for two: name one agent with --against REF, as --against random")
    from arena import terminal
    from arena.play import Table
    from arena.play import play as run

    run(
        env,
        (against or [""])[0],
        seat=seat or 0,
        seed=seed,
        mode=mode,
        settings=parse_assignments(assignments or ()),
        env_settings=env_settings,
        save=save,
        table=Table(input, terminal.tell, terminal.print_board, terminal.thinking),
    )


def _tell_keys(env: str, env_settings: dict[str, Any]) -> None:
    from arena import terminal
    from arena.challenge import keys_of

    terminal.table(("key", "action"), [(hint.sign, hint.meaning) for hint in keys_of(env, env_settings)])
    terminal.out.print("P pauses, R gives up a game, Esc leaves.", style="dim")


def _challenge(
    env: str,
    against: Sequence[str],
    episodes: int,
    seed: int,
    speed: float,
    env_settings: dict[str, Any],
    trust: bool,
) -> None:
    from arena import terminal
    from arena.challenge import challenge

    standing = challenge(
        env,
        against=against,
        episodes=episodes,
        seed=seed,
        speed=speed,
        env_settings=env_settings,
        trust=trust,
        progress=terminal.bar,
        on_game=_show_standing,
    )
    if not standing.games:
        terminal.out.print("You played no game to its end.")


def _show_standing(standing: Standing) -> None:
    from arena import terminal

    game, num_games = standing.games[-1], str(len(standing.games))
    rows = [
        (str(place.rank), place.player, f"{place.mean:.2f}", num_games, "" if place.ahead is None else str(place.ahead))
        for place in standing.places
    ]
    terminal.out.print(f"game {game.number + 1}: {game.ret:g} in {game.length:,} steps")
    terminal.table(("rank", "player", "mean", "games", "ahead of you"), rows, right=(0, 2, 3, 4))
    terminal.out.print()
