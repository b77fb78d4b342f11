"""Models of Stable-Baselines3 play as its own `predict` does; what is wrong with a file is one line."""

import base64
import importlib.util
import json
import zipfile
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from arena import isolation, registry
from arena.adapters import sb3, sb3_file
from arena.agent import Mode, Spec
from arena.errors import ArenaError, DamagedFile, DoesNotFit, MissingExtra, UnknownName
from arena.evaluation import play
from arena.isolation.forfeited import Forfeited
from arena.isolation.player import IsolatedPlayer
from arena.seeding import Stream, episode_seed
from arena.tournaments.records import ForfeitType
from envs import make

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
needs_sb3 = pytest.mark.skipif(
    importlib.util.find_spec("stable_baselines3") is None, reason="stable-baselines3 is not installed (extra peers)"
)
ENVS = {"ppo": "CartPole-v1", "a2c": "CartPole-v1", "dqn": "CartPole-v1"}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Returns a function that makes a model that has learned nothing, saves it, and gives (model, file)."""
    import stable_baselines3

    def save(algorithm, env=None, policy="MlpPolicy", **keywords):
        kind = getattr(stable_baselines3, algorithm.upper())
        small = {"policy_kwargs": {"net_arch": [8]}, "device": "cpu", "seed": 0}
        model = kind(policy, env or ENVS.get(algorithm, "Pendulum-v1"), **small | keywords)
        path = tmp_path_factory.mktemp(algorithm) / "model.zip"
        model.save(path)
        return model, path

    return save


def zipped(path: Path, data="{}", policy: bytes | None = b"weights", compression=zipfile.ZIP_STORED) -> Path:
    """Writes a zip with the entries that a model has."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("data", data)
        if policy is not None:
            archive.writestr("policy.pth", policy)
    return path


