"""Films of a tournament's games, made from the store: a game is its seed and its actions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import envs
from arena.archive import Recording, file_safe, keep
from arena.encoder import FORMATS
from arena.errors import ArenaError, InvalidValue, UnknownName
from arena.files import slug, write_json
from arena.film import film
from arena.gamelog import Game, GameLog
from arena.loop import run
from arena.pace import AS_IT_IS, Look
from arena.tournaments.cast import build
from arena.tournaments.match import Stage
from arena.tournaments.pool import Done, Pool
from arena.tournaments.records import PlayedMatch
from arena.tournaments.result import NotEntered, Result, config_in
from arena.tournaments.store import Store
from arena.tournaments.task import Contestant, Task


@dataclass(frozen=True)
class Film:
    """A game that is to be filmed.

    Attributes:
      folder: the tournament's.
      match, number: which game.
      path: where the film goes; what is known of the game goes beside it as JSON.
    """

    folder: Path
    match: str
    number: int
    path: Path


class Studio(Stage):
    """A stage on which games are filmed, too."""

    def film(self, order: Film) -> Iterator[str]:
        """Films a game; yields why it could not be, if so."""
        try:
            game = game_of(order.folder, order.match, order.number, with_values=True)
            order.path.parent.mkdir(parents=True, exist_ok=True)
            film(game, order.path)
            write_json(order.path.with_suffix(".json"), game.summary())
        except ArenaError as error:
            yield str(error)


def film_best_games(
    result: Result, pool: Pool[Task | Film], on_film: Callable[[int, int, str], None]
) -> list[NotEntered]:
    """Films the best game of every agent in every environment of a league; returns those that could not be filmed.

    `on_film` is called with the number of films that are done, of how many, and what the last one shows.
    """
    orders = [order for order in _best(result) if not order[1].path.exists()]
    waiting, failed, done = list(orders), [], 0
    places = {id(order): place for place, order in orders}
    while waiting or pool.is_busy:
        while waiting and pool.is_free:
            pool.begin("film", waiting.pop(0)[1])
        for told in pool.next():
            agent, env = places[id(told.task)]
            if not isinstance(told, Done):
                failed.append(NotEntered(agent, env, told.value))
                continue
            if told.error is not None:
                failed.append(NotEntered(agent, env, str(told.error)))
            done += 1
            on_film(done, len(orders), f"{agent} on {env}")
    return sorted(failed, key=lambda entry: (entry.env, entry.agent))


def record(
    folder: Path,
    match_id: str,
    *,
    number: int | None = None,
    out: Path = Path("recordings"),
    fmt: str = "mp4",
    overlay: bool = True,
    look: Look = AS_IT_IS,
    on_frame: Callable[[int, int, int, int], None] | None = None,
) -> list[Recording]:
    """Films the games of a match that have an end, or the one with a number from 0, and returns the recordings.

    Args:
      folder: the tournament's.
      on_frame: is called with films done, films in all, frames done of the next one, and its frames in all.

    Raises:
      UnknownName: there is no such match.
      InvalidValue: it has no such game, or none that was played to its end, or there is no such format.
    """
    if fmt not in FORMATS:
        raise InvalidValue(f"the format of a film is {' or '.join(FORMATS)}, not {fmt!r}")
    numbers = _finished(folder, match_id) if number is None else [number]
    recordings: list[Recording] = []
    for one in numbers:
        game = game_of(folder, match_id, one, with_values=True)
        stem = f"{file_safe(game.env_id)}_{file_safe(game.agent)}_match{match_id}_game{one}"
        env = envs.make(game.env_id, 1, preprocess=game.preprocess, settings=game.env_settings, render=True)

        def tell(frame: int, num_frames: int = game.length + 1) -> None:
            if on_frame:
                on_frame(len(recordings), len(numbers), frame, num_frames)

        with contextlib.closing(env):
            recordings.append(keep(game, out, stem, env=env, fmt=fmt, overlay=overlay, look=look, on_frame=tell))
    return recordings


def game_of(folder: Path, match_id: str, number: int = 0, *, with_values: bool = False) -> Game:
    """Returns a game of a match as it can be played again; its number in the match counts from 0.

    `with_values` asks for what its player saw in each move: a player that may share this process plays the game again.

    Raises:
      UnknownName: there is no such match.
      InvalidValue: it has no such game, or that one was forfeited.
    """
    with Store(folder, read_only=True) as store:
        config, played = config_in(store), _find(store, match_id)
        actions = store.actions(match_id)
        player = _player(store, played) if with_values else None
    if not 0 <= number < len(played.games):
        raise InvalidValue(f"match {match_id} has games 0 to {len(played.games) - 1}, not {number}")
    if any(forfeit.game == number for forfeit in played.forfeits):
        raise InvalidValue(f"game {number} of match {match_id} was forfeited: it has no end that could be filmed")
    one, match = played.games[number], played.match
    game = Game(
        agent=" - ".join(one.players),
        env_id=config.envs[match.env].id,
        preprocess=str(played.protocol.get("preprocessing", "none")),
        env_settings=config.env_settings(match.env),
        protocol=played.protocol,
        seed=one.seed,
        episode=match.first_game + number,
        actions=actions[number],
        ret=one.returns[0],
        length=one.length,
        truncated=one.truncated,
        digest=one.digest,
        players=one.players if match.is_pair else (),
        returns=one.returns if match.is_pair else (),
    )
    return game if player is None else _with_values(game, player, config.seed)


def _find(store: Store, match_id: str) -> PlayedMatch:
    found = store.played(match_id)
    if not found:
        hint = f"`arena report {store.folder} --json` lists them"
        raise UnknownName(f"match of {store.folder}", match_id, store.ids(), hint)
    return found[0]


def _finished(folder: Path, match_id: str) -> list[int]:
    """Returns the numbers of a match's games that were played to their end."""
    with Store(folder, read_only=True) as store:
        played = _find(store, match_id)
    forfeited = {forfeit.game: forfeit for forfeit in played.forfeits}
    numbers = [number for number in range(len(played.games)) if number not in forfeited]
    if not numbers:
        why = "; ".join(f"{forfeit.agent}: {forfeit.type}, {forfeit.reason}" for forfeit in forfeited.values())
        raise InvalidValue(f"no game of match {match_id} has an end that could be filmed ({why})")
    return numbers


