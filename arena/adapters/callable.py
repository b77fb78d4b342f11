"""Any callable as a player: `action = f(obs)`, for one observation at a time.

`obs` is one row: an array, or in games the mapping of arrays. The action is a whole number, or an array in the
environment's units. Two keyword arguments are given where the signature has them:

seed    a whole number, another one at every move and the same ones when the game is played again; take it for
        randomness, `numpy.random.default_rng(seed)`, and results do not depend on the order of the games.
legal   [A] bool: the actions that may be taken now; all of them where the environment forbids none.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
import pydantic

from arena import seeding
from arena.agent import Decision, Player, Spec
from arena.errors import DoesNotFit

_SEED_RANGE = float(1 << 31)


def player_class(function: Callable[..., Any], name: str) -> type[Player]:
    """Returns a class called `name` whose players choose what `function` says."""
    return type(name, (CallablePlayer,), {"function": staticmethod(function), "__doc__": inspect.getdoc(function)})


class CallablePlayer(Player):
    """Asks a function of one observation, row after row."""

    function: ClassVar[Callable[..., Any]]

    def __init__(
        self, spec: Spec, *, seed: int, settings: Mapping[str, Any] | pydantic.BaseModel | None = None
    ) -> None:
        super().__init__(spec, seed=seed, settings=settings)
        self._has_seed, self._has_legal = (_takes(self.function, name) for name in ("seed", "legal"))
        if self._has_legal and not isinstance(spec.action_space, gym.spaces.Discrete):
            raise DoesNotFit(f"{type(self).__name__}() asks for legal actions, and {spec.env_id} has none to number")

    def initial_state(self, seeds: np.ndarray) -> Any:
        return seeding.row_keys(seeds) if self._has_seed else ()

    def act(self, obs: Any, state: Any) -> Decision:
        rows = _rows(obs)
        keywords: list[dict[str, Any]] = [{} for _ in rows]
        if self._has_seed:
            draws, state = seeding.row_uniform(state)
            keywords = [{"seed": int(draw * _SEED_RANGE)} for draw in draws]
        if self._has_legal:
            keywords = [given | {"legal": self._legal(row)} for given, row in zip(keywords, rows, strict=True)]
        answers = [self._action(self.function(row, **given)) for row, given in zip(rows, keywords, strict=True)]
        return Decision(np.stack(answers), state)

    def _legal(self, row: Any) -> np.ndarray:
        return row["legal"] if isinstance(row, Mapping) else np.ones(self.spec.num_actions, bool)

    def _action(self, answer: Any) -> np.ndarray:
        """Returns an answer in the type and shape of the action space where it has but another form of it."""
        action = np.asarray(answer)
        space = self.spec.action_space
        if isinstance(space, gym.spaces.Box):
            action = action.astype(space.dtype)
            return action.reshape(space.shape) if action.size == np.prod(space.shape) else action
        return action.reshape(()) if action.size == 1 else action


def _takes(function: Callable[..., Any], name: str) -> bool:
    try:
        return name in inspect.signature(function).parameters
    except (TypeError, ValueError):  # some built-in functions do not tell
        return False


def _rows(obs: Any) -> list[Any]:
    if not isinstance(obs, Mapping):
        return list(obs)
    return [{key: values[row] for key, values in obs.items()} for row in range(len(next(iter(obs.values()))))]
