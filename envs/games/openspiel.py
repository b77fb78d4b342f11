"""OpenSpiel's games: sequential, with perfect information, without chance, for two.

Source: Lanctot et al. (2019), "OpenSpiel: A Framework for Reinforcement Learning in Games".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from arena.agent import Spec
from arena.errors import DoesNotFit, InvalidValue, MissingExtra, UnknownName
from arena.quiet import silent_stderr
from envs import install_command
from envs.games import TWO_PLAYER, pictures
from envs.games.rows import GameRows, Table, observation_space
from envs.settings import check_kind, check_whole

_NUM_SEATS = 2
_OWN = ("max_episode_steps", "opening_plies")


def make_openspiel(env_id: str, num_rows: int, settings: Mapping[str, Any]) -> GameRows:
    """Returns rows of the game with the short name `env_id`; `settings` are its parameters, opening_plies and a cap.

    `spec.protocol["game"]` is what pyspiel.load_game() takes to make the same game.

    Raises:
      UnknownName, InvalidValue: a setting that the game does not have, or a value it cannot take.
      DoesNotFit: a game of another kind: chance, hidden information, simultaneous moves, another number of players.
    """
    game = load(env_id, {key: value for key, value in settings.items() if key not in _OWN})
    opening = settings.get("opening_plies", 0)
    check_whole(env_id, "opening_plies", opening, least=0)
    longest = game.max_game_length()
    if opening >= longest:
        raise InvalidValue(f"opening_plies of {env_id} is less than the longest game's {longest}, not {opening}")
    steps = settings.get("max_episode_steps", Spec.max_episode_steps)
    check_whole(env_id, "max_episode_steps", steps, least=1)
    steps = min(steps, longest - opening)
    view, num_actions = tuple(game.observation_tensor_shape()), game.num_distinct_actions()
    protocol = {"preprocessing": "none", "game": str(game), "opening_plies": opening, "max_episode_steps": steps}
    spec = Spec(
        env_id=env_id,
        observation_space=observation_space(view, num_actions, _NUM_SEATS, opening + steps),
        action_space=gym.spaces.Discrete(num_actions),
        num_rows=num_rows,
        max_episode_steps=steps,
        protocol=protocol,
        num_seats=_NUM_SEATS,
    )
    return GameRows(lambda: _SpielTable(game), spec, num_rows, opening)


def load(name: str, parameters: Mapping[str, Any]) -> Any:
    """Returns the pyspiel game of that name. Raises as make_openspiel() does."""
    spiel = _import(name)
    kind = next((kind for kind in spiel.registered_games() if kind.short_name == name), None)
    if kind is None:
        raise UnknownName("game", name, spiel.registered_names())
    _check_kind_of_game(spiel, kind)
    known = kind.parameter_specification
    for key, value in parameters.items():
        if key not in known:
            raise UnknownName(f"setting of {name}", key, {*known, *_OWN})
        check_kind(name, key, value, known[key])
        if type(known[key]) is int:
            check_whole(name, key, value, least=0)
    given = ", ".join(f"{key}={value!r}" for key, value in parameters.items())
    try:
        with silent_stderr():  # it prints its errors, and warnings about some games
            game = spiel.load_game(name, {key: type(known[key])(value) for key, value in parameters.items()})
            has_moves = game.max_game_length() > 0 and not game.new_initial_state().is_terminal()
    except Exception as error:  # SpielError, and whatever C++ threw
        words = re.sub(r"^\S+\.(cc|h):\d+ ", "", str(error).splitlines()[0])  # without a place in its sources
        raise InvalidValue(f"{name} does not take {given or 'no settings'}: {words}") from error
    if not has_moves:
        raise InvalidValue(f"{name} does not take {given}: there would be no move to make")
    if game.num_players() != _NUM_SEATS:
        raise DoesNotFit(f"{name} with {given} is for {game.num_players()} players; the arena plays games for two")
    return game


def fits(spiel: Any, kind: Any) -> str:
    """Returns why a registered game cannot be played here, "" if it can."""
    types = spiel.GameType
    if kind.dynamics != types.Dynamics.SEQUENTIAL:
        return "is not played in turns"
    if kind.chance_mode != types.ChanceMode.DETERMINISTIC:
        return "has moves of chance"
    if kind.information != types.Information.PERFECT_INFORMATION:
        return "hides information from its players"
    if not kind.min_num_players <= _NUM_SEATS <= kind.max_num_players:
        return f"is not for {_NUM_SEATS} players"
    if not kind.provides_observation_tensor:
        return "gives no observations as arrays"
    return ""


def _import(name: str) -> Any:
    try:
        import pyspiel
    except ImportError as error:
        command = install_command(TWO_PLAYER)
        raise MissingExtra(f"{name} needs the extra {TWO_PLAYER!r}; install it with: {command}") from error
    return pyspiel


def _check_kind_of_game(spiel: Any, kind: Any) -> None:
    if reason := fits(spiel, kind):
        raise DoesNotFit(
            f"{kind.short_name} {reason}; the arena plays OpenSpiel's sequential games for two with perfect "
            "information and without chance"
        )


class _SpielTable(Table):
    def __init__(self, game: Any) -> None:
        import pyspiel

        self._game = game
        self._gives_rewards = game.get_type().reward_model == pyspiel.GameType.RewardModel.REWARDS
        self._view = pyspiel._Observation(game, game.make_observer({}))  # a buffer that C++ fills
        self._seen = np.frombuffer(self._view, np.float32).reshape(game.observation_tensor_shape())
        self.begin(0)

    def begin(self, seed: int) -> None:
        self._state = self._game.new_initial_state()

    def play(self, action: int) -> Sequence[float] | None:
        self._state.apply_action(action)
        if self._gives_rewards:
            return self._state.rewards()  # type: ignore[no-any-return]
        return self._state.returns() if self.is_over() else None

    def is_over(self) -> bool:
        return self._state.is_terminal()  # type: ignore[no-any-return]

    def seat(self) -> int:
        return self._state.current_player()  # type: ignore[no-any-return]

    def legal(self) -> Sequence[int]:
        return self._state.legal_actions()  # type: ignore[no-any-return]

    def look(self, seat: int, out: np.ndarray) -> None:
        self._view.set_from(self._state, seat)
        out[...] = self._seen

    def name_of(self, action: int) -> str:
        return self._state.action_to_string(self._state.current_player(), action)  # type: ignore[no-any-return]

    def draw(self) -> np.ndarray:
        moves = self._state.history()
        before = None
        if moves:
            earlier = self._game.new_initial_state()
            for move in moves[:-1]:
                earlier.apply_action(move)
            before = str(earlier)
        return pictures.draw(self._game.get_type().short_name, str(self._state), before)
