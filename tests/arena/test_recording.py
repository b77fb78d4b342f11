"""arena.record: films of the games that an evaluation reports, under names that tell their story."""

import json
import os
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest

from arena.archive import file_safe
from arena.errors import ArenaError, InvalidValue, UnknownName
from arena.evaluation import evaluate
from arena.film import film
from arena.gamelog import Game
from arena.recording import Progress, record

PLAYER = """
import numpy as np
from arena.agent import Decision, Player

class Leaning(Player):
    def act(self, obs, state):
        return Decision((obs.reshape(len(obs), -1)[:, -1] > 0).astype(np.int64))
"""


@pytest.fixture
def leaning(tmp_path):
    path = tmp_path / "leaning.py"
    path.write_text(PLAYER)
    return f"{path}:Leaning"


class Dice(gym.Env):
    """An environment that no seed makes reproducible."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012
    observation_space = gym.spaces.Box(-1.0, 1.0, (1,), np.float32)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return np.zeros(1, np.float32), {}

    def step(self, action):
        self.steps += 1
        return np.zeros(1, np.float32), int.from_bytes(os.urandom(4)) / 2**32, self.steps == 3, False, {}

    def render(self):
        return np.zeros((40, 40, 3), np.uint8)


def test_recorded_games_are_those_that_an_evaluation_reports(leaning, tmp_path):
    games = {"episodes": 3, "seed": 5, "env_settings": {"max_episode_steps": 30}}
    recordings = record(leaning, "CartPole-v1", out=tmp_path / "out", **games)
    evaluation = evaluate(leaning, "CartPole-v1", **games)
    assert [recording.game.ret for recording in recordings] == evaluation.returns
    assert [recording.game.seed for recording in recordings] == evaluation.seeds
    assert [recording.game.protocol for recording in recordings] == [evaluation.protocol] * 3


def test_files_are_named_so_that_sorting_them_tells_the_story(leaning, tmp_path):
    out = tmp_path / "out"
    recordings = record(leaning, "CartPole-v1", episodes=2, out=out, env_settings={"max_episode_steps": 4})
    assert [recording.video.name for recording in recordings] == [
        "CartPole-v1_Leaning_seed0_episode0000_return+00004.00.mp4",
        "CartPole-v1_Leaning_seed0_episode0001_return+00004.00.mp4",
    ]
    kinds = sorted(path.suffix for path in out.iterdir())
    assert kinds == [".json", ".json", ".mp4", ".mp4", ".npz", ".npz"]


def test_the_json_beside_a_film_tells_who_played_what(leaning, tmp_path):
    (recording,) = record(leaning, "CartPole-v1", out=tmp_path / "out", env_settings={"max_episode_steps": 4})
    about = json.loads(recording.data.read_text())
    assert about["agent"] == "Leaning"
    assert about["env"] == "CartPole-v1"
    assert (about["return"], about["length"], about["truncated"]) == (4.0, 4, True)
    assert about["protocol"]["max_episode_steps"] == 4
    assert about["video"] == recording.video.name
    assert about["seed"] == recording.game.seed
    json.dumps(recording.to_json())


def test_a_recorded_game_can_be_filmed_again_from_its_log(leaning, tmp_path):
    (recording,) = record(leaning, "CartPole-v1", out=tmp_path / "out", env_settings={"max_episode_steps": 4})
    again = film(Game.load(recording.log), tmp_path / "again.mp4")
    assert again.read_bytes() == recording.video.read_bytes()


def test_the_same_game_replaces_its_own_files(leaning, tmp_path):
    settings = {"max_episode_steps": 4}
    (first,) = record(leaning, "CartPole-v1", out=tmp_path / "out", env_settings=settings)
    first.video.write_text("an old film")
    (second,) = record(leaning, "CartPole-v1", out=tmp_path / "out", env_settings=settings)
    assert second.video == first.video
    assert second.video.stat().st_size > 1000
    assert len(list((tmp_path / "out").iterdir())) == 3


def test_progress_tells_games_and_frames(leaning, tmp_path):
    seen = []
    settings = {"max_episode_steps": 2}
    record(leaning, "CartPole-v1", out=tmp_path, fmt="gif", env_settings=settings, on_progress=seen.append)
    filming = [Progress(1, 0, 1, frame, 3) for frame in (1, 2, 3)]
    assert seen == [Progress(1, 0, 1, 0, 0), *filming, Progress(1, 1, 1, 0, 0)]


def test_nothing_is_printed(leaning, tmp_path, capfd):
    record(leaning, "CartPole-v1", out=tmp_path / "out", env_settings={"max_episode_steps": 2})
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""


def test_what_is_not_reproducible_is_filmed_live(leaning, tmp_path):
    gym.register("Dice-v0", Dice)
    try:
        (recording,) = record(leaning, "Dice-v0", out=tmp_path / "out")
    finally:
        del gym.registry["Dice-v0"]
    about = json.loads(recording.data.read_text())
    assert about["log"] is None
    assert f"return{about['return']:+09.2f}.mp4" in recording.video.name
    assert sorted(path.suffix for path in (tmp_path / "out").iterdir()) == [".json", ".mp4"]


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"episodes": 0}, InvalidValue, "episodes must be"),
        ({"seed": -1}, InvalidValue, "a seed is"),
        ({"fmt": "avi"}, InvalidValue, "mp4 or gif, not 'avi'"),
        ({"mode": "wild"}, InvalidValue, "a mode is"),
        ({"env_id": "CartPool-v1"}, UnknownName, "CartPole-v1"),
    ],
)
def test_bad_input_is_told_in_one_line_and_writes_nothing(leaning, tmp_path, given, error, words):
    arguments = {"env_id": "CartPole-v1", "out": tmp_path / "out", **given}
    with pytest.raises(error, match=words) as caught:
        record(leaning, **arguments)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_to_is_told_in_one_line(leaning, tmp_path):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(ArenaError, match="could not write the film"):
        record(leaning, "CartPole-v1", out=tmp_path / "out", env_settings={"max_episode_steps": 2})


def test_names_are_safe_for_files():
    assert file_safe("ALE/Pong-v5") == "ALE-Pong-v5"
    assert file_safe("my_envs:Grid-v0") == "my-envs-Grid-v0"
    assert file_safe("../..") == "agent"


def test_importing_the_recorder_imports_nothing_heavy():
    heavy = "tensorflow", "moviepy", "cv2", "pygame", "PIL", "matplotlib"
    code = f"import sys, arena.recording, arena.watch; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
