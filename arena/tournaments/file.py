"""What a tournament is: who plays what, on which seeds; read from a TOML file, from flags, or from both.

    name = "classic"
    seed = 0
    episodes = 20

    [[agent]]
    ref = "dqn"
    train = 50_000

    [[env]]
    id = "CartPole-v1"

Every mistake is one line that names the key; entries count from 1: `agent[2].train` is the second agent's.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pydantic

from arena.config import read_toml
from arena.errors import ArenaError, InvalidValue
from arena.registry import resolve


class _Table(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(
        extra="forbid", frozen=True, strict=True, validate_by_name=True, validate_by_alias=True
    )


class Entrant(_Table):
    """An agent that is entered.

    Attributes:
      ref: an agent reference (a plugin's name, a run folder, `my_agent.py:MyAgent`, `policy.tflite`).
      name: what the standings call it; "" for the reference's short name.
      train: environment steps that a learner trains on each environment first; 0 plays it as it starts.
    """

    ref: str = pydantic.Field(min_length=1)
    name: str = ""
    train: int = pydantic.Field(0, ge=0)


class EnvEntry(_Table):
    """An environment that is played.

    Attributes:
      id: the environment's id.
      preprocess: the preprocessing that all agents get; None gives each what its policy was trained
        with, or else the environment's default.
      settings: keywords of the environment's maker, and max_episode_steps.
    """

    id: str = pydantic.Field(min_length=1)
    preprocess: str | None = None
    settings: dict[str, Any] = {}


class TournamentConfig(_Table):
    """Who plays what: every agent plays `episodes` games of every environment, all on the same seeds."""

    name: str = pydantic.Field("tournament", min_length=1)
    seed: int = pydantic.Field(0, ge=0)
    episodes: int = pydantic.Field(20, ge=1)
    agents: list[Entrant] = pydantic.Field(validation_alias="agent", min_length=1)
    envs: list[EnvEntry] = pydantic.Field(validation_alias="env", min_length=1)


def configure(
    file: Path | None = None,
    *,
    agents: Sequence[str] = (),
    envs: Sequence[str] = (),
    train: int | None = None,
    episodes: int | None = None,
    seed: int | None = None,
) -> TournamentConfig:
    """Returns the tournament of a file, of flags, or of both: `agents` and `envs` add to the file's, the rest override.

    `train` goes to every entrant that learns; the others have no use for it.

    Raises:
      ArenaError: the file cannot be read.
      InvalidValue: a key or value is wrong; the one-line message names it.
    """
    data = _read(file) if file else {}
    for key, field, given in (("agent", "ref", agents), ("env", "id", envs)):
        if given and isinstance(data.setdefault(key, []), list):
            data[key] = [*data[key], *({field: value} for value in given)]
    flags = {key: value for key, value in (("episodes", episodes), ("seed", seed)) if value is not None}
    data |= flags
    if file:
        data.setdefault("name", file.stem)
    try:
        config = TournamentConfig.model_validate(data, by_alias=True, by_name=False)
    except pydantic.ValidationError as error:
        where = f"{file}: " if file else ""
        key, reason = _explain(error)
        raise InvalidValue(f"--{key}: {reason}" if key in flags else f"{where}{key}: {reason}") from None
    check_unique(config, str(file) if file else "")
    if train is None:
        return config
    if train < 0:
        raise InvalidValue(f"--train: must be at least 0, not {train}")
    return config.model_copy(update={"agents": [_trained(entrant, train) for entrant in config.agents]})


def check_unique(config: TournamentConfig, where: str = "") -> None:
    """Raises InvalidValue where two agents have one name, or an environment is entered twice."""
    prefix = f"{where}: " if where else ""
    names: dict[str, Entrant] = {}
    for index, entrant in enumerate(config.agents, 1):
        other = names.setdefault(slug(entrant.name).lower(), entrant) if entrant.name else entrant
        if other is not entrant:
            raise InvalidValue(
                f"{prefix}agent[{index}].name: {entrant.ref!r} and {other.ref!r} are both named {entrant.name!r}; "
                "give one of them another name in the tournament file"
            )
    ids: set[str] = set()
    for index, env in enumerate(config.envs, 1):
        if env.id in ids:
            raise InvalidValue(f"{prefix}env[{index}].id: {env.id!r} is entered twice; leave one out")
        ids.add(env.id)


def to_toml(config: TournamentConfig) -> dict[str, Any]:
    """Returns the content of the file that gives this tournament again."""
    agents = [entrant.model_dump(exclude_defaults=True) for entrant in config.agents]
    envs = [env.model_dump(exclude_defaults=True) for env in config.envs]
    return {"name": config.name, "seed": config.seed, "episodes": config.episodes, "agent": agents, "env": envs}


def slug(text: str) -> str:
    """Returns `text` as part of a file's name."""
    return re.sub(r"[^\w.+=-]+", "-", text).strip("-.") or "unnamed"


def _trained(entrant: Entrant, steps: int) -> Entrant:
    return entrant.model_copy(update={"train": steps}) if resolve(entrant.ref).is_learner else entrant


def _read(file: Path) -> dict[str, Any]:
    try:
        return read_toml(file)
    except OSError as error:
        raise ArenaError(f"{file} cannot be read: {error.strerror}") from None


_WANTED = {
    "int_type": "a whole number",
    "string_type": "a text in quotes",
    "dict_type": "a table",
    "model_type": "a table",
    "list_type": "a list of tables, each begun with [[{key}]]",
}


def _explain(error: pydantic.ValidationError) -> tuple[str, str]:
    """Returns (key, reason) of the first mistake, unknown keys first: a misspelt key leaves another one missing."""
    details = sorted(error.errors(), key=lambda detail: detail["type"] != "extra_forbidden")[0]
    location, kind, given = details["loc"], details["type"], details["input"]
    key = "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")
    last = str(location[-1])
    if kind == "extra_forbidden":
        choices = _keys(location)
        close = difflib.get_close_matches(last, choices, n=1, cutoff=0.5)
        return key, f"unknown key; did you mean {close[0]!r}?" if close else f"unknown key; known: {', '.join(choices)}"
    if (kind == "missing" and last in ("agent", "env")) or kind == "too_short":
        what = {"agent": "agents", "env": "environments"}[last]
        return key, f"a tournament without {what}; add [[{last}]] to its file, or --{last}"
    if kind == "missing":
        return key, "is missing"
    if kind == "string_too_short":
        return key, "must not be empty"
    if kind == "greater_than_equal":
        return key, f"must be at least {details['ctx']['ge']}, not {given}"
    if kind in _WANTED:
        return key, f"must be {_WANTED[kind].format(key=last)}, not {_brief(given)}"
    return key, f"{details['msg']}, not {_brief(given)}"


def _keys(location: tuple[int | str, ...]) -> list[str]:
    models: dict[int | str, type[_Table]] = {"agent": Entrant, "env": EnvEntry}
    model = models[location[0]] if len(location) > 1 else TournamentConfig
    return [str(field.validation_alias or name) for name, field in model.model_fields.items()]


def _brief(given: object) -> str:
    return f"a {type(given).__name__}" if isinstance(given, Mapping | list) else repr(given)
