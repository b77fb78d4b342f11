"""Checks what `--env-set` gives against the keywords of an environment's maker."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

from arena.errors import InvalidValue, UnknownName

_KINDS: dict[type, tuple[tuple[type, ...], str]] = {
    bool: ((bool,), "true or false"),
    int: ((int, float), "a number"),
    float: ((int, float), "a number"),
    str: ((str,), "text"),
}


def keywords_of(maker: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """Returns what `maker` can be given by keyword; a ** parameter is among them."""
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.VAR_POSITIONAL)
    parameters = inspect.signature(maker).parameters
    return {name: parameter for name, parameter in parameters.items() if parameter.kind not in positional}


def check_settings(
    env_id: str, settings: Mapping[str, Any], maker: Callable[..., Any], reserved: Collection[str]
) -> None:
    """Raises unless every setting is a keyword of `maker`, or `max_episode_steps`, with a value of its kind.

    The kind is that of the keyword's default. A maker that passes ** on is asked by calling it.

    Raises:
      UnknownName: no such keyword, or one of `reserved`, which the arena sets itself.
      InvalidValue: a value of the wrong type.
    """
    known = keywords_of(maker)
    is_open = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in known.values())
    for key, value in settings.items():
        if key == "max_episode_steps":
            check_whole(env_id, key, value, least=1)
        elif key in reserved or (key not in known and not is_open):
            raise unknown_setting(env_id, key, maker, reserved)
        elif key in known:
            check_kind(env_id, key, value, known[key].default)


def unknown_setting(env_id: str, key: str, maker: Callable[..., Any], reserved: Collection[str]) -> UnknownName:
    """Returns the error for a keyword that `maker` does not have."""
    named = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    choices = {name for name, parameter in keywords_of(maker).items() if parameter.kind in named}
    return UnknownName(f"setting of {env_id}", key, choices - set(reserved) | {"max_episode_steps"})


def check_whole(env_id: str, key: str, value: Any, least: int) -> None:
    """Raises InvalidValue unless `value` is a whole number from `least` on that fits into 32 bits."""
    if type(value) is not int or not least <= value < 2**31:
        raise InvalidValue(f"{key} of {env_id} is a whole number of at least {least}, not {value!r}")


def check_kind(env_id: str, key: str, value: Any, default: Any) -> None:
    """Raises InvalidValue unless `value` is of the kind of `default`."""
    types, words = _KINDS.get(type(default), ((), ""))
    is_misread_bool = isinstance(value, bool) and bool not in types
    if types and (is_misread_bool or not isinstance(value, types)):
        raise InvalidValue(f"{key} of {env_id} is {words}, not {value!r}")
