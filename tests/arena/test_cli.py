"""The command line: a mistake is one line and exit code 2, and loses nothing."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest

from arena import registry, terminal

pytestmark = pytest.mark.usefixtures("no_pictures")

BRIEF = ("--set", "features_per_width=5", "--set", "eval_episodes=1")


def assert_one_line(outcome, line: str) -> None:
    assert outcome.code == 2, outcome
    assert outcome.out == ""
    assert outcome.err.startswith("arena: ")
    assert outcome.err.count("\n") == 1
    assert line in outcome.err


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("evl", "No such command 'evl'. Did you mean 'eval'? See `arena --help`."),
        ("eval", "Missing argument 'REF'. See `arena eval --help`."),
        ("eval random", "Missing option '--env'. See `arena eval --help`."),
        ("eval random --env CartPole-v1 --epsodes 3", "No such option: --epsodes"),
        ("eval random --env CartPol-v1", "unknown environment 'CartPol-v1'; did you mean 'CartPole-v1'?"),
        ("eval rndom --env CartPole-v1", "unknown agent 'rndom'; did you mean 'random'?"),
        ("eval random --env CartPole-v1 --episodes abc", "Invalid value for '--episodes'"),
        ("eval random --env CartPole-v1 --episodes 0", "episodes must be a whole number of at least 1, not 0"),
        ("eval random --env CartPole-v1 --num-envs 0", "num-envs must be a whole number of at least 1, not 0"),
        ("eval random --env CartPole-v1 --seed -1", "a seed is a whole number of at least 0, not -1"),
        ("eval random --env CartPole-v1 --mode clever", "a mode is greedy, sample or epsilon=X"),
        ("eval random --env CartPole-v1 --preprocess fancy", "unknown preprocess"),
        ("eval random --env CartPole-v1 --env-set gravity=1", "unknown setting of CartPole-v1 'gravity'"),
        ("eval random --env CartPole-v1 --env-set max_episode_steps=0", "max_episode_steps"),
        ("eval nothing.npz --env CartPole-v1", "there is no policy file nothing.npz"),
        ("eval runs/nothing --env CartPole-v1", "there is no run folder runs/nothing"),
        ("train dqnn --env CartPole-v1", "unknown agent 'dqnn'; did you mean 'dqn'?"),
        ("train random --env CartPole-v1", "random does not learn"),
        ("train q_learning --env Pendulum-v1", "not a discrete set"),
        ("train dqn --env Pendulum-v1", "Pendulum-v1"),
        ("train q_learning --env CartPole-v1 --steps abc", "Invalid value for '--steps'"),
        ("train q_learning --env CartPole-v1 --steps 0", "steps = 0"),
        ("train q_learning --env CartPole-v1 --episodes 0", "episodes = 0"),
        ("train q_learning --env CartPole-v1 --minutes -3", "minutes = -3"),
        ("train q_learning --env CartPole-v1 --num-envs 0", "num_envs = 0"),
        ("train q_learning --env CartPole-v1 --seed -1", "seed = -1"),
        ("train q_learning --env CartPole-v1 --seeds 0", "seeds must be a whole number of at least 1, not 0"),
        ("train q_learning --env CartPole-v1 --checkpoint-every 0", "checkpoint_every = 0"),
        ("train q_learning --env CartPole-v1 --record every=0", "every=0"),
        ("train q_learning --env CartPole-v1 --record sometimes", "sometimes"),
        ("train q_learning --env CartPole-v1 --set learning_rate=fast", "learning_rate = 'fast'"),
        ("train q_learning --env CartPole-v1 --set learning_rat=1", "did you mean 'learning_rate'?"),
        ("train q_learning --env CartPole-v1 --set learning_rate", "--set takes KEY=VALUE, not 'learning_rate'"),
        ("train q_learning --env CartPole-v1 --set preset=Acrobat-v1", "unknown preset of q_learning 'Acrobat-v1'"),
        ("train q_learning --env CartPole-v1 --from nowhere", "there is no run folder nowhere"),
        ("train q_learning --env CartPole-v1 --from .", "is not a run folder"),
        ("resume nowhere", "there is no run folder nowhere"),
        ("resume .", "is not a run folder: it has no config.toml"),
        ("resume . --steps 0", "steps must be a whole number of at least 1, not 0"),
        ("envs nothing-like-it", "no environment matches 'nothing-like-it'"),
        ("check random --env Nothing-v0", "unknown environment 'Nothing-v0'"),
        ("check q_learning --env Pendulum-v1", "not a discrete set"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(arena, tmp_path, command, line):
    assert_one_line(arena(*command.split()), line)
    assert list(tmp_path.iterdir()) == []


def test_an_environment_whose_extra_is_missing_names_the_command_that_installs_it(arena, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "Box2D"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delitem(sys.modules, "gymnasium.envs.box2d.lunar_lander", raising=False)
    monkeypatch.delitem(sys.modules, "gymnasium.envs.box2d", raising=False)
    monkeypatch.setitem(sys.modules, "Box2D", None)  # as if it were not installed
    outcome = arena("eval", "random", "--env", "LunarLander-v3")
    assert_one_line(outcome, 'pip install ".[box2d]"')


GOOD = """
import numpy as np
from arena.agent import Agent, Decision, Player