def changed(path: Path, change) -> Path:
    """Writes a model's file again, with its JSON changed, beside it."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    entries["data"] = json.dumps(change(json.loads(entries["data"]))).encode()
    copy = path.with_name("changed") / "model.zip"
    copy.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(copy, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return copy


def player_of(path, algorithm, env_id, mode=None, **settings):
    return registry.resolve_isolated(f"sb3:{algorithm}:{path}").player(
        make(env_id, settings=settings).spec, seed=0, mode=mode and Mode.parse(mode)
    )


def observations(env_id, number=5):
    return make(env_id, number).reset(np.arange(number), np.arange(number))


@needs_sb3
@pytest.mark.parametrize("algorithm", sb3_file.ALGORITHMS)
def test_every_algorithm_plays_as_its_own_predict(saved, algorithm):
    model, path = saved(algorithm)
    env_id = ENVS.get(algorithm, "Pendulum-v1")
    player, obs = player_of(path, algorithm, env_id), observations(env_id)
    decision = player.act(obs, player.initial_state(np.arange(5)))
    expected = np.stack([model.predict(row, deterministic=True)[0] for row in obs])
    np.testing.assert_array_equal(decision.action, expected)
    assert decision.action.dtype == (np.int64 if env_id == "CartPole-v1" else np.float32)
    assert player.mode == Mode("greedy")


@needs_sb3
def test_continuous_actions_reach_the_bounds_of_the_environment(saved):
    _, path = saved("sac")
    player, obs = player_of(path, "sac", "Pendulum-v1", "sample"), observations("Pendulum-v1", 64)
    action = player.act(obs, player.initial_state(np.arange(64))).action
    assert action.shape == (64, 1)
    assert 1.0 < np.abs(action).max() <= 2.0  # Pendulum's torque is within [-2, 2], a squashed action within [-1, 1]


@needs_sb3
@pytest.mark.parametrize(("algorithm", "use_sde"), [("ppo", None), ("sac", False), ("sac", True)])
def test_samples_depend_on_the_row_alone_and_follow_the_distribution(saved, algorithm, use_sde):
    _, path = saved(algorithm, **({} if use_sde is None else {"use_sde": use_sde}))
    env_id = ENVS.get(algorithm, "Pendulum-v1")
    player, seeds = player_of(path, algorithm, env_id, "sample"), np.arange(200)
    obs = np.repeat(observations(env_id, 1), 200, axis=0)
    together = player.act(obs, player.initial_state(seeds))
    other = player_of(path, algorithm, env_id, "sample")  # loaded once more, as for another match
    alone = other.act(obs[7:8], other.initial_state(seeds[7:8]))
    np.testing.assert_array_equal(together.action[7:8], alone.action)
    again = player.act(obs, together.state).action
    assert (again != together.action).any()
    assert len(np.unique(together.action)) > 1


@needs_sb3
def test_epsilon_of_one_takes_every_action_alike(saved):
    _, path = saved("dqn")
    player = player_of(path, "dqn", "CartPole-v1", "epsilon=1")
    obs = np.repeat(observations("CartPole-v1", 1), 400, axis=0)
    share = player.act(obs, player.initial_state(np.arange(400))).action.mean()
    assert 0.4 < share < 0.6  # 4 standard deviations of the mean of 400 fair coins


@needs_sb3
def test_what_has_no_distribution_cannot_be_sampled(saved):
    _, path = saved("dqn")
    with pytest.raises(ArenaError, match=r"dqn has no distribution to sample from; leave out --mode, or give epsilon"):
        player_of(path, "dqn", "CartPole-v1", "sample")


class Screens(gym.Env):
    """Images with channels last, as most environments have them."""

    observation_space = gym.spaces.Box(0, 255, (36, 40, 3), np.uint8)
    action_space = gym.spaces.Discrete(3)

    def reset(self, *, seed=None, options=None):
        return self.observation_space.sample(), {}


@needs_sb3
def test_images_with_channels_last_are_given_as_they_were_learned_from(saved):
    model, path = saved("ppo", Screens(), "CnnPolicy", policy_kwargs={})
    spec = Spec("Screens", Screens.observation_space, Screens.action_space)
    assert model.observation_space.shape == (3, 36, 40)  # they put them first themselves
    player = sb3.player_class(path, "ppo")(spec, seed=0)
    obs = np.random.default_rng(0).integers(0, 256, (4, 36, 40, 3), np.uint8)
    expected = [model.predict(row.transpose(2, 0, 1), deterministic=True)[0] for row in obs]
    np.testing.assert_array_equal(player.act(obs, ()).action, expected)


@needs_sb3
def test_a_stack_of_atari_frames_fits_as_it_is(saved):
    space = gym.spaces.Box(0, 255, (4, 84, 84), np.uint8)
    env = Screens()
    env.observation_space = space
    model, path = saved("dqn", env, "CnnPolicy", policy_kwargs={}, buffer_size=10)
    player = sb3.player_class(path, "dqn")(Spec("Frames", space, env.action_space), seed=0)
    obs = np.random.default_rng(0).integers(0, 256, (2, 4, 84, 84), np.uint8)
    expected = [model.predict(row, deterministic=True)[0] for row in obs]
    np.testing.assert_array_equal(player.act(obs, ()).action, expected)


@needs_sb3
def test_a_model_for_other_spaces_does_not_fit(saved):
    _, path = saved("ppo")
    with pytest.raises(DoesNotFit, match=r"model\.zip does not fit Acrobot-v1: its observations are Box.*, here they"):
        player_of(path, "ppo", "Acrobot-v1")
    _, path = saved("ppo", "Pendulum-v1")
    with pytest.raises(DoesNotFit, match="its observations are"):
        player_of(path, "ppo", "CartPole-v1")


@needs_sb3
def test_a_replay_is_not_reserved_on_loading(saved):
    _, path = saved("dqn", buffer_size=50_000)
    assert player_of(path, "dqn", "CartPole-v1").model.replay_buffer.buffer_size == 1


@needs_sb3
def test_it_is_located_but_not_loaded_in_this_process(saved, monkeypatch):
    _, path = saved("ppo")
    monkeypatch.chdir(path.parent)
    source = registry.locate("sb3:ppo:model.zip")
    assert (source.ref, source.name, source.is_ours, source.path) == (f"sb3:ppo:{path}", "model", False, path)
    reference = registry.resolve("sb3:ppo:model.zip")
    with pytest.raises(ArenaError, match="plays in a process of its own only"):
        reference.player(make("CartPole-v1").spec, seed=0)
    with (
        pytest.raises(ArenaError, match=r"can hold code, which would run as it is loaded; .* give --trust"),
        reference.opened(make("CartPole-v1").spec, seed=0),
    ):
        pass


@needs_sb3
@pytest.mark.slow
def test_it_plays_in_a_process_of_its_own_as_in_this_one(saved, arena):
    _, path = saved("ppo")
    command = ("eval", f"sb3:ppo:{path}", "--env", "CartPole-v1", "--episodes", 2, "--mode", "sample", "--json")
    refused = arena(*command)
    assert (refused.code, refused.out) == (2, "")
    assert "can hold code, which would run as it is loaded; if you know who made it, give --trust" in refused.err
    outcome = arena(*command, "--trust")
    assert outcome.code == 0, outcome.err
    result = json.loads(outcome.out)
    player, env = player_of(path, "ppo", "CartPole-v1", "sample"), make("CartPole-v1", 1)
    here = play(env, player, lambda i: episode_seed(0, Stream.EVALUATION, i), 2)
    assert result["returns"] == [game.ret for game in here]
    assert (result["agent"], result["protocol"]["mode"]) == ("model", "sample")


@needs_sb3
@pytest.mark.slow
def test_a_model_that_does_not_load_forfeits(saved, arena):
    _, path = saved("ppo")
    spoilt = changed(path, lambda data: data | {"policy_class": "nothing"})
    with (
        pytest.raises(Forfeited, match=r"failed import\): model\.zip cannot be loaded: ") as caught,
        IsolatedPlayer("model", f"sb3:ppo:{spoilt}", make("CartPole-v1").spec, seed=0),
    ):
        pass
    assert caught.value.type is ForfeitType.FAILED_IMPORT


class Hostile:
    """Writes a file as it is unpickled."""

    def __init__(self, marker: Path):
        self.marker = marker

    def __reduce__(self):
        return (open, (str(self.marker), "w"))


@needs_sb3
@pytest.mark.slow
def test_code_in_a_model_does_not_run_without_trust_and_does_not_reach_out_with_it(saved, arena, tmp_path):
    import cloudpickle

    _, path = saved("ppo")
    marker = tmp_path / "marker"
    evil = base64.b64encode(cloudpickle.dumps(Hostile(marker))).decode()
    hostile = changed(path, lambda data: data | {"extra": {":type:": "function", ":serialized:": evil}})
    ref = f"sb3:ppo:{hostile}"
    registry.locate(ref)
    registry.resolve(ref)
    assert arena("eval", ref, "--env", "CartPole-v1").code == 2
    assert not marker.exists()
    outcome = arena("eval", ref, "--env", "CartPole-v1", "--trust")
    if {tier.what: tier.holds for tier in isolation.tiers()}["files"]:
        assert outcome.code == 2
        assert "forfeits (failed import): model.zip cannot be loaded: PermissionError" in outcome.err
        assert not marker.exists()
    else:
        assert marker.exists()


@needs_sb3
@pytest.mark.parametrize("algorithm", sb3_file.ALGORITHMS)
def test_another_algorithm_is_named(saved, algorithm):
    _, path = saved(algorithm)
    other = "dqn" if algorithm != "dqn" else "ppo"
    named = "td3 or ddpg" if algorithm in ("td3", "ddpg") else algorithm
    with pytest.raises(ArenaError, match=rf"was saved by {named}, not {other}; give sb3:"):
        registry.locate(f"sb3:{other}:{path}")


def test_another_algorithm_is_told_by_what_its_file_holds(tmp_path):
    path = zipped(tmp_path / "model.zip", json.dumps({"exploration_fraction": 0.1}))
    sb3_file.check(path, "dqn")
    with pytest.raises(ArenaError, match=r"model\.zip was saved by dqn, not ppo; give sb3:dqn:"):
        sb3_file.check(path, "ppo")


def test_what_would_unpack_without_end_is_refused_unread(tmp_path):
    path = zipped(tmp_path / "bomb.zip", compression=zipfile.ZIP_DEFLATED, policy=bytes(80 << 20))
    with pytest.raises(DamagedFile, match=r"it would unpack from [\d,]+ to 83,886,082 bytes, as no model does"):
        sb3_file.check(path, "ppo")  # 80 * 2 ** 20 zeros, and the two bytes of {}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"policy": None}, r"it holds no policy\.pth"),
        ({"data": "{"}, "Expecting property name"),
        ({"data": "[" * 100_000}, "recursion"),
    ],
)
def test_a_zip_that_is_no_model_is_one_line(tmp_path, content, reason):
    with pytest.raises(
        DamagedFile, match=rf"is not a model of Stable-Baselines3, or is damaged \(.*{reason}"
    ) as caught:
        sb3_file.check(zipped(tmp_path / "model.zip", **content), "ppo")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kept", [0, 10, 100, 180])
def test_a_file_that_is_cut_off_is_one_line(tmp_path, kept):
    path = zipped(tmp_path / "model.zip")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DamagedFile, match=r"is not a model of Stable-Baselines3, or is damaged"):
        sb3_file.check(path, "ppo")


@pytest.mark.parametrize(
    ("ref", "error", "line"),
    [
        ("sb3:trpo:model.zip", UnknownName, r"unknown algorithm of Stable-Baselines3 'trpo'.*\(choices: a2c, ddpg"),
        ("sb3:ppo:nothing.zip", ArenaError, r"there is no file nothing\.zip; the form is sb3:ppo:model\.zip"),
        ("sb3:ppo", ArenaError, r"sb3:ppo names no file; the form is"),
    ],
)
def test_a_reference_that_is_wrong_is_one_line(ref, error, line):
    with pytest.raises(error, match=line):
        registry.locate(ref)


def test_without_the_library_the_extra_is_named(tmp_path, monkeypatch):
    path = zipped(tmp_path / "model.zip")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"needs the extra 'peers'; install it with: pip install"):
        registry.locate(f"sb3:ppo:{path}")
