"""Pretrained policies are found by name, play where they were trained, and are refused when they are damaged."""

import json

import numpy as np
import pytest

from arena import functions, policy, sources, zoo
from arena.errors import DamagedFile, DoesNotFit, InvalidValue, UnknownName
from arena.registry import resolve
from arena.sources import Kind
from arena.tournaments.checking import check
from arena.tournaments.file import Entrant, configure
from arena.tournaments.tournament import resume, tournament
from envs import make


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A zoo of a `mule` for two environments and a `fox` for one of them; each always takes the same action."""
    folder = tmp_path / "zoo"
    for agent, env_id, action in (("mule", "CartPole-v1", 0), ("mule", "MountainCar-v0", 2), ("fox", "CartPole-v1", 1)):
        env = make(env_id, 1)
        env.close()
        bias = np.zeros(env.spec.num_actions, np.float32)
        bias[action] = 1.0
        weights = np.zeros((env.spec.observation_space.shape[0], len(bias)), np.float32)
        function = functions.Linear(weights, bias)
        path = folder / agent / f"{env_id}.npz"
        path.parent.mkdir(parents=True, exist_ok=True)
        policy.save(policy.Policy(function, policy.Card.of("someone", env.spec, "greedy", {})), path)
        path.with_suffix(".json").write_text(json.dumps({"evaluation": {"mean": action, "mode": "greedy"}}))
    monkeypatch.setattr(zoo, "_folders", lambda: (folder,))
    return folder


def test_entries_are_listed_by_environment_and_agent(folder):
    assert [entry.ref for entry in zoo.entries()] == [
        "zoo:fox/CartPole-v1",
        "zoo:mule/CartPole-v1",
        "zoo:mule/MountainCar-v0",
    ]
    assert [entry.agent for entry in zoo.entries("MountainCar-v0")] == ["mule"]
    assert zoo.entries("Acrobot-v1") == []


def test_a_record_says_what_a_policy_scores(folder):
    assert [entry.scores["mean"] for entry in zoo.entries("CartPole-v1")] == [1, 0]


def test_a_missing_record_is_told_in_one_line(folder):
    (folder / "fox" / "CartPole-v1.json").unlink()
    with pytest.raises(DamagedFile, match=r"CartPole-v1\.json is missing or damaged"):
        _ = zoo.entries("CartPole-v1")[0].record


def test_a_whole_name_is_one_policy(folder):
    source = sources.locate("zoo:mule/MountainCar-v0")
    assert (source.kind, source.name, source.is_ours) == (Kind.POLICY, "mule", True)
    assert source.path == folder / "mule" / "MountainCar-v0.npz"


def test_an_agent_alone_is_the_policy_for_the_environment_that_is_played(folder):
    whole = sources.locate("zoo:mule/MountainCar-v0")
    assert sources.locate("zoo:mule", "MountainCar-v0") == whole
    assert sources.locate("zoo:mule").kind is Kind.ZOO
    player = resolve("zoo:mule", "MountainCar-v0").policy
    assert player is not None and player.card.env == "MountainCar-v0"


def test_an_agent_alone_without_an_environment_is_not_one_policy(folder):
    with pytest.raises(InvalidValue, match="name one: zoo:mule/CartPole-v1, zoo:mule/MountainCar-v0"):
        resolve("zoo:mule")


def test_an_unknown_name_is_told_with_the_nearest(folder):
    with pytest.raises(UnknownName, match="did you mean 'mule/CartPole-v1'"):
        sources.locate("zoo:mule/CartPole-v2")
    with pytest.raises(UnknownName, match="did you mean 'mule'"):
        sources.locate("zoo:mul", "CartPole-v1")


def test_an_environment_that_an_agent_has_no_policy_for_is_told(folder):
    with pytest.raises(DoesNotFit, match="the zoo has no fox for MountainCar-v0"):
        sources.locate("zoo:fox", "MountainCar-v0")


def test_a_damaged_policy_is_refused_by_its_hash(folder, arena):
    path = folder / "fox" / "CartPole-v1.npz"
    with np.load(path) as content:
        arrays = dict(content)
    arrays["b"] += 1
    np.savez(path, **arrays)
    result = arena("eval", "zoo:fox/CartPole-v1", "--env", "CartPole-v1")
    assert result.code == 2
    assert "does not match the hash in its card" in result.err and "Traceback" not in result.err


def test_the_command_line_plays_and_lists_them(folder, arena):
    assert json.loads(arena("eval", "zoo:fox", "--env", "CartPole-v1", "--json").out)["agent"] == "fox"
    wrong = arena("eval", "zoo:foxes", "--env", "CartPole-v1")
    assert (wrong.code, "did you mean 'fox'" in wrong.err) == (2, True)
    listed = json.loads(arena("agents", "--json").out)["zoo"]
    assert [entry["ref"] for entry in listed] == [entry.ref for entry in zoo.entries()]


def test_each_environment_of_a_tournament_gets_the_policy_made_for_it(folder, tmp_path):
    config = configure(agents=["zoo:mule", "zoo:fox"], envs=["CartPole-v1", "MountainCar-v0"], episodes=2)
    result = tournament(config, out=tmp_path / "out", videos=False)
    assert [entered.name for entered in result.entered] == ["mule", "fox"]
    assert [(match.match.players, match.match.env) for match in result.matches] == [
        (("mule",), 0),
        (("fox",), 0),
        (("mule",), 1),
    ]
    assert [(left.agent, left.env) for left in result.not_entered] == [("fox", "MountainCar-v0")]
    assert result.not_entered[0].reason == "the zoo has no such policy for MountainCar-v0"
    again = resume(tmp_path / "out", videos=False)
    assert [match.match.id for match in again.matches] == [match.match.id for match in result.matches]


def test_a_league_without_agents_is_one_of_the_pretrained(folder):
    config = configure(envs=["MountainCar-v0"])
    assert [agent.ref for agent in config.agents] == ["zoo:mule", "random"]
    assert [source.name for source in check(config).sources.values()] == ["mule", "random"]
    assert [env.id for env in configure().envs][:2] == ["CartPole-v1", "Acrobot-v1"]
    with pytest.raises(InvalidValue, match="the zoo has nothing for Pendulum-v1; name agents with --agent"):
        configure(envs=["Pendulum-v1"])


def test_pretrained_policies_neither_learn_nor_take_settings(folder):
    config = configure(agents=["zoo:mule"], envs=["CartPole-v1"])
    with pytest.raises(InvalidValue, match="'zoo:mule' does not learn"):
        check(config.model_copy(update={"agents": [Entrant(ref="zoo:mule", train=5)]}))
    with pytest.raises(InvalidValue, match="'zoo:mule' is a saved policy, which has none"):
        check(config.model_copy(update={"agents": [Entrant(ref="zoo:mule", settings={"a": 1})]}))
