"""Films of a tournament's games, made from the store: a game is its seed and its actions."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

import envs
from arena.errors import ArenaError, InvalidValue, UnknownName
from arena.files import slug, write_json
from arena.film import film
from arena.gamelog import Game, GameLog
from arena.loop import run
from arena.tournaments.match import Contestant, Stage, Task, build
from arena.tournaments.pool import Done, Pool
from arena.tournaments.records import PlayedMatch
from arena.tournaments.result import NotEntered, Result, config_in
from arena.tournaments.runner import Lineup
from arena.tournaments.store import Store


@dataclass(frozen=True)
class Film:
    """A game that is to be filmed.

    Attributes:
      folder: of the tournament.
      match, number: which game.
      path: where the film goes; what is known of the game goes beside it as JSON.
      player: what played it, if it may play it again to show its values; else None.
      seed: the tournament's root.
    """

    folder: Path
    match: str
    number: int
    path: Path
    player: Contestant | None
    seed: int


class Studio(Stage):
    """A stage on which games are filmed, too."""

    def film(self, order: Film) -> Iterator[str]:
        """Films a game; yields why it could not be, if so."""
        try:
            game = game_of(order.folder, order.match, order.number)
            if order.player is not None:
                game = _with_values(game, order.player, order.seed)
            order.path.parent.mkdir(parents=True, exist_ok=True)
            film(game, order.path)
            write_json(order.path.with_suffix(".json"), game.summary())
        except ArenaError as error:
            yield str(error)


def film_best_games(
    result: Result, lineup: Lineup, pool: Pool[Task | Film], on_film: Callable[[int, int, str], None]
) -> list[NotEntered]:
    """Films the best game of every agent in every environment of a league; returns those that could not be filmed.

    `on_film` is called with the number of films that are done, of how many, and what the last one shows.
    """
    orders = [order for order in _best(result, lineup) if not order[1].path.exists()]
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


def game_of(folder: Path, match_id: str, number: int = 0) -> Game:
    """Returns a game of a match as it can be played again; its number in the match counts from 0.

    Raises UnknownName where there is no such match, InvalidValue where it has no such game.
    """
    with Store(folder, read_only=True) as store:
        config, ids = config_in(store), store.ids()
        if match_id not in ids:
            raise UnknownName(f"match of {folder}", match_id, ids, "`arena report DIR --json` lists them")
        (played,), actions = store.played(match_id), store.actions(match_id)
    if not 0 <= number < len(played.games):
        raise InvalidValue(f"match {match_id} has games 0 to {len(played.games) - 1}, not {number}")
    if any(forfeit.game == number for forfeit in played.forfeits):
        raise ArenaError(f"game {number} of match {match_id} was forfeited; it has no end to be filmed")
    game, match = played.games[number], played.match
    return Game(
        agent=" - ".join(game.players),
        env_id=config.envs[match.env].id,
        preprocess=str(played.protocol.get("preprocessing", "none")),
        env_settings=config.env_settings(match.env),
        protocol=played.protocol,
        seed=game.seed,
        episode=match.first_game + number,
        actions=actions[number],
        ret=game.returns[0],
        length=game.length,
        truncated=game.truncated,
        digest=game.digest,
    )


def _best(result: Result, lineup: Lineup) -> Iterator[tuple[tuple[str, str], Film]]:
    """Yields (agent, environment) and the film of the game with the highest return; of several, of the first."""
    best: dict[tuple[str, int], tuple[PlayedMatch, int]] = {}
    for played in result.matches:
        for number, game in enumerate(played.games):
            place = game.players[0], played.match.env
            if not played.match.is_pair and (place not in best or game.returns > _returns(best[place])):
                best[place] = played, number
    for (agent, env), (played, number) in best.items():
        label, game, contestant = result.config.envs[env].label, played.games[number], lineup.contestants[agent, env]
        name = f"{slug(agent)}-seed{game.seed}-return{game.returns[0]:g}.mp4"
        path = result.folder / "videos" / slug(label) / name
        player = contestant if contestant.is_pooled else None
        yield (agent, label), Film(result.folder, played.match.id, number, path, player, result.config.seed)


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
