"""Two-player games as rows: OpenSpiel's by their short name, PettingZoo's as `pettingzoo:NAME_vN`.

An observation is a mapping of arrays, as seen by the seat that is to move:

observation  [N, ...] float32   the board, as that seat sees it
legal        [N, A] bool        the actions that are allowed; none in a game that is over
seat         [N] int64          whose move it is; in a game that is over, who moved last
history      [N, H] int32       every action since the start, the opening's included, then -1; where seats choose at
                                the same time, up to the last choice that all have made

`Step.reward` is [N, S] float64, by seat. The first `opening_plies` moves are drawn from the game's seed alone.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from envs import catalogue

if TYPE_CHECKING:
    from envs.games.rows import GameRows

PETTINGZOO = "pettingzoo:"
TWO_PLAYER = "two-player"  # the extra that games need


def is_game(env_id: str) -> bool:
    """Whether this is a two-player game's id; OpenSpiel's names are known without it from the catalogue."""
    if env_id.startswith(PETTINGZOO):
        return True
    if not re.fullmatch(r"[a-z0-9_]+", env_id):
        return False
    if any(entry.id == env_id for entry in catalogue.entries()):
        return True
    if importlib.util.find_spec("pyspiel") is None:
        return False
    import pyspiel

    return env_id in pyspiel.registered_names()


def make_game(env_id: str, num_rows: int, settings: Mapping[str, Any]) -> GameRows:
    """Returns rows of a two-player game. Raises as envs.make() does."""
    if env_id.startswith(PETTINGZOO):
        from envs.games.aec import make_pettingzoo

        return make_pettingzoo(env_id, num_rows, settings)
    from envs.games.openspiel import make_openspiel

    return make_openspiel(env_id, num_rows, settings)


def registered_ids() -> list[str]:
    """Returns the ids of all games of OpenSpiel and PettingZoo, those that do not fit included."""
    import pettingzoo
    import pyspiel

    kinds = {**pettingzoo.parallel_registry, **pettingzoo.aec_registry}.values()
    return [*pyspiel.registered_names(), *(f"{PETTINGZOO}{kind.name}_v{kind.version}" for kind in kinds)]
