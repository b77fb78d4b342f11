"""Whether an agent keeps the contract: for `arena check`, and for a plugin author's own tests.

from arena.testing import assert_contract

def test_my_agent_keeps_the_contract():
    assert_contract("my_agent.py:MyAgent", "CartPole-v1")
"""

from __future__ import annotations

import dataclasses
import itertools
import tempfile
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import envs
from arena import registry
from arena.agent import Agent, Decision, Player
from arena.config import settings_for
from arena.decisions import check_decision, check_legal
from arena.errors import ArenaError, BrokenPlugin
from arena.evaluation import play
from arena.loop import observation_digest, run
from arena.nests import row_of, rows_of
from arena.policy import Policy, save
from arena.seeding import Stream, episode_seed
from envs.rows import Rows

_NUM_ROWS = 3
_NUM_MOVES = 3  # no game is over before


class Finding(NamedTuple):
    """One rule of the contract, and how the agent broke it: "" where it keeps it."""

    rule: str
    problem: str

    @property
    def is_kept(self) -> bool:
        """True where the rule is kept."""
        return not self.problem


class _Subject(NamedTuple):
    """The agent that is examined, and the settings that are not its defaults or its preset's."""

    reference: registry.Reference
    settings: Mapping[str, Any]

    def build(self, env: Rows) -> Player:
        if self.reference.player_class is None:
            return self.reference.player(env.spec, seed=0)
        spec = dataclasses.replace(env.spec, num_rows=env.num_rows)
        settings = settings_for(self.reference, spec.env_id) | dict(self.settings)
        return self.reference.build(spec, seed=0, settings=settings)

    def frozen(self, env: Rows) -> Player:
        player = self.build(env)
        return player.policy() if isinstance(player, Agent) else player


def assert_contract(ref: str, env_id: str, settings: Mapping[str, Any] | None = None) -> None:
    """Raises AssertionError with every rule that the agent breaks. Arguments are those of check()."""
    broken = [f"{finding.rule}: {finding.problem}" for finding in check(ref, env_id, settings) if not finding.is_kept]
    assert not broken, "\n".join(broken)


def check(ref: str, env_id: str, settings: Mapping[str, Any] | None = None) -> list[Finding]:
    """Returns one finding per rule of the contract, for the agent `ref` in `env_id`, with settings as `--set` gives.

    Raises UnknownName or DoesNotFit where there is nothing to check.
    """
    subject = _Subject(reference := registry.resolve(ref), settings or {})
    env = envs.make(env_id, _NUM_ROWS, preprocess=reference.preprocess)
    try:
        findings = [_try("act() answers every batch of rows", lambda: _answers(subject.build(env), env))]
        if not findings[0].is_kept:
            return findings
        findings += [
            _try("an answer does not depend on the rows around it", lambda: _is_row_wise(subject.frozen(env), env)),
            _try("the same seeds give the same games", lambda: _is_reproducible(subject, env)),
            _try("act() leaves the observations as they are", lambda: _keeps_obs(subject.build(env), env)),
        ]
        if reference.is_learner:
            findings += _check_learner(subject, env)
        return findings
    finally:
        env.close()


def _check_learner(subject: _Subject, env: Rows) -> list[Finding]:
    taught: list[Agent] = []

    def learn() -> str:
        taught.append(_taught(subject, env))
        return ""

    learns = _try("observe() and learn() run", learn)
    if not learns.is_kept:
        return [learns]
    agent = taught[0]
    return [
        learns,
        _try("learning twice from one seed gives the same agent", lambda: _learns_alike(agent, subject, env)),
        _try("policy() can be saved and played", lambda: _saves_policy(agent, env)),
        _try("save_state() and restore_state() bring the agent back", lambda: _restores(agent, subject, env)),
    ]


def _try(rule: str, examine: Callable[[], str]) -> Finding:
    try:
        return Finding(rule, examine())
    except BrokenPlugin as error:
        return Finding(rule, str(error))
    except ArenaError:
        raise
    except Exception as error:
        return Finding(rule, _failure(error))


def _failure(error: Exception) -> str:
    """Returns in which method of the agent's, and where, its code failed."""
    frames = traceback.extract_tb(error.__traceback__)
    method = next((frame for frame in frames if Path(frame.filename).parent != Path(__file__).parent), frames[-1])
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"
    return f"{method.name}() failed at {place}: {type(error).__name__}: {error}"


def _seeds(number: int) -> np.ndarray:
    return np.array([episode_seed(0, Stream.CHECK, i) for i in range(number)])


def _observations(env: Rows) -> Any:
    return env.reset(np.arange(env.num_rows), _seeds(env.num_rows))


