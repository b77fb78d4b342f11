"""Holds tournaments: enters agents, plays what is missing, films the best games, writes the standings.

tournament.sqlite   all of it (see arena.tournaments.store)
tournament.toml     the tournament, for people; the file plays it again
standings.*         as CSV, Markdown and a plot
runs/ videos/       of the learners that were trained, of the best games
tensorboard/        every agent's standing as it moves
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import tomli_w

from arena import isolation
from arena.errors import ArenaError, InvalidValue
from arena.files import claimed, write_text
from arena.tournaments import result as results
from arena.tournaments import standings
from arena.tournaments.checking import Checked, check
from arena.tournaments.entering import NothingToPlay, enter
from arena.tournaments.file import TournamentConfig, extended, slug, to_toml
from arena.tournaments.films import Studio, film_best_games
from arena.tournaments.hooks import Hooks, Progress
from arena.tournaments.pool import Pool
from arena.tournaments.records import PlayedMatch
from arena.tournaments.result import Result
from arena.tournaments.runner import Runner
from arena.tournaments.store import FILE, Store
from arena.tournaments.tally import Tally
from arena.tournaments.telemetry import Telemetry
from arena.versions import difference, machine, made_with, versions

__all__ = ["Hooks", "Progress", "extend", "resume", "tournament"]


def tournament(
    config: TournamentConfig,
    *,
    out: Path | None = None,
    jobs: int = 1,
    num_envs: int | None = None,
    videos: bool = True,
    hooks: Hooks | None = None,
) -> Result:
    """Holds a tournament and returns its result; all of it is in the folder `out`.

    Args:
      config: who plays what, on which seeds.
      out: a folder that holds no tournament yet; None for `tournaments/NAME-DATE`.
      jobs: how many matches are played at once, in processes of their own.
      num_envs: how many games side by side; None for what is fast. The results are the same.
      videos: whether to film each agent's best game.
      hooks: who is told of it.

    Raises:
      ArenaError: something is wrong with an entrant, an environment or `out`, or a match cannot be played. What was
        played is kept: resume() goes on.
      NothingToPlay: no agents fit that could meet; the folder holds no tournament then.
    """
    hooks = hooks or Hooks()
    _check_jobs(jobs)
    checked = check(config)
    folder = out or default_folder(config)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArenaError(f"{folder}: cannot be written ({error.strerror})") from None
    about = {"versions": versions(), "machine": machine(), "tiers": [], "started": time.time()}
    clock = {"seconds": 0.0, "matches_s": 0.0, "playing_s": 0.0}
    config_text = tomli_w.dumps(to_toml(checked.config))
    with _claimed(folder):
        try:
            with Store.make(folder, config=config_text, meta=about, clock=clock, made_with=made_with()) as store:
                _hold(checked, store, jobs, num_envs, videos, hooks)
        except NothingToPlay:
            _take_back(folder)
            raise
    return results.load(folder)


def default_folder(config: TournamentConfig) -> Path:
    """Returns `tournaments/NAME-DATE`."""
    return Path("tournaments") / f"{slug(config.name)}-{time.strftime('%Y%m%d-%H%M%S')}"


def resume(
    folder: Path, *, jobs: int = 1, num_envs: int | None = None, videos: bool = True, hooks: Hooks | None = None
) -> Result:
    """Goes on with the tournament in `folder`: plays what is missing. Raises as tournament() does."""
    return extend(folder, (), jobs=jobs, num_envs=num_envs, videos=videos, hooks=hooks)


def extend(
    folder: Path,
    agents: Sequence[str],
    *,
    jobs: int = 1,
    num_envs: int | None = None,
    videos: bool = True,
    hooks: Hooks | None = None,
) -> Result:
    """Enters newcomers into the tournament in `folder`, by reference, and plays what is missing.

    Raises as tournament() does, and InvalidValue where the format admits nobody.
    """
    hooks = hooks or Hooks()
    _check_jobs(jobs)
    with _claimed(folder), Store(folder) as store:
        config = results.config_in(store)
        checked = check(extended(config, agents) if agents else config)
        if agents:
            store.put(config=tomli_w.dumps(to_toml(checked.config)))
        _compare(store, hooks)
        _hold(checked, store, jobs, num_envs, videos, hooks)
    return results.load(folder)


def _hold(checked: Checked, store: Store, jobs: int, num_envs: int | None, videos: bool, hooks: Hooks) -> None:
    write_text(store.folder / "tournament.toml", store.get("config"))
    pool: Pool[Any] = Pool(Studio, jobs)
    try:
        with contextlib.closing(pool):
            _play(checked, store, pool, num_envs, hooks)
            result = results.load(store.folder)
            _write(result)
            if videos and result.config.is_league:
                tell = functools.partial(_tell_film, hooks)
                store.put(not_filmed=[asdict(entry) for entry in film_best_games(result, pool, tell)])
    except OSError as error:
        what = f"{error.filename or store.folder}: {error.strerror or error}"
        raise ArenaError(f"{what}; what was played is kept: go on with: arena resume {store.folder}") from error


def _play(checked: Checked, store: Store, pool: Pool[Any], num_envs: int | None, hooks: Hooks) -> None:
    begin = time.perf_counter()
    _tell_tiers(checked, store, hooks)
    lineup = enter(checked, store, pool, hooks)
    tally, telemetry = Tally(checked.config, store), Telemetry(store.folder / "tensorboard")

    def on_played(played: PlayedMatch, tally: Tally) -> None:
        telemetry.add(played, tally)
        hooks.on_played(played, tally)

    runner = Runner(lineup, store, pool, replace(hooks, on_played=on_played), tally, num_rows=num_envs)
    entered = time.perf_counter()
    with contextlib.closing(telemetry):
        try:
            runner.run()
            if not tally.matches:
                labels = [env.label for env in checked.config.envs]
                raise NothingToPlay((e.agent, labels[e.env], e.reason) for e in store.entries() if e.reason)
            telemetry.write_ratings(tally)
        finally:
            now = time.perf_counter()
            taken = {"seconds": now - begin, "matches_s": now - entered, "playing_s": runner.playing_s}
            clock = {name: taken_s + store.get("clock")[name] for name, taken_s in taken.items()}
            with contextlib.suppress(ArenaError):  # it is what went wrong first that counts
                store.put(clock=clock)


def _take_back(folder: Path) -> None:
    """Removes a tournament that was begun just now, and its folder if nothing else is in it."""
    for name in (FILE, "tournament.toml"):
        (folder / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _tell_tiers(checked: Checked, store: Store, hooks: Hooks) -> None:
    """Finds out what isolation holds here, where somebody needs it, and tells it."""
    trained = {entrant.name for entrant in checked.config.agents if entrant.train}
    isolated = [name for name, source in checked.sources.items() if not source.is_ours and name not in trained]
    if isolated:
        tiers = isolation.tiers()
        hooks.on_isolated(isolated, tiers)
        store.put(meta=store.get("meta") | {"tiers": tiers})


def _tell_film(hooks: Hooks, done: int, total: int, text: str) -> None:
    hooks.on_progress(Progress("film", done, total, text))


def _write(result: Result) -> None:
    """Writes the standings as CSV and Markdown, and a league's as a plot."""
    from arena.tournaments import ranking  # its statistics need SciPy, which takes half a second

    rows = standings.rows(ranking.of(result))
    markdown = standings.to_markdown(rows, [asdict(entry) for entry in result.not_entered], result.protocols())
    write_text(result.folder / "standings.csv", standings.to_csv(rows))
    write_text(result.folder / "standings.md", f"# {result.config.name}\n\n{markdown}")
    if returns := result.returns():
        from arena import plots

        played = [row for row in rows if row["episodes"]]
        plots.standings([row | {"returns": returns[row["agent"], row["env"]]} for row in played], result.folder)


def _check_jobs(jobs: int) -> None:
    if jobs < 1:
        raise InvalidValue(f"--jobs must be at least 1, not {jobs}")


def _claimed(folder: Path) -> contextlib.AbstractContextManager[None]:
    if not folder.is_dir():
        raise ArenaError(f"there is no tournament folder {folder}")
    return claimed(folder, f"the tournament in {folder} is being played by another process")


def _compare(store: Store, hooks: Hooks) -> None:
    """Warns where the versions, or the machine, are not those of the beginning."""
    if changed := difference(store.get("made_with")):
        line = f"matches were played with other versions or on another machine, and may differ: {changed}"
        hooks.warn(line)
        store.put(warnings=[*(store.get("warnings") or []), line])
