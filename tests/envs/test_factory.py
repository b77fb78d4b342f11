"""Making environments by id, and what is said when that cannot be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from arena.errors import BrokenPlugin, DoesNotFit, InvalidValue, MissingExtra, UnknownName
from envs import install_command, make

STRANGER = """
import gymnasium as gym
import numpy as np


class Corridor(gym.Env):
    observation_space = gym.spaces.Discrete(9)
    action_space = gym.spaces.Discrete(2, start=5)

    def __init__(self, length: int = 8):
        self.length = length

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place = 0
        return self.place, {}

    def step(self, action):
        self.place = min(self.place + {5: 0, 6: 1}[action], self.length)
        return self.place, 0.5, self.place == self.length, False, {}


class Misshapen(Corridor):
    observation_space = gym.spaces.Box(0, 1, (3,), np.float32)

    def reset(self, *, seed=None, options=None):
        return np.zeros(2, np.float32), {}


class Worded(Corridor):
    observation_space = gym.spaces.Text(5)


gym.register("Corridor-v0", "strange_envs:Corridor", max_episode_steps=7)
gym.register("strange/Endless-v2", Corridor)
gym.register("Misshapen-v0", Misshapen)
gym.register("Worded-v0", Worded)
"""


@pytest.fixture
def stranger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "strange_envs.py").write_text(STRANGER)
    (tmp_path / "broken_envs.py").write_text("import gymnasium\n1 / 0\n")
    (tmp_path / "needy_envs.py").write_text("import a_package_that_is_not_there\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    for module in ("strange_envs", "broken_envs", "needy_envs"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    before = dict(gym.registry)
    yield
    gym.registry.clear()
    gym.registry.update(before)
    sys.modules.pop("strange_envs", None)


@pytest.mark.usefixtures("stranger")
def test_a_strangers_module_is_imported_from_where_one_stands() -> None:
    env = make("strange_envs:Corridor-v0", 2, settings={"length": 2})
    assert env.reset(np.arange(2), np.arange(2)).tolist() == [0, 0]
    first = env.step(np.array([1, 0]))  # action 1 of 2 is Gymnasium's 6, for the space starts at 5
    assert first.obs.tolist() == [1, 0]
    assert first.obs.dtype == np.int64
    assert env.step(np.array([1, 0])).terminated.tolist() == [True, False]
    assert env.spec.env_id == "strange_envs:Corridor-v0"
    assert dict(env.spec.protocol) == {"preprocessing": "none", "max_episode_steps": 7, "length": 2}


@pytest.mark.usefixtures("stranger")
def test_an_environment_without_a_cap_gets_the_loops() -> None:
    spec = make("strange_envs:strange/Endless-v2").spec
    assert spec.max_episode_steps == spec.protocol["max_episode_steps"] == 10_000


@pytest.mark.usefixtures("stranger")
@pytest.mark.parametrize(
    ("env_id", "error", "message"),
    [
        ("nowhere:Env-v0", UnknownName, "no module 'nowhere' to import"),
        ("strange_envs:Corridor-v3", UnknownName, "did you mean 'Corridor-v0'"),
        ("broken_envs:Env-v0", BrokenPlugin, r"failed at broken_envs\.py:2: ZeroDivisionError"),
        ("needy_envs:Env-v0", MissingExtra, "needs the package 'a_package_that_is_not_there'"),
        ("strange_envs:Worded-v0", DoesNotFit, "observations Text"),
    ],
)
def test_a_strangers_faults_are_told_in_one_line(env_id: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as raised:
        make(env_id)
    assert "\n" not in str(raised.value)


@pytest.mark.usefixtures("stranger")
def test_observations_of_another_shape_than_the_space_are_found_at_reset() -> None:
    env = make("strange_envs:Misshapen-v0")
    with pytest.raises(BrokenPlugin, match=r"shape \(2,\); its observation space says \(3,\)"):
        env.reset(np.arange(1), np.arange(1))


@pytest.mark.usefixtures("stranger")
def test_an_environment_that_draws_nothing_cannot_be_rendered() -> None:
    with pytest.raises(DoesNotFit, match="draws no pictures"):
        make("strange_envs:Corridor-v0", render=True)


@pytest.mark.parametrize(
    ("env_id", "nearest"),
    [
        ("Taxi-v3", "'Taxi-v4'"),
        ("LunarLander-v2", "'LunarLander-v3'"),
        ("cartpole", "'CartPole-v1'"),
        ("CartPole-v1x", "'CartPole-v1'"),
        ("Pong-v5", "'ALE/Pong-v5'"),
        ("ALE/Pogn-v5", "'ALE/Pong-v5'"),
    ],
)
def test_an_unknown_id_gets_the_nearest(env_id: str, nearest: str) -> None:
    with pytest.raises(UnknownName, match=f"did you mean {nearest}"):
        make(env_id)


def test_old_atari_ids_lead_to_the_game() -> None:
    with pytest.raises(UnknownName, match="ALE/Breakout-v5"):
        make("BreakoutNoFrameskip-v4")


def test_an_old_version_is_made_without_a_word() -> None:
    assert make("CartPole-v0").spec.max_episode_steps == 200  # warnings are errors here


def test_box2d_is_imported_where_warnings_are_errors() -> None:
    pytest.importorskip("Box2D")
    code = "from envs import make; make('LunarLander-v3')"
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-W", "error::DeprecationWarning", "-c", code], check=True, cwd=root)


@pytest.mark.parametrize(
    ("extra", "package", "env_id"), [("box2d", "Box2D", "LunarLander-v3"), ("mujoco", "mujoco", "Ant-v5")]
)
def test_a_missing_extra_names_its_command(
    extra: str, package: str, env_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [name for name in sys.modules if name.startswith(f"gymnasium.envs.{extra}")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=rf'pip install "\.\[{extra}\]"'):
        make(env_id)
    assert install_command(extra) == f'pip install ".[{extra}]"'


def test_a_version_that_todays_packages_cannot_make_names_the_newest() -> None:
    with pytest.raises(MissingExtra, match="the newest version is Ant-v5"):
        make("Ant-v3")


def test_composite_observations_are_flattened_and_the_protocol_says_so() -> None:
    env = make("Blackjack-v1", 2)
    obs = env.reset(np.arange(2), np.arange(2))
    assert env.spec.protocol["observation"] == "flattened"
    assert obs.shape == (2, 45)  # 32 sums, 11 cards of the dealer, ace or not: one-hot
    assert obs.sum(axis=1).tolist() == [3, 3]


def test_a_setting_reaches_the_environment() -> None:
    env = make("FrozenLake-v1", settings={"map_name": "8x8", "max_episode_steps": 3})
    assert str(env.spec.observation_space) == "Discrete(64)"
    assert dict(env.spec.protocol) == {"preprocessing": "none", "max_episode_steps": 3, "map_name": "8x8"}
    env.reset(np.arange(1), np.arange(1))
    assert [bool(env.step(np.zeros(1, np.int64)).truncated[0]) for _ in range(3)] == [False, False, True]


@pytest.mark.parametrize(
    ("env_id", "settings", "error", "message"),
    [
        ("CartPole-v1", {"gravity": 3}, UnknownName, "choices: max_episode_steps, sutton_barto_reward"),
        ("CartPole-v1", {"render_mode": "human"}, UnknownName, "render_mode"),
        ("CartPole-v1", {"sutton_barto_reward": "yes"}, InvalidValue, "is true or false, not 'yes'"),
        ("CartPole-v1", {"max_episode_steps": 0}, InvalidValue, "at least 1, not 0"),
        ("Pendulum-v1", {"g": "high"}, InvalidValue, "is a number, not 'high'"),
        ("FrozenLake-v1", {"map_name": "5x5"}, InvalidValue, "does not take map_name='5x5'"),
    ],
)
def test_a_setting_that_cannot_be_is_told_in_one_line(
    env_id: str, settings: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message) as raised:
        make(env_id, settings=settings)
    assert "\n" not in str(raised.value)


def test_a_maker_that_passes_keywords_on_still_names_its_own() -> None:
    pytest.importorskip("mujoco")
    with pytest.raises(UnknownName, match="reset_noise_scale"):
        make("Hopper-v5", settings={"wind": 1})


@pytest.mark.parametrize("num_rows", [0, -1])
def test_there_is_at_least_one_row(num_rows: int) -> None:
    with pytest.raises(InvalidValue, match="at least 1"):
        make("CartPole-v1", num_rows)


def test_pictures_are_rgb() -> None:
    env = make("CartPole-v1", render=True)
    env.reset(np.arange(1), np.arange(1))
    picture = env.render()
    assert picture.dtype == np.uint8
    assert picture.shape == (400, 600, 3)
    env.close()