def _answers(player: Player, env: Rows) -> str:
    obs = _observations(env)
    decision = player.act(obs, player.initial_state(_seeds(env.num_rows)))
    check_decision(decision, env.spec, env.num_rows, player)
    if env.spec.num_seats > 1:
        check_legal(obs, decision.action, itertools.repeat(True), player)
    for row in range(env.num_rows):
        if not env.spec.action_space.contains(_native(decision.action[row], env)):
            return f"action {decision.action[row]} is not in {env.spec.action_space}"
    for name, values in decision.extras.items():
        if len(values) != env.num_rows:
            return f'extras["{name}"] has {len(values)} rows for {env.num_rows} observations'
    return ""


def _native(action: Any, env: Rows) -> Any:
    start = getattr(env.spec.action_space, "start", 0)
    return int(action) + int(start) if np.ndim(action) == 0 else action


def _is_row_wise(player: Player, env: Rows) -> str:
    obs, seeds = _observations(env), _seeds(env.num_rows)
    together = player.initial_state(seeds)
    alone = [player.initial_state(seeds[row : row + 1]) for row in range(env.num_rows)]
    for _ in range(_NUM_MOVES):
        chosen, together, _ = player.act(obs, together)
        for row in range(env.num_rows):
            one, alone[row], _ = player.act(rows_of(obs, np.array([row])), alone[row])
            if not np.array_equal(one[0], chosen[row]):
                return (
                    f"row {row} plays {chosen[row]} among {env.num_rows} rows and {one[0]} alone; keep what it draws "
                    "and remembers in the state (randomness as arena.seeding.row_keys), not in the player"
                )
        obs, _, terminated, truncated = env.step(chosen)
        if (terminated | truncated).any():
            break
    return ""


def _is_reproducible(subject: _Subject, env: Rows) -> str:
    def games() -> list[tuple[float, int]]:
        return [(g.ret, g.length) for g in play(env, subject.frozen(env), lambda i: int(_seeds(i + 1)[i]), 4)]

    first, second = games(), games()
    return "" if first == second else f"returns and lengths {first} became {second}"


def _keeps_obs(player: Player, env: Rows) -> str:
    obs = _observations(env)
    rows = range(env.num_rows)
    before = [observation_digest(row_of(obs, row)) for row in rows]
    player.act(obs, player.initial_state(_seeds(env.num_rows)))
    is_kept = before == [observation_digest(row_of(obs, row)) for row in rows]
    return "" if is_kept else "it writes into its argument"


def _taught(subject: _Subject, env: Rows, steps: int = 300) -> Agent:
    agent = subject.build(env)
    assert isinstance(agent, Agent)
    for event in run(env, agent, lambda i: episode_seed(0, Stream.CHECK, i)):
        agent.progress = min(1.0, event.step / steps)
        agent.observe(event.transition)
        metrics = agent.learn()
        if not isinstance(metrics, Mapping):
            raise BrokenPlugin(f"learn() must return a mapping of floats by name, not {type(metrics).__name__}")
        for name, value in metrics.items():
            if not isinstance(name, str) or not _is_number(value):
                raise BrokenPlugin(f"learn() must return floats by name, not {name!r}: {value!r}")
        if event.step >= steps or agent.is_finished:
            return agent
    return agent


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _actions(agent: Agent, env: Rows) -> np.ndarray:
    obs, seeds = _observations(env), _seeds(env.num_rows)
    player = agent.policy()
    return player.act(obs, player.initial_state(seeds)).action


def _learns_alike(agent: Agent, subject: _Subject, env: Rows) -> str:
    first, second = _actions(agent, env), _actions(_taught(subject, env), env)
    return "" if np.array_equal(first, second) else f"its policies choose {first.tolist()} and {second.tolist()}"


def _saves_policy(agent: Agent, env: Rows) -> str:
    player = agent.policy()
    if isinstance(player, Agent):
        return "policy() returns an agent that still learns"
    decision = player.act(_observations(env), player.initial_state(_seeds(env.num_rows)))
    if not isinstance(decision, Decision):
        return f"the policy's act() returns {type(decision).__name__}"
    if not isinstance(player, Policy):
        return "policy() is no arena.policy.Policy, so a run could not save it"
    with tempfile.TemporaryDirectory() as folder:
        save(player, Path(folder) / "policy")
    return ""


def _restores(agent: Agent, subject: _Subject, env: Rows) -> str:
    with tempfile.TemporaryDirectory() as folder:
        agent.save_state(Path(folder))
        other = subject.build(env)
        assert isinstance(other, Agent)
        other.restore_state(Path(folder))
    first, second = _actions(agent, env), _actions(other, env)
    return "" if np.array_equal(first, second) else f"it chose {first.tolist()} before and {second.tolist()} after"
