"""The episode loop: the exact order of what it calls, and what it makes of each answer."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from arena.agent import Decision, Player, Spec
from arena.errors import BrokenPlugin
from arena.loop import Episode, assign_rows, run
from envs.rows import Rows, Step

TERMINATED, TRUNCATED, ENDLESS = "terminated", "truncated", "endless"


class Script(Rows):
    """Rows whose episodes go by the script: seed -> (length, how it ends); an observation is (seed, time).

    A step is worth its time, counted from 1. Everything that is called goes onto the tape.
    """

    def __init__(self, num_rows: int, script: dict[int, tuple[int, str]], *, cap: int = 100, tape: list | None = None):
        space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float32)
        self.spec = Spec("Script-v0", space, gym.spaces.Discrete(3), max_episode_steps=cap)
        self.num_rows, self.script = num_rows, script
        self.tape = [] if tape is None else tape
        self.obs = np.zeros((num_rows, 2), np.float32)

    def reset(self, rows: np.ndarray, seeds: np.ndarray) -> np.ndarray:
        self.tape.append(("reset", rows.tolist(), seeds.tolist()))
        self.obs = self.obs.copy()
        self.obs[rows, 0], self.obs[rows, 1] = seeds, 0
        return self.obs[rows]

    def step(self, actions: np.ndarray) -> Step:
        self.tape.append(("step", actions.tolist()))
        self.obs = self.obs + np.float32([0, 1])
        ends = [
            self.script[int(seed)] if int(time) == self.script[int(seed)][0] else ("", "") for seed, time in self.obs
        ]
        terminated, truncated = (np.array([how == name for _, how in ends]) for name in (TERMINATED, TRUNCATED))
        return Step(self.obs, self.obs[:, 1].astype(np.float64), terminated, truncated)

    def render(self) -> np.ndarray:
        raise NotImplementedError


class Clerk(Player):
    """Plays action 1 and counts its own steps in the state, from the episode's seed on."""

    def __init__(self, env: Script):
        super().__init__(env.spec, seed=0)
        self.tape = env.tape

    def initial_state(self, seeds: np.ndarray) -> np.ndarray:
        self.tape.append(("state", seeds.tolist()))
        return seeds * 10

    def act(self, obs: np.ndarray, state: np.ndarray) -> Decision:
        self.tape.append(("act", [tuple(row) for row in obs.astype(int).tolist()], state.tolist()))
        return Decision(np.ones(len(obs), np.int64), state + 1)


def seed_of(episode: int) -> int:
    return 100 + episode


def test_the_tape_of_three_episodes_in_two_rows():
    env = Script(2, {100: (2, TERMINATED), 101: (3, TRUNCATED), 102: (2, TERMINATED)})
    for event in run(env, Clerk(env), seed_of, num_episodes=3):
        env.tape.append(("event", event.step, event.live.tolist(), event.episodes.tolist(), event.finished))
    assert env.tape == [
        ("reset", [0, 1], [100, 101]),
        ("state", [100, 101]),
        ("act", [(100, 0), (101, 0)], [1000, 1010]),
        ("step", [1, 1]),
        ("event", 2, [True, True], [0, 1], ()),
        ("act", [(100, 1), (101, 1)], [1001, 1011]),
        ("step", [1, 1]),
        # 1 + 2 = 3: a step is worth its time.
        ("event", 4, [True, True], [0, 1], (Episode(0, 100, 0, 3.0, 2, False, (3.0,)),)),
        ("reset", [0], [102]),
        ("state", [102]),  # only the row that begins anew
        ("act", [(102, 0), (101, 2)], [1020, 1012]),
        ("step", [1, 1]),
        ("event", 6, [True, True], [2, 1], (Episode(1, 101, 1, 6.0, 3, True, (6.0,)),)),
        # Nothing is left for row 1: it idles, and its steps do not count.
        ("act", [(102, 1), (101, 3)], [1021, 1013]),
        ("step", [1, 1]),
        ("event", 7, [True, False], [2, -1], (Episode(2, 102, 0, 3.0, 2, False, (3.0,)),)),
    ]


def test_next_obs_is_the_true_successor_and_obs_the_reset_frame_afterwards():
    env = Script(1, {100: (2, TERMINATED), 101: (1, TRUNCATED)})
    transitions = [event.transition for event in run(env, Clerk(env), seed_of, num_episodes=2)]
    assert [t.obs[0].tolist() for t in transitions] == [[100, 0], [100, 1], [101, 0]]
    assert [t.next_obs[0].tolist() for t in transitions] == [[100, 1], [100, 2], [101, 1]]
    assert [(t.terminated[0], t.truncated[0]) for t in transitions] == [(False, False), (True, False), (False, True)]


