"""Tournaments: small real ones."""

import csv
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from arena.cli import main
from arena.errors import ArenaError, InvalidValue, UnknownName
from arena.seeding import Stream, episode_seed
from arena.tournaments.entering import NothingToPlay
from arena.tournaments.export import write_csv
from arena.tournaments.file import Entrant, EnvEntry, TournamentConfig, configure
from arena.tournaments.films import record
from arena.tournaments.records import ForfeitType
from arena.tournaments.result import load
from arena.tournaments.store import FILE, Store
from arena.tournaments.tournament import Hooks, extend, resume, tournament

ROOT = Path(__file__).parents[3]
PLAYERS = '''
import numpy as np
from arena import functions
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

class Stumbles(Player):
    """Falls over its seventh move of the second game."""
    games = 0
    def initial_state(self, seeds):
        Stumbles.games += 1
        return np.zeros(len(seeds), np.int64)
    def act(self, obs, state):
        if Stumbles.games == 2 and state[0] == 6:
            raise RuntimeError("over my feet")
        return Decision(np.zeros(len(state), np.int64), state + 1)

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
SHORT_CLIFF = EnvEntry(id="CliffWalking-v1", settings={"max_episode_steps": 5})


@pytest.fixture
def players(tmp_path):
    path = tmp_path / "players.py"
    path.write_text(PLAYERS)
    return path


def league(*agents, envs=("CartPole-v1", "FrozenLake8x8-v1"), **options):
    """Returns a league of agents given as NAME=REF or REF."""
    entrants = [Entrant(name=name, ref=ref) for name, _, ref in (agent.rpartition("=") for agent in agents)]
    envs = [EnvEntry(id=env) if isinstance(env, str) else env for env in envs]
    return TournamentConfig(agents=entrants, envs=envs, **{"episodes": 25} | options)


def hold(config, out, **options):
    return tournament(config, out=out, **{"videos": False} | options)


@pytest.mark.parametrize(
    "config",
    [
        league("q_learning", "one=random", "two=random", seed=4),
        TournamentConfig(
            format="round-robin",
            pairs=3,
            agents=[Entrant(ref="random", name=name) for name in "abc"],
            envs=[EnvEntry(id="tic_tac_toe"), EnvEntry(id="connect_four", settings={"rows": 4, "columns": 4})],
        ),
    ],
    ids=["league", "round-robin"],
)
def test_a_tournament_is_the_same_for_every_number_of_jobs_and_rows(config, tmp_path):
    if config.format != "league":
        pytest.importorskip("pyspiel", reason="needs the extra two-player")
    first = hold(config, tmp_path / "one")
    second = hold(config, tmp_path / "two", jobs=2, num_envs=1)
    assert first.matches == second.matches
    assert first.is_finished and second.is_finished
    for played in first.matches:
        with Store(first.folder, read_only=True) as one, Store(second.folder, read_only=True) as two:
            pairs = zip(one.actions(played.match.id), two.actions(played.match.id), strict=True)
            assert all((a == b).all() and a.dtype == b.dtype for a, b in pairs)


def test_all_agents_meet_the_same_seeds_as_in_an_evaluation(tmp_path):
    from arena.evaluation import evaluate

    result = hold(league("random", "q_learning", envs=["CartPole-v1"], seed=9), tmp_path / "cup")
    seeds = [episode_seed(9, Stream.EVALUATION, i) for i in range(25)]
    for name in ("random", "q_learning"):
        games = [game for played in result.matches if played.match.players == (name,) for game in played.games]
        assert [game.seed for game in games] == seeds
        assert result.returns()[name, "CartPole-v1"] == evaluate(name, "CartPole-v1", episodes=25, seed=9).returns
    blocks = [len(played.games) for played in result.matches if played.match.players == ("random",)]
    assert blocks == [10, 10, 5]


def test_an_isolated_agent_plays_as_it_would_here_and_may_not_fit(players, tmp_path):
    from arena.evaluation import evaluate

    told = []
    config = league(f"{players}:Lean", "random", episodes=3)
    result = hold(config, tmp_path / "cup", hooks=Hooks(warn=told.append))
    assert [agent.is_pooled for agent in result.entered] == [False, True]
    assert result.returns()["Lean", "CartPole-v1"] == evaluate(f"{players}:Lean", "CartPole-v1", episodes=3).returns
    (entry,) = result.not_entered
    assert (entry.agent, entry.env) == ("Lean", "FrozenLake8x8-v1")
    assert entry.reason == "there is no pole in FrozenLake8x8-v1"
    assert told == ["Lean is not entered on FrozenLake8x8-v1: there is no pole in FrozenLake8x8-v1"]
    assert result.is_finished
    assert "- Lean is not entered: there is no pole" in (result.folder / "standings.md").read_text()


def test_what_does_not_fit_is_found_before_anything_is_played(tmp_path):
    result = hold(league("random", "q_learning", envs=["MountainCarContinuous-v0"], episodes=1), tmp_path / "cup")
    (entry,) = result.not_entered
    assert entry.agent == "q_learning"
    assert [played.match.players for played in result.matches] == [("random",)]


def test_where_nobody_fits_that_could_meet_nothing_is_begun(tmp_path):
    config = league("q_learning", envs=["MountainCarContinuous-v0"], episodes=1)
    with pytest.raises(NothingToPlay, match="there is nothing to play: q_learning does not fit MountainCarCont"):
        hold(config, tmp_path / "cup")
    assert not (tmp_path / "cup").exists()


def test_an_agent_that_fails_forfeits_the_rest_of_its_match_and_keeps_what_it_finished(players, tmp_path):
    result = hold(league(f"{players}:Stumbles", "random", envs=["CartPole-v1"], episodes=5), tmp_path / "cup")
    alone = hold(league("random", envs=["CartPole-v1"], episodes=5), tmp_path / "alone")
    (played,) = [played for played in result.matches if played.match.players == ("Stumbles",)]
    assert [game.seed for game in played.games] == [episode_seed(0, Stream.EVALUATION, 0)]
    (forfeit,) = played.forfeits
    assert (forfeit.game, forfeit.agent, forfeit.type) == (1, "Stumbles", ForfeitType.CRASH)
    assert "RuntimeError: over my feet" in forfeit.reason
    (told,) = result.to_json()["forfeits"]
    assert told | {"reason": ""} == {
        "match": played.match.id,
        "env": "CartPole-v1",
        "game": 1,
        "agent": "Stumbles",
        "type": "crash",
        "reason": "",
    }
    assert result.returns()["random", "CartPole-v1"] == alone.returns()["random", "CartPole-v1"]
    assert result.is_finished
    rows = list(csv.DictReader(io.StringIO(as_csv(result))))
    assert [(row["player_0"], row["forfeit"]) for row in rows if row["player_0"] == "Stumbles"] == [
        ("Stumbles", ""),
        ("Stumbles", "crash"),
    ]


def test_a_match_without_a_finished_game_cannot_be_filmed(tmp_path):
    path = tmp_path / "leaves.py"
    path.write_text("raise ValueError('not today')\nclass Leaves: pass\n")
    result = hold(league(f"{path}:Leaves", envs=["CartPole-v1"], episodes=1), tmp_path / "cup")
    with pytest.raises(InvalidValue, match=r"has an end that could be filmed \(Leaves: failed import, "):
        record(tmp_path / "cup", result.matches[0].match.id, out=tmp_path / "films")


def test_in_a_game_the_opponent_wins_and_the_other_game_is_played(players, tmp_path):
    pytest.importorskip("pyspiel", reason="needs the extra two-player")
    path = tmp_path / "resigns.py"
    path.write_text(
        "import numpy as np\n"
        "from arena.agent import Decision, Player\n"
        "class Resigns(Player):\n"
        "    def act(self, obs, state):\n"
        "        if obs['seat'][0] == 0:\n"
        "            raise RuntimeError('I would rather be second')\n"
        "        return Decision(obs['legal'].argmax(1))\n"
    )
    config = TournamentConfig(
        format="gauntlet",
        pairs=1,
        opening_plies=0,
        agents=[Entrant(ref=f"{path}:Resigns"), Entrant(ref="random")],
        envs=[EnvEntry(id="tic_tac_toe")],
    )
    (played,) = hold(config, tmp_path / "cup").matches
    lost, other = played.games
    assert (lost.players, lost.scores, lost.length) == (("Resigns", "random"), (0.0, 1.0), 0)
    assert other.players == ("random", "Resigns") and other.length >= 5 and sum(other.scores) == 1.0
    assert [(forfeit.game, forfeit.agent) for forfeit in played.forfeits] == [(0, "Resigns")]
    (film,) = record(tmp_path / "cup", played.match.id, out=tmp_path / "films")  # the game that has an end
    assert film.game.players == ("random", "Resigns")


def test_the_folder_holds_the_store_standings_plot_and_videos(tmp_path):
    result = tournament(league("random", envs=["CartPole-v1"], episodes=3), out=tmp_path / "cup")
    written = result.to_json()
    assert written["out"] == str(result.folder) and json.loads(json.dumps(written))
    assert set(written["standings"][0]) >= {"agent", "env", "mean", "std", "episodes", "rank"}
    (row,) = csv.DictReader((result.folder / "standings.csv").read_text().splitlines())
    returns = result.returns()["random", "CartPole-v1"]
    assert float(row["mean"]) == sum(returns) / 3
    assert (result.folder / "standings.png").is_file()
    (video,) = (result.folder / "videos" / "CartPole-v1").glob("*.mp4")
    filmed = json.loads(video.with_suffix(".json").read_text())
    assert filmed["return"] == max(returns)
    assert filmed["seed"] == result.matches[0].games[returns.index(max(returns))].seed
    assert result.not_filmed == []
    assert not list(result.folder.rglob(".*")) and not list(result.folder.glob(f"{FILE}-*"))


def test_the_file_in_the_folder_plays_the_tournament_again(tmp_path):
    first = hold(league("random", seed=2, episodes=3), tmp_path / "one")
    again = hold(configure(first.folder / "tournament.toml"), tmp_path / "two")
    assert first.matches == again.matches


def test_progress_counts_every_match(tmp_path):
    told, played = [], []
    config = league("random", "q_learning", envs=["CartPole-v1"])
    hold(
        config, tmp_path / "cup", hooks=Hooks(on_progress=told.append, on_played=lambda match, _: played.append(match))
    )
    assert [(p.phase, p.done, p.total) for p in told] == [("play", n, 6) for n in range(1, 7)]
    assert len(played) == 6


def test_a_folder_that_holds_a_tournament_is_left_as_it_is(tmp_path):
    config = league("random", envs=["CartPole-v1"], episodes=2)
    hold(config, tmp_path / "cup")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "cup").rglob("*")}
    with pytest.raises(ArenaError, match="already holds a tournament"):
        hold(config, tmp_path / "cup")
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "cup").rglob("*")} == before


def test_mistakes_are_found_before_anything_is_written(players, tmp_path):
    with pytest.raises(InvalidValue, match="'random'"):
        hold(league("random", "random"), tmp_path / "cup")
    with pytest.raises(UnknownName, match="agent"):
        hold(league("no_such_agent"), tmp_path / "cup")
    with pytest.raises(UnknownName, match="CartPole-v1"):
        hold(league("random", envs=["CratPole-v1"]), tmp_path / "cup")
    with pytest.raises(InvalidValue, match="--jobs must be at least 1, not 0"):
        hold(league("random"), tmp_path / "cup", jobs=0)
    trained = TournamentConfig(agents=[Entrant(ref="random", train=5)], envs=[EnvEntry(id="CartPole-v1")])
    with pytest.raises(InvalidValue, match=r"agent\[1\]\.train: 'random' does not learn"):
        hold(trained, tmp_path / "cup")
    assert not (tmp_path / "cup").exists()


def test_a_learner_is_trained_where_it_fits_and_its_run_is_kept(players, tmp_path):
    told = []
    entrants = [Entrant(ref=f"{players}:Learner", train=20, trust=True), Entrant(ref="random")]
    config = TournamentConfig(agents=entrants, envs=[SHORT_CLIFF], episodes=2)
    result = hold(config, tmp_path / "cup", hooks=Hooks(on_progress=told.append))
    assert (result.folder / "runs" / "Learner__CliffWalking-v1" / "config.toml").is_file()
    assert result.entered[0].is_pooled  # a policy of the arena's own making
    # Going right from the corner of CliffWalking is a fall, every time: -100.
    assert result.returns()["Learner", "CliffWalking-v1"] == [-500.0, -500.0]
    assert [(p.done, p.total) for p in told if p.phase == "train"][-1] == (20, 20)
    told.clear()
    assert resume(result.folder, videos=False, hooks=Hooks(on_progress=told.append)).matches == result.matches
    assert told == []


def test_an_untrained_learner_plays_as_it_starts(players, tmp_path):
    config = league(f"{players}:Learner", envs=[SHORT_CLIFF], episodes=1)
    # Its table is all zeros: it goes up, -1 a step.
    assert hold(config, tmp_path / "cup").returns()["Learner", "CliffWalking-v1"] == [-5.0]


def test_a_newcomer_plays_only_what_is_missing(tmp_path):
    config = league("random", "q_learning", episodes=12)
    whole = hold(league("random", "q_learning", "other=random", episodes=12), tmp_path / "whole")
    first = hold(config, tmp_path / "cup")
    before, played = committed(first.folder), []
    longer = extend(
        first.folder, ["random_search"], videos=False, hooks=Hooks(on_played=lambda match, _: played.append(match))
    )
    assert [match.match.players for match in played] == [("random_search",)] * 4  # two blocks in two environments
    assert [agent.name for agent in longer.entered] == ["random", "q_learning", "random_search"]
    assert {match_id: committed(first.folder)[match_id] for match_id in before} == before
    assert longer.returns()["random", "CartPole-v1"] == whole.returns()["random", "CartPole-v1"]
    assert longer.is_finished and len(longer.matches) == 12
    assert configure(first.folder / "tournament.toml").agents == longer.config.agents


def test_nobody_joins_a_knockout(tmp_path):
    pytest.importorskip("pyspiel", reason="needs the extra two-player")
    agents = [Entrant(ref="random", name=name) for name in "ab"]
    config = TournamentConfig(format="knockout", pairs=1, agents=agents, envs=[EnvEntry(id="tic_tac_toe")])
    result = hold(config, tmp_path / "cup")
    assert result.is_finished and {place.rank for place in result.outcome.places} == {1, 2}
    with pytest.raises(InvalidValue, match="nobody can join a knockout"):
        extend(result.folder, ["mcts"], videos=False)


def test_an_agent_that_has_changed_is_refused_by_name(players, tmp_path):
    result = hold(league(f"{players}:Lean", "random", envs=["CartPole-v1"], episodes=1), tmp_path / "cup")
    assert resume(result.folder, videos=False).is_finished
    players.write_text(PLAYERS + "\n# better\n")
    remedy = rf"arena tournament --extend {result.folder} --agent {players}:Lean"
    with pytest.raises(ArenaError, match=f"^Lean .* has changed since it was entered.*{remedy}"):
        resume(result.folder, videos=False)


def test_a_second_runner_is_refused(tmp_path):
    result = hold(league("random", envs=["CartPole-v1"], episodes=1), tmp_path / "cup")
    from arena.files import claimed

    with claimed(result.folder, ""), pytest.raises(ArenaError, match="is being played by another process"):
        resume(result.folder)
    assert resume(result.folder, videos=False).is_finished


def test_other_versions_are_a_warning_that_stays(tmp_path):
    result = hold(league("random", envs=["CartPole-v1"], episodes=1), tmp_path / "cup")
    with Store(result.folder) as store:
        store.put(made_with=store.get("made_with") | {"numpy": "1.0"})
    told = []
    again = resume(result.folder, videos=False, hooks=Hooks(warn=told.append))
    assert len(told) == 1 and "instead of 1.0" in told[0]
    assert list(again.warnings) == told


def test_frozen_policies_play_without_tensorflow(tmp_path):
    code = """
import sys
from pathlib import Path
from arena.tournaments.file import configure
from arena.tournaments.tournament import tournament
result = tournament(configure(agents=["q_learning", "random"], envs=["CartPole-v1"], episodes=2), out=Path("cup"))
assert result.is_finished and result.not_filmed == []
assert "tensorflow" not in sys.modules
"""
    run_python(code, tmp_path)


# What ends a tournament before its time.

MANY = """
import signal, sys
from pathlib import Path
from arena.tournaments.file import Entrant, EnvEntry, TournamentConfig
from arena.tournaments.tournament import tournament
if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
    agents = [Entrant(ref="random", name=name) for name in ("one", "two")]
    config = TournamentConfig(agents=agents, envs=[EnvEntry(id="MountainCar-v0")], episodes=300, seed=3)
    tournament(config, out=Path(sys.argv[1]), jobs=int(sys.argv[2]), videos=False)
"""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    run_python(MANY, folder, "cup", "1")
    return load(folder / "cup")


@pytest.mark.parametrize(("how", "jobs"), [("SIGKILL", 1), ("SIGKILL", 2), ("SIGINT", 2)])
def test_a_tournament_that_was_stopped_goes_on_without_loss(how, jobs, undisturbed, tmp_path):
    process = start_python(MANY, tmp_path, "cup", str(jobs))
    try:
        while len(committed(tmp_path / "cup")) < 5:
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.01)
        workers = children_of(process.pid)
        process.send_signal(getattr(signal, how))
        _, errors = process.communicate()
    finally:
        process.kill()
        process.wait()
    before = committed(tmp_path / "cup")
    assert 5 <= len(before) < 60
    assert not load(tmp_path / "cup").is_finished
    if how == "SIGINT":
        assert errors.rstrip().endswith("KeyboardInterrupt") and errors.count("Traceback") == 1
    while any(Path(f"/proc/{pid}/cmdline").exists() for pid in workers):
        time.sleep(0.01)
    result = resume(tmp_path / "cup", videos=False)
    assert result.is_finished and result.matches == undisturbed.matches
    assert result.to_json()["standings"] == undisturbed.to_json()["standings"]
    assert before.items() <= committed(tmp_path / "cup").items()  # none was played twice


def test_a_disk_that_is_full_is_one_clear_line_and_resume_goes_on(undisturbed, tmp_path):
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (800_000, 800_000))\n"
    process = start_python(limit + MANY, tmp_path, "cup", "1")
    _, errors = process.communicate()
    assert process.returncode
    assert "arena resume cup" in errors.splitlines()[-1]
    assert 0 < len(committed(tmp_path / "cup")) < 60
    result = resume(tmp_path / "cup", videos=False)
    assert result.is_finished and result.matches == undisturbed.matches


def test_the_command_goes_on_exports_and_extends(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert arena("tournament --agent random --env CartPole-v1 --episodes 3 --out cup --json") == 0
    first = json.loads(capsys.readouterr().out)
    assert first["is_finished"] and first["out"] == "cup"
    assert arena("resume cup --json") == 0
    assert json.loads(capsys.readouterr().out)["matches"] == first["matches"]
    assert arena("tournament --extend cup --agent q_learning --json") == 0
    longer = json.loads(capsys.readouterr().out)
    assert [agent["name"] for agent in longer["agents"]] == ["random", "q_learning"]
    assert arena("report cup --json") == 0
    assert json.loads(capsys.readouterr().out)["matches"] == longer["matches"]
    assert arena("report cup --csv") == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [float(row["return_0"]) for row in rows[:3]] == [game["returns"][0] for game in first["matches"][0]["games"]]
    assert [row["player_0"] for row in rows] == ["random"] * 3 + ["q_learning"] * 3
    assert arena("tournament --extend cup") == 2
    assert arena("tournament --extend cup --agent random --env CartPole-v1") == 2
    assert "leave --env out" in capsys.readouterr().err


def arena(line):
    """Runs a command line and returns its exit code."""
    return main(line.split())


def as_csv(result):
    file = io.StringIO()
    write_csv(result, file)
    return file.getvalue()


def committed(folder):
    """Returns when each match was committed, by its id."""
    if not (folder / FILE).exists():
        return {}
    connection = sqlite3.connect(folder / FILE)
    try:
        return dict(connection.execute("SELECT id, times FROM matches"))
    except sqlite3.OperationalError:  # it has just been made
        return {}
    finally:
        connection.close()


def children_of(pid):
    return [
        int(child) for task in Path(f"/proc/{pid}/task").glob("*") for child in (task / "children").read_text().split()
    ]


def start_python(code, folder, *arguments):
    (folder / "script.py").write_text(textwrap.dedent(code))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "script.py", *arguments]
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)


def run_python(code, folder, *arguments):
    process = start_python(code, folder, *arguments)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