class Mine(Player):
    {init}
    def act(self, obs, state):
        return {answer}
"""


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("def f(:", "cannot be imported: SyntaxError: invalid syntax (line 1)"),
        ("1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
        ("exit(1)", "cannot be imported: SystemExit: 1"),
        ("", "unknown class or function in mine.py 'Mine'"),
        ("class Mine: pass", "is neither a class that extends arena.agent.Player nor a function"),
        (GOOD.format(init="", answer="0").replace("def act", "def play"), "does not define act()"),
        (GOOD.format(init="def __init__(self, spec, seed, settings): 1 / 0", answer="0"), "Mine.__init__() failed at"),
        (GOOD.format(init="", answer="0"), "Mine.act() must return a Decision, not int"),
        (GOOD.format(init="", answer="Decision(np.zeros(len(obs)))"), "must give int64 actions for Discrete(2)"),
        (GOOD.format(init="", answer="Decision(np.zeros((9, 9), np.int64))"), "must give actions of shape (3,)"),
        (GOOD.format(init="", answer="Decision(np.full(len(obs), 7))"), "chose [7, 7, 7] of 2 actions"),
        (GOOD.format(init="", answer="Decision(np.zeros(len(obs), np.int64), None)"), "nest of writable"),
        (GOOD.format(init="", answer="{}['[bold]']"), "Mine.act() failed at mine.py:8: KeyError: '[bold]'"),
    ],
)
def test_a_broken_plugin_is_one_line(arena, tmp_path, source, line):
    (tmp_path / "mine.py").write_text(source)
    command = ("eval", "mine.py:Mine", "--env", "CartPole-v1", "--episodes", "9", "--num-envs", "3")
    assert_one_line(arena(*command), line)


def test_a_policy_on_another_environment_and_a_damaged_one_are_one_line(arena, tmp_path, litert_policy):
    assert_one_line(arena("eval", litert_policy, "--env", "Acrobot-v1"), "does not fit Acrobot-v1")
    for name, what in (("cut.tflite", "a LiteRT model"), ("cut.npz", "a policy of the arena")):
        (tmp_path / name).write_bytes(litert_policy.read_bytes()[:100])
        assert_one_line(arena("eval", name, "--env", "CartPole-v1"), f"is not {what}, or is damaged")


def test_a_disk_that_is_full_is_one_line(arena, tmp_path, monkeypatch):
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("arena.checkpoint.sync", fail)
    outcome = arena("train", "q_learning", "--env", "CartPole-v1", "--steps", 30, *BRIEF, "--run-dir", "run")
    assert_one_line(outcome, "No space left on device")
    assert list((tmp_path / "run" / "checkpoints").iterdir()) == []


@pytest.mark.filterwarnings("always")
def test_a_warning_is_one_line(arena, monkeypatch):
    monkeypatch.setattr("envs.catalogue.entries", lambda pattern: warnings.warn("old\nand slow", stacklevel=1) or [])
    assert arena("envs").err.splitlines()[0] == "arena: warning: old and slow"


# What commands say when all is well.


def train(arena, *more: object):
    return arena("train", "q_learning", "--env", "CartPole-v1", "--steps", 120, *BRIEF, *more)


def test_a_run_goes_from_training_over_the_list_to_a_score(arena, tmp_path):
    outcome = train(arena, "--run-dir", "runs/mine", "--seed", 4)
    assert outcome.code == 0
    assert outcome.err == ""  # no terminal, no bar
    first, last = outcome.out.splitlines()
    assert first.startswith("120 steps, ")
    assert last == "the run is in runs/mine"
    listed = arena("runs").out.splitlines()
    assert listed[0].split() == ["agent", "env", "seeds", "steps", "last", "best", "state", "folder", "(newest)"]
    assert listed[1].split()[:4] == ["q_learning", "CartPole-v1", "4", "120"]
    score = arena("eval", "runs/mine", "--env", "CartPole-v1", "--episodes", 2)
    assert score.code == 0
    assert score.out.startswith("q_learning on CartPole-v1: ")
    assert "max_episode_steps 500" in score.out.splitlines()[-1]
    resumed = arena("resume", "runs/mine", "--steps", 150)
    assert resumed.out.startswith("150 steps, ")
    assert_one_line(arena("resume", "runs/mine", "--steps", 10), "has taken 150 steps; --steps 10 is less")
    assert_one_line(train(arena, "--run-dir", "runs/mine"), "runs/mine already exists")


def test_several_seeds_are_several_runs_and_one_line(arena, tmp_path):
    assert train(arena, "--seeds", 2, "--run-dir", "runs/two").code == 0
    assert sorted(path.name for path in (tmp_path / "runs" / "two").iterdir()) == ["seed-0", "seed-1"]
    lines = arena("runs").out.splitlines()
    assert len(lines) == 2
    assert "0, 1" in lines[1]
    assert "±" in lines[1]


def test_a_damaged_run_is_listed_and_not_resumed(arena, tmp_path):
    train(arena, "--run-dir", "runs/mine")
    for name in ("config.toml", "status.json"):
        (tmp_path / "runs" / "mine" / name).write_text("{")
    assert "damaged" in arena("runs").out
    assert_one_line(arena("resume", "runs/mine"), "config.toml is not valid TOML")


def test_a_run_without_checkpoints_is_not_resumed(arena, tmp_path):
    train(arena, "--run-dir", "run")
    (tmp_path / "run" / "checkpoints").rename(tmp_path / "elsewhere")
    assert_one_line(arena("resume", "run"), "holds no checkpoint; the run cannot be resumed")


@pytest.mark.parametrize(
    "command",
    ["envs --json", "agents --json", "runs --json", "eval random --env CartPole-v1 --episodes 2 --json"],
)
def test_json_is_one_object_and_nothing_else(arena, command):
    outcome = arena(*command.split())
    assert outcome.code == 0
    assert outcome.err == ""
    assert isinstance(json.loads(outcome.out), dict)


def test_numbers_that_json_does_not_know_become_null(capsys):
    terminal.print_json({"a": [float("nan"), 1.0], 3: float("inf")})
    assert json.loads(capsys.readouterr().out) == {"a": [None, 1.0], "3": None}


def test_the_agents_are_listed_with_their_presets(arena):
    rows = {row["name"]: row for row in json.loads(arena("agents", "--json").out)["agents"]}
    assert set(rows) == set(registry.plugins())
    assert rows["dqn"]["class"] == "agents.dqn:DQN"
    assert "CartPole-v1" in rows["dqn"]["presets"]


@pytest.mark.parametrize(
    ("space", "text"),
    [
        ("Box(0, 255, (4, 84, 84), uint8)", "Box(4, 84, 84) uint8"),
        ("Box([-4.8  -inf\n -4.1], [4.8 inf\n 4.1], (4,), float32)", "Box(4) float32"),
        ("Box(-1.0, 1.0, (), float64)", "Box() float64"),
        ("Discrete(2)", "Discrete(2)"),
        ("MultiDiscrete([2 3\n 4])", "MultiDiscrete([2 3 4])"),
    ],
)
def test_spaces_are_shown_without_their_bounds(space, text):
    assert terminal.space_text(space) == text


@pytest.mark.parametrize("columns", [60, 80])
def test_an_environment_is_one_line_in_a_narrow_terminal(arena, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = arena("envs", "CartPole").out.splitlines()
    assert [line.split()[0] for line in lines] == ["id", "CartPole-v0", "CartPole-v1", "arena/CartPoleNoVelocity-v1"]
    assert "Box(4) float32" in lines[1]


def test_the_help_of_every_command_is_not_cut_off(arena, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = arena("--help").out
    assert "..." not in text.replace("[ARGS]...", "")
    assert arena().out == text


def test_check_names_the_rules_and_fails_with_them(arena, tmp_path):
    good = arena("check", "random", "--env", "CartPole-v1")
    assert good.code == 0
    assert [line[0] for line in good.out.splitlines()] == ["✓"] * 4
    (tmp_path / "mine.py").write_text(GOOD.format(init="", answer="Decision(np.zeros(2, np.int64))"))
    bad = arena("check", "mine.py:Mine", "--env", "CartPole-v1")
    assert bad.code == 2
    assert bad.out.startswith("✗ act() answers every batch of rows: Mine.act() must give actions of shape (3,)")
    assert bad.err == "arena: mine.py:Mine breaks 1 of 1 rules of the contract\n"


def test_a_log_gets_a_line_now_and_then(monkeypatch, capsys):
    clock = iter([0.0, 10.0, 31.0, 31.0, 40.0])
    monkeypatch.setattr(terminal.time, "monotonic", lambda: next(clock))
    with terminal.bar("dqn on [CartPole]") as update:
        update(0.1, "one")
        update(0.2, "two")
        update(0.3, "three")
    assert capsys.readouterr().err == "dqn on [CartPole]: 20%  two\n"


# Processes.


def start(*arguments: object, folder: Path, **options: object) -> subprocess.Popen:
    command = [sys.executable, "-m", "arena.cli", *map(str, arguments)]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, **options)


def wait_for(path: Path, process: subprocess.Popen) -> None:
    while not path.exists():
        assert process.poll() is None, "it ended before it was to be stopped"
        time.sleep(0.05)


def test_ctrl_c_saves_says_so_and_the_run_goes_on(arena, tmp_path):
    long = ("train", "q_learning", "--env", "CartPole-v1", "--steps", 10_000_000, "--set", "eval_every=100", *BRIEF)
    process = start(*long, "--run-dir", "run", folder=tmp_path, stderr=subprocess.PIPE)
    wait_for(tmp_path / "run" / "status.json", process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert process.returncode == 130
    assert err == "stopping: a checkpoint is being saved\n"
    assert out.splitlines()[-1] == "interrupted and saved; go on with: arena resume run"
    step = json.loads((tmp_path / "run" / "status.json").read_text())["step"]
    resumed = arena("resume", "run", "--steps", step + 50)
    assert resumed.code == 0
    assert resumed.out.startswith(f"{step + 50:,} steps, ")


def test_a_pipe_that_closes_early_makes_no_noise(tmp_path):
    process = start("envs", folder=tmp_path, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    process.wait()


@pytest.mark.parametrize(
    ("ref", "columns", "code", "last"),
    [
        ("random", 120, 0, "✓ random on CartPole-v1 ━"),
        ("random", 80, 0, "✓ random on CartPole-v1 ━"),
        ("nobody", 80, 2, "arena: unknown agent 'nobody'"),
    ],
)
def test_a_terminal_gets_a_bar_and_an_error_wipes_it_away(tmp_path, ref, columns, code, last):
    leader, follower = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": str(columns), "NO_COLOR": "1"}
    arguments = ("eval", ref, "--env", "CartPole-v1", "--episodes", 3)
    process = start(*arguments, folder=tmp_path, stderr=follower, env=environment)
    os.close(follower)
    shown = b""
    with contextlib.suppress(OSError):  # the other side is closed
        while piece := os.read(leader, 4096):
            shown += piece
    os.close(leader)
    process.communicate()
    text = re.sub("\x1b\\[[?0-9;]*[a-zA-Z]", "", shown.decode())
    assert process.returncode == code
    assert text.split("\r")[-2 if text.endswith("\r\n") else -1].strip().startswith(last), shown
