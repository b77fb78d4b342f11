"""The story of a run: the same game at 0, 1, 10 and 100% of its training, on one film."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import imageio_ffmpeg
import numpy as np
import pytest

import arena as arena_api
from arena.config import RunConfig
from arena.errors import ArenaError
from arena.evaluation import evaluate
from arena.pace import Look
from arena.pen import CHOSEN, TEXT
from arena.story import Pages, Part, parts_of, record_story
from arena.training import Hooks, train

SHORT = Look(width=200, seconds=0.1)


@pytest.fixture(scope="module", autouse=True)
def no_pictures() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("arena.plots.learning_curve", lambda folder: None)
        patch.setattr("arena.previews.Previews.show", lambda *arguments: None)
        yield


def config(**changes: Any) -> RunConfig:
    common = {
        "agent": "q_learning",
        "env": "CartPole-v1",
        "steps": 600,
        "settings": {"features_per_width": 5},
        "env_settings": {"max_episode_steps": 40},
        "eval_every": 200,
        "eval_episodes": 1,
    }
    return RunConfig.of(**{**common, **changes})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(config(), run_dir=tmp_path_factory.mktemp("story") / "run").folder


@pytest.fixture
def copied(run: Path, tmp_path: Path) -> Path:
    """A copy of the run, to be changed."""
    return shutil.copytree(run, tmp_path / "copy")


def test_the_parts_are_0_1_10_and_100_percent_with_their_steps(run: Path):
    assert [(part.title, part.step) for part in parts_of(run)] == [
        ("0% of training", 0),
        ("1% of training", 6),
        ("10% of training", 60),
        ("100% of training", 600),
    ]


def test_every_part_is_the_game_that_an_evaluation_of_its_policy_reports(run: Path, tmp_path: Path):
    film = record_story(run, seed=5, out=tmp_path, look=SHORT)
    settings = {"max_episode_steps": 40}
    files = [*sorted((run / "milestones").iterdir()), run / "final.npz"]
    alone = [evaluate(str(file), "CartPole-v1", episodes=1, seed=5, env_settings=settings) for file in files]
    assert [game.ret for game in film.games] == [evaluation.mean for evaluation in alone]
    assert [game.protocol for game in film.games] == [evaluation.protocol for evaluation in alone]
    assert len({game.seed for game in film.games}) == 1


def test_every_part_is_cut_and_its_end_stays_on(run: Path, tmp_path: Path):
    film = arena_api.record(story=run, out=tmp_path, look=SHORT)
    assert min(game.length for game in film.games) > 5
    frames, _ = imageio_ffmpeg.count_frames_and_secs(str(film.video))
    assert frames == 4 * (5 + 75)  # 0.1 s and 1.5 s at 50 frames a second
    assert film.video.name == "run_story_seed0.mp4"
    assert [game["return"] for game in json.loads(film.data.read_text())["games"]] == [g.ret for g in film.games]


def test_a_run_that_is_not_finished_ends_with_its_best_policy_so_far(tmp_path: Path):
    asked = iter(range(1, 10**9))
    hooks = Hooks(should_stop=lambda: next(asked) >= 320)
    stopped = train(config(), run_dir=tmp_path / "run", hooks=hooks)
    parts = parts_of(stopped.folder)
    assert [part.title for part in parts] == ["0% of training", "1% of training", "10% of training", "the best so far"]
    assert parts[-1].step == 200  # the only evaluation


def test_a_run_that_has_only_begun_is_as_far_as_it_is(tmp_path: Path):
    asked = iter(range(1, 10**9))
    stopped = train(config(), run_dir=tmp_path / "run", hooks=Hooks(should_stop=lambda: next(asked) >= 20))
    assert [part.title for part in parts_of(stopped.folder)] == ["0% of training", "1% of training"]


def test_a_run_without_early_policies_is_told_what_to_do(copied: Path, arena: Any):
    shutil.rmtree(copied / "milestones")
    outcome = arena("record", "--story", copied)
    assert outcome.code == 2
    assert outcome.err == (
        f"arena: {copied} has no policies of its beginning, which newer trainings keep; train it again with "
        "`arena train q_learning --env CartPole-v1`\n"
    )
    assert not (copied.parent / "recordings").exists()


def test_a_damaged_early_policy_is_told_in_one_line(copied: Path):
    (copied / "milestones" / "001.npz").write_bytes(b"nothing")
    with pytest.raises(ArenaError, match=r"001\.npz is not a policy of the arena, or is damaged"):
        parts_of(copied)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ("--env CartPole-v1", "--story and --env exclude each other"),
        ("--episodes 2", "--story and --episodes exclude each other"),
        ("--preprocess none", "--story and --preprocess exclude each other"),
        ("--mode wild", "a mode is greedy, sample or epsilon=X"),
        ("--format avi", "the format of a film is mp4 or gif, not 'avi'"),
        ("--seconds 0", "seconds must be a number above 0, not 0.0"),
        ("other", "are several; --grid films them side by side"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(run: Path, arena: Any, tmp_path: Path, options: str, line: str):
    outcome = arena("record", "--story", run, *options.split())
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1
    assert line in outcome.err
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_folder_that_is_no_run_is_told_in_one_line(arena: Any):
    assert arena("record", "--story", "nowhere").err == "arena: there is no run folder nowhere\n"


def test_the_command_tells_where_the_film_is(run: Path, arena: Any):
    outcome = arena("record", "--story", run, "--format", "gif", "--seconds", "0.1", "--width", "100", "--fps", "10")
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("recordings/run_story_seed0.gif  0.0 MB, return q_learning ")


def take(is_over: bool = False) -> Any:
    picture = np.full((200, 300, 3), 90, np.uint8)
    return SimpleNamespace(
        name="a", env_id="E-v0", is_over=is_over, shot=SimpleNamespace(picture=picture, score=12.0, finished=None)
    )


def part(step: int) -> Part:
    return Part(None, "10% of training", step)


CURVE = (np.array([100.0, 200.0, 300.0]), np.array([0.0, 5.0, 10.0]))


def test_the_game_stands_between_the_caption_and_the_curve_enlarged_and_untouched():
    frame = Pages(None, CURVE).draw(part(100), take())
    assert frame.shape == (56 + 400 + 64, 600, 3)
    assert (frame[56:456] == 90).all()


def test_films_are_as_wide_as_asked():
    assert Pages(240, CURVE).draw(part(100), take()).shape == (56 + 160 + 64, 240, 3)


def test_a_run_with_fewer_than_two_evaluations_has_no_curve():
    assert Pages(None, (np.array([100.0]), np.array([1.0]))).draw(part(100), take()).shape == (56 + 400, 600, 3)


@pytest.mark.parametrize(("step", "share"), [(0, 0.0), (150, 0.5), (300, 1.0), (600, 1.0)])
def test_the_marker_stands_where_the_policy_was_on_the_curve(step: int, share: float):
    footer = Pages(None, CURVE).draw(part(step), take())[456:]
    columns = np.flatnonzero((np.abs(footer.astype(int) - CHOSEN).max(axis=2) < 40).any(axis=0))
    assert abs(columns.mean() - (12 + share * 576)) < 2  # between margins of 12 pixels


def test_the_curve_is_bright_as_far_as_the_policy_has_come():
    def bright(step: int) -> int:
        footer = Pages(None, CURVE).draw(part(step), take())[456 + 20 :]
        return int((np.abs(footer.astype(int) - TEXT).max(axis=2) < 40).any(axis=0).sum())

    assert bright(0) == 0
    assert 180 < bright(200) < 200  # of 576 pixels for 300 steps, from the first evaluation on
    assert 370 < bright(300) < 390


def test_the_final_score_is_marked():
    before, after = (Pages(None, CURVE).draw(part(100), take(is_over))[:56] for is_over in (False, True))
    assert not (before == CHOSEN).all(axis=2).any()
    assert (after == CHOSEN).all(axis=2).any()
