"""One training in one process: the loop's events go to the agent, to the run folder, and into checkpoints."""

from __future__ import annotations

import contextlib
import dataclasses
import math
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import envs
from arena import checkpoint, encoders, plots, registry, run_folder, snapshot, trackers, versions
from arena.agent import Agent, Spec
from arena.config import RunConfig
from arena.encoded import EncodedAgent
from arena.encoders import Encoder
from arena.errors import BrokenPlugin, DoesNotFit
from arena.evaluation import expect_one_seat
from arena.hooks import Hooks, Progress
from arena.loop import EpisodesLost, Event, RowStart, run
from arena.milestones import Milestones
from arena.reproducibility import is_reproducible
from arena.run_folder import RunFolder
from arena.seeding import Stream, episode_seed
from arena.selection import Selection
from arena.snapshot import Snapshot, TrainingState
from arena.training_recorder import TrainingRecorder, parse_schedule

_SHOW_PERIOD_S = 0.2
_LOG_POINTS = 500  # learning curves in TensorBoard have about so many points


class Trainer:
    """Trains one agent. All that the training depends on is in the configuration and the checkpoint.

    Args:
      config: resolved.
      path: the run folder.
      hooks: who is told of it.
      start: the checkpoint to go on from; None for a new run.
    """

    def __init__(self, config: RunConfig, path: Path, hooks: Hooks, start: Path | None = None) -> None:
        assert config.num_envs and config.horizon
        self._config, self._hooks, self._horizon = config, hooks, config.horizon
        self._name = registry.resolve(config.agent).name
        self._closing = contextlib.ExitStack()
        parse_schedule(config.record)  # fails before anything is made
        self._env = envs.make(config.env, config.num_envs, preprocess=config.preprocess, settings=config.env_settings)
        self._closing.callback(self._env.close)
        expect_one_seat(self._env.spec)
        config = self._config = config.model_copy(update={"preprocess": self._env.spec.preprocess})
        encoder = self._encoder(path)
        self._agent = self._make_agent(encoder)
        if config.start and start is None:
            weights = snapshot.weights_of(Path(config.start))
            with BrokenPlugin.guard(self._agent, "load_weights"):
                self._agent.load_weights(weights)
        begin = self._restored(start) if start else self._first_snapshot()
        self._state, self._starts, self._obs = begin.state, begin.starts, begin.shown
        if start:
            self._set_progress()  # the first action may depend on it (epsilon)
        self._recent = trackers.RecentReturns(values=self._state.recent)
        self._begin = time.perf_counter() - self._state.seconds
        self._folder = RunFolder(path, config, self._env.spec.protocol, begin.marks)
        self._closing.callback(self._folder.close)
        if encoder:
            encoder.save(path)
        snapshot.bring_back_best(start, path)
        self._rows = trackers.RowTracker(self._env.num_rows, self._starts)
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
        self._selection = Selection(config, self._env.spec, self._name, self._folder, self._state, hooks.warn)
        self._closing.callback(self._selection.close)
        self._last_shown_s = 0.0
        self._milestones = Milestones(path, self._fraction())
        self._checkpoints = checkpoint.Series(path / "checkpoints", config.checkpoint_every, start)
        self._saved_evals = self._state.num_evals
        if start is None:
            self._folder.monitor.text("configuration", run_folder.as_markdown(config, self._env.spec.protocol))
            self._folder.monitor.hparams(self._hparams(), {})  # lists a run that is killed, too

    def close(self) -> None:
        """Closes files and environments, the last opened first."""
        self._closing.close()

    def run(self) -> bool:
        """Trains until the budget is spent, the goal is met, or the agent is finished; False when told to stop."""
        state, first = self._state, self._state.step
        is_stopped = self._selection.is_due and not self._evaluate()  # it was stopped in the midst of one
        log_period = max(1, self._horizon // _LOG_POINTS)
        events = self._events()
        while not self._is_over() and not is_stopped:
            self._milestones.add(self._agent, self._fraction(), state.step)
            event = next(events)
            state.step, state.next_episode = first + event.step, event.next_episode
            self._obs = event.transition.next_obs[0]
            metrics = self._learn(event)
            self._rows.add(event)
            if event.finished:
                self._add_episodes(event)
            self._recorder.add(event, first)
            if metrics and state.step - state.last_log_step >= log_period:
                state.last_log_step = state.step
                self._folder.monitor.scalars(self._readable(metrics), state.step)
            if self._selection.is_due:
                is_stopped = not self._evaluate()
            if self._checkpoints.is_due(state.step):
                self._save_checkpoint()
            self._show()
            is_stopped = is_stopped or self._hooks.should_stop()
        return self._finish(is_stopped)

    @property
    def state(self) -> TrainingState:
        """How far the training is."""
        self._state.seconds = time.perf_counter() - self._begin
        self._state.recent = list(self._recent.values)
        return self._state

    @property
    def recent_return(self) -> float:
        """The mean return of the last 100 training episodes."""
        return self._recent.mean

    # Learning.

    def _encoder(self, path: Path) -> Encoder | None:
        if not (self._config.encoder or self._config.discretiser):
            return None
        return encoders.load(path) if (path / encoders.FILE).exists() else encoders.make(self._config, self._env)

    def _make_agent(self, encoder: Encoder | None) -> Agent:
        reference = registry.resolve(self._config.agent)

        def build(spec: Spec) -> Agent:
            agent = reference.build(spec, seed=self._config.seed, settings=self._config.settings)
            assert isinstance(agent, Agent)
            return agent

        spec = dataclasses.replace(self._env.spec, num_rows=self._env.num_rows)
        return EncodedAgent(build, spec, encoder) if encoder else build(spec)

    def _seed_of(self, episode: int) -> int:
        return episode_seed(self._config.seed, Stream.TRAINING, episode)

    def _events(self) -> Iterator[Event]:
        """The loop's; episodes that cannot be brought back are given up, and others begun."""
        try:
            yield from self._run(self._starts)
        except EpisodesLost as error:
            self._hooks.warn(f"{error}; others begin, and the run is not what it would have been without a stop")
            self._state.is_reproducible = False
            self._forget_unfinished()
            self._rows = trackers.RowTracker(self._env.num_rows)
            yield from self._run(None)

    def _run(self, starts: list[RowStart | None] | None) -> Iterator[Event]:
        return run(self._env, self._agent, self._seed_of, starts=starts, next_episode=self._state.next_episode)

    def _forget_unfinished(self) -> None:
        with BrokenPlugin.guard(self._agent, "forget_unfinished"):
            self._agent.forget_unfinished()

    def _learn(self, event: Event) -> Mapping[str, Any]:
        self._set_progress()
        method = "observe"
        try:
            self._agent.observe(event.transition)
            method = "learn"
            return self._agent.learn()
        except Exception as error:
            raise BrokenPlugin.during(self._agent, method, error) from error

    def _set_progress(self) -> None:
        self._agent.progress = min(1.0, self._state.step / self._horizon)

    def _readable(self, metrics: Mapping[str, Any]) -> dict[str, float]:
        try:
            return {name if "/" in name else f"learning/{name}": float(value) for name, value in metrics.items()}
        except Exception as error:
            raise BrokenPlugin(
                f"{type(self._agent).__name__}.learn() must return floats by name, not {metrics!r}"
            ) from error

    def _add_episodes(self, event: Event) -> None:
        seconds = round(time.perf_counter() - self._begin, 3)
        for episode in event.finished:
            self._folder.episodes.add(self._state.episodes, self._state.step, episode.ret, episode.length, seconds)
            self._recent.add(episode.ret)
            self._state.episodes += 1
        last = event.finished[-1]
        curve = {"episode/return": last.ret, "episode/length": last.length, "episode/mean_100": self._recent.mean}
        self._folder.monitor.scalars(curve, self._state.step)

    # When things happen.

    def _is_over(self) -> bool:
        until, last = self._config.until, self._state.last
        return (
            self._fraction() >= 1.0
            or self._agent.is_finished
            or (until is not None and last is not None and last >= until)
        )

    def _fraction(self) -> float:
        config, spent = self._config, 0.0
        if config.steps:
            spent = self._state.step / config.steps
        if config.episodes:
            spent = max(spent, self._state.episodes / config.episodes)
        if config.minutes:
            spent = max(spent, (time.perf_counter() - self._begin) / (60.0 * config.minutes))
        return spent

    def _show(self, *, now: bool = False) -> None:
        wall_s = time.perf_counter()
        if now or wall_s - self._last_shown_s > _SHOW_PERIOD_S:
            self._last_shown_s = wall_s
            fraction = 1.0 if now else min(1.0, self._fraction())
            state = self._state
            self._hooks.on_progress(Progress(fraction, state.step, state.episodes, self._recent.mean, state.best))

    # Evaluations and checkpoints.

    def _evaluate(self) -> bool:
        """Evaluates the policy; False when it was stopped midway."""
        _ = self.state.seconds  # brings it up to date for the table
        try:
            is_best = self._selection.evaluate(
                self._agent, self._obs, is_last=self._is_over(), on_event=self._check_stop
            )
        except _Stopped:
            return False
        if is_best:
            self._save_checkpoint()
        self._write_status("running")
        return True

    def _check_stop(self, _: Event) -> None:
        self._show()
        if self._hooks.should_stop():
            raise _Stopped

    def _save_checkpoint(self) -> None:
        self._recorder.flush()
        self._checkpoints.save(self._state.step, self._write_checkpoint)
        self._saved_evals = self._state.num_evals
        self._write_status("running")

    def _write_checkpoint(self, folder: Path) -> None:
        (folder / "agent").mkdir(exist_ok=True)
        with BrokenPlugin.guard(self._agent, "save_state"):
            self._agent.save_state(folder / "agent")
        starts = self._rows.starts(self._seed_of)
        if not self._state.is_reproducible:
            starts = [None] * len(starts)
        taken = Snapshot(self.state, starts, self._folder.marks(), versions.made_with(), self._obs)
        snapshot.write(taken, folder)
        if self._state.best_step == self._state.step:
            snapshot.keep_best(folder, self._folder.path)

    def _first_snapshot(self) -> Snapshot:
        """Returns where a new run begins, after a look at whether it will be able to go on from anywhere else."""
        config = self._config
        with contextlib.closing(
            envs.make(config.env, 1, preprocess=config.preprocess, settings=config.env_settings)
        ) as env:
            state = TrainingState(is_reproducible=is_reproducible(env))
        if not state.is_reproducible:
            self._hooks.warn(
                f"{config.env} is not reproducible: the same seed and actions led elsewhere. A resumed run begins new "
                "episodes and is not what it would have been without a stop"
            )
        return Snapshot(state, [None] * self._env.num_rows, {}, {})

    def _restored(self, start: Path) -> Snapshot:
        saved, num_rows = snapshot.read(start), self._env.num_rows
        if len(saved.starts) != num_rows:
            raise DoesNotFit(f"{start} is of {len(saved.starts)} rows; config.toml says num_envs = {num_rows}")
        try:
            self._agent.restore_state(start / "agent")
        except Exception as error:
            raise BrokenPlugin.during(self._agent, "restore_state", error) from error
        if difference := versions.difference(saved.made_with):
            self._hooks.warn(f"this run goes on with {difference}; its result may not be the same to the bit")
        if not saved.state.is_reproducible:
            self._forget_unfinished()
        return saved

    def _finish(self, is_stopped: bool) -> bool:
        state = self._state
        if not is_stopped and state.last_eval_step != state.step:
            is_stopped = not self._evaluate()
        if not is_stopped:
            with BrokenPlugin.guard(self._agent, "policy"):
                policy = self._agent.policy()
            self._folder.save_policy(policy, "final", step=state.step)
        if (state.step, state.num_evals) != (self._checkpoints.newest_step, self._saved_evals):
            self._save_checkpoint()
        self._recorder.flush()
        if not is_stopped:
            self._report_hparams()  # after the checkpoint: whoever resumes from it cuts this off and tells it once
        self._folder.marks()
        plots.learning_curve(self._folder.path)
        self._write_status("interrupted" if is_stopped else "finished")
        self._show(now=not is_stopped)
        return not is_stopped

    def _report_hparams(self) -> None:
        state = self._state
        metrics = {"final/evaluation": state.last, "final/best": state.best, "final/mean_100": self._recent.mean}
        known = {name: value for name, value in metrics.items() if value is not None and not math.isnan(value)}
        self._folder.monitor.hparams(self._hparams(), known, state.step)

    def _hparams(self) -> dict[str, Any]:
        config = self._config
        run = {"agent": self._name, "env": config.env, "num_envs": config.num_envs, "seed": config.seed}
        return {**run, **config.settings}

    def _write_status(self, status: str) -> None:
        state, recent = self.state, self._recent.mean
        self._folder.write_status(
            state=status,
            step=state.step,
            episodes=state.episodes,
            recent_return=None if math.isnan(recent) else recent,
            last=state.last,
            best=state.best,
            best_step=state.best_step,
            seconds=round(state.seconds, 1),
        )


class _Stopped(Exception):
    """Raised inside an evaluation when the run is to stop."""
