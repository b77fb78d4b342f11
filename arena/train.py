"""Training: a configuration becomes an environment, an agent, a loop, and a run folder that tells all about it.

    config.toml      all that was resolved, with versions
    episodes.csv     episode, step, return, length, seconds
    evaluations.csv  step, mean, std, episodes, seconds
    best.*, final.*  policies; the best is chosen on seeds that no reported evaluation uses
    checkpoints/     the newest and the one the best policy came from
    status.json      how far it is
    plots/ videos/   and TensorBoard event files in the folder itself
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import math
import os
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import envs
from arena import checkpoint, policy, registry, trackers
from arena.agent import Agent
from arena.config import RunConfig, read_toml, validated, write_toml
from arena.errors import ArenaError, BrokenPlugin, DamagedFile, InvalidValue
from arena.evaluate import Evaluation, play, summarize
from arena.loop import Event, RowStart, run
from arena.monitor import Monitor
from arena.recording import TrainingRecorder, parse_schedule
from arena.seeding import Stream, derived_seed, episode_seed
from arena.versions import versions

CHECKPOINT_PERIOD_S = 300.0
_LOG_POINTS = 500


class Progress(NamedTuple):
    """Where a training stands: fraction of the budget in [0, 1], and what to show beside it."""

    fraction: float
    step: int
    episodes: int
    recent_return: float
    best: float | None


class Run(NamedTuple):
    """What a training left behind."""

    folder: Path
    step: int
    episodes: int
    best: float | None
    recent_return: float
    seconds: float
    was_interrupted: bool


def train(
    config: RunConfig,
    *,
    run_dir: Path | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    warn: Callable[[str], None] = warnings.warn,
) -> Run:
    """Trains a new agent and returns what came of it.

    Args:
      config: what to train on what; see RunConfig.
      run_dir: the run folder; runs/AGENT-ENV-DATE-SEED when left out.
      on_progress: called a few times a second.
      should_stop: asked after every step; when true the run saves and ends.
      warn: told, in one line, what does not stop the training.

    Raises:
      ArenaError: the folder exists, or anything in the configuration does not fit.
    """
    reference = registry.resolve(config.agent)
    if not reference.is_learner:
        raise InvalidValue(f"{config.agent} does not learn; it can be evaluated, recorded and entered in tournaments")
    parse_schedule(config.record)
    config = config.resolved(reference)
    folder = run_dir or default_folder(config, reference.name)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ArenaError(f"{folder} already exists; choose another --run-dir, or `arena resume {folder}`")
    with contextlib.closing(_Trainer(config, folder, on_progress, should_stop, warn)) as trainer:
        return trainer.run()


def resume(
    folder: Path,
    *,
    steps: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    warn: Callable[[str], None] = warnings.warn,
) -> Run:
    """Goes on with the run in `folder` from its newest checkpoint, to its own budget or to `steps` in all."""
    config = load_config(folder)
    newest = checkpoint.newest(folder / "checkpoints")
    if steps is not None:
        config = config.model_copy(update={"steps": steps, "episodes": None, "minutes": None})
    with contextlib.closing(_Trainer(config, folder, on_progress, should_stop, warn, newest)) as trainer:
        return trainer.run()


def load_config(folder: Path) -> RunConfig:
    """Returns the configuration of a run folder. Raises ArenaError where it is none."""
    if not folder.is_dir():
        raise ArenaError(f"there is no run folder {folder}")
    if not (folder / "config.toml").is_file():
        raise DamagedFile(f"{folder} is not a run folder: it has no config.toml")
    content = read_toml(folder / "config.toml")
    content.pop("versions", None)
    return validated(RunConfig, content, str(folder / "config.toml"))  # type: ignore[no-any-return]


def default_folder(config: RunConfig, name: str) -> Path:
    """Returns runs/AGENT-ENV-DATE-SEED, numbered when it is taken."""
    date = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    env = config.env.replace("/", "-").replace(":", "-")
    folder = Path("runs") / f"{name}-{env}-{date}-{config.seed}"
    return next(f for f in [folder, *(Path(f"{folder}.{n}") for n in range(1, 1000))] if not f.exists())


class _Trainer:
    """One training in one process. Everything it depends on is in the configuration and the checkpoint."""

    def __init__(
        self,
        config: RunConfig,
        folder: Path,
        on_progress: Callable[[Progress], None] | None,
        should_stop: Callable[[], bool],
        warn: Callable[[str], None],
        start: Path | None = None,
    ) -> None:
        self._config, self._folder = config, folder
        self._on_progress, self._should_stop = on_progress, should_stop
        self._reference = registry.resolve(config.agent)
        assert config.num_envs and config.eval_episodes and config.eval_every and config.horizon
        self._eval_every, self._horizon = config.eval_every, config.horizon
        self._env = envs.make(
            config.env, config.num_envs, preprocess=config.preprocess, settings=config.env_settings
        )
        self._eval_env: Any = None
        self._opened: list[Any] = [self._env]
        self._agent = self._make_agent()
        if config.start and start is None:
            self._agent.load_weights(_weights_of(Path(config.start)))
        self._step, self._episodes, self._next_episode = 0, 0, 0
        self._seconds_before, self._begin = 0.0, time.perf_counter()
        self._best: float | None = None
        self._best_step: int | None = None
        self._last: Evaluation | None = None
        self._last_eval_step: int | None = None
        self._checkpoint_step: int | None = None
        self._next_eval = self._eval_every
        self._starts: list[RowStart | None] | None = None
        state = _read_state(start) if start else {}
        self._recent = trackers.RecentReturns(values=state.get("recent"))
        if start:
            self._restore(start, state)
        folder.mkdir(parents=True, exist_ok=True)
        write_toml(folder / "config.toml", {**config.model_dump(), "versions": versions()})
        self._monitor = Monitor(folder, resume_at=tuple(state["events"]) if "events" in state else None)
        columns = ("episode", "step", "return", "length", "seconds")
        self._episode_table = trackers.Table(folder / "episodes.csv", columns, keep_bytes=state.get("episodes_csv"))
        columns = ("step", "mean", "std", "episodes", "seconds")
        self._eval_table = trackers.Table(folder / "evaluations.csv", columns, keep_bytes=state.get("evaluations_csv"))
        self._opened += [self._monitor, self._episode_table, self._eval_table]
        self._rows = trackers.RowTracker(config.num_envs, self._starts)
        self._recorder = TrainingRecorder(
            parse_schedule(config.record),
            folder / "videos",
            agent=self._reference.name,
            env_id=config.env,
            preprocess=config.preprocess,
            env_settings=config.env_settings,
            first_step=self._step,
            on_warning=warn,
        )
        self._opened.append(self._recorder)
        self._throughput = trackers.Throughput()
        self._throughput.read(self._step)
        self._last_log = self._last_shown_s = self._last_checkpoint_s = 0.0
        self._last_checkpoint_s = time.perf_counter()
        if not start:
            self._monitor.text("configuration", _as_markdown(config, self._env.spec.protocol))

    def close(self) -> None:
        """Closes files and environments, the last opened first."""
        for opened in reversed(self._opened):
            opened.close()

    def run(self) -> Run:
        """Trains until the budget is spent, the goal is met, the agent is finished, or someone says stop."""
        agent = self._agent
        interrupted = False
        seed_of = self._seed_of
        first = self._step
        log_period = max(1, self._horizon // _LOG_POINTS)
        events = run(self._env, agent, seed_of, starts=self._starts, next_episode=self._next_episode)
        while not self._is_over():
            event = next(events)
            self._step = first + event.step
            self._next_episode = event.next_episode
            agent.progress = min(1.0, self._step / self._horizon)
            metrics = self._learn(event)
            self._rows.add(event)
            if event.finished:
                self._add_episodes(event)
            self._recorder.add(event)
            if metrics and self._step - self._last_log >= log_period:
                self._last_log = self._step
                self._monitor.scalars(_readable(metrics), self._step)
            if self._step >= self._next_eval:
                interrupted = not self._evaluate()
            if self._is_checkpoint_due():
                self._save_checkpoint()
            self._show()
            if interrupted or self._should_stop():
                interrupted = True
                break
        return self._finish(interrupted)

    def _seed_of(self, episode: int) -> int:
        return episode_seed(self._config.seed, Stream.TRAINING, episode)

    def _make_agent(self) -> Agent:
        spec = dataclasses.replace(self._env.spec, num_rows=self._config.num_envs or 1)
        agent = self._reference.build(spec, seed=self._config.seed, settings=self._config.settings)
        assert isinstance(agent, Agent)
        return agent

    def _learn(self, event: Event) -> Mapping[str, Any]:
        method = "observe"
        try:
            self._agent.observe(event.transition)
            method = "learn"
            return self._agent.learn()
        except Exception as error:
            raise BrokenPlugin.during(self._agent, method, error) from error

    def _add_episodes(self, event: Event) -> None:
        for episode in event.finished:
            seconds = round(self._seconds(), 3)
            self._episode_table.add(self._episodes, self._step, episode.ret, episode.length, seconds)
            self._recent.add(episode.ret)
            self._episodes += 1
        last = event.finished[-1]
        self._monitor.scalars(
            {"episode/return": last.ret, "episode/length": last.length, "episode/mean_100": self._recent.mean},
            self._step,
        )

    # When things happen.

    def _is_over(self) -> bool:
        config = self._config
        return (
            (config.steps is not None and self._step >= config.steps)
            or (config.episodes is not None and self._episodes >= config.episodes)
            or (config.minutes is not None and self._seconds() >= 60.0 * config.minutes)
            or (config.until is not None and self._last is not None and self._last.mean >= config.until)
            or self._agent.is_finished
        )

    def _is_checkpoint_due(self) -> bool:
        if self._config.checkpoint_every:
            return self._step - (self._checkpoint_step or 0) >= self._config.checkpoint_every
        return time.perf_counter() - self._last_checkpoint_s >= CHECKPOINT_PERIOD_S

    def _seconds(self) -> float:
        return self._seconds_before + time.perf_counter() - self._begin

    def _fraction(self) -> float:
        config = self._config
        parts = [
            self._step / config.steps if config.steps else 0.0,
            self._episodes / config.episodes if config.episodes else 0.0,
            self._seconds() / (60.0 * config.minutes) if config.minutes else 0.0,
        ]
        return min(1.0, max(parts))

    def _show(self, *, now: bool = False) -> None:
        wall_s = time.perf_counter()
        if self._on_progress is not None and (now or wall_s - self._last_shown_s > 0.2):
            self._last_shown_s = wall_s
            self._on_progress(
                Progress(self._fraction(), self._step, self._episodes, self._recent.mean, self._best)
            )

    # Evaluation.

    def _evaluate(self) -> bool:
        """Evaluates the policy in environments of its own; keeps it when it is the best. False when stopped midway."""
        config = self._config
        assert config.eval_episodes
        if self._eval_env is None:
            rows = min(config.eval_episodes, 8)
            self._eval_env = envs.make(
                config.env, rows, preprocess=config.preprocess, settings=config.env_settings
            )
            self._opened.append(self._eval_env)
        player = self._agent.policy()
        begin = time.perf_counter()
        try:
            games = play(
                self._eval_env,
                player,
                lambda i: episode_seed(config.seed, Stream.SELECTION, i),
                config.eval_episodes,
                on_event=self._check_stop,
            )
        except _Stopped:
            return False
        result = summarize(
            self._reference.name, self._eval_env, player, games, config.seed, time.perf_counter() - begin
        )
        self._last, self._last_eval_step = result, self._step
        while self._next_eval <= self._step:
            self._next_eval += self._eval_every
        self._eval_table.add(self._step, result.mean, result.std, result.episodes, round(self._seconds(), 3))
        speed = self._throughput.read(self._step)
        lengths = float(np.mean(result.lengths))
        scores = {"evaluation/return": result.mean, "evaluation/std": result.std, "evaluation/length": lengths}
        self._monitor.scalars({**scores, "throughput/steps_per_s": speed}, self._step)
        self._monitor.histograms(self._agent.weights(), self._step)
        self._keep(player, result)
        return True

    def _check_stop(self, _: Event) -> None:
        self._show()
        if self._should_stop():
            raise _Stopped

    def _keep(self, player: Any, result: Evaluation) -> None:
        is_best = self._best is None or result.mean >= self._best
        if is_best:
            self._best, self._best_step = result.mean, self._step
            if isinstance(player, policy.Policy):
                scores = {"mean": result.mean, "std": result.std, "episodes": result.episodes, "seeds": "selection"}
                policy.save(player.with_card(step=self._step, scores=scores), self._folder / "best")
            self._save_checkpoint()
        self._monitor.flush()
        self._write_status("running")

    # Checkpoints.

    def _save_checkpoint(self) -> None:
        self._recorder.flush()
        folder = self._folder / "checkpoints"
        checkpoint.save(folder, self._step, self._write_checkpoint)
        self._checkpoint_step = self._step
        self._last_checkpoint_s = time.perf_counter()
        checkpoint.prune(folder, {self._step, self._step if self._best_step is None else self._best_step})
        self._write_status("running")

    def _write_checkpoint(self, folder: Path) -> None:
        (folder / "agent").mkdir()
        self._agent.save_state(folder / "agent")
        starts = self._rows.starts(self._seed_of)
        rows = [None if s is None else {"episode": s.episode, "seed": s.seed, "digest": s.digest} for s in starts]
        np.savez(folder / "rows.npz", **{f"{i:05d}": s.actions for i, s in enumerate(starts) if s is not None})
        state = {
            "step": self._step,
            "episodes": self._episodes,
            "next_episode": self._next_episode,
            "rows": rows,
            "seconds": self._seconds(),
            "best": self._best,
            "best_step": self._best_step,
            "next_eval": self._next_eval,
            "recent": list(self._recent.values),
            "events": self._monitor.position,
            "episodes_csv": self._episode_table.flush(),
            "evaluations_csv": self._eval_table.flush(),
        }
        (folder / "state.json").write_text(json.dumps(state))

    def _restore(self, start: Path, state: Mapping[str, Any]) -> None:
        self._agent.restore_state(start / "agent")
        self._step, self._episodes = state["step"], state["episodes"]
        self._next_episode, self._next_eval = state["next_episode"], state["next_eval"]
        self._best, self._best_step = state["best"], state["best_step"]
        self._seconds_before, self._checkpoint_step = state["seconds"], state["step"]
        with np.load(start / "rows.npz", allow_pickle=False) as actions:
            self._starts = [
                None if row is None else RowStart(row["episode"], row["seed"], actions[f"{i:05d}"], row["digest"])
                for i, row in enumerate(state["rows"])
            ]

    # The end.

    def _finish(self, interrupted: bool) -> Run:
        if interrupted:
            if self._checkpoint_step != self._step:
                self._save_checkpoint()
        else:
            if self._last_eval_step != self._step:
                self._evaluate()
            self._save_checkpoint()
            player = self._agent.policy()
            if isinstance(player, policy.Policy):
                policy.save(player.with_card(step=self._step), self._folder / "final")
            self._finish_board()
        self._episode_table.flush()
        self._eval_table.flush()
        self._monitor.flush()
        from arena import plots

        plots.learning_curve(self._folder)
        self._write_status("interrupted" if interrupted else "finished")
        self._show(now=True)
        return Run(
            self._folder, self._step, self._episodes, self._best, self._recent.mean, self._seconds(), interrupted
        )

    def _finish_board(self) -> None:
        assert self._last is not None
        settings = {**self._config.settings, "num_envs": self._config.num_envs, "seed": self._config.seed}
        metrics = {"final/evaluation": self._last.mean, "final/best": self._best or 0.0}
        if not math.isnan(self._recent.mean):
            metrics["final/mean_100"] = self._recent.mean
        self._monitor.hparams(settings, metrics, self._step)

    def _write_status(self, state: str) -> None:
        status = {
            "state": state,
            "step": self._step,
            "episodes": self._episodes,
            "recent_return": None if math.isnan(self._recent.mean) else self._recent.mean,
            "last": self._last.mean if self._last else None,
            "best": self._best,
            "best_step": self._best_step,
            "seconds": round(self._seconds(), 1),
        }
        temporary = self._folder / "status.json.tmp"
        temporary.write_text(json.dumps(status, indent=1))
        os.replace(temporary, self._folder / "status.json")


class _Stopped(Exception):
    """Raised inside an evaluation when the user stops the run."""


def _read_state(start: Path) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads((start / "state.json").read_text())
    except (OSError, ValueError) as error:
        raise DamagedFile(f"checkpoint {start} is damaged: state.json cannot be read") from error
    return state


def _weights_of(folder: Path) -> Path:
    """Returns the agent's folder in the newest checkpoint of a run, for --from."""
    load_config(folder)
    return checkpoint.newest(folder / "checkpoints") / "agent"


def _readable(metrics: Mapping[str, Any]) -> dict[str, float]:
    return {name if "/" in name else f"learning/{name}": float(value) for name, value in metrics.items()}


def _as_markdown(config: RunConfig, protocol: Mapping[str, Any]) -> str:
    rows = {**config.model_dump(), "protocol": dict(protocol), **{f"version of {k}": v for k, v in versions().items()}}
    return "| key | value |\n|---|---|\n" + "\n".join(f"| {k} | {v} |" for k, v in _flat(rows))


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif value is not None:
            yield f"{prefix}{key}", value