def _player(store: Store, played: PlayedMatch) -> Contestant | None:
    """Returns who played a league's match, if it may play in this process."""
    name, env = played.match.players[0], played.match.env
    agent = next(agent for agent in store.entered() if agent.name == name)
    if played.match.is_pair or not agent.is_pooled:
        return None
    entrant = next(entrant for entrant in config_in(store).agents if entrant.name == name)
    entry = next(entry for entry in store.entries() if (entry.agent, entry.env) == (name, env))
    if entrant.train:
        return Contestant(name, str(store.folder / entry.ref), mode=entrant.mode)
    return Contestant(name, entry.ref, mode=entrant.mode, settings=entrant.settings)


def _best(result: Result) -> Iterator[tuple[tuple[str, str], Film]]:
    """Yields (agent, environment) and the film of the game with the highest return; of several, of the first."""
    best: dict[tuple[str, int], tuple[PlayedMatch, int]] = {}
    for played in result.matches:
        for number, game in enumerate(played.games):
            place = game.players[0], played.match.env
            if not played.match.is_pair and (place not in best or game.returns > _returns(best[place])):
                best[place] = played, number
    for (agent, env), (played, number) in best.items():
        label, game = result.config.envs[env].label, played.games[number]
        name = f"{slug(agent)}-seed{game.seed}-return{game.returns[0]:g}.mp4"
        path = result.folder / "videos" / slug(label) / name
        yield (agent, label), Film(result.folder, played.match.id, number, path)


def _returns(entry: tuple[PlayedMatch, int]) -> tuple[float, ...]:
    played, number = entry
    return played.games[number].returns


def _with_values(game: Game, contestant: Contestant, root: int) -> Game:
    """Returns the game with what its player thought, which playing it again tells; without where it is another one."""
    env = envs.make(game.env_id, 1, preprocess=game.preprocess, settings=game.env_settings)
    with contextlib.closing(env):
        log = GameLog(game.agent, game.env_id, with_extras=True)
        for event in run(env, build(contestant, env.spec, root), lambda _: game.seed, num_episodes=1):
            for again in log.add(event):
                if np.array_equal(again.actions, game.actions):
                    return replace(game, extras=again.extras)
    return game
