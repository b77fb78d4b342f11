"""Several agents on one film: side by side, on the same seed, in lockstep, until the last one has ended."""

import json
import weakref
from types import SimpleNamespace

import imageio_ffmpeg
import numpy as np
import pytest

import arena as arena_api
from arena import functions, grid
from arena.agent import Spec
from arena.encoder import Encoder
from arena.evaluation import evaluate
from arena.grid import Sheet, in_lockstep, record_grid
from arena.pace import Look
from arena.pen import CHOSEN
from arena.policy import Card, Policy, save
from envs import make

PLAYERS = """
import numpy as np
from arena.agent import Decision, Player

class Left(Player):
    def act(self, obs, state):
        return Decision(np.zeros(len(obs), np.int64))

class Leaning(Player):
    def act(self, obs, state):
        return Decision((obs[:, -1] > 0).astype(np.int64))
"""
SHORT = {"max_episode_steps": 20}


@pytest.fixture
def players(tmp_path):
    path = tmp_path / "players.py"
    path.write_text(PLAYERS)
    return [f"{path}:Left", f"{path}:Leaning"]


def size_of(path):
    """Returns frames, frames a second, width and height of a film."""
    frames, seconds = imageio_ffmpeg.count_frames_and_secs(str(path))
    reader = imageio_ffmpeg.read_frames(str(path))
    width, height = next(reader)["size"]
    reader.close()
    return frames, round(frames / seconds), width, height


def screen(score=0.0, name="a", is_over=False, picture=None):
    """Stands for a take, at one moment."""
    picture = np.full((40, 60, 3), 200, np.uint8) if picture is None else picture
    return SimpleNamespace(name=name, is_over=is_over, shot=SimpleNamespace(picture=picture, score=score))


def test_every_agent_plays_the_game_that_its_evaluation_reports(players, tmp_path):
    film = record_grid(players, "CartPole-v1", seed=4, out=tmp_path / "out", env_settings=SHORT)
    alone = [evaluate(ref, "CartPole-v1", episodes=1, seed=4, env_settings=SHORT) for ref in players]
    assert [game.ret for game in film.games] == [evaluation.mean for evaluation in alone]
    assert [game.protocol for game in film.games] == [evaluation.protocol for evaluation in alone]
    assert {game.seed for game in film.games} == set(alone[0].seeds)


def test_the_film_lasts_until_the_last_game_has_ended_and_its_end_stays(players, tmp_path):
    film = record_grid(players, "CartPole-v1", out=tmp_path / "out", env_settings=SHORT)
    left, leaning = (game.length for game in film.games)
    assert left < leaning == 20
    assert size_of(film.video)[:2] == (21 + 75, 50)  # every moment of 20 steps, and 1.5 s of the last
    assert film.video.name == "CartPole-v1_grid_Left_Leaning_seed0.mp4"


def test_the_json_beside_the_film_tells_the_games(players, tmp_path):
    film = record_grid(players, "CartPole-v1", out=tmp_path / "out", env_settings=SHORT)
    about = json.loads(film.data.read_text())
    assert about["video"] == film.video.name
    assert [game["agent"] for game in about["games"]] == ["Left", "Leaning"]
    assert [game["return"] for game in about["games"]] == [game.ret for game in film.games]
    assert sorted(path.suffix for path in film.video.parent.iterdir()) == [".json", ".mp4"]


def test_a_gif_is_as_wide_and_as_long_as_asked_and_tells_the_final_scores(players, tmp_path):
    look = Look(width=300, fps=10, seconds=0.2)
    film = record_grid(players, "CartPole-v1", out=tmp_path, fmt="gif", look=look, env_settings=SHORT)
    frames, _, width, _ = size_of(film.video)
    assert (frames, width) == (2 + 15, 300)  # 0.2 s and 1.5 s at 10 frames a second
    assert film.games[1].length == 20  # played to its end all the same


def test_agents_play_with_the_preprocessing_that_is_their_own(tmp_path):
    spec: Spec = make("ALE/Pong-v5", 1, preprocess="cookbook-pong").spec
    card = Card.of("linear", spec, "greedy", {})
    num_pixels = int(np.prod(spec.observation_space.shape))
    layer = functions.Linear(np.zeros((num_pixels, spec.action_space.n), np.float32), np.zeros(1, np.float32))
    ref = str(save(Policy(layer, card), tmp_path / "linear"))
    settings = {"max_episode_steps": 5}
    film = record_grid(["random", ref], "ALE/Pong-v5", out=tmp_path, look=Look(width=200), env_settings=settings)
    assert [game.preprocess for game in film.games] == ["atari", "cookbook-pong"]


def test_two_of_the_same_name_are_told_apart_by_their_files(tmp_path):
    spec = make("CartPole-v1").spec
    refs = []
    for name in ("early", "late"):
        layer = functions.Linear(np.zeros((4, 2), np.float32), np.zeros(2, np.float32))
        refs.append(str(save(Policy(layer, Card.of("linear", spec, "greedy", {})), tmp_path / name)))
    film = record_grid([*refs, "random"], "CartPole-v1", out=tmp_path, env_settings={"max_episode_steps": 2})
    assert [game.agent for game in film.games] == ["early.npz", "late.npz", "random"]


class Moments:
    """Stands for a take of so many moments, `fps` of which are a second."""

    def __init__(self, fps, length):
        self.fps, self.num_moments, self._length = fps, 1, length

    @property
    def is_over(self):
        return self.num_moments == self._length

    def advance(self):
        assert not self.is_over
        self.num_moments += 1


