"""Policies that remember: their state goes in and out of the file, and they play wherever others do."""

from __future__ import annotations

import json
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from arena import conversion, functions, inspection, litert, policy, registry
from arena.agent import Mode
from arena.conversion import to_litert
from arena.errors import DamagedFile
from arena.evaluation import play
from arena.isolation import launcher
from arena.isolation.player import IsolatedPlayer
from arena.quantization import quantize, visited_observations
from arena.tournaments.file import configure
from arena.tournaments.tournament import tournament
from envs import make

MAZE = "arena/TMaze-v0"


@pytest.fixture(scope="module")
def solver(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A policy that solves the maze: it adds up the signs it sees, and at the junction goes where the sum says."""
    from agents.parts import tensorflow

    tf = tensorflow.load()

    def forward(obs, state):
        left, middle, right = obs[:, :1], obs[:, 1:2], obs[:, 2:]
        after = state + middle * (right - left)  # 011 north, +1; 110 south, -1; 101 and 010 nothing
        at_junction = middle * (1.0 - left) * (1.0 - right)
        east = 0.5 * tf.ones_like(middle)
        logits = tf.concat([at_junction * after, east, -at_junction * after, -east], -1)
        return {"logits": logits, "next_state": after}

    content = to_litert(forward, (3,), "float32", state_size=1)
    card = policy.Card.of("solver", make(MAZE).spec, "greedy", {})
    saved = policy.Policy(policy.LiteRTFunction(content), card)
    return policy.save(saved, tmp_path_factory.mktemp("solver") / "solver")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An LSTM with random weights, which hesitates: it wanders about the maze."""
    from agents.parts.networks import Network

    space = gym.spaces.Box(0.0, 1.0, (3,), np.float32)
    net = Network(space, {"logits": 4}, kind="lstm", hidden=(8,), memory_size=6, seed=3)
    rng = np.random.default_rng(0)
    net.set_weights([rng.normal(size=w.shape).astype(np.float32) for w in net.read()])
    card = policy.Card.of("lstm", make(MAZE).spec, "sample", {})
    saved = policy.Policy(policy.LiteRTFunction(net.to_litert(["logits"])), card)
    return policy.save(saved, tmp_path_factory.mktemp("network") / "lstm")


def test_without_its_memory_it_would_not_find_the_goal(solver: Path) -> None:
    player = policy.load(solver)
    games = play(make(MAZE, 4), player, lambda i: i, 40)
    assert {game.ret for game in games} == {4.0}
    assert {game.length for game in games} == {21}

    class Forgetful(policy.Policy):
        def act(self, obs, state):
            return super().act(obs, self.initial_state(np.arange(len(obs))))

    forgetful = Forgetful(player.function, player.card)
    lost = play(make(MAZE, 4, settings={"max_episode_steps": 30}), forgetful, lambda i: i, 8)
    assert all(game.ret < 0.0 for game in lost)


@pytest.mark.parametrize("mode", ["greedy", "sample", "epsilon=0.3"])
def test_the_games_do_not_depend_on_the_number_of_rows(network: Path, mode: str) -> None:
    player = policy.load(network).with_mode(Mode.parse(mode))

    def games(num_rows: int) -> list[tuple[float, int]]:
        env = make(MAZE, num_rows, settings={"max_episode_steps": 60})
        return [(game.ret, game.length) for game in play(env, player, lambda i: i, 9)]

    assert games(1) == games(4)


def test_a_policy_is_played_from_the_command_line(arena, solver: Path) -> None:
    told = json.loads(arena("eval", solver, "--env", MAZE, "--episodes", 12, "--json").out)
    assert told["returns"] == [4.0] * 12
    assert told["protocol"]["max_episode_steps"] == 1_000
    longer = json.loads(arena("eval", solver, "--env", MAZE, "--env-set", "length=70", "--json").out)
    assert longer["mean"] == 4.0  # the longest of the paper


def test_its_file_says_what_goes_in_and_out(arena, network: Path) -> None:
    (signature,) = inspection.inspect(network).signatures
    inputs, outputs = ({t["name"]: t["shape"] for t in signature[key]} for key in ("inputs", "outputs"))
    assert inputs == {"obs": [-1, 3], "state": [-1, 12]}
    assert outputs == {"logits": [-1, 4], "next_state": [-1, 12]}
    assert "state [?, 12] float32" in arena("inspect", network).out


@pytest.mark.parametrize("kind", ["none", "float16", "dynamic", "int8"])
def test_an_exported_policy_plays_on(arena, network: Path, kind: str) -> None:
    settings = ["--env-set", "max_episode_steps=40"]
    outcome = arena("export", network, "--out", "out.tflite", "--quantize", kind, "--episodes", 4, "--json", *settings)
    assert outcome.code == 0, outcome.err
    compared = json.loads(outcome.out)["comparison"]
    assert (compared is None) == (kind == "none")
    if compared:
        assert compared["agreement"] > 0.9
    (signature,) = inspection.inspect(Path("out.tflite")).signatures
    assert {tensor["name"]: tensor["shape"] for tensor in signature["inputs"]} == {"obs": [1, 3], "state": [1, 12]}
    played = arena("eval", "out.tflite", "--env", MAZE, "--episodes", 4, "--json", *settings)
    assert played.code == 0, played.err


def test_calibration_takes_states_that_were_met_with_the_observations(network: Path) -> None:
    player = policy.load(network)
    env = make(MAZE, 2, settings={"max_episode_steps": 40})
    obs, states = visited_observations(env, player, 3)
    assert states is not None
    assert (len(obs), states.shape) == (len(states), (len(states), 12))
    at_start = ~np.any(states, axis=1)
    assert at_start.any()
    assert (obs[at_start, 1] == 1.0).all()  # an episode begins at the sign, and with an empty memory
    function = policy.LiteRTFunction(quantize(player.function.content, "int8", obs, states))
    before, after = player.function(obs, states), function(obs, states)
    assert np.abs(after["logits"] - before["logits"]).max() < 0.1 * np.ptp(before["logits"])


def test_it_remembers_in_a_process_of_its_own(network: Path) -> None:
    spec = make(MAZE, 3).spec

    def games(player) -> list[tuple[float, int]]:
        env = make(MAZE, 3, settings={"max_episode_steps": 50})
        return [(game.ret, game.length) for game in play(env, player, lambda i: i, 5)]

    here = registry.resolve(str(network)).player(spec, seed=1)
    try:
        with IsolatedPlayer("lstm", str(network), spec, seed=1) as there:
            assert games(there) == games(here)
    finally:
        launcher.stop()


def test_it_enters_tournaments_like_any_other(solver: Path, tmp_path: Path) -> None:
    config = configure(agents=[str(solver), "random"], envs=[MAZE], episodes=4)
    result = tournament(config, out=tmp_path / "cup", videos=False)
    returns = {match.games[0].players[0]: [game.returns for game in match.games] for match in result.matches}
    assert returns.pop("random")
    ((_, won),) = returns.items()
    assert won == [(4.0,)] * 4


def test_it_is_recorded(arena, solver: Path) -> None:
    outcome = arena("record", solver, "--env", MAZE, "--format", "gif", "--out", "films")
    assert outcome.code == 0, outcome.err
    assert list(Path("films").glob("*.gif"))


def test_an_encoded_policy_keeps_its_memory(network: Path, tmp_path: Path) -> None:
    player = policy.load(network)
    encoder = functions.Projection(np.zeros(3, np.float32), np.eye(3, dtype=np.float32))
    encoded = policy.Policy(functions.Encoded(encoder, player.function), player.card)
    again = policy.load(policy.save(encoded, tmp_path / "encoded"))

    def games(one: policy.Policy) -> list[tuple[float, int]]:
        env = make(MAZE, 2, settings={"max_episode_steps": 50})
        return [(game.ret, game.length) for game in play(env, one, lambda i: i, 4)]

    assert games(again) == games(player)


def test_two_inputs_without_a_state_are_no_policy(solver: Path, tmp_path: Path) -> None:
    from agents.parts import tensorflow

    tf = tensorflow.load()
    specs = [tf.TensorSpec([None, 3], "float32", name=name) for name in ("obs", "other")]
    content = conversion._convert(lambda obs, other: {"logits": obs + other}, specs)
    card = json.dumps(policy.load(solver).card.model_dump() | {"sha256": "0" * 64})
    path = tmp_path / "two.tflite"
    path.write_bytes(policy._sealed(litert.with_metadata(content, policy.CARD_KEY, card)))
    with pytest.raises(DamagedFile, match="is not a policy of the arena") as caught:
        policy.load(path)
    assert "\n" not in str(caught.value)
