"""References: one parser, and one line for whatever is wrong with one."""

from pathlib import Path

import pytest

from agents.random_agent import RandomAgent
from arena import policy, registry, sources
from arena.agent import Mode, Player
from arena.errors import ArenaError, BrokenPlugin, DamagedFile, UnknownName
from envs import make

GOOD = """
import numpy as np
from arena.agent import Decision, Player

class Left(Player):
    def act(self, obs, state): return Decision(np.zeros(len(obs), np.int64))
"""


def written(folder: Path, source: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(source)
    return path


def test_a_plugin_is_found_by_its_name():
    reference = registry.resolve("random")
    assert (reference.name, reference.player_class, reference.is_learner) == ("random", RandomAgent, False)
    assert registry.resolve("q_learning").is_learner


def test_a_class_is_found_in_a_file(tmp_path):
    reference = registry.resolve(f"{written(tmp_path, GOOD)}:Left")
    assert reference.name == "Left"
    assert reference.player(make("CartPole-v1").spec, seed=0).spec.env_id == "CartPole-v1"


def test_two_files_of_one_name_are_two_modules(tmp_path):
    (tmp_path / "other").mkdir()
    first = registry.resolve(f"{written(tmp_path, GOOD)}:Left").player_class
    second = registry.resolve(f"{written(tmp_path / 'other', GOOD)}:Left").player_class
    assert first is not second


def test_a_class_is_found_in_a_module_and_in_the_current_folder(tmp_path, monkeypatch):
    assert registry.resolve("agents.random_agent:RandomAgent").player_class is RandomAgent
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.path", [path for path in __import__("sys").path if path])
    written(tmp_path, GOOD, "module_of_the_current_folder.py")
    reference = registry.resolve("module_of_the_current_folder:Left")
    assert issubclass(reference.player_class, Player)


def test_a_policy_file_and_a_run_folder_give_the_saved_policy(tmp_path, litert_policy):
    reference = registry.resolve(str(litert_policy))
    assert (reference.name, reference.preprocess, reference.player_class) == ("network", "none", None)
    (tmp_path / "config.toml").write_text("")
    (tmp_path / "final.tflite").write_bytes(litert_policy.read_bytes())
    best = policy.load(litert_policy).with_mode(Mode("sample"))
    policy.save(best, tmp_path / "best")
    player = registry.resolve(str(tmp_path)).player(make("CartPole-v1").spec, seed=0)
    assert player.mode == Mode("sample")  # the best goes before the final one


@pytest.mark.parametrize(
    ("source", "name", "line"),
    [
        ("def f(:", "Left", r"mine\.py cannot be imported: SyntaxError: invalid syntax \(line 1\)"),
        ("1 / 0", "Left", r"mine\.py cannot be imported: ZeroDivisionError: division by zero"),
        (
            "import no_such_package",
            "Left",
            r"cannot be imported: ModuleNotFoundError: No module named 'no_such_package'",
        ),
        ("raise SystemExit(3)", "Left", r"mine\.py cannot be imported: SystemExit: 3"),
        (
            "class Left: pass",
            "Left",
            r"mine\.py:Left is neither a class that extends arena\.agent\.Player nor a function",
        ),
        (GOOD.replace("def act", "def play"), "Left", r"mine\.py:Left does not define act\(\)"),
        (GOOD, "Lef", r"unknown class or function in .*mine\.py 'Lef'; did you mean 'Left'\? \(choices: Left\)"),
    ],
)
def test_a_broken_file_is_one_line(tmp_path, source, name, line):
    with pytest.raises((BrokenPlugin, UnknownName), match=line) as caught:
        registry.resolve(f"{written(tmp_path, source)}:{name}")
    assert "\n" not in str(caught.value)


def test_a_constructor_that_fails_is_one_line(tmp_path):
    source = GOOD + "    def __init__(self, spec, *, seed, settings=None): self.size = spec.width\n"
    reference = registry.resolve(f"{written(tmp_path, source)}:Left")
    with pytest.raises(BrokenPlugin, match=r"Left\.__init__\(\) failed at mine\.py:7: AttributeError: 'Spec'"):
        reference.player(make("CartPole-v1").spec, seed=0)


@pytest.mark.parametrize(
    ("ref", "error", "line"),
    [
        (
            "rando",
            UnknownName,
            r"unknown agent 'rando'; did you mean 'random'\? \(choices: .*\); or give zoo:NAME, a run folder",
        ),
        ("no_such_module:Agent", UnknownName, "unknown agent 'no_such_module:Agent'"),
        ("agents.random_agent:Nobody", UnknownName, "unknown class or function in agents.random_agent 'Nobody'"),
        ("runs/nothing-here", ArenaError, "there is no run folder runs/nothing-here; `arena runs` lists"),
        ("nothing.npz", ArenaError, "there is no policy file nothing.npz"),
        ("nothing.py:Agent", ArenaError, "there is no file nothing.py"),
        ("", UnknownName, "unknown agent ''"),
        (":", UnknownName, "unknown agent ':'"),
    ],
)
def test_a_reference_to_nothing_is_one_line(ref, error, line):
    with pytest.raises(error, match=line) as caught:
        registry.resolve(ref)
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_no_run_and_a_run_without_a_policy_are_told_apart(tmp_path):
    with pytest.raises(DamagedFile, match=r"is not a run folder: it has no config\.toml"):
        registry.resolve(str(tmp_path))
    (tmp_path / "config.toml").write_text("")
    with pytest.raises(ArenaError, match="has no policy"):
        registry.resolve(str(tmp_path))


def test_a_plugin_whose_package_is_broken_is_one_line(monkeypatch):
    from importlib.metadata import EntryPoint

    entry = EntryPoint("broken", "no_such_package.agent:Agent", sources.GROUP)
    monkeypatch.setattr(registry, "plugins", lambda: {"broken": entry})
    with pytest.raises(BrokenPlugin, match=r"plugin broken \(no_such_package.agent:Agent\) cannot be imported: Mod"):
        registry.resolve("broken")


LEARNER = """
from arena.agent import Agent, Decision

class Mine(Agent):
    def act(self, obs, state): return Decision(obs)
    def observe(self, transition): pass
    def learn(self): return {}
    def policy(self): raise KeyError("weights")
    def save_state(self, folder): pass
    def restore_state(self, folder): pass
"""


def test_a_learner_whose_policy_fails_is_one_line(tmp_path):
    reference = registry.resolve(f"{written(tmp_path, LEARNER)}:Mine")
    with pytest.raises(BrokenPlugin, match=r"^Mine.policy\(\) failed at mine.py:8: KeyError: 'weights'$"):
        reference.player(make("CartPole-v1").spec, seed=0)


def test_a_full_disk_is_not_the_plugins_fault():
    with pytest.raises(OSError, match="No space left"), BrokenPlugin.guard("mine", "save_state"):
        raise OSError(28, "No space left on device")
