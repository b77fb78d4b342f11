"""Evaluation: game i depends on its seed alone, so rows change the speed and not the result."""

import statistics

import pytest

import envs
from arena import registry
from arena.errors import ArenaError, DoesNotFit, InvalidValue, UnknownName
from arena.evaluation import evaluate
from arena.seeding import Stream, episode_seed


@pytest.mark.parametrize(
    ("ref", "env_id", "mode", "settings"),
    [
        ("random", "CartPole-v1", None, {}),
        ("random", "Pendulum-v1", None, {"max_episode_steps": 20}),
        ("random", "ALE/Pong-v5", None, {"max_episode_steps": 40}),
        ("network", "CartPole-v1", "greedy", {}),
        ("network", "CartPole-v1", "sample", {}),
        ("network", "CartPole-v1", "epsilon=0.3", {}),
    ],
)
def test_results_are_the_same_bits_for_any_number_of_rows(ref, env_id, mode, settings, litert_policy):
    episodes = 4 if env_id == "ALE/Pong-v5" else 8  # a seeded reset of the emulator takes long
    ref = str(litert_policy) if ref == "network" else ref
    results = [
        evaluate(ref, env_id, episodes=episodes, seed=5, num_envs=num_envs, mode=mode, env_settings=settings).to_json()
        for num_envs in (1, 3, 8)
    ]
    for result in results:
        result.pop("seconds")
    assert results[0] == results[1] == results[2]
    assert len(set(results[0]["returns"])) > 1 or env_id == "ALE/Pong-v5"


def test_modes_are_told_apart(litert_policy):
    played = {
        mode: evaluate(str(litert_policy), "CartPole-v1", episodes=5, mode=mode)
        for mode in ("greedy", "sample", "epsilon=1", "epsilon=0")
    }
    assert played["epsilon=0"].returns == played["greedy"].returns
    assert len({tuple(played[mode].returns) for mode in ("greedy", "sample", "epsilon=1")}) == 3
    assert played["epsilon=1"].protocol["mode"] == "epsilon=1"


def test_an_evaluation_tells_its_games_and_their_statistics():
    result = evaluate("random", "CartPole-v1", episodes=6, seed=2)
    assert result.seeds == [episode_seed(2, Stream.EVALUATION, i) for i in range(6)]
    assert result.returns == [float(length) for length in result.lengths]  # a step of CartPole is worth 1
    assert result.mean == statistics.mean(result.returns)
    assert result.std == pytest.approx(statistics.stdev(result.returns))
    assert (result.agent, result.env, result.episodes) == ("random", "CartPole-v1", 6)
    assert result.steps == sum(result.lengths)
    assert result.protocol["seed"] == 2
    assert result.protocol["max_episode_steps"] == 500


def test_one_game_has_no_spread():
    assert evaluate("random", "CartPole-v1", episodes=1).std == 0.0


def test_more_games_begin_with_the_same_ones():
    few, many = (evaluate("random", "CartPole-v1", episodes=n, seed=1) for n in (3, 7))
    assert many.returns[:3] == few.returns


def test_the_events_are_shown_to_whoever_asks():
    finished = []
    result = evaluate(
        "random", "CartPole-v1", episodes=3, on_event=lambda event: finished.extend(e.ret for e in event.finished)
    )
    assert sorted(finished) == sorted(result.returns)


@pytest.mark.parametrize(
    ("options", "error", "line"),
    [
        ({"episodes": 0}, InvalidValue, "episodes must be a whole number of at least 1, not 0"),
        ({"num_envs": 0}, InvalidValue, "num-envs must be a whole number of at least 1, not 0"),
        ({"seed": -1}, InvalidValue, "a seed is a whole number of at least 0, not -1"),
        ({"mode": "clever"}, InvalidValue, "a mode is greedy, sample or epsilon=X"),
        ({"mode": "epsilon=2"}, InvalidValue, "a mode is greedy, sample or epsilon=X"),
        ({"mode": "greedy"}, ArenaError, "RandomAgent plays in one mode only"),
        ({"preprocess": "fancy"}, UnknownName, "fancy"),
        ({"env_settings": {"gravity": 1}}, UnknownName, "gravity"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(options, error, line):
    with pytest.raises(error, match=line) as caught:
        evaluate("random", "CartPole-v1", **options)
    assert "\n" not in str(caught.value)


def test_a_policy_of_another_environment_does_not_fit(litert_policy):
    with pytest.raises(DoesNotFit, match=r"was trained on CartPole-v1 and does not fit Acrobot-v1: its observations"):
        evaluate(str(litert_policy), "Acrobot-v1")


@pytest.mark.parametrize("command", [("eval",), ("record",), ("watch",), ("train", "--steps", "100")])
def test_a_game_of_two_is_said_to_be_played_in_tournaments(arena, command):
    pytest.importorskip("pyspiel", reason="needs the extra two-player")
    name, *rest = command
    outcome = arena(name, "q_learning", "--env", "connect_four", *rest)
    assert outcome.code == 2
    line = "connect_four is a game for 2 players: play it with `arena tournament` or `arena play`"
    assert line in " ".join(outcome.err.split())


@pytest.mark.parametrize("ref", ["dqn", "ppo", "q_learning", "reinforce", "random_search"])
def test_learners_do_not_fit_games_of_two(ref):
    pytest.importorskip("pyspiel", reason="needs the extra two-player")
    env = envs.make("tic_tac_toe")
    with pytest.raises(DoesNotFit, match=r"learns alone; tic_tac_toe is a game for two$"):
        registry.resolve(ref).player(env.spec, seed=0)
