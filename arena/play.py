"""A game against an agent, in the terminal."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import envs
from arena import notation, registry
from arena.agent import Decision, Mode, Player, Spec
from arena.errors import ArenaError, BrokenPlugin, InvalidValue
from arena.gamelog import GameLog
from arena.loop import Episode, run
from arena.seats import Seats
from arena.seeding import Stream, check_seed, derived_seed, episode_seed
from envs.games.positions import game_of, moves_of, position


class Left(ArenaError):
    """The person has had enough."""


class Table:
    """What a person sees and types; `arena.commands` gives it a terminal, tests a script.

    Args:
      ask: shows a prompt and returns what was typed; EOFError and KeyboardInterrupt leave the game.
      tell: shows a line, or several.
      show: shows a board.
      thinking: entered while the opponent thinks.
    """

    def __init__(
        self,
        ask: Callable[[str], str] = input,
        tell: Callable[[str], None] = print,
        show: Callable[[str], None] = print,
        thinking: Callable[[str], contextlib.AbstractContextManager[Any]] = contextlib.nullcontext,
    ) -> None:
        self.ask, self.tell, self.show, self.thinking = ask, tell, show, thinking


class Human(Player):
    """Asks a person for the move; shows them the moves that were made since they were asked last.

    Args:
      spec: of the game.
      table: where the person sits.
      opponent: what the other player is called.
    """

    def __init__(self, spec: Spec, table: Table, opponent: str) -> None:
        super().__init__(spec, seed=0)
        self._game = game_of(spec, "arena play")
        self._table, self._opponent = table, opponent
        self._num_seen = spec.protocol["opening_plies"]  # plies that the person knows of
        self._is_new = True

    def act(self, obs: Mapping[str, np.ndarray], state: Any) -> Decision:
        history = obs["history"][0]
        self.look(history, int(obs["seat"][0]))
        before = position(self._game, history)
        if self._is_new:
            self.explain(before)
        self._is_new = False
        action = self._choose(before)
        self._num_seen += 1
        return Decision(np.array([action], np.int64))

    def look(self, history: np.ndarray, seat: int) -> None:
        """Shows the position after `history`, and the opponent's moves that led to it; the person sits in `seat`."""
        state, moves = self._game.new_initial_state(), moves_of(history)
        for number, action in enumerate(moves):
            if number >= self._num_seen and state.current_player() != seat:
                self._table.tell(f"{self._opponent} plays {notation.name(state, action)}")
            state.apply_action(action)
        self._num_seen = len(moves)
        self._table.show(notation.board(state))

    def explain(self, state: Any) -> None:
        """Tells how to play."""
        self._table.tell(f"Type {notation.form(state)}; ? lists the legal moves, q leaves.")

    def _choose(self, state: Any) -> int:
        while True:
            try:
                text = self._table.ask("your move: ").strip()
            except (EOFError, KeyboardInterrupt):
                self._table.tell("")  # ends the prompt's line
                raise Left from None
            if text.lower() in ("q", "quit", "exit"):
                raise Left
            if text == "?":
                self._table.tell("  ".join(notation.name(state, action) for action in state.legal_actions()))
                continue
            if not text:
                self.explain(state)
                continue
            try:
                return notation.parse(state, text)
            except InvalidValue as error:
                self._table.tell(str(error))


class Thinker(Player):
    """The opponent, with a sign that it thinks."""

    def __init__(self, player: Player, table: Table, name: str) -> None:
        super().__init__(player.spec, seed=0)
        self._player, self._table, self._name = player, table, name

    def begin(self, episodes: np.ndarray, seeds: np.ndarray) -> Any:
        return self._player.begin(episodes, seeds)

    def act(self, obs: Mapping[str, np.ndarray], state: Any) -> Decision:
        with self._table.thinking(f"{self._name} thinks"), BrokenPlugin.guard(self._player, "act"):
            return self._player.act(obs, state)


def play(
    env_id: str,
    against: str,
    *,
    seat: int = 0,
    seed: int = 0,
    mode: str | None = None,
    settings: Mapping[str, Any] | None = None,
    env_settings: Mapping[str, Any] | None = None,
    save: Path | None = None,
    table: Table | None = None,
) -> Episode | None:
    """Lets a person play one game of `env_id` against an agent; returns it, or None where the person left.

    Args:
      env_id: a two-player game of OpenSpiel.
      against: the reference of the agent that plays the other seat.
      seat: the person's, 0 or 1. In most games seat 0 begins.
      seed: the root of the opening and of what the agent draws.
      mode: of the agent's play.
      settings: of the agent, where it is a class and no saved policy.
      env_settings: keywords of the game, as rows=5 and opening_plies=4.
      save: where to write the game as a record, once it is over.
      table: where the person sits; the terminal by default.

    Raises:
      DoesNotFit: not a game that a person can play here, or not one that the agent can.
      InvalidValue: no such seat, settings for a saved policy, or a place where no file can be written.
    """
    if seat not in (0, 1):
        raise InvalidValue(f"the seat is 0 or 1, not {seat!r}")
    if save is not None and not save.absolute().parent.is_dir():
        raise InvalidValue(f"there is no folder {save.absolute().parent} to save the game in")
    check_seed(seed)
    parsed_mode = Mode.parse(mode) if mode is not None else None
    table = table or Table()
    reference = registry.resolve(against)
    if settings and reference.player_class is None:
        raise InvalidValue(f"{against} is a saved policy and has no settings to change")
    env = envs.make(env_id, 1, settings=env_settings)
    try:
        human = Human(env.spec, table, reference.name)
        opponent = reference.player(env.spec, seed=derived_seed(seed, "player"), mode=parsed_mode, settings=settings)
        seats = Seats([human, Thinker(opponent, table, reference.name)], lambda _: (seat, 1 - seat))
        names = f"you, {reference.name}" if seat == 0 else f"{reference.name}, you"
        protocol = env.spec.protocol
        log = GameLog(names, env_id, env_settings=env_settings, protocol=protocol, wants=lambda _: save is not None)
        _introduce(table, env.spec, reference.name, seat)
        try:
            for event in run(env, seats, lambda _: episode_seed(seed, Stream.EVALUATION, 0), num_episodes=1):
                games = log.add(event)
        except (Left, KeyboardInterrupt):
            table.tell("You left the game.")
            return None
        (episode,) = event.finished
        human.look(event.transition.next_obs["history"][0], seat)
        table.tell(_result(episode, seat))
        if save is not None:
            table.tell(f"Saved as {games[0].save(save)}.")
        return episode
    finally:
        env.close()


def _introduce(table: Table, spec: Spec, opponent: str, seat: int) -> None:
    game, opening = game_of(spec, "arena play"), spec.protocol["opening_plies"]
    begins = "you begin" if game.new_initial_state().current_player() == seat else f"{opponent} begins"
    how = f"{opening} moves were drawn at random" if opening else begins
    table.tell(f"{str(game).removesuffix('()')} against {opponent}; {how}.")


def _result(episode: Episode, seat: int) -> str:
    won = episode.returns[seat] - episode.returns[1 - seat]
    what = "It is a draw" if won == 0 else "You win" if won > 0 else "You lose"
    cut = ", cut off there" if episode.truncated else ""
    return f"{what} after {episode.length} move{'s' if episode.length > 1 else ''}{cut}."
