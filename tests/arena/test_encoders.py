"""An agent that learns from codes: what makes them, what it is given, and that its policies play anywhere."""

import json

import numpy as np
import pytest

import envs
from arena import components, encoders, functions, policy
from arena.config import RunConfig
from arena.encoded import EncodedAgent
from arena.errors import DamagedFile, DoesNotFit, InvalidValue
from arena.evaluation import evaluate
from arena.training import resume, train

FEW = 200


@pytest.fixture(autouse=True)
def few_observations(monkeypatch):
    monkeypatch.setattr(encoders, "NUM_OBSERVATIONS", FEW)


def made(env_id="CartPole-v1", **config):
    env = envs.make(env_id, 2)
    try:
        return encoders.make(RunConfig(agent="q_learning", env=env_id, **config), env)
    finally:
        env.close()


def test_the_code_is_the_number_of_the_nearest_centre():
    nearest = functions.Nearest(
        np.array([[0.0, 0.0], [1.0, 1.0]]), mean=np.array([10.0, 0.0]), scale=np.array([2.0, 1.0])
    )
    codes = nearest(np.array([[10.5, 0.1], [12.0, 0.9], [11.1, 0.5]]))[
        "codes"
    ]  # standardised: (.25, .1), (1, .9), (.55, .5)
    assert codes.tolist() == [0, 1, 1]


def test_a_projection_is_from_the_mean_on_along_each_axis():
    projection = functions.Projection(np.array([1.0, 2.0], np.float32), np.array([[1.0, 0.0], [3.0, -1.0]], np.float32))
    assert projection(np.array([[2.0, 4.0]]))["codes"].tolist() == [[1.0, 3.0 * 1 - 2.0]]


@pytest.mark.parametrize(("name", "units"), [("kmeans:9", 9), ("som:9", 9)])
def test_a_discretiser_is_fitted_to_what_a_random_player_sees(name, units):
    encoder, again = made(discretiser=name), made(discretiser=name)
    assert encoder.space.n == units
    np.testing.assert_array_equal(encoder.function.centres, again.function.centres)
    codes = encoder.function(np.random.default_rng(0).normal(size=(500, 4)).astype(np.float32))["codes"]
    assert codes.dtype == np.int64 and 0 <= codes.min() <= codes.max() < units


def test_a_component_s_file_is_an_encoder(tmp_path):
    seen = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    path = components.save(components.create("pca", n_dimensions=2).fit(seen), tmp_path / "mine")
    encoder = made(encoder=str(path))
    assert encoder.space.shape == (2,)
    expected = components.load(path).transform(seen[:5])
    np.testing.assert_allclose(encoder.function(seen[:5])["codes"], expected, atol=1e-5)
    kmeans = components.save(components.create("kmeans", num_clusters=4).fit(seen), tmp_path / "four")
    assert made(discretiser=str(kmeans)).space.n == 4
    with pytest.raises(DoesNotFit, match="is a pca; a discretiser is a kmeans or a som"):
        made(discretiser=str(path))


def test_what_does_not_fit_is_told():
    with pytest.raises(InvalidValue, match="exclude each other"):
        made(encoder="pca", discretiser="kmeans")
    with pytest.raises(InvalidValue, match="kmeans:300 for so many units, not 'kmeans:x'"):
        made(discretiser="kmeans:x")
    with pytest.raises(DoesNotFit, match="a discretiser takes vectors; FrozenLake-v1 has Discrete"):
        made("FrozenLake-v1", discretiser="kmeans")
    with pytest.raises(DoesNotFit, match="takes inputs of shape"):
        made(encoder="pca")  # of digits


def test_the_agent_is_given_codes_alone():
    from agents.q_learning import QLearning

    encoder = made(discretiser="kmeans:5")
    env = envs.make("CartPole-v1", 2)
    env.close()
    agent = EncodedAgent(lambda spec: QLearning(spec, seed=0), env.spec, encoder)
    assert agent._agent.spec.observation_space.n == 5
    agent.progress = 0.25
    assert agent._agent.progress == agent.progress == 0.25
    kept = agent.policy()
    assert kept.card.observation_space["shape"] == [4] and kept.card.settings["encoder"] == "kmeans:5"


def test_a_policy_of_codes_is_one_file_that_plays_and_is_checked(tmp_path):
    run = train(_config(), run_dir=tmp_path / "run").folder
    saved = policy.load(run / "best.npz")
    assert isinstance(saved.function, functions.Encoded)
    again = evaluate(str(run), "CartPole-v1", episodes=5)
    other = evaluate(str(policy.save(saved, tmp_path / "moved")), "CartPole-v1", episodes=5, num_envs=2)
    assert again.returns == other.returns
    with np.load(run / "best.npz") as content:
        arrays = dict(content)
    arrays["encoder.centres"] = arrays["encoder.centres"] + 1
    np.savez(tmp_path / "forged.npz", **arrays)
    with pytest.raises(DamagedFile, match="does not match the hash"):
        policy.load(tmp_path / "forged.npz")


def test_a_resumed_run_sees_through_the_same_encoder(tmp_path):
    whole = train(_config(), run_dir=tmp_path / "whole").folder
    half = train(_config(steps=1_000), run_dir=tmp_path / "half").folder
    resume(half, steps=2_000)
    one, other = (policy.load(folder / "final.npz").function for folder in (whole, half))
    np.testing.assert_array_equal(one.function.q, other.function.q)
    (half / "encoder.npz").write_bytes(b"no")
    with pytest.raises(DamagedFile, match=r"encoder\.npz is missing or damaged"):
        resume(half, steps=3_000)


def _config(steps=2_000):
    settings = {"epsilon_start": 0.5, "learning_rate": 0.5}
    return RunConfig(
        agent="q_learning", env="CartPole-v1", steps=steps, horizon=2_000, discretiser="kmeans:20", settings=settings
    )


def test_the_command_line_takes_them_with_set(arena):
    result = arena("train", "q_learning", "--env", "CartPole-v1", "--set", "discretiser=kmeans:x", "--run-dir", "r")
    assert result.code == 2 and "kmeans:300 for so many units" in result.err


@pytest.mark.slow
def test_a_table_of_the_nearest_centres_balances_the_pole(tmp_path, monkeypatch):
    monkeypatch.setattr(encoders, "NUM_OBSERVATIONS", 20_000)
    config = RunConfig(agent="q_learning", env="CartPole-v1", preset="CartPole-v1-kmeans")
    run = train(config, run_dir=tmp_path / "run").folder
    assert evaluate(str(run), "CartPole-v1", episodes=100).mean >= 200
    assert json.loads((run / "status.json").read_text())["state"] == "finished"
