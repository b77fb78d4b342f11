"""What a run is made of: flags, presets and settings, checked; every error names its key."""

from __future__ import annotations

import fnmatch
import importlib.util
import sys
import tomllib
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pydantic
import tomli_w

from arena import agent as contract
from arena.errors import ArenaError, DamagedFile, InvalidValue, UnknownName
from arena.validation import validated

if TYPE_CHECKING:
    from arena.registry import Reference

PositiveInt = typing.Annotated[int, pydantic.Field(gt=0)]
PositiveFloat = typing.Annotated[float, pydantic.Field(gt=0, allow_inf_nan=False)]
#: Keys of `--set` and of presets that are the run's own, not the agent's.
RUN_KEYS = ("preset", "eval_every", "eval_episodes", "encoder", "discretiser")
DEFAULT_STEPS = 100_000


class RunConfig(pydantic.BaseModel):
    """Everything that a training run depends on. `resolved()` fills what was left open.

    Attributes:
      agent: a reference to a class that learns.
      env: an environment id.
      steps, episodes, minutes: the budget; training ends with the first that is spent.
      horizon: environment steps over which schedules run; `steps`, or the preset's.
      until: ends training once an evaluation's mean return reaches it.
      num_envs: rows to train on.
      seed: the root of all the run's randomness.
      start: a run folder to take the best policy's weights from (`--from`).
      preset: the environment (or pattern) whose preset is used; found by the id when left out.
      settings: the agent's.
      preprocess, env_settings: the environment's.
      encoder, discretiser: what the agent sees observations through (see arena.encoders).
      record: none, cubic, every=N or best.
      checkpoint_every: in environment steps; every five minutes when left out.
      eval_every, eval_episodes: how often the policy is evaluated, in environment steps, and on how many games.
    """

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    agent: str
    env: str
    seed: typing.Annotated[int, pydantic.Field(ge=0)] = 0
    steps: PositiveInt | None = None
    episodes: PositiveInt | None = None
    minutes: PositiveFloat | None = None
    horizon: PositiveInt | None = None
    until: float | None = None
    num_envs: PositiveInt | None = None
    start: str | None = None
    preset: str | None = None
    preprocess: str | None = None
    encoder: str | None = None
    discretiser: str | None = None
    settings: dict[str, Any] = {}
    env_settings: dict[str, Any] = {}
    record: str = "none"
    checkpoint_every: PositiveInt | None = None
    eval_every: PositiveInt | None = None
    eval_episodes: PositiveInt | None = None

    @classmethod
    def of(cls, **values: Any) -> RunConfig:
        """Returns a configuration, or raises one clear line for the first value that is wrong."""
        config: RunConfig = validated(cls, values, "run")
        return config

    def resolved(self, reference: Reference) -> RunConfig:
        """Returns this configuration with every open choice filled from the preset and the settings' defaults."""
        assert reference.player_class is not None
        preset = find_preset(reference, self.preset or self.env, is_named=self.preset is not None)
        steps = self.steps
        if steps is None and self.episodes is None and self.minutes is None:
            steps = preset.get("steps", DEFAULT_STEPS)
        horizon = self.horizon or steps or preset.get("steps", DEFAULT_STEPS)
        settings = check_settings(reference.player_class, preset.get("settings", {}) | self.settings, reference.name)
        return self.model_copy(
            update={
                "steps": steps,
                "horizon": horizon,
                "num_envs": self.num_envs or preset.get("num_envs", 1),
                "preprocess": self.preprocess or preset.get("preprocess"),
                "encoder": self.encoder or (None if self.discretiser else preset.get("encoder")),
                "discretiser": self.discretiser or (None if self.encoder else preset.get("discretiser")),
                "preset": self.preset or preset.get("name"),
                "settings": settings.model_dump(),
                "checkpoint_every": self.checkpoint_every or preset.get("checkpoint_every"),
                "eval_every": self.eval_every or preset.get("eval_every") or max(1, horizon // 20),
                "eval_episodes": self.eval_episodes or preset.get("eval_episodes", 10),
            }
        )


class Preset(pydantic.BaseModel):
    """One table of a preset file: the run's own choices, and the agent's settings."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    steps: PositiveInt = DEFAULT_STEPS
    num_envs: PositiveInt = 1
    preprocess: str | None = None
    encoder: str | None = None
    discretiser: str | None = None
    eval_every: PositiveInt | None = None
    eval_episodes: PositiveInt | None = None
    checkpoint_every: PositiveInt | None = None
    settings: dict[str, Any] = {}


def check_settings(player_class: type[contract.Player], settings: Mapping[str, Any], name: str) -> Any:
    """Returns an agent's settings, checked against its Settings class."""
    return validated(player_class.Settings, settings, f"{name}'s settings")


def parse_assignments(pairs: Iterable[str], flag: str = "--set") -> dict[str, Any]:
    """Returns KEY=VALUE pairs as a mapping; values are TOML where they parse as it, null is None, else text."""
    parsed: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise InvalidValue(f"{flag} takes KEY=VALUE, not {pair!r}")
        try:
            parsed[key] = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            parsed[key] = {"True": True, "False": False, "null": None}.get(text, text)
    return parsed


# Presets.


def presets_of(reference: Reference) -> dict[str, dict[str, Any]]:
    """Returns an agent's presets by environment id or pattern: the file presets/NAME.toml beside its module."""
    assert reference.player_class is not None
    source = getattr(sys.modules.get(reference.player_class.__module__), "__file__", None)
    return _read_presets(Path(source).parent, reference.name) if source else {}


def presets_by_name(module: str, name: str) -> dict[str, dict[str, Any]]:
    """Returns the presets of the plugin `name` in `module` without importing it."""
    package = module.rpartition(".")[0]
    found = importlib.util.find_spec(package) if package else None
    folders = found.submodule_search_locations if found else None
    return _read_presets(Path(next(iter(folders))), name) if folders else {}


def _read_presets(folder: Path, name: str) -> dict[str, dict[str, Any]]:
    path = folder / "presets" / f"{name}.toml"
    return read_toml(path) if path.is_file() else {}


def find_preset(reference: Reference, env_id: str, *, is_named: bool = False) -> dict[str, Any]:
    """Returns the preset for `env_id`, its "name" included: the longest pattern that matches, used alone.

    Raises UnknownName where one is asked for by a name that is not there.
    """
    presets = presets_of(reference)
    if is_named and env_id not in presets:
        raise UnknownName(f"preset of {reference.name}", env_id, presets)
    matching = [pattern for pattern in presets if fnmatch.fnmatchcase(env_id, pattern)]
    if is_named:
        matching = [env_id]
    if not matching:
        return {}
    name = max(matching, key=len)
    where = f"{reference.name}'s preset {name!r}"
    if not isinstance(presets[name], dict):
        raise InvalidValue(f"{where} must be a table, not {presets[name]!r}")
    validated(Preset, presets[name], where)
    return {"name": name, **presets[name]}


def settings_for(reference: Reference, env_id: str) -> dict[str, Any]:
    """Returns the settings of the preset for `env_id`, or none."""
    return dict(find_preset(reference, env_id).get("settings", {}))


# Files.


def read_toml(path: Path) -> dict[str, Any]:
    """Returns a TOML file's content. Raises ArenaError or DamagedFile with the line at fault."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArenaError(f"there is no file {path}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DamagedFile(f"{path} is not valid TOML: {error}") from error


def write_toml(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a TOML file atomically; entries that are None are left out."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(tomli_w.dumps(_without_none(content)), encoding="utf-8")
    temporary.replace(path)


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_none(entry) for key, entry in value.items() if entry is not None}
    if isinstance(value, list | tuple):
        return [_without_none(entry) for entry in value if entry is not None]
    return value
