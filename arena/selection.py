"""Choosing the best policy of a training: evaluations on seeds that no reported evaluation uses."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

import envs
from arena import trackers
from arena.agent import Agent, Spec
from arena.config import RunConfig
from arena.errors import BrokenPlugin
from arena.evaluation import Evaluation, play, summarize
from arena.loop import Event
from arena.policy import Policy
from arena.previews import Previews, is_shown
from arena.run_folder import RunFolder
from arena.seeding import Stream, episode_seed
from arena.snapshot import TrainingState
from envs.rows import Rows

_MAX_ROWS = 8


class Selection:
    """Evaluates a learner's policy in environments of its own, and keeps the best.

    Args:
      config: the resolved configuration of the run.
      spec: of the environment that is trained in.
      name: the learner's, for people.
      folder: where scores, pictures and the best policy go.
      state: how far the training is; kept up to date.
      warn: told, in one line, what cannot be shown.
    """

    def __init__(
        self,
        config: RunConfig,
        spec: Spec,
        name: str,
        folder: RunFolder,
        state: TrainingState,
        warn: Callable[[str], None],
    ) -> None:
        assert config.eval_every and config.eval_episodes
        self._config, self._name, self._folder, self._state = config, name, folder, state
        self._period, self._num_episodes = config.eval_every, config.eval_episodes
        self._env: Rows | None = None
        self._warn = warn
        self._previews = Previews(spec, agent=name, env_settings=config.env_settings, warn=warn)
        self._throughput = trackers.Throughput(state.step)
        state.next_eval = state.next_eval or self._period

    @property
    def is_due(self) -> bool:
        """True when the next evaluation's step is reached."""
        return self._state.step >= self._state.next_eval

    def evaluate(
        self, agent: Agent, obs: np.ndarray | None, *, is_last: bool, on_event: Callable[[Event], None]
    ) -> bool:
        """Evaluates the policy that `agent` has now; returns True when it is the best so far.

        Args:
          agent: the learner.
          obs: one observation, to be shown where it is an image.
          is_last: the training ends with it, so it is shown in any case.
          on_event: called after every step of the games; what it raises ends the evaluation as if it had not begun.
        """
        speed = self._throughput.read(self._state.step)
        with BrokenPlugin.guard(agent, "policy"):
            player = agent.policy()
        env = self._env = self._env or self._make_env()
        begin = time.perf_counter()
        games = play(env, player, self._seed_of, self._num_episodes, on_event=on_event)
        result = summarize(self._name, env, player, games, self._config.seed, time.perf_counter() - begin)
        self._report(agent, result, speed)
        if self._state.num_evals == 1 and not isinstance(player, Policy):
            self._warn(f"{self._name}'s policy() is no arena.policy.Policy: the run keeps no policy file of it")
        state = self._state
        if obs is not None and (is_shown(state.num_evals) or is_last):
            self._previews.show(self._folder.monitor, player, self._seed_of(0), obs, state.step)
        self._throughput.read(state.step)  # neither the evaluation nor its pictures count as training
        if state.best is not None and not (result.mean >= state.best or math.isnan(state.best)):
            return False
        state.best, state.best_step = result.mean, state.step
        scores = {"mean": result.mean, "std": result.std, "episodes": result.episodes, "seeds": "selection"}
        self._folder.save_policy(player, "best", step=state.step, scores=scores)
        return True

    def close(self) -> None:
        """Frees the environments."""
        self._previews.close()
        if self._env is not None:
            self._env.close()

    def _make_env(self) -> Rows:
        config, num_rows = self._config, min(self._num_episodes, _MAX_ROWS)
        return envs.make(config.env, num_rows, preprocess=config.preprocess, settings=config.env_settings)

    def _seed_of(self, episode: int) -> int:
        return episode_seed(self._config.seed, Stream.SELECTION, episode)

    def _report(self, agent: Agent, result: Evaluation, speed: float) -> None:
        state = self._state
        state.last, state.last_eval_step = result.mean, state.step
        state.num_evals += 1
        state.next_eval = (state.step // self._period + 1) * self._period
        self._folder.evaluations.add(state.step, result.mean, result.std, result.episodes, round(state.seconds, 3))
        scalars = {
            "evaluation/return": result.mean,
            "evaluation/std": result.std,
            "evaluation/length": float(np.mean(result.lengths)),
            "throughput/steps_per_s": speed,
        }
        self._folder.monitor.scalars(scalars, state.step)
        with BrokenPlugin.guard(agent, "weights"):
            weights = {f"weights/{name}": array for name, array in agent.weights().items()}
            self._folder.monitor.histograms(weights, state.step)
