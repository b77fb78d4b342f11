"""Films: every frame of the game, playable in browsers, and nothing left behind when it goes wrong."""

import subprocess
from dataclasses import replace

import gymnasium as gym
import imageio_ffmpeg
import numpy as np
import pytest

import envs
from arena.agent import Decision, Player
from arena.encoder import Encoder
from arena.errors import ArenaError, InvalidValue
from arena.film import NotReproducible, Replay, film, film_live, fps_of, frames_of
from arena.gamelog import GameLog
from arena.loop import run
from arena.pace import Look
from arena.seats import Seats


class Alternating(Player):
    """Pushes left and right in turn, and says so; a game of it lasts some forty steps."""

    def initial_state(self, seeds):
        return np.zeros(len(seeds), np.int64)

    def act(self, obs, state):
        q = np.eye(2, dtype=np.float32)[state % 2]
        return Decision(state % 2, state + 1, {"q": q})


def play(env_id="CartPole-v1", seed=11, settings=None):
    env = envs.make(env_id, 1, settings=settings)
    log = GameLog("alternating", env_id, preprocess=env.spec.preprocess, env_settings=settings, with_extras=True)
    for event in run(env, Alternating(env.spec, seed=0), lambda _: seed, num_episodes=1):
        games = log.add(event)
    env.close()
    return games[0]


def describe(path):
    """Returns what ffmpeg says of a film."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-i", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def pixels(path, height=400, width=600):
    """Returns a film's frames, [T, H, W, 3]."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3).astype(int)


def test_a_film_has_every_frame_of_the_game_at_the_environments_speed(tmp_path):
    game = play()
    path = film(game, tmp_path / "new" / "game.mp4")
    frames, _ = imageio_ffmpeg.count_frames_and_secs(str(path))
    assert frames == game.length + 1  # the first observation's, and one a step
    assert "50 fps" in describe(path)  # CartPole's render_fps
    assert [entry.name for entry in path.parent.iterdir()] == ["game.mp4"]


