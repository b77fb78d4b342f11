"""Configurations: flags over presets over defaults, and every error names its key."""

from pathlib import Path

import pytest

from arena import config, registry
from arena.config import RunConfig, parse_assignments
from arena.errors import ArenaError, DamagedFile, InvalidValue, UnknownName


def test_values_are_toml_where_they_parse_as_it_and_text_elsewhere():
    pairs = [
        "a=1",
        "b=2.5e-3",
        "c=true",
        "d=False",
        "e=[64, 64]",
        "f=linear",
        'g="1"',
        "h=",
        "i=a=b",
        "j=1_000",
        "k=null",
    ]
    assert parse_assignments(pairs) == {
        **{"a": 1, "b": 2.5e-3, "c": True, "d": False, "e": [64, 64]},
        **{"f": "linear", "g": "1", "h": "", "i": "a=b", "j": 1000, "k": None},
    }


@pytest.mark.parametrize("pair", ["learning_rate", "=3", ""])
def test_an_assignment_without_a_key_or_value_names_its_flag(pair):
    with pytest.raises(InvalidValue, match="--env-set takes KEY=VALUE, not"):
        parse_assignments([pair], "--env-set")


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"steps": "abc"}, r"run: steps = 'abc': it should be a valid integer"),
        ({"steps": 0}, r"run: steps = 0: it should be greater than 0"),
        ({"episodes": -1}, r"run: episodes = -1: it should be greater than 0"),
        ({"minutes": -3}, r"run: minutes = -3: it should be greater than 0"),
        ({"minutes": float("inf")}, r"run: minutes = inf: it should be a finite number"),
        ({"num_envs": 0}, r"run: num_envs = 0: it should be greater than 0"),
        ({"seed": -1}, r"run: seed = -1: it should be greater than or equal to 0"),
        ({"checkpoint_every": 0}, r"run: checkpoint_every = 0"),
        ({"eval_every": 0.5}, r"run: eval_every = 0.5: it should be a valid integer"),
    ],
)
def test_a_value_that_cannot_be_names_its_key_and_what_was_given(values, line):
    with pytest.raises(InvalidValue, match=line) as caught:
        RunConfig.of(agent="dqn", env="CartPole-v1", **values)
    assert "\n" not in str(caught.value)


def test_an_unknown_key_names_the_nearest():
    with pytest.raises(UnknownName, match=r"unknown key of run 'stepz'; did you mean 'steps'\?"):
        RunConfig.of(agent="dqn", env="CartPole-v1", stepz=3)


PLUGIN = """
from arena.agent import Decision, Player, Settings
import numpy as np

class Own(Settings):
    rate: float = 0.5
    size: int = 8

class Mine(Player):
    Settings = Own
    def act(self, obs, state): return Decision(np.zeros(len(obs), np.int64))
"""
PRESETS = """
["*"]
steps = 10
["CartPole-*"]
steps = 20
["CartPole-v1"]
steps = 2_000
num_envs = 4
eval_episodes = 3
["CartPole-v1".settings]
rate = 0.1
"""


@pytest.fixture
def mine(tmp_path: Path) -> registry.Reference:
    """An agent with presets of its own."""
    (tmp_path / "mine.py").write_text(PLUGIN)
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "Mine.toml").write_text(PRESETS)
    return registry.resolve(f"{tmp_path / 'mine.py'}:Mine")


def resolved(reference: registry.Reference, env: str = "CartPole-v1", **values: object) -> RunConfig:
    return RunConfig.of(agent=reference.ref, env=env, **values).resolved(reference)


def test_flags_go_before_presets_and_presets_before_defaults(mine):
    run = resolved(mine, num_envs=2, settings={"size": 9})
    assert (run.steps, run.num_envs, run.eval_episodes, run.preset) == (2_000, 2, 3, "CartPole-v1")
    assert run.settings == {"rate": 0.1, "size": 9}
    assert run.horizon == 2_000
    assert run.eval_every == 100  # a twentieth of the horizon


@pytest.mark.parametrize(("env", "steps"), [("CartPole-v1", 2_000), ("CartPole-v0", 20), ("Acrobot-v1", 10)])
def test_the_longest_pattern_that_matches_is_used_alone(mine, env, steps):
    assert resolved(mine, env).steps == steps


def test_a_preset_can_be_asked_for_by_name(mine):
    assert resolved(mine, "Acrobot-v1", preset="CartPole-v1").settings["rate"] == 0.1
    with pytest.raises(UnknownName, match=r"unknown preset of Mine 'CartPole-v2'; did you mean 'CartPole-v1'\?"):
        resolved(mine, preset="CartPole-v2")


def test_another_budget_takes_the_place_of_the_presets_steps(mine):
    run = resolved(mine, episodes=5)
    assert (run.steps, run.episodes, run.horizon) == (None, 5, 2_000)


@pytest.mark.parametrize(
    ("settings", "error", "line"),
    [
        ({"rate": "fast"}, InvalidValue, "Mine's settings: rate = 'fast': it should be a valid number"),
        ({"rat": 1}, UnknownName, "unknown key of Mine's settings 'rat'; did you mean 'rate'?"),
    ],
)
def test_settings_are_checked_against_the_agents_own(mine, settings, error, line):
    with pytest.raises(error, match=line) as caught:
        resolved(mine, settings=settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("before", "after", "error", "line"),
    [
        ("num_envs = 4", "num_env = 4", UnknownName, "Mine's preset 'CartPole-v1' 'num_env'; did you mean 'num_envs'?"),
        ("num_envs = 4", "num_envs = 0", InvalidValue, "Mine's preset 'CartPole-v1': num_envs = 0"),
        ("rate = 0.1", "ratio = 0.1", UnknownName, "Mine's settings 'ratio'"),
        ("num_envs = 4", "num_envs =", DamagedFile, r"Mine\.toml is not valid TOML: Invalid value \(at line 8"),
    ],
)
def test_a_preset_that_cannot_be_is_one_line(mine, tmp_path, before, after, error, line):
    path = tmp_path / "presets" / "Mine.toml"
    path.write_text(PRESETS.replace(before, after))
    with pytest.raises(error, match=line) as caught:
        resolved(mine)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["dqn", "ppo", "q_learning", "random_search", "reinforce"])
def test_every_preset_of_ours_is_valid(name):
    reference = registry.resolve(name)
    presets = config.presets_of(reference)
    assert presets
    for pattern in presets:
        resolved(reference, pattern, preset=pattern)


def test_presets_are_read_without_importing_the_agent():
    assert config.presets_by_name("agents.dqn", "dqn").keys() == config.presets_of(registry.resolve("dqn")).keys()
    assert config.presets_by_name("nowhere", "nobody") == {}


def test_toml_comes_back_without_what_is_none(tmp_path: Path):
    path = tmp_path / "a.toml"
    config.write_toml(path, {"a": 1, "b": None, "c": {"d": None, "e": [1, None, 2]}})
    assert config.read_toml(path) == {"a": 1, "c": {"e": [1, 2]}}
    assert [p.name for p in tmp_path.iterdir()] == ["a.toml"]


@pytest.mark.parametrize("content", [b"a = ", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_one_line(tmp_path: Path, content: bytes):
    (tmp_path / "a.toml").write_bytes(content)
    with pytest.raises(DamagedFile, match=r"a\.toml is not valid TOML") as caught:
        config.read_toml(tmp_path / "a.toml")
    assert "\n" not in str(caught.value)
    with pytest.raises(ArenaError, match="there is no file"):
        config.read_toml(tmp_path / "b.toml")
