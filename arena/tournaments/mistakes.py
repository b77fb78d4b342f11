"""What is wrong with a tournament file: the key at fault, and one line about it.

Entries of lists count from 1: `agent[2].train` is the second agent's.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pydantic

from arena.agent import Mode
from arena.errors import InvalidValue
from arena.files import slug

if TYPE_CHECKING:
    from arena.tournaments.file import Entrant, EnvEntry, TournamentConfig

_GAMES = ("pairs", "opening_plies")
#: What each format takes beyond what all of them do.
KEYS: dict[str, tuple[str, ...]] = {
    "league": ("episodes",),
    "round-robin": (*_GAMES, "stop", "sprt"),
    "gauntlet": (*_GAMES, "challengers", "stop", "sprt"),
    "knockout": (*_GAMES, "tiebreak_pairs"),
    "swiss": (*_GAMES, "rounds"),
}

_WANTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "a text in quotes",
    "dict_type": "a table",
    "model_type": "a table",
    "list_type": "a list of tables, each begun with [[{key}]]",
}
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def contradictions(config: TournamentConfig) -> Iterator[tuple[str, str]]:
    """Yields (key, reason) of what each value allows but the whole does not."""
    taken = KEYS[config.format]
    for key in sorted({key for keys in KEYS.values() for key in keys} & config.model_fields_set - set(taken)):
        yield key, f"means nothing in a {config.format}, which takes {', '.join(taken)}"
    for index, entrant in enumerate(config.agents, 1):
        if entrant.mode is not None:
            try:
                Mode.parse(entrant.mode)
            except InvalidValue as error:
                yield f"agent[{index}].mode", str(error)
    yield from _doubles(config)
    if not config.is_league:
        yield from _game_contradictions(config)


def _game_contradictions(config: TournamentConfig) -> Iterator[tuple[str, str]]:
    num_agents, num_envs = len(config.agents), len(config.envs)
    if num_agents < 2:
        yield "agent", f"a {config.format} needs at least two agents; add [[agent]] to its file, or --agent"
    for index, entrant in enumerate(config.agents, 1):
        if entrant.train:
            yield f"agent[{index}].train", "learners train in environments of one player; enter a trained one"
    if config.format == "gauntlet" and config.challengers >= num_agents:
        yield "challengers", f"must be fewer than the {num_agents} agents, not {config.challengers}"
    most = num_agents - 1 + num_agents % 2
    if config.format == "swiss" and config.num_rounds > most:
        yield "rounds", f'after {most} all {num_agents} agents have met; play fewer, or format = "round-robin"'
    if config.format in ("knockout", "swiss") and num_envs > 1:
        yield "env", f"a {config.format} is played in one environment, not {num_envs}"
    if config.stop == "sprt" and num_agents != 2:
        yield "stop", f"a sequential test is between two agents, not {num_agents}"
    if config.stop == "sprt" and num_envs != 1:
        yield "stop", f"a sequential test is in one environment, not {num_envs}"
    if config.stop == "sprt" and config.sprt is None:
        yield "sprt", "is missing; name the differences to tell apart, [sprt] with elo0 = 0 and elo1 = 20 for instance"
    if config.sprt and config.stop != "sprt":
        yield "sprt", 'means nothing without stop = "sprt"'
    if config.sprt and config.sprt.elo1 <= config.sprt.elo0:
        yield "sprt.elo1", f"must be more than sprt.elo0 = {config.sprt.elo0:g}, not {config.sprt.elo1:g}"


def _doubles(config: TournamentConfig) -> Iterator[tuple[str, str]]:
    """Yields the agents and environments that share a name."""
    agents: dict[str, Entrant] = {}
    for index, entrant in enumerate(config.agents, 1):
        other = agents.setdefault(slug(entrant.name).lower(), entrant) if entrant.name else entrant
        if other is not entrant:
            yield (
                f"agent[{index}].name",
                f"{entrant.ref!r} and {other.ref!r} are both named {entrant.name!r}; "
                f"give one another: `name` in the tournament file, or --agent NAME={entrant.ref}",
            )
    envs: dict[str, EnvEntry] = {}
    for index, env in enumerate(config.envs, 1):
        first = envs.setdefault(slug(env.label).lower(), env)
        if first is env:
            continue
        if (first.id, first.preprocess, first.settings) == (env.id, env.preprocess, env.settings):
            yield f"env[{index}].id", f"{env.id!r} is entered twice; leave one out"
        else:
            yield f"env[{index}].name", f"two environments are called {env.label!r}; give each a `name` of its own"


def explain(error: pydantic.ValidationError, model: type[pydantic.BaseModel]) -> tuple[str, str]:
    """Returns (key, reason) of the first mistake, unknown keys first: a misspelt key leaves another one missing."""
    details = sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")[0]
    location, kind, given = details["loc"], details["type"], details["input"]
    context = details.get("ctx", {})
    key, last = key_of(location), str(location[-1])
    if kind == "extra_forbidden":
        return key, f"unknown key; {_nearest(last, _keys(location, model), 'known')}"
    if kind == "literal_error":
        choices = re.findall("'([^']*)'", context["expected"])
        return key, f"unknown {last} {given!r}; {_nearest(str(given), choices)}"
    if (kind == "missing" and last in ("agent", "env")) or kind == "too_short":
        what = {"agent": "agents", "env": "environments"}[last]
        return key, f"a tournament without {what}; add [[{last}]] to its file, or --{last}"
    if kind == "missing":
        return key, "is missing"
    if kind == "string_too_short":
        return key, "must not be empty"
    for bound, words in _BOUNDS.items():
        if bound in context:
            return key, f"must be {words} {context[bound]:g}, not {given}"
    if kind in _WANTED:
        return key, f"must be {_WANTED[kind].format(key=last)}, not {_brief(given)}"
    return key, f"{details['msg']}, not {_brief(given)}"


def key_of(location: Iterable[int | str]) -> str:
    """Returns a place in the file as it is written there: ("agent", 1, "train") is agent[2].train."""
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def _nearest(given: str, choices: list[str], label: str = "choices") -> str:
    close = difflib.get_close_matches(given, choices, n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"{label}: {', '.join(choices)}"


def _keys(location: tuple[int | str, ...], model: type[pydantic.BaseModel]) -> list[str]:
    """Returns the keys of the table in which `location` lies."""
    for part in location[:-1]:
        for name, field in model.model_fields.items():
            if part in (name, field.validation_alias):
                model = _table(field.annotation)
    return [str(field.validation_alias or name) for name, field in model.model_fields.items()]


def _table(annotation: Any) -> type[pydantic.BaseModel]:
    """Returns the model in `list[Model]`, `Model | None` or `Model`."""
    for inner in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(inner, type) and issubclass(inner, pydantic.BaseModel):
            return inner
    raise TypeError(f"{annotation} holds no table")


def _brief(given: object) -> str:
    return f"a {type(given).__name__}" if isinstance(given, Mapping | list) else repr(given)
