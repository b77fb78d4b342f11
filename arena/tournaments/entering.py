"""Who enters a tournament: agents are located, learners trained, and those that do not fit an environment found."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from arena.config import RunConfig
from arena.errors import ArenaError, DoesNotFit
from arena.sources import Kind, Source, locate
from arena.tournaments.checking import Checked
from arena.tournaments.file import Entrant, EnvEntry, slug
from arena.tournaments.hooks import Hooks, Progress
from arena.tournaments.pool import Done, Pool
from arena.tournaments.records import Entered
from arena.tournaments.runner import Lineup
from arena.tournaments.store import Entry, Store
from arena.tournaments.task import Contestant, Task

Place = tuple[str, int]  # an agent's name, an environment's index


def enter(checked: Checked, store: Store, pool: Pool[Task], hooks: Hooks) -> Lineup:
    """Enters the agents into the store and returns who plays where. What has been entered before stays as it is.

    Learners are trained first; a training that was interrupted goes on.

    Raises:
      ArenaError: an agent is not what it was when it was entered.
    """
    config, known = checked.config, {(entry.agent, entry.env): entry for entry in store.entries()}
    _check_unchanged(checked, store, known)

    def add(entry: Entry) -> None:
        store.add_entry(entry)
        known[entry.agent, entry.env] = entry

    todo = [(entrant, env) for entrant, env in checked.places() if entrant.train and (entrant.name, env) not in known]
    _train(checked, store.folder, todo, hooks, add)
    contestants, sources = {}, {}
    for entrant, env in checked.places():
        place = entrant.name, env
        try:
            source = sources[place] = checked.source(entrant, env)
        except DoesNotFit as error:
            add(Entry(entrant.name, env, entrant.ref, "", str(error)))
            continue
        contestants[place] = _contestant(entrant, source, store.folder, known.get(place))
    new = [place for place in contestants if place not in known]
    unfit = _unfit(checked, pool, contestants, new)
    for place in new:
        add(Entry(*place, sources[place].ref, sources[place].digest, unfit.get(place, "")))
    left_out = {place for place, entry in known.items() if entry.reason}
    entered = [_entered(entrant, checked, known) for entrant in config.agents]
    if config.format in ("knockout", "swiss"):
        entered = [agent for agent in entered if agent.name not in {name for name, _ in left_out}]
    store.enter(entered)
    return Lineup(config, store.folder, entered, contestants, checked.stands, checked.caps, left_out)


class NothingToPlay(DoesNotFit):
    """A tournament in which so many agents fit so few environments that there is no match."""

    def __init__(self, left_out: Iterable[tuple[str, str, str]]) -> None:
        """`left_out` has an agent, an environment and the reason."""
        reasons = (f"{agent} does not fit {env} ({reason})" for agent, env, reason in left_out)
        super().__init__(f"there is nothing to play: {'; '.join(reasons)}")


def _check_unchanged(checked: Checked, store: Store, known: dict[Place, Entry]) -> None:
    for entrant, env in checked.places():
        entry = known.get((entrant.name, env))
        if entry is None or not entry.digest:
            continue
        ref = str(store.folder / entry.ref) if entrant.train else entry.ref
        digest = locate(ref).digest if entrant.train else checked.source(entrant, env).digest
        if digest != entry.digest:
            raise ArenaError(
                f"{entrant.name} ({ref}) has changed since it was entered: bring back what played, or enter what it "
                f"is now as a newcomer, with: arena tournament --extend {store.folder} --agent {ref}"
            )


def _train(
    checked: Checked, folder: Path, todo: Sequence[tuple[Entrant, int]], hooks: Hooks, add: Callable[[Entry], None]
) -> None:
    """Trains learners, one after the other."""
    done, total = 0, sum(entrant.train for entrant, _ in todo)
    for entrant, index in todo:
        env = checked.config.envs[index]
        tell = functools.partial(_tell_training, hooks, f"{entrant.name} on {env.label}", done, total)
        run = Path("runs") / f"{slug(entrant.name)}__{slug(env.label)}"
        try:
            train_entrant(entrant, env, folder / run, checked.config.seed, tell)
            add(Entry(entrant.name, index, str(run), locate(str(folder / run)).digest))
        except DoesNotFit as error:
            add(Entry(entrant.name, index, entrant.ref, "", str(error)))
        tell(entrant.train)
        done += entrant.train


def _tell_training(hooks: Hooks, text: str, before: int, total: int, step: int) -> None:
    hooks.on_progress(Progress("train", before + step, total, text))


def train_entrant(entrant: Entrant, env: EnvEntry, run_dir: Path, seed: int, on_step: Callable[[int], None]) -> None:
    """Trains a learner on an environment with its preset, or goes on with that, in its run folder.

    `on_step` is called now and then with the number of environment steps so far.
    """
    from arena import training

    hooks = training.Hooks(on_progress=lambda progress: on_step(progress.step))
    if (run_dir / "config.toml").exists():
        training.resume(run_dir, hooks=hooks)
        return
    config = RunConfig.of(
        agent=entrant.ref,
        env=env.id,
        steps=entrant.train,
        seed=seed,
        preprocess=env.preprocess,
        settings=entrant.settings,
        env_settings=env.settings,
    )
    training.train(config, run_dir=run_dir, hooks=hooks)


def _contestant(entrant: Entrant, source: Source, folder: Path, entry: Entry | None) -> Contestant:
    if entrant.train and entry is not None and not entry.reason:
        source = locate(str(folder / entry.ref))  # what it was trained to, which has its settings in it
        return Contestant(entrant.name, source.ref, source.is_ours, source.preprocess, entrant.mode)
    how = entrant.mode, entrant.settings, entrant.trust
    return Contestant(entrant.name, source.ref, source.is_ours, source.preprocess, *how)


def _unfit(
    checked: Checked, pool: Pool[Task], contestants: dict[Place, Contestant], places: Iterable[Place]
) -> dict[Place, str]:
    """Returns why agents do not fit environments.

    Isolated agents are asked where the schedule depends on it; elsewhere they may say so when their first match begins.
    """
    is_drawn = checked.config.format in ("knockout", "swiss")
    waiting = [place for place in places if is_drawn or contestants[place].is_pooled]
    found: dict[Place, str] = {}
    asked: dict[int, Place] = {}
    while waiting or pool.is_busy:
        while waiting and pool.is_free:
            place = waiting.pop(0)
            stand, config = checked.stands[place[1]], checked.config
            task = Task((), stand, (contestants[place],), config.seed, limits=config.limits)
            asked[id(task)] = place
            pool.begin("unfit", task)
        for told in pool.next():
            if not isinstance(told, Done):
                found[asked[id(told.task)]] = told.value.reason
            elif told.error is not None:
                raise told.error
    return found


def _entered(entrant: Entrant, checked: Checked, known: dict[Place, Entry]) -> Entered:
    source = checked.sources[entrant.name]
    if not entrant.train and source.kind is not Kind.ZOO:
        return Entered(entrant.name, source.ref, source.digest, source.is_ours, dict(entrant.settings))
    digests = " ".join(known[entrant.name, env].digest for env in range(len(checked.stands)))  # another policy in each
    digest = f"blake2b:{hashlib.blake2b(digests.encode(), digest_size=16).hexdigest()}"
    return Entered(entrant.name, source.ref, digest, True, dict(entrant.settings))
