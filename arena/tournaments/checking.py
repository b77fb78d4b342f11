"""Checks a tournament against what there is: its agents, its environments, and whether they go with its format."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import envs
from arena.agent import Spec
from arena.config import check_settings
from arena.errors import ArenaError, DoesNotFit, InvalidValue
from arena.registry import resolve
from arena.sources import Kind, Source, locate
from arena.tournaments.file import Entrant, EnvEntry, TournamentConfig, check_consistent
from arena.tournaments.task import Stand


@dataclass(frozen=True)
class Checked:
    """A tournament whose agents and environments were found.

    Attributes:
      config: every entrant has a name, and a reference that means the same in any folder.
      sources: of the agents, by name, in order.
      stands: the environments.
      caps: the most steps of a game in each.
    """

    config: TournamentConfig
    sources: dict[str, Source]
    stands: Sequence[Stand]
    caps: Sequence[int]

    def source(self, entrant: Entrant, env: int) -> Source:
        """Returns what plays for an entrant in an environment. Raises DoesNotFit where a zoo has nothing for it."""
        source, env_id = self.sources[entrant.name], self.config.envs[env].id
        if source.kind is not Kind.ZOO:
            return source
        try:
            return locate(source.ref, env_id)
        except DoesNotFit as error:
            raise DoesNotFit(f"the zoo has no such policy for {env_id}") from error

    def places(self) -> list[tuple[Entrant, int]]:
        """Returns every entrant with the index of every environment."""
        return [(entrant, env) for env in range(len(self.stands)) for entrant in self.config.agents]


def check(config: TournamentConfig) -> Checked:
    """Finds all agents and environments; runs no agent's code, but that of a learner that is to be trained.

    Raises ArenaError for what cannot be found, must not be loaded, or does not go with the format; it names the key.
    """
    check_consistent(config)
    sources = [_source(entrant, f"agent[{index}]") for index, entrant in enumerate(config.agents, 1)]
    agents = [
        entrant.model_copy(update={"name": entrant.name or source.name, "ref": source.ref})
        for entrant, source in zip(config.agents, sources, strict=True)
    ]
    named = config.model_copy(update={"agents": agents})
    check_consistent(named)  # names that were left open may be the same
    stands = [Stand(env.id, env.preprocess, config.env_settings(index)) for index, env in enumerate(config.envs)]
    caps = [_cap(config, index) for index in range(len(stands))]
    by_name = {entrant.name: source for entrant, source in zip(agents, sources, strict=True)}
    return Checked(named, by_name, stands, caps)


def _source(entrant: Entrant, key: str) -> Source:
    """Returns what an entrant's reference names."""
    with _named(f"{key}.ref"):
        source = locate(entrant.ref)
    with _named(f"{key}.trust"):
        source.check_trust(entrant.trust)
    if entrant.train and not (source.is_ours or entrant.trust):
        raise InvalidValue(
            f"{key}.train: {entrant.ref!r} would learn in this process, with your rights; allow it with trust = true, "
            "or train it with `arena train` and enter its run folder"
        )
    if entrant.train and (source.kind is Kind.ZOO or not resolve(entrant.ref).is_learner):
        raise InvalidValue(f"{key}.train: {entrant.ref!r} does not learn; leave `train` out")
    if entrant.settings and source.kind in (Kind.POLICY, Kind.ZOO):
        raise InvalidValue(f"{key}.settings: {entrant.ref!r} is a saved policy, which has none; leave them out")
    if entrant.settings and source.is_ours:
        player_class = resolve(entrant.ref).player_class
        assert player_class is not None
        with _named(f"{key}.settings"):
            check_settings(player_class, entrant.settings, source.name)
    return source


def _cap(config: TournamentConfig, index: int) -> int:
    """Returns an environment's cap on steps; finds out whether as many play in it as the format wants."""
    env, key = config.envs[index], f"env[{index + 1}]"
    try:
        spec = _spec(env, env.settings)
    except ArenaError as error:
        _name(error, f"{key}.{_key_at_fault(env)}")
        raise
    players = f"{spec.num_seats} players" if spec.num_seats > 1 else "one player"
    if config.is_league and spec.num_seats != 1:
        raise DoesNotFit(f"{key}.id: {env.id} is for {players}; give a format of games, like `round-robin`")
    if not config.is_league and spec.num_seats != 2:
        raise DoesNotFit(f"{key}.id: {env.id} is for {players}; a {config.format} has games of two")
    if not config.is_league:
        with _named("opening_plies"):
            _spec(env, config.env_settings(index))
    return spec.max_episode_steps


def _spec(env: EnvEntry, settings: Mapping[str, Any]) -> Spec:
    rows = envs.make(env.id, 1, preprocess=env.preprocess, settings=settings)
    rows.close()
    return rows.spec


def _key_at_fault(env: EnvEntry) -> str:
    """Returns the first key with which an environment that cannot be made cannot be made."""
    for key, given in (("id", EnvEntry(id=env.id)), ("preprocess", env)):
        try:
            _spec(given, {})
        except ArenaError:
            return key
    return "settings"


@contextlib.contextmanager
def _named(key: str) -> Iterator[None]:
    """Begins the message of an error in the block with the key at fault."""
    try:
        yield
    except ArenaError as error:
        _name(error, key)
        raise


def _name(error: ArenaError, key: str) -> None:
    error.args = (f"{key}: {error}",)