def test_all_advance_together_and_those_that_have_ended_wait():
    one, other = Moments(30, 2), Moments(30, 4)
    assert [(num, one.num_moments, other.num_moments) for num in in_lockstep([one, other])] == [
        (0, 1, 1),
        (1, 2, 2),
        (1, 2, 3),
        (2, 2, 4),
    ]


def test_the_same_time_passes_whatever_the_frame_skip():
    skipping, whole = Moments(15, 3), Moments(60, 9)
    seen = [(skipping.num_moments, whole.num_moments) for _ in in_lockstep([skipping, whole])]
    assert seen == [(1, 1), (1, 2), (1, 3), (1, 4), (2, 5), (2, 6), (2, 7), (2, 8), (3, 9)]


@pytest.mark.parametrize(
    ("num_screens", "columns", "rows"),
    [(2, 2, 1), (3, 3, 1), (4, 2, 2), (5, 3, 2), (6, 3, 2), (7, 4, 2), (9, 3, 3), (12, 4, 3)],
)
def test_the_layout_is_nearly_square_and_has_few_holes(num_screens, columns, rows):
    sheet = Sheet(num_screens, 60, 40)
    assert (sheet.num_columns, sheet.num_rows) == (columns, rows)


def test_screens_show_pictures_at_a_whole_multiple_where_no_width_is_asked_for():
    picture = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    frame = Sheet(2, 60, 40).draw([screen(picture=picture)] * 2)
    # Two screens have (960 - 6) / 2 = 477 pixels each, of which 420 are 7 times 60.
    assert frame.shape == (26 + 280, 846, 3)
    assert (frame[26:, :420] == picture.repeat(7, axis=0).repeat(7, axis=1)).all()


@pytest.mark.parametrize("width", [64, 301, 640])
def test_sheets_are_as_wide_as_asked_but_for_less_than_a_column_each_and_even(width):
    height, across, _ = Sheet(3, 60, 40, width).draw([screen()] * 3).shape
    assert height % 2 == across % 2 == 0
    assert width - 3 < across <= width + 1


def test_what_has_ended_is_dimmed_and_marked_and_stays_as_it_is():
    sheet = Sheet(2, 60, 40, 600)
    before = sheet.draw([screen(), screen()])
    ended = screen(score=21.0, is_over=True)
    after = sheet.draw([screen(), ended])
    left, right = after[:, :297], after[:, 303:]
    assert (left == before[:, :297]).all()
    assert right[40:].max() < 120  # of 200
    assert not (left == CHOSEN).all(axis=2).any()
    assert (right[:26] == CHOSEN).all(axis=2).any()
    ended.shot.picture[:] = 0  # never drawn again
    assert (sheet.draw([screen(), ended]) == after).all()


def test_long_names_leave_room_for_the_score():
    score = Sheet(2, 60, 40, 600).draw([screen(1234.0), screen()])[:26, 150:297]
    long = Sheet(2, 60, 40, 600).draw([screen(1234.0, "a name that goes on and on and on and on"), screen()])
    assert (long[:26, 250:297] == score[:, 100:]).all()


def test_no_more_than_a_frame_or_two_are_in_memory(players, tmp_path, monkeypatch):
    written, most = [], []

    class Watching(Encoder):
        def write(self, rgb):
            written.append(weakref.ref(rgb))
            most.append(sum(frame() is not None for frame in written))
            super().write(rgb)

    monkeypatch.setattr(grid, "Encoder", Watching)
    record_grid(players, "CartPole-v1", out=tmp_path, look=Look(width=100), env_settings=SHORT)
    assert len(written) == 21 + 75
    assert max(most[:21]) <= 2


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("--grid random --env CartPole-v1", "a grid takes two agents or more, not 1"),
        ("random random --env CartPole-v1", "random random are several; --grid films them side by side"),
        ("--grid random random", "record needs --env ID; only what --match and --story film knows its own"),
        ("--grid random rndom --env CartPole-v1", "unknown agent 'rndom'; did you mean 'random'?"),
        ("--grid random random --env connect_four", "connect_four is a game for 2 players"),
        ("--grid random random --env CartPole-v1 --episodes 2", "--grid and --episodes exclude each other"),
        ("--grid random random --env CartPole-v1 --no-overlay", "--grid and --no-overlay exclude each other"),
        ("--grid random random --env CartPole-v1 --story", "--grid and --story exclude each other"),
        ("--grid random random --env CartPole-v1 --format avi", "the format of a film is mp4 or gif, not 'avi'"),
        ("--grid random random --env CartPole-v1 --width 10", "width must be a whole number of at least 64 pixels"),
        ("random --env CartPole-v1 --game 1", "--game goes with --match only"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(arena, tmp_path, command, line):
    outcome = arena("record", *command.split())
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1
    assert line in outcome.err
    assert list(tmp_path.iterdir()) == []


def test_the_command_tells_where_the_film_is(arena, players):
    options = ("--env", "CartPole-v1", "--env-set", "max_episode_steps=3", "--width", "100")
    outcome = arena("record", "--grid", *players, *options, "--json")
    about = json.loads(outcome.out)
    assert about["video"] == "recordings/CartPole-v1_grid_Left_Leaning_seed0.mp4"
    assert [game["return"] for game in about["games"]] == [3.0, 3.0]


def test_python_offers_the_same(players, tmp_path):
    film = arena_api.record(grid=players, env="CartPole-v1", out=tmp_path, look=Look(width=100), env_settings=SHORT)
    assert [game.agent for game in film.games] == ["Left", "Leaning"]
