"""Tournaments: small real ones."""

import csv
import json
import os
import pickle
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from pathlib import Path

import pytest

from arena.errors import ArenaError, BrokenPlugin, InvalidValue, UnknownName
from arena.seeding import Stream, episode_seed
from arena.tournaments.league import Entrant, EnvEntry, TournamentConfig, configure, tournament

PLAYERS = '''
import os, time
from pathlib import Path
import numpy as np
from arena import functions, seeding
from arena.agent import Agent, Decision, Player
from arena.errors import DoesNotFit
from arena.policy import Card, Policy

class Lean(Player):
    """Balances poles."""
    def __init__(self, spec, *, seed, settings=None):
        super().__init__(spec, seed=seed, settings=settings)
        if spec.observation_space.shape != (4,):
            raise DoesNotFit(f"there is no pole in {spec.env_id}")
    def act(self, obs, state):
        return Decision((obs[:, 2] + obs[:, 3] > 0).astype(np.int64))

class Guess(Player):
    """Draws from a key of each row's own."""
    def initial_state(self, seeds):
        return seeding.row_keys(seeds)
    def act(self, obs, state):
        draw, state = seeding.row_uniform(state)
        return Decision((draw * self.spec.num_actions).astype(np.int64), state)

class Broken(Player):
    def act(self, obs, state):
        return 1 / 0

class Dies(Player):
    def act(self, obs, state):
        os._exit(1)

class Sleeps(Player):
    def act(self, obs, state):
        Path("sleeper.pid").write_text(str(os.getpid()))
        time.sleep(600)

class Learner(Agent):
    """Always goes right, once it has learned anything."""
    right = 0
    def act(self, obs, state):
        return Decision(np.zeros(len(obs), np.int64))
    def observe(self, transition):
        pass
    def learn(self):
        self.right = 1
        return {}
    def policy(self):
        q = np.zeros((self.spec.observation_space.n, self.spec.num_actions))
        q[:, 1] = self.right
        return Policy(functions.Table(q), Card.of("Learner", self.spec, "greedy", {}))
    def save_state(self, folder):
        pass
    def restore_state(self, folder):
        pass
'''


@pytest.fixture
def players(tmp_path):
    path = tmp_path / "players.py"
    path.write_text(PLAYERS)
    return path


def config_of(players, *names, envs=("CartPole-v1",), episodes=6, **options):
    agents = [Entrant(ref=f"{players}:{name}") for name in names]
    return TournamentConfig(agents=agents, envs=[EnvEntry(id=env) for env in envs], episodes=episodes, **options)


def scores(result):
    return [replace(match, seconds=0.0) for match in result.matches]


def test_a_tournament_is_the_same_for_every_number_of_jobs_and_rows(players, tmp_path):
    config = config_of(players, "Lean", "Guess", envs=("CartPole-v1", "FrozenLake8x8-v1"), seed=4)
    first = tournament(config, out=tmp_path / "one", videos=False)
    second = tournament(config, out=tmp_path / "two", videos=False, jobs=2, num_envs=1)
    assert scores(first) == scores(second)
    assert first.standings == second.standings
    assert first.left_out == second.left_out
    for part in ("standings.csv", "standings.md", "tournament.toml"):
        assert (first.out / part).read_bytes() == (second.out / part).read_bytes()


def test_all_agents_meet_the_same_seeds_and_ranks_go_by_the_mean(players, tmp_path):
    result = tournament(config_of(players, "Guess", "Lean", seed=9), out=tmp_path / "cup", videos=False)
    expected = [episode_seed(9, Stream.EVALUATION, i) for i in range(6)]
    assert [match.seeds for match in result.matches] == [expected, expected]
    assert [(row["agent"], row["rank"]) for row in result.standings] == [("Lean", 1), ("Guess", 2)]


def test_who_does_not_fit_is_left_out_and_the_standings_say_so(players, tmp_path):
    config = config_of(players, "Lean", "Guess", envs=("FrozenLake8x8-v1",))
    result = tournament(config, out=tmp_path / "cup", videos=False)
    assert [row["agent"] for row in result.standings] == ["Guess"]
    (entry,) = result.left_out
    assert (entry.agent, entry.env) == ("Lean", "FrozenLake8x8-v1")
    assert entry.reason == "there is no pole in FrozenLake8x8-v1"
    assert "- Lean is not entered: there is no pole" in (result.out / "standings.md").read_text()


def test_the_folder_holds_matches_standings_plots_logs_and_videos(players, tmp_path):
    result = tournament(config_of(players, "Guess"), out=tmp_path / "cup")
    written = json.loads((result.out / "tournament.json").read_text())
    assert written == json.loads(json.dumps(result.to_json()))
    assert set(written) >= {"out", "standings", "matches", "left_out", "versions", "config"}
    assert set(written["standings"][0]) == {"agent", "env", "mean", "std", "episodes", "rank"}
    match = json.loads((result.out / "matches" / "Guess__CartPole-v1.json").read_text())
    assert match == written["matches"][0]
    (row,) = csv.DictReader((result.out / "standings.csv").read_text().splitlines())
    assert float(row["mean"]) == match["mean"]
    assert list((result.out / "tensorboard" / "Guess").iterdir())
    assert list(result.out.glob("*.png"))
    (video,) = (result.out / "videos" / "CartPole-v1").glob("*.mp4")
    filmed = json.loads(video.with_suffix(".json").read_text())
    assert filmed["return"] == max(match["returns"])
    assert filmed["seed"] == match["seeds"][match["returns"].index(max(match["returns"]))]
    assert result.not_filmed == []
    assert not list(result.out.rglob(".*"))