def test_the_loops_own_cap_truncates_an_episode_that_does_not_end():
    env = Script(1, {100: (99, TERMINATED), 101: (3, TERMINATED)}, cap=3)
    events = list(run(env, Clerk(env), seed_of, num_episodes=2))
    # Episode 1 terminates in the very step in which it reaches the cap: that is no truncation.
    assert [e for event in events for e in event.finished] == [
        Episode(0, 100, 0, 6.0, 3, True, (6.0,)),
        Episode(1, 101, 0, 6.0, 3, False, (6.0,)),
    ]
    assert [bool(event.transition.truncated[0]) for event in events] == [False, False, True, False, False, False]


def test_rows_without_an_episode_never_begin():
    env = Script(3, {0: (99, ENDLESS), 100: (1, TERMINATED)})
    events = list(run(env, Clerk(env), seed_of, num_episodes=1))
    assert env.tape[0] == ("reset", [0], [100])
    assert [event.live.tolist() for event in events] == [[True, False, False]]
    assert events[0].step == 1


def test_no_episodes_means_no_events():
    env = Script(1, {})
    assert list(run(env, Clerk(env), seed_of, num_episodes=0)) == []
    assert env.tape == []


def test_the_next_action_is_chosen_after_the_consumer_had_the_event():
    env = Script(1, {100: (3, TERMINATED)})
    player = Clerk(env)
    events = run(env, player, seed_of)
    next(events)
    player.act = None  # what a consumer does to its player counts from the next action on
    assert [entry[0] for entry in env.tape] == ["reset", "state", "act", "step"]


def test_state_is_overwritten_in_the_given_rows_of_every_array_of_the_nest():
    state = {"memory": np.zeros((3, 2)), "keys": (np.arange(3), ())}
    assign_rows(state, np.array([0, 2]), {"memory": np.ones((2, 2)), "keys": (np.array([7, 8]), ())})
    assert state["memory"].tolist() == [[1, 1], [0, 0], [1, 1]]
    assert state["keys"][0].tolist() == [7, 1, 8]


class Says(Player):
    """Answers with whatever it was given."""

    def __init__(self, env: Script, answer: Any, state: Any = ()):
        super().__init__(env.spec, seed=0)
        self.answer, self.state = answer, state

    def initial_state(self, seeds: np.ndarray) -> Any:
        return self.state() if callable(self.state) else self.state

    def act(self, obs: np.ndarray, state: Any) -> Any:
        return self.answer() if callable(self.answer) else self.answer


@pytest.mark.parametrize(
    ("answer", "line"),
    [
        (np.ones(2, np.int64), r"must return a Decision, not ndarray"),
        (None, r"must return a Decision, not NoneType"),
        (Decision(np.ones(3, np.int64)), r"actions of shape \(2,\), not \(3,\)"),
        (Decision(np.ones((2, 1), np.int64)), r"actions of shape \(2,\), not \(2, 1\)"),
        (Decision([0, 1]), r"actions of shape \(2,\), not list"),
        (Decision(np.ones(2, np.float32)), r"int64 actions for Discrete\(3\), not float32"),
        (Decision(np.ones(2, np.int32)), r"int64 actions for Discrete\(3\), not int32"),
        (Decision(np.array([0, 3])), r"chose \[0, 3\] of 3 actions"),
        (Decision(np.array([-1, 0])), r"chose \[-1, 0\] of 3 actions"),
        (lambda: 1 / 0, r"Says.act\(\) failed at test_loop.py:\d+: ZeroDivisionError: division by zero"),
    ],
)
def test_an_answer_that_breaks_the_contract_is_one_line(answer, line):
    env = Script(2, {100: (2, TERMINATED), 101: (2, TERMINATED)})
    with pytest.raises(BrokenPlugin, match=line) as caught:
        next(run(env, Says(env, answer), seed_of))
    assert "\n" not in str(caught.value)
    assert not any(entry[0] == "step" for entry in env.tape)  # the environment never sees it


def read_only() -> np.ndarray:
    array = np.zeros(1)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize("state", [None, read_only(), [np.zeros(1), np.zeros(1)]])
def test_a_state_that_cannot_be_renewed_is_one_line(state):
    env = Script(1, {100: (1, TERMINATED), 101: (1, TERMINATED)})
    player = Says(env, Decision(np.zeros(1, np.int64), state), np.zeros(1))
    with pytest.raises(BrokenPlugin, match=r"Says's state must be a nest of writable"):
        list(run(env, player, seed_of))


def test_a_first_state_that_fails_is_one_line():
    env = Script(1, {100: (1, TERMINATED)})
    with pytest.raises(BrokenPlugin, match=r"Says.initial_state\(\) failed"):
        next(run(env, Says(env, None, lambda: 1 / 0), seed_of))


@pytest.mark.parametrize("method", ["reset", "step"])
def test_an_environment_that_fails_is_one_line(method, monkeypatch):
    env = Script(1, {0: (2, TERMINATED)})
    monkeypatch.setattr(env, method, lambda *_: 1 / 0)
    with pytest.raises(BrokenPlugin, match=rf"^Script-v0.{method}\(\) failed at test_loop.py:\d+: ZeroDivisionError"):
        list(run(env, Clerk(env), lambda i: i, num_episodes=1))
