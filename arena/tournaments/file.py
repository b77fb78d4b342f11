"""What a tournament is: who plays what, on which seeds; read from a TOML file, from flags, or from both.

    name = "classic"
    format = "league"
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

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import pydantic

from arena.config import read_toml
from arena.errors import ArenaError, InvalidValue
from arena.files import slug as slug
from arena.isolation.limits import Limits
from arena.registry import resolve
from arena.sources import locate
from arena.tournaments.mistakes import KEYS, contradictions, explain

Format = Literal["league", "round-robin", "gauntlet", "knockout", "swiss"]


class _Table(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(
        extra="forbid", frozen=True, strict=True, validate_by_name=True, validate_by_alias=True, allow_inf_nan=False
    )


class Entrant(_Table):
    """An agent that is entered.

    Attributes:
      ref: an agent reference (a plugin's name, a run folder, `my_agent.py:MyAgent`, `policy.tflite`).
      name: what the standings call it; "" for the reference's short name.
      train: environment steps that a learner trains on each environment first; 0 plays it as it starts.
      settings: of the agent, beyond its preset.
      mode: greedy, sample or epsilon=X; None for the agent's own.
      trust: whether what can hold code that runs when it is loaded may be loaded (in a process of its own).
    """

    ref: str = pydantic.Field(min_length=1)
    name: str = ""
    train: int = pydantic.Field(0, ge=0)
    settings: dict[str, Any] = {}
    mode: str | None = None
    trust: bool = False


class EnvEntry(_Table):
    """An environment that is played.

    Attributes:
      id: the environment's id.
      name: what the tables call it; "" for its id. Needed where an id is entered more than once.
      preprocess: the preprocessing that all agents get; None gives each what its policy was trained
        with, or else the environment's default.
      settings: keywords of the environment's maker, and max_episode_steps.
    """

    id: str = pydantic.Field(min_length=1)
    name: str = ""
    preprocess: str | None = None
    settings: dict[str, Any] = {}

    @property
    def label(self) -> str:
        """What the tables call it."""
        return self.name or self.id


class Sprt(_Table):
    """A sequential probability ratio test between two differences in strength.

    Attributes:
      elo0, elo1: what the first agent has over the second under H0 and under H1, in Elo.
      alpha, beta: the probabilities of accepting H1 under H0, and H0 under H1.
      model: whether the Elo is logistic, or normalized by the spread of a pair's result.
    """

    elo0: float
    elo1: float
    alpha: float = pydantic.Field(0.05, gt=0, lt=0.5)
    beta: float = pydantic.Field(0.05, gt=0, lt=0.5)
    model: Literal["logistic", "normalized"] = "logistic"


class TournamentConfig(_Table):
    """Who plays what, and in which format.

    Attributes:
      format: a league is scored by return; the others are for games of two players.
      episodes: games of each agent in each environment of a league.
      pairs: of games in each meeting of two agents; both games of a pair have the same opening, with swapped seats.
      opening_plies: random plies that open a game, unless an environment's own settings say how many.
      challengers: how many agents, the first ones, meet all the others in a gauntlet.
      rounds: of a swiss; None for as many as leave one winner of all: ceil(log2(agents)).
      tiebreak_pairs: at most so many more pairs are played where a knockout's tie is level.
      stop, sprt: "sprt" ends a match of two agents as soon as the test is decided.
      limits: of agents that run in processes of their own.
    """

    name: str = pydantic.Field("tournament", min_length=1)
    format: Format = "league"
    seed: int = pydantic.Field(0, ge=0)
    episodes: int = pydantic.Field(20, ge=1)
    pairs: int = pydantic.Field(10, ge=1)
    opening_plies: int = pydantic.Field(4, ge=0)
    challengers: int = pydantic.Field(1, ge=1)
    rounds: int | None = pydantic.Field(None, ge=1)
    tiebreak_pairs: int = pydantic.Field(3, ge=0)
    stop: Literal["none", "sprt"] = "none"
    sprt: Sprt | None = None
    limits: Limits = Limits()
    agents: list[Entrant] = pydantic.Field(validation_alias="agent", min_length=1)
    envs: list[EnvEntry] = pydantic.Field(validation_alias="env", min_length=1)

    @property
    def is_league(self) -> bool:
        """True where agents play alone and returns are compared; else two meet in a game."""
        return self.format == "league"

    @property
    def num_rounds(self) -> int:
        """The number of rounds of a swiss."""
        return self.rounds or max(1, (len(self.agents) - 1).bit_length())

    def env_settings(self, env: int) -> dict[str, Any]:
        """Returns the settings with which environment number `env` is made, a game's opening included."""
        opening = {} if self.is_league else {"opening_plies": self.opening_plies}
        return opening | self.envs[env].settings


def configure(
    file: Path | None = None,
    *,
    agents: Sequence[str] = (),
    envs: Sequence[str] = (),
    train: int | None = None,
    limits: dict[str, Any] | None = None,
    **flags: Any,
) -> TournamentConfig:
    """Returns the tournament of a file, of flags, or of both.

    Args:
      file: a TOML file.
      agents, envs: references, or NAME=REF, and ids that are added to the file's. A league without agents is one of
        the pretrained ones, and without environments too, it is the showcase (see arena.tournaments.showcase).
      train: goes to every learner of this project's own. Another's is trained where the file says so, since its code
        runs in this process then.
      limits: replace those of the file, key by key.
      flags: other fields of TournamentConfig (format, seed, episodes, pairs, ...); None leaves the file's.

    Raises:
      ArenaError: the file cannot be read.
      InvalidValue: a key or value is wrong; the one-line message names it.
    """
    data = _read(file) if file else {}
    for key, added in (("agent", [_named(agent) for agent in agents]), ("env", [{"id": env} for env in envs])):
        if added and isinstance(data.setdefault(key, []), list):
            data[key] = [*data[key], *added]
    given = {key: value for key, value in flags.items() if value is not None}
    data |= given
    limited = {key: value for key, value in (limits or {}).items() if value is not None}
    if limited and isinstance(data.setdefault("limits", {}), dict):
        data["limits"] = data["limits"] | limited
    if file:
        data.setdefault("name", file.stem)
    if file is None and "agent" not in data and data.get("format") in (None, "league"):
        data = _of_the_zoo(data)
    flag_of = {key: key for key in given} | {f"limits.{key}": key for key in limited}
    try:
        config = TournamentConfig.model_validate(data, by_alias=True, by_name=False, strict=True)
        mistake = next(contradictions(config), None)
    except pydantic.ValidationError as error:
        mistake = explain(error, TournamentConfig)
    if mistake:
        key, reason = mistake
        where = f"--{flag_of[key].replace('_', '-')}" if key in flag_of else f"{file}: {key}" if file else key
        raise InvalidValue(f"{where}: {reason}")
    if train is None:
        return config
    if train < 0:
        raise InvalidValue(f"--train: must be at least 0, not {train}")
    return config.model_copy(update={"agents": [_trained(entrant, train) for entrant in config.agents]})


def _named(agent: str) -> dict[str, str]:
    """Returns the entry of an agent that is given as REF or as NAME=REF; a file may have an = in its own name."""
    name, equals, ref = agent.partition("=")
    is_name = equals and ref and re.fullmatch(r"[\w.+ -]+", name) and not Path(agent).exists()
    return {"ref": ref, "name": name} if is_name else {"ref": agent}


def _of_the_zoo(data: dict[str, Any]) -> dict[str, Any]:
    """Returns the league of the pretrained agents, over the environments that were named if any were."""
    from arena.tournaments import showcase  # reads the catalogue of environments

    envs = data.get("env") or [{"id": env} for env in showcase.environments()]
    agents = [{"ref": ref} for ref in showcase.agents([env["id"] for env in envs])]
    return {"name": showcase.NAME, "episodes": showcase.EPISODES, **data, "agent": agents, "env": envs}


def extended(config: TournamentConfig, agents: Sequence[str]) -> TournamentConfig:
    """Returns the tournament with newcomers entered last, by REF or NAME=REF; what has been played stays part of it.

    Raises InvalidValue where the format, or a sequential test, does not admit them.
    """
    if config.format in ("knockout", "swiss"):
        raise InvalidValue(f"format: nobody can join a {config.format} once it is drawn; begin another tournament")
    newcomers = [Entrant.model_validate({**_named(agent), "train": 0}) for agent in agents]
    longer = config.model_copy(update={"agents": [*config.agents, *newcomers]})
    check_consistent(longer)
    return longer


def check_consistent(config: TournamentConfig) -> None:
    """Raises InvalidValue for the first thing that each value allows but the whole does not; it names the key."""
    for key, reason in contradictions(config):
        raise InvalidValue(f"{key}: {reason}")


def to_toml(config: TournamentConfig) -> dict[str, Any]:
    """Returns the content of the file that gives this tournament again."""
    plain = config.model_dump(exclude_defaults=True)
    always = {key: getattr(config, key) for key in ("name", "format", "seed", *KEYS[config.format])}
    scalars = {key: value for key, value in always.items() if isinstance(value, str | int)}
    tables = {key: plain[key] for key in ("sprt", "limits") if key in plain}
    return scalars | tables | {"agent": plain["agents"], "env": plain["envs"]}


def _trained(entrant: Entrant, steps: int) -> Entrant:
    is_learner = locate(entrant.ref).is_ours and resolve(entrant.ref).is_learner
    return entrant.model_copy(update={"train": steps}) if is_learner else entrant


def _read(file: Path) -> dict[str, Any]:
    try:
        return read_toml(file)
    except OSError as error:
        raise ArenaError(f"{file} cannot be read: {error.strerror}") from None