def test_a_film_is_as_wide_and_as_fast_as_asked(tmp_path):
    game = play()
    path = film(game, tmp_path / "game.mp4", look=Look(width=301, speed=2.0, fps=25))
    frames, _ = imageio_ffmpeg.count_frames_and_secs(str(path))
    assert frames == -(-(game.length + 1) // 4)  # at 100 frames a second of the game every fourth is shown
    assert "25 fps" in describe(path)
    assert "302x" in describe(path)  # even


def test_a_film_that_is_cut_ends_with_the_games_last_picture(tmp_path):
    game = play()
    path = film(game, tmp_path / "game.gif", overlay=False, look=Look(fps=10, seconds=0.3))
    frames, _ = imageio_ffmpeg.count_frames_and_secs(str(path))
    assert frames == 3 + 15  # 1.5 s of the last
    whole = film(game, tmp_path / "whole.gif", overlay=False)
    assert (pixels(path)[-1] == pixels(whole)[-1]).all()


def test_what_is_seen_once_at_the_end_of_a_gif_has_its_own_colours(tmp_path):
    """A palette made of what changes between frames would have none for a picture that comes up once and stays."""
    noise = np.random.default_rng(0).integers(100, 256, (20, 64, 64, 3), np.uint8)
    with Encoder(tmp_path / "a.gif", 10) as encoder:
        for frame in noise:
            encoder.write(frame)
        encoder.hold(np.full((64, 64, 3), (70, 40, 20), np.uint8), 1.5)
    last = pixels(tmp_path / "a.gif", 64, 64)[-1]
    assert np.abs(last - (70, 40, 20)).max() <= 8


def test_browsers_can_play_a_film(tmp_path):
    path = film(play(settings={"max_episode_steps": 5}), tmp_path / "game.mp4")
    assert "h264" in describe(path)
    assert "yuv420p" in describe(path)
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")  # so it begins to play before it is all there


def test_a_film_shows_what_the_replay_draws(tmp_path):
    game = play(settings={"max_episode_steps": 5})
    path = film(game, tmp_path / "game.mp4", overlay=False)
    frames = pixels(path)
    assert len(frames) == 6
    env = envs.make("CartPole-v1", 1, settings={"max_episode_steps": 5}, render=True)
    env.reset(np.array([0]), np.array([game.seed]))
    for action in game.actions:
        env.step(action[None])
    assert np.abs(frames[-1] - env.render()).mean() < 2.0  # of 255: what the codec loses
    env.close()


def test_a_gif_is_a_small_file_that_repeats_for_ever(tmp_path):
    path = film(play(settings={"max_episode_steps": 9}), tmp_path / "game.gif")
    content = path.read_bytes()
    assert content[:6] == b"GIF89a"
    assert b"NETSCAPE2.0\x03\x01\x00\x00" in content
    assert len(content) < 200_000
    assert [entry.name for entry in tmp_path.iterdir()] == ["game.gif"]


def test_frames_tell_the_state_the_choice_and_at_last_the_end(tmp_path):
    game = play()
    env = envs.make("CartPole-v1", 1, render=True)
    frames = list(frames_of(env, Replay(env.spec, game), lambda _: game.seed, agent="a"))
    assert len(frames) == game.length + 1
    assert all(frame.finished is None for frame in frames[:-1])
    assert frames[-1].finished.ret == game.ret
    env.close()


def test_several_games_follow_each_other(tmp_path):
    env = envs.make("CartPole-v1", 1, settings={"max_episode_steps": 3}, render=True)
    player = Alternating(env.spec, seed=0)
    frames = list(frames_of(env, player, lambda i: i, agent="a", num_episodes=2, overlay=False))
    assert [frame.finished and frame.finished.number for frame in frames] == [None, None, None, 0, None, None, None, 1]
    env.close()


@pytest.mark.parametrize(
    "change",
    [
        lambda game: replace(game, ret=game.ret + 1),
        lambda game: replace(game, actions=game.actions[:-1]),
        lambda game: replace(game, actions=1 - game.actions),
        lambda game: replace(game, truncated=True),
        lambda game: replace(game, digest="0123456789abcdef"),  # the same score, another picture
    ],
)
def test_a_replay_that_disagrees_with_the_log_is_no_film(tmp_path, change):
    path = tmp_path / "game.mp4"
    path.write_text("what was here before")
    with pytest.raises(NotReproducible) as caught:
        film(change(play()), path)
    assert "\n" not in str(caught.value)
    assert path.read_text() == "what was here before"
    assert [entry.name for entry in tmp_path.iterdir()] == ["game.mp4"]


def test_a_game_is_filmed_live_frame_by_frame(tmp_path):
    env = envs.make("CartPole-v1", 1, settings={"max_episode_steps": 4}, render=True)
    path, seen = tmp_path / "live.mp4", []
    episode = film_live(Alternating(env.spec, seed=0), env, path, seed=3, agent="a", on_frame=seen.append)
    env.close()
    assert (episode.ret, episode.length, episode.truncated) == (4.0, 4, True)
    assert seen == [1, 2, 3, 4, 5]
    assert imageio_ffmpeg.count_frames_and_secs(str(path))[0] == 5


def test_a_film_that_is_broken_off_leaves_nothing(tmp_path):
    def interrupt(frame):
        if frame == 3:
            raise KeyboardInterrupt

    for suffix in ("mp4", "gif"):
        with pytest.raises(KeyboardInterrupt):
            film(play(), tmp_path / f"game.{suffix}", on_frame=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_is_told_in_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ArenaError, match=r"could not write the film .*game\.mp4") as caught:
        film(play(settings={"max_episode_steps": 3}), tmp_path / "file" / "game.mp4")
    assert "\n" not in str(caught.value)


def test_an_encoder_that_fails_is_told_in_one_line_and_leaves_nothing(tmp_path):
    with (
        pytest.raises(ArenaError, match="could not write the film") as caught,
        Encoder(tmp_path / "a.mp4", 30) as encoder,
    ):
        for _ in range(100):
            encoder.write(np.zeros((3, 3, 3), np.uint8))  # H.264 with yuv420p takes even sides only
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_films_are_mp4_or_gif(tmp_path):
    with pytest.raises(InvalidValue, match=r"\.mp4 or \.gif, not '\.avi'"):
        Encoder(tmp_path / "a.avi", 30)


def test_speed_is_the_environments_own():
    for env_id, fps in [("CartPole-v1", 50), ("Pendulum-v1", 30), ("FrozenLake8x8-v1", 4), ("ALE/Pong-v5", 15)]:
        env = envs.make(env_id, 1)
        assert fps_of(env.spec) == fps  # Atari: 60 frames a second, 4 a step
        env.close()


class Undrawable(gym.Env):
    """An environment whose drawing fails, as MuJoCo's does without OpenGL."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012
    observation_space = gym.spaces.Discrete(2)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return 0, {}

    def step(self, action):
        return 0, 0.0, True, False, {}

    def render(self):
        raise RuntimeError("no OpenGL\nhere")


def test_an_environment_that_cannot_be_drawn_is_told_in_one_line(tmp_path):
    gym.register("Undrawable-v0", Undrawable)
    try:
        with pytest.raises(ArenaError, match="Undrawable-v0 cannot be drawn here: RuntimeError: no OpenGL") as caught:
            film(play("Undrawable-v0"), tmp_path / "game.mp4")
    finally:
        del gym.registry["Undrawable-v0"]
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_atari_game_is_replayed_to_the_same_return(tmp_path):
    settings = {"max_episode_steps": 130}  # Pong's opponent scores within some sixty steps of four frames
    game = play("ALE/Pong-v5", settings=settings)
    assert game.ret < 0
    path = film(game, tmp_path / "pong.mp4")
    assert imageio_ffmpeg.count_frames_and_secs(str(path))[0] == 131
    assert "740x630" in describe(path)  # 160 x 3 and the panel's 260; 210 x 3


class Ladder(Player):
    """Plays the first legal move."""

    def act(self, obs, state):
        return Decision(obs["legal"].argmax(1))


def game_of_two(env_id="connect_four", **settings):
    pytest.importorskip("pyspiel", reason="needs the extra two-player")
    env = envs.make(env_id, 1, settings=settings)
    player = Ladder(env.spec, seed=0)
    log = GameLog("a - b", env_id, env_settings=settings, players=lambda episode: ("a", "b"))
    for event in run(env, Seats([player, player], lambda episode: (0, 1)), lambda _: 5, num_episodes=1):
        games = log.add(event)
    return games[0]


def test_a_game_of_two_is_filmed_two_moves_a_second_from_its_opening_on(tmp_path):
    game = game_of_two(opening_plies=3)
    path = film(game, tmp_path / "game.mp4")
    assert imageio_ffmpeg.count_frames_and_secs(str(path))[0] == game.length + 1
    assert "2 fps" in describe(path)
    assert "820x488" in describe(path)  # the board's 560 and the panel's 260


def test_a_game_without_a_known_board_is_filmed_as_text(tmp_path):
    film(game_of_two("mancala"), tmp_path / "game.mp4")


def test_a_game_of_two_whose_other_return_differs_is_no_film(tmp_path):
    game = game_of_two()
    assert game.returns == (1.0, -1.0)  # the first column is full, then the second: four in a row for one of them
    with pytest.raises(NotReproducible, match=r"had return 1, 0 after .* played again, 1, -1"):
        film(replace(game, returns=(1.0, 0.0)), tmp_path / "game.mp4")
    assert list(tmp_path.iterdir()) == []
