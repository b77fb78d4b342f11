"""Training: a configuration becomes an environment, an agent, a loop, and a run folder that tells all about it."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import envs
from arena import checkpoint, plots, registry, run_folder, trackers
from arena.agent import Agent, Player
from arena.config import RunConfig
from arena.errors import BrokenPlugin, DamagedFile, DoesNotFit, InvalidValue
from arena.evaluate import Evaluation, play, summarize
from arena.loop import Event, RowStart, run
from arena.previews import Previews, is_shown
from arena.run_folder import RunFolder
from arena.seeding import Stream, episode_seed
from arena.training_recorder import TrainingRecorder, parse_schedule
from envs.rows import Rows

CHECKPOINT_PERIOD_S = 300.0
_SHOW_PERIOD_S = 0.2
_LOG_POINTS = 500  # learning curves in TensorBoard have about so many points
_EVAL_ROWS = 8


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


class Hooks(NamedTuple):
    """What a training tells its caller, and asks.

    Attributes:
      on_progress: called a few times a second.
      should_stop: asked after every step; when true the run saves and ends.
      warn: told, in one line, what does not stop the training.
    """

    on_progress: Callable[[Progress], None] = lambda progress: None
    should_stop: Callable[[], bool] = lambda: False
    warn: Callable[[str], None] = warnings.warn


def train(config: RunConfig, *, run_dir: Path | None = None, hooks: Hooks | None = None) -> Run:
    """Trains a new agent and returns what came of it.

    Args:
      config: what to train on what; see RunConfig.
      run_dir: the run folder; runs/AGENT-ENV-DATE-SEED when left out.
      hooks: who is told of it.

    Raises:
      ArenaError: the folder exists, or anything in the configuration does not fit.
    """
    reference = registry.resolve(config.agent)
    if not reference.is_learner:
        raise InvalidValue(f"{config.agent} does not learn; it can be evaluated, recorded and entered in tournaments")
    config = config.resolved(reference)
    path = run_dir or run_folder.default_path(config, reference.name)
    run_folder.check_is_new(path)
    with contextlib.closing(_Trainer(config, path, hooks or Hooks())) as trainer:
        return trainer.run()


def resume(folder: Path, *, steps: int | None = None, hooks: Hooks | None = None) -> Run:
    """Goes on with the run in `folder` from its newest checkpoint, to its own budget or to `steps` in all."""
    config = run_folder.load_config(folder)
    hooks = hooks or Hooks()
    newest = checkpoint.newest(folder / "checkpoints", warn=hooks.warn)
    if steps is not None:
        if steps < (taken := checkpoint.step_of(newest)):
            raise InvalidValue(f"{folder} has taken {taken:,} steps; --steps {steps:,} is less")
        config = config.model_copy(update={"steps": steps, "episodes": None, "minutes": None})
    with contextlib.closing(_Trainer(config, folder, hooks, newest)) as trainer:
        return trainer.run()


class _Trainer:
    """One training in one process. All that it depends on is in the configuration and the checkpoint."""

    def __init__(self, config: RunConfig, path: Path, hooks: Hooks, start: Path | None = None) -> None:
        assert config.num_envs and config.eval_every and config.horizon
        self._config, self._hooks = config, hooks
        self._eval_every, self._horizon = config.eval_every, config.horizon
        self._name = registry.resolve(config.agent).name
        self._closing = contextlib.ExitStack()
        parse_schedule(config.record)  # fails before anything is made
        self._env = self._make_env(config.num_envs)
        self._eval_env: Rows | None = None
        self._agent = self._make_agent()
        if config.start and start is None:
            self._agent.load_weights(run_folder.weights_of(Path(config.start)))
        self._step = self._episodes = self._next_episode = 0
        self._best: float | None = None
        self._best_step: int | None = None
        self._last: Evaluation | None = None
        self._last_eval_step = self._checkpoint_step = -1
        self._next_eval = self._eval_every
        self._starts: list[RowStart | None] | None = None
        self._recent = trackers.RecentReturns()
        self._seconds_before, self._begin = 0.0, time.perf_counter()
        state = self._restore(start) if start else {}
        self._folder = RunFolder(path, config, state.get("marks", {}))
        self._closing.callback(self._folder.close)
        self._rows = trackers.RowTracker(config.num_envs, self._starts)
        self._recorder = TrainingRecorder(
            config.record,
            path / "videos",
            agent=self._name,
            spec=self._env.spec,
            env_settings=config.env_settings,
            starts=self._starts,
            on_warning=hooks.warn,
        )
        self._closing.callback(self._recorder.close)
        self._previews = Previews(self._env.spec, agent=self._name, env_settings=config.env_settings, warn=hooks.warn)
        self._closing.callback(self._previews.close)
        self._num_evals = state.get("num_evals", 0)
        self._obs: np.ndarray | None = None
        self._throughput = trackers.Throughput(self._step)
        self._last_log_step = self._step
        self._last_shown_s = 0.0
        self._last_checkpoint_s = time.perf_counter()
        if start is None:
            self._folder.monitor.text("configuration", run_folder.as_markdown(config, self._env.spec.protocol))

    def close(self) -> None:
        """Closes files and environments, the last opened first."""
        self._closing.close()

    def run(self) -> Run:
        """Trains until the budget is spent, the goal is met, the agent is finished, or someone says stop."""
        first = self._step
        is_stopped = self._step >= self._next_eval and not self._evaluate()  # it was stopped in the midst of one
        log_period = max(1, self._horizon // _LOG_POINTS)
        events = run(self._env, self._agent, self._seed_of, starts=self._starts, next_episode=self._next_episode)
        while not self._is_over() and not is_stopped:
            event = next(events)
            self._step, self._next_episode = first + event.step, event.next_episode
            self._obs = event.transition.next_obs
            metrics = self._learn(event)
            self._rows.add(event)
            if event.finished:
                self._add_episodes(event)
            self._recorder.add(event, first)
            if metrics and self._step - self._last_log_step >= log_period:
                self._last_log_step = self._step
                self._folder.monitor.scalars(self._readable(metrics), self._step)
            if self._step >= self._next_eval:
                is_stopped = not self._evaluate()
            if self._is_checkpoint_due():
                self._save_checkpoint()
            self._show()
            is_stopped = is_stopped or self._hooks.should_stop()
        return self._finish(is_stopped)

    def _learn(self, event: Event) -> Mapping[str, Any]:
        self._agent.progress = self._progress()
        method = "observe"
        try:
            self._agent.observe(event.transition)
            method = "learn"
            return self._agent.learn()
        except Exception as error:
            raise BrokenPlugin.during(self._agent, method, error) from error

    def _readable(self, metrics: Mapping[str, Any]) -> dict[str, float]:
        try:
            return {_tag(name): float(value) for name, value in metrics.items()}
        except Exception as error:
            raise BrokenPlugin(
                f"{type(self._agent).__name__}.learn() must return floats by name, not {metrics!r}"
            ) from error

    def _add_episodes(self, event: Event) -> None:
        seconds = round(self._seconds(), 3)
        for episode in event.finished:
            self._folder.episodes.add(self._episodes, self._step, episode.ret, episode.length, seconds)
            self._recent.add(episode.ret)
            self._episodes += 1
        last = event.finished[-1]
        curve = {"episode/return": last.ret, "episode/length": last.length, "episode/mean_100": self._recent.mean}
        self._folder.monitor.scalars(curve, self._step)

    # What it is made of.

    def _make_env(self, num_rows: int) -> Rows:
        config = self._config
        env: Rows = envs.make(config.env, num_rows, preprocess=config.preprocess, settings=config.env_settings)
        self._closing.callback(env.close)
        return env

    def _make_agent(self) -> Agent:
        spec = dataclasses.replace(self._env.spec, num_rows=self._env.num_rows)
        reference = registry.resolve(self._config.agent)
        agent = reference.build(spec, seed=self._config.seed, settings=self._config.settings)
        assert isinstance(agent, Agent)
        return agent

    def _seed_of(self, episode: int) -> int:
        return episode_seed(self._config.seed, Stream.TRAINING, episode)

    # When things happen.

    def _is_over(self) -> bool:
        return (
            self._fraction() >= 1.0
            or self._agent.is_finished
            or (self._config.until is not None and self._last is not None and self._last.mean >= self._config.until)
        )

    def _fraction(self) -> float:
        config = self._config
        spent = 0.0
        if config.steps:
            spent = self._step / config.steps
        if config.episodes:
            spent = max(spent, self._episodes / config.episodes)
        if config.minutes:
            spent = max(spent, self._seconds() / (60.0 * config.minutes))
        return spent

    def _progress(self) -> float:
        return min(1.0, self._step / self._horizon)

    def _is_checkpoint_due(self) -> bool:
        if self._config.checkpoint_every:
            return self._step - max(0, self._checkpoint_step) >= self._config.checkpoint_every
        return time.perf_counter() - self._last_checkpoint_s >= CHECKPOINT_PERIOD_S

    def _seconds(self) -> float:
        return self._seconds_before + time.perf_counter() - self._begin

    def _show(self, *, now: bool = False) -> None:
        wall_s = time.perf_counter()
        if now or wall_s - self._last_shown_s > _SHOW_PERIOD_S:
            self._last_shown_s = wall_s
            fraction = 1.0 if now else min(1.0, self._fraction())
            self._hooks.on_progress(Progress(fraction, self._step, self._episodes, self._recent.mean, self._best))

    # Evaluation.

    def _evaluate(self) -> bool:
        """Evaluates the policy in environments of its own; False when it was stopped midway."""
        config = self._config
        assert config.eval_episodes
        if self._eval_env is None:
            self._eval_env = self._make_env(min(config.eval_episodes, _EVAL_ROWS))
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
        seconds = time.perf_counter() - begin
        self._last = summarize(self._name, self._eval_env, player, games, config.seed, seconds)
        self._last_eval_step = self._step
        while self._next_eval <= self._step:
            self._next_eval += self._eval_every
        self._num_evals += 1
        self._report_evaluation(self._last)
        if self._obs is not None and (is_shown(self._num_evals) or self._is_over()):
            seed = episode_seed(config.seed, Stream.SELECTION, 0)
            self._previews.show(self._folder.monitor, player, seed, self._obs[0], self._step)
        if self._best is None or self._last.mean >= self._best:
            self._keep_best(player, self._last)
        self._write_status("running")
        return True

    def _check_stop(self, _: Event) -> None:
        self._show()
        if self._hooks.should_stop():
            raise _Stopped

    def _report_evaluation(self, result: Evaluation) -> None:
        self._folder.evaluations.add(self._step, result.mean, result.std, result.episodes, round(self._seconds(), 3))
        scalars = {
            "evaluation/return": result.mean,
            "evaluation/std": result.std,
            "evaluation/length": float(np.mean(result.lengths)),
            "throughput/steps_per_s": self._throughput.read(self._step),
        }
        self._folder.monitor.scalars(scalars, self._step)
        self._folder.monitor.histograms(self._agent.weights(), self._step)

    def _keep_best(self, player: Player, result: Evaluation) -> None:
        self._best, self._best_step = result.mean, self._step
        scores = {"mean": result.mean, "std": result.std, "episodes": result.episodes, "seeds": "selection"}
        self._folder.save_policy(player, "best", step=self._step, scores=scores)
        self._save_checkpoint()

    # Checkpoints.

    def _save_checkpoint(self) -> None:
        self._recorder.flush()
        checkpoint.save(self._folder.checkpoints, self._step, self._write_checkpoint)
        self._checkpoint_step = self._step
        self._last_checkpoint_s = time.perf_counter()
        checkpoint.prune(self._folder.checkpoints, {self._step, self._best_step or self._step})
        self._write_status("running")

    def _write_checkpoint(self, folder: Path) -> None:
        (folder / "agent").mkdir()
        self._agent.save_state(folder / "agent")
        state = {
            "step": self._step,
            "episodes": self._episodes,
            "next_episode": self._next_episode,
            "rows": trackers.save_starts(self._rows.starts(self._seed_of), folder / "rows.npz"),
            "seconds": self._seconds(),
            "best": self._best,
            "best_step": self._best_step,
            "last": None if self._last is None else dataclasses.asdict(self._last),
            "last_eval_step": self._last_eval_step,
            "next_eval": self._next_eval,
            "num_evals": self._num_evals,
            "last_log_step": self._last_log_step,
            "recent": list(self._recent.values),
            "marks": self._folder.marks(),
        }
        run_folder.write_state(folder, state)

    def _restore(self, start: Path) -> dict[str, Any]:
        state = run_folder.read_state(start)
        try:
            self._agent.restore_state(start / "agent")
        except Exception as error:
            raise BrokenPlugin.during(self._agent, "restore_state", error) from error
        try:
            self._take_over(state)
            self._starts = trackers.load_starts(state["rows"], start / "rows.npz")
        except (KeyError, TypeError) as error:
            raise DamagedFile(f"checkpoint {start} is damaged: state.json lacks {error}") from error
        if len(self._starts) != self._env.num_rows:
            num_rows = self._env.num_rows
            raise DoesNotFit(f"{start} is of {len(self._starts)} rows; config.toml says num_envs = {num_rows}")
        return state

    def _take_over(self, state: Mapping[str, Any]) -> None:
        self._step, self._episodes = state["step"], state["episodes"]
        self._agent.progress = self._progress()  # the next action may depend on it (epsilon)
        self._next_episode, self._next_eval = state["next_episode"], state["next_eval"]
        self._best, self._best_step = state["best"], state["best_step"]
        self._last = None if state["last"] is None else Evaluation(**state["last"])
        self._last_eval_step = state["last_eval_step"]
        self._seconds_before, self._checkpoint_step = state["seconds"], state["step"]
        self._recent = trackers.RecentReturns(values=state["recent"])

    # The end.

    def _finish(self, is_stopped: bool) -> Run:
        if not is_stopped and self._last_eval_step != self._step:
            is_stopped = not self._evaluate()
        if not is_stopped:
            self._folder.save_policy(self._agent.policy(), "final", step=self._step)
            self._report_hparams()
        if self._checkpoint_step != self._step or not is_stopped:
            self._save_checkpoint()
        self._recorder.flush()
        self._folder.marks()
        plots.learning_curve(self._folder.path)
        self._write_status("interrupted" if is_stopped else "finished")
        self._show(now=not is_stopped)
        best, recent, seconds = self._best, self._recent.mean, self._seconds()
        return Run(self._folder.path, self._step, self._episodes, best, recent, seconds, is_stopped)

    def _report_hparams(self) -> None:
        assert self._last is not None
        config = self._config
        run = {"agent": self._name, "env": config.env, "num_envs": config.num_envs, "seed": config.seed}
        metrics = {"final/evaluation": self._last.mean, "final/best": self._best or 0.0}
        if not math.isnan(self._recent.mean):
            metrics["final/mean_100"] = self._recent.mean
        self._folder.monitor.hparams({**run, **config.settings}, metrics, self._step)

    def _write_status(self, state: str) -> None:
        self._folder.write_status(
            state=state,
            step=self._step,
            episodes=self._episodes,
            recent_return=None if math.isnan(self._recent.mean) else self._recent.mean,
            last=self._last.mean if self._last else None,
            best=self._best,
            best_step=self._best_step,
            seconds=round(self._seconds(), 1),
        )


class _Stopped(Exception):
    """Raised inside an evaluation when the run is to stop."""


def _tag(metric: str) -> str:
    return metric if "/" in metric else f"learning/{metric}"
