"""A league: every agent plays every environment, all on the same seeds; the standings rank them by mean return.

Results are the same, bit for bit, for every number of jobs. Workers keep the process's number of
BLAS threads for that reason: the bits of a large matrix-vector product depend on it.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import envs
from arena.config import RunConfig
from arena.errors import DoesNotFit, InvalidValue
from arena.files import write_json
from arena.registry import resolve
from arena.tournaments.file import Entrant, EnvEntry, TournamentConfig, check_consistent, configure
from arena.tournaments.folder import TournamentResult, claim, default_out, film_best_games, result_of, write
from arena.tournaments.match import LeftOut, Match, Pairing, file_name, play
from arena.tournaments.workers import unordered

__all__ = [
    "Entrant",
    "EnvEntry",
    "LeftOut",
    "Match",
    "Progress",
    "TournamentConfig",
    "TournamentResult",
    "configure",
    "tournament",
]


class Progress(NamedTuple):
    """How far a tournament is.

    Attributes:
      phase: train, play or film; one comes after the other.
      done, total: environment steps when training, else matches or films.
      text: what is being trained, or was played or filmed last.
    """

    phase: str
    done: int
    total: int
    text: str


OnProgress = Callable[[Progress], None]


def tournament(
    config: TournamentConfig,
    *,
    out: Path | None = None,
    jobs: int = 1,
    num_envs: int | None = None,
    videos: bool = True,
    on_progress: OnProgress | None = None,
) -> TournamentResult:
    """Plays a tournament and returns its result; all of it is in the folder `out`.

    Learners are trained first, one after the other; then come the matches, and a video of each
    agent's best game. Every match is on disk as soon as it is over.

    Args:
      config: who plays what, on which seeds.
      out: a folder that holds no tournament yet; None for `tournaments/NAME-DATE`.
      jobs: how many matches are played at once, in processes of their own.
      num_envs: how many games of a match run side by side; None for what suits the environment.
      videos: whether to film each agent's best game.
      on_progress: is told how far the tournament is.

    Raises:
      ArenaError: something is wrong with an entrant, an environment or `out`; nothing is overwritten.
      BrokenPlugin: an agent's code failed; the message names agent and environment.
    """
    if jobs < 1:
        raise InvalidValue(f"--jobs must be at least 1, not {jobs}")
    tell = on_progress or (lambda progress: None)
    config = _named(config)
    caps = {env.id: _step_cap(env) for env in config.envs}
    out = claim(out or default_out(config), config)
    pairings, left_out = _enter(config, out, num_envs, tell)

    pairings.sort(key=lambda pairing: -caps[pairing.env.id])  # a long match begun last would keep all waiting
    matches, do_not_fit = _play(pairings, out, jobs, tell)
    result = result_of(config, out, matches, left_out + do_not_fit)
    write(result)
    if videos:
        not_filmed = film_best_games(result, jobs, lambda *done: tell(Progress("film", *done)))
        result = replace(result, not_filmed=not_filmed)
        write_json(out / "tournament.json", result.to_json())
    return result


def train_entrant(entrant: Entrant, env: EnvEntry, out: Path, seed: int, on_step: Callable[[int], None]) -> str:
    """Trains a learner on an environment with its preset; returns the reference of what it became: its run folder.

    `on_step` is called now and then with the number of environment steps so far.
    """
    from arena.training import Hooks, train

    config = RunConfig.of(
        agent=entrant.ref,
        env=env.id,
        steps=entrant.train,
        seed=seed,
        preprocess=env.preprocess,
        env_settings=env.settings,
    )
    run_dir = out / "runs" / file_name(entrant.name, env.id)
    hooks = Hooks(on_progress=lambda progress: on_step(progress.step))
    return str(train(config, run_dir=run_dir, hooks=hooks).folder)


def _named(config: TournamentConfig) -> TournamentConfig:
    """Returns the tournament with a name for every entrant; finds unknown references and names given twice."""
    agents = []
    for index, entrant in enumerate(config.agents, 1):
        reference = resolve(entrant.ref)
        if entrant.train and not reference.is_learner:
            raise InvalidValue(f"agent[{index}].train: {entrant.ref!r} does not learn; leave `train` out")
        agents.append(entrant.model_copy(update={"name": entrant.name or reference.name}))
    named = config.model_copy(update={"agents": agents})
    check_consistent(named)
    return named


def _step_cap(env: EnvEntry) -> int:
    """Returns an environment's cap on steps; an unknown environment is found before anybody trains."""
    rows = envs.make(env.id, 1, preprocess=env.preprocess, settings=env.settings)
    try:
        return rows.spec.max_episode_steps
    finally:
        rows.close()


def _enter(
    config: TournamentConfig, out: Path, num_envs: int | None, tell: OnProgress
) -> tuple[list[Pairing], list[LeftOut]]:
    """Returns the pairings, with learners trained, and those that were found not to fit on the way."""
    pairings, left_out = [], []
    done, total = 0, len(config.envs) * sum(entrant.train for entrant in config.agents)
    for env in config.envs:
        for entrant in config.agents:
            ref = entrant.ref
            if entrant.train:
                on_step = functools.partial(_tell_training, tell, f"{entrant.name} on {env.id}", done, total)
                done += entrant.train
                try:
                    ref = train_entrant(entrant, env, out, config.seed, on_step)
                except DoesNotFit as error:
                    left_out.append(LeftOut(entrant.name, env.id, str(error)))
                    continue
                finally:
                    on_step(entrant.train)
            pairings.append(Pairing(entrant.name, ref, env, config.episodes, config.seed, num_envs, out / "games"))
    return pairings, left_out


def _tell_training(tell: OnProgress, text: str, before: int, total: int, step: int) -> None:
    tell(Progress("train", before + step, total, text))


def _play(pairings: list[Pairing], out: Path, jobs: int, tell: OnProgress) -> tuple[list[Match], list[LeftOut]]:
    """Plays the pairings and returns the matches, each on disk as soon as it is over, and who turned out not to fit."""
    matches: list[Match] = []
    left_out: list[LeftOut] = []
    with contextlib.closing(unordered(play, pairings, jobs)) as outcomes:
        for done, (pairing, outcome) in enumerate(outcomes, 1):
            if isinstance(outcome, Match):
                write_json(out / "matches" / f"{file_name(pairing.agent, pairing.env.id)}.json", asdict(outcome))
                matches.append(outcome)
            else:
                left_out.append(outcome)
            tell(Progress("play", done, len(pairings), f"{pairing.agent} on {pairing.env.id}"))
    return matches, left_out
