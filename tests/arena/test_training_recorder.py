"""Films of a training: the episodes that the schedule names, and not a bit of difference in what is learned."""

import gymnasium as gym
import numpy as np
import pytest

import envs
from arena.agent import Decision, Player
from arena.errors import InvalidValue
from arena.gamelog import Game
from arena.loop import Event, run
from arena.training_recorder import TrainingRecorder, parse_schedule


class Leaning(Player):
    """Balances by a rule, or does worse; its `skill` decides."""

    skill = 1.0

    def act(self, obs, state):
        lean = obs[:, 2] + 0.5 * obs[:, 3] * self.skill
        return Decision((lean > 0).astype(np.int64))


class Drifting(gym.Env):
    """An environment that is not reproducible: its reward grows with the number of games ever played."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012
    observation_space = gym.spaces.Box(-1.0, 1.0, (4,), np.float32)
    action_space = gym.spaces.Discrete(2)
    num_games = 0

    def __init__(self, render_mode=None):
        self.render_mode = render_mode

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        Drifting.num_games += 1
        self.steps = 0
        return np.zeros(4, np.float32), {}

    def step(self, action):
        self.steps += 1
        return np.zeros(4, np.float32), float(Drifting.num_games), self.steps == 3, False, {}

    def render(self):
        return np.zeros((40, 40, 3), np.uint8)


@pytest.fixture
def drifting():
    gym.register("Drifting-v0", Drifting)
    yield "Drifting-v0"
    del gym.registry["Drifting-v0"]


def train(folder, schedule, *, num_episodes, env_id="CartPole-v1", num_rows=1, cap=6, **options):
    """Returns the events of a recorded training that was resumed after 1,000 steps; only films are written."""
    settings = {"max_episode_steps": cap}
    env = envs.make(env_id, num_rows, settings=settings)
    recorder = TrainingRecorder(schedule, folder, agent="dqn", spec=env.spec, env_settings=settings, **options)
    events = []
    for event in run(env, Leaning(env.spec, seed=0), lambda i: i, num_episodes=num_episodes):
        recorder.add(event, 1000)
        events.append(event)
    recorder.close()
    env.close()
    return events


def films(folder):
    return sorted(path.name for path in folder.glob("*.mp4"))


def test_cubic_films_the_cubes_and_then_every_thousandth():
    schedule = parse_schedule("cubic")
    wanted = [episode for episode in range(3001) if schedule.wants(episode)]
    assert wanted == [0, 1, 8, 27, 64, 125, 216, 343, 512, 729, 1000, 2000, 3000]


def test_every_films_the_multiples():
    assert [i for i in range(8) if parse_schedule("every=3").wants(i)] == [0, 3, 6]


@pytest.mark.parametrize("text", ["", "all", "every", "every=0", "every=-2", "every=x", "every=1.5", "cubic=2"])
def test_other_schedules_are_refused_in_one_line(text):
    with pytest.raises(InvalidValue, match=r"none, cubic, best or every=N with N of at least 1") as caught:
        parse_schedule(text)
    assert "\n" not in str(caught.value)


def test_films_are_named_by_episode_step_and_return(tmp_path):
    train(tmp_path, "every=2", num_episodes=3)
    # Every game is cut at 6 steps with return 6; 1,000 steps were taken before.
    assert films(tmp_path) == [
        "episode000000_step000001006_return+00006.00.mp4",
        "episode000002_step000001018_return+00006.00.mp4",
    ]
    assert len(list(tmp_path.iterdir())) == 6  # each with its .json and .npz
    assert Game.load(next(tmp_path.glob("episode000002*.npz"))).episode == 2


def test_none_films_nothing_and_makes_no_folder(tmp_path):
    train(tmp_path / "videos", "none", num_episodes=2)
    assert not (tmp_path / "videos").exists()


def test_rows_side_by_side_are_filmed_each_for_itself(tmp_path):
    events = train(tmp_path, "every=1", num_episodes=4, num_rows=2, cap=15)
    ends = {episode.number: episode.ret for event in events for episode in event.finished}
    named = {int(name[7:13]): float(name.split("return")[1].removesuffix(".mp4")) for name in films(tmp_path)}
    assert named == ends


def test_best_keeps_the_best_so_far_and_deletes_what_it_replaces(tmp_path):
    env = envs.make("CartPole-v1", 1, settings={"max_episode_steps": 15})
    settings = {"max_episode_steps": 15}
    recorder = TrainingRecorder("best", tmp_path, agent="dqn", spec=env.spec, env_settings=settings)
    player, best, seen = Leaning(env.spec, seed=0), [], []
    for event in run(env, player, lambda i: i, num_episodes=4):
        recorder.add(event)
        if event.finished:
            recorder.flush()
            seen.append(event.finished[0].ret)
            best.append([float(name.split("return")[1].removesuffix(".mp4")) for name in films(tmp_path)])
            player.skill = [-1.0, 1.0, 0.0, 1.0][len(seen) - 1]
    recorder.close()
    env.close()
    assert best == [[max(seen[: n + 1])] for n in range(4)]
    assert len(list(tmp_path.iterdir())) == 3
    assert films(tmp_path)[0].startswith("best_")


def test_best_knows_the_films_of_the_run_that_is_resumed(tmp_path):
    train(tmp_path, "best", num_episodes=1, cap=8)
    before = films(tmp_path)
    train(tmp_path, "best", num_episodes=2, cap=5)  # no game can be as long
    assert films(tmp_path) == before


def test_nothing_that_is_learned_from_depends_on_recording(tmp_path):
    plain = train(tmp_path, "none", num_episodes=3, num_rows=2, cap=20)
    filmed = train(tmp_path, "every=1", num_episodes=3, num_rows=2, cap=20)
    assert len(plain) == len(filmed)
    for one, other in zip(plain, filmed, strict=True):
        assert isinstance(one, Event)
        np.testing.assert_array_equal(one.transition.next_obs, other.transition.next_obs)
        np.testing.assert_array_equal(one.transition.action, other.transition.action)


def test_what_is_not_reproducible_is_told_once_and_not_filmed(tmp_path, drifting):
    warnings, videos = [], []
    options = {"on_warning": warnings.append, "on_video": videos.append}
    train(tmp_path, "every=1", num_episodes=3, env_id=drifting, **options)
    assert len(warnings) == 1
    assert "\n" not in warnings[0]
    assert videos == list(tmp_path.iterdir()) == []