def test_the_file_in_the_folder_plays_the_tournament_again(players, tmp_path):
    config = config_of(players, "Guess", seed=2)
    first = tournament(config, out=tmp_path / "one", videos=False)
    again = tournament(configure(first.out / "tournament.toml"), out=tmp_path / "two", videos=False)
    assert scores(first) == scores(again)


def test_progress_counts_every_match(players, tmp_path):
    told = []
    config = config_of(players, "Guess", "Lean")
    tournament(config, out=tmp_path / "cup", videos=False, on_progress=told.append)
    assert [(p.phase, p.done, p.total) for p in told] == [("play", 1, 2), ("play", 2, 2)]


def test_a_broken_plugin_is_named_and_what_was_played_stays(players, tmp_path):
    with pytest.raises(BrokenPlugin) as caught:
        tournament(config_of(players, "Guess", "Broken"), out=tmp_path / "cup", videos=False)
    message = str(caught.value)
    assert message.startswith("Broken (") and "on CartPole-v1" in message and "ZeroDivisionError" in message
    assert "\n" not in message
    assert str(pickle.loads(pickle.dumps(caught.value))) == message  # as it comes from a worker
    assert [path.name for path in (tmp_path / "cup" / "matches").iterdir()] == ["Guess__CartPole-v1.json"]


def test_a_folder_that_holds_a_tournament_is_left_as_it_is(players, tmp_path):
    config = config_of(players, "Guess")
    tournament(config, out=tmp_path / "cup", videos=False)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "cup").rglob("*")}
    with pytest.raises(ArenaError, match="already holds a tournament"):
        tournament(config, out=tmp_path / "cup", videos=False)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cup").rglob("*")} == before


def test_mistakes_are_found_before_anything_is_written(players, tmp_path):
    twice = config_of(players, "Guess", "Guess")
    with pytest.raises(InvalidValue, match="are both named 'Guess'"):
        tournament(twice, out=tmp_path / "cup")
    with pytest.raises(UnknownName, match="agent"):
        tournament(configure(agents=["no_such_agent"], envs=["CartPole-v1"]), out=tmp_path / "cup")
    with pytest.raises(ArenaError, match="CartPole-v1"):
        tournament(config_of(players, "Guess", envs=("CratPole-v1",)), out=tmp_path / "cup")
    with pytest.raises(InvalidValue, match="--jobs must be at least 1, not 0"):
        tournament(config_of(players, "Guess"), out=tmp_path / "cup", jobs=0)
    trained = TournamentConfig(agents=[Entrant(ref="random", train=5)], envs=[EnvEntry(id="CartPole-v1")])
    with pytest.raises(InvalidValue, match=r"agent\[1\]\.train: 'random' does not learn"):
        tournament(trained, out=tmp_path / "cup")
    assert not (tmp_path / "cup").exists()


def test_a_learner_is_trained_where_it_fits_and_its_run_is_kept(players, tmp_path):
    learner, told = f"{players}:Learner", []
    config = configure(agents=[learner, "random"], envs=["CliffWalking-v1"], train=20, episodes=2)
    config = config.model_copy(update={"envs": [EnvEntry(id="CliffWalking-v1", settings={"max_episode_steps": 5})]})
    assert [agent.train for agent in config.agents] == [20, 0]
    result = tournament(config, out=tmp_path / "cup", videos=False, on_progress=told.append)
    run = result.out / "runs" / "Learner__CliffWalking-v1"
    assert (run / "config.toml").is_file()
    assert result.matches[0].ref == str(run)
    # Going right from the corner of CliffWalking is a fall, every time: -100.
    assert result.matches[0].returns == [-500.0, -500.0]
    assert [(p.done, p.total) for p in told if p.phase == "train"][-1] == (20, 20)


def test_an_untrained_learner_plays_as_it_starts(players, tmp_path):
    env = EnvEntry(id="CliffWalking-v1", settings={"max_episode_steps": 5})
    config = TournamentConfig(agents=[Entrant(ref=f"{players}:Learner")], envs=[env], episodes=1)
    # Its table is all zeros: it goes up, -1 a step.
    assert tournament(config, out=tmp_path / "cup", videos=False).matches[0].returns == [-5.0]


def test_an_interrupt_ends_the_workers_and_keeps_what_was_played(players, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            f"""
            import signal
            from pathlib import Path
            from arena.tournaments.league import configure, tournament
            if __name__ == "__main__":
                signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
                agents = ["{players}:Sleeps", "{players}:Guess"]
                config = configure(agents=agents, envs=["CartPole-v1"], episodes=2)
                tournament(config, out=Path("cup"), jobs=2, videos=False)
            """
        )
    )
    process = subprocess.Popen(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        played, sleeper = tmp_path / "cup" / "matches" / "Guess__CartPole-v1.json", tmp_path / "sleeper.pid"
        while not (played.exists() and sleeper.exists() and sleeper.read_text()):
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate()
    finally:
        process.kill()
        process.wait()
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert errors.count("Traceback") == 1
    assert json.loads(played.read_text())["agent"] == "Guess"
    with pytest.raises(ProcessLookupError):
        os.kill(int(sleeper.read_text()), 0)


def test_frozen_policies_play_without_tensorflow(players, tmp_path):
    code = f"""
import sys
from pathlib import Path
from arena.report import report
from arena.tournaments.league import configure, tournament
result = tournament(configure(agents=["{players}:Guess", "random"], envs=["CartPole-v1"], episodes=2), out=Path("cup"))
report(result.out)
assert "tensorflow" not in sys.modules
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True)
