"""A tournament's file and flags."""

import re
from pathlib import Path

import pytest

from arena.config import write_toml
from arena.errors import ArenaError, InvalidValue
from arena.isolation.limits import Limits
from arena.tournaments.file import (
    Entrant,
    EnvEntry,
    Sprt,
    TournamentConfig,
    check_consistent,
    configure,
    extended,
    slug,
    to_toml,
)
from arena.tournaments.mistakes import KEYS

AGENT = '[[agent]]\nref = "a.py:A"\n'
ENV = '[[env]]\nid = "CartPole-v1"\n'
GAME = f'{AGENT}[[agent]]\nref = "b.py:B"\n[[env]]\nid = "connect_four"\n'
SPRT = "[sprt]\nelo0 = 0\nelo1 = 20\n"


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "cup.toml"
    path.write_text(text)
    return path


def test_a_file_gives_names_counts_agents_and_environments(tmp_path):
    text = f"""name = "spring"\nseed = 3\nepisodes = 7\n{AGENT}name = "first"\n{ENV}preprocess = "none"
    [env.settings]\nmax_episode_steps = 9\n"""
    config = configure(written(tmp_path, text))
    assert (config.name, config.seed, config.episodes) == ("spring", 3, 7)
    assert config.agents == [Entrant(ref="a.py:A", name="first")]
    assert config.envs == [EnvEntry(id="CartPole-v1", preprocess="none", settings={"max_episode_steps": 9})]


def test_a_file_without_a_name_is_called_after_itself(tmp_path):
    assert configure(written(tmp_path, AGENT + ENV)).name == "cup"


def test_flags_add_agents_and_environments_and_override_the_rest(tmp_path):
    file = written(tmp_path, f"seed = 3\nepisodes = 7\n{AGENT}{ENV}")
    config = configure(file, agents=["b.py:B"], envs=["Taxi-v4"], episodes=2)
    assert [agent.ref for agent in config.agents] == ["a.py:A", "b.py:B"]
    assert [env.id for env in config.envs] == ["CartPole-v1", "Taxi-v4"]
    assert (config.seed, config.episodes) == (3, 2)


def test_a_flag_names_an_agent(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x=1.tflite").touch()
    config = configure(agents=["random", "other=random", "b 2=b.py:B", "x=1.tflite", "d/x=1.npz"], envs=["CartPole-v1"])
    named = [(agent.name, agent.ref) for agent in config.agents]
    assert named[:3] == [("", "random"), ("other", "random"), ("b 2", "b.py:B")]
    assert named[3:] == [("", "x=1.tflite"), ("", "d/x=1.npz")]  # a file, and what cannot be a name
    assert extended(config, ["third=random"]).agents[-1].name == "third"


def test_flags_alone_make_a_tournament():
    config = configure(agents=["a.py:A"], envs=["CartPole-v1"], seed=5)
    assert (config.name, config.seed, len(config.agents)) == ("tournament", 5, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{AGENT}{AGENT}trian = 5\n{ENV}", "agent[2].trian: unknown key; did you mean 'train'?"),
        (f"epsiodes = 5\n{AGENT}{ENV}", "epsiodes: unknown key; did you mean 'episodes'?"),
        (
            f"xyz = 5\n{AGENT}{ENV}",
            "xyz: unknown key; known: name, format, seed, episodes, pairs, opening_plies, challengers, rounds, "
            "tiebreak_pairs, stop, sprt, limits, agent, env",
        ),
        (f'[[agents]]\nref = "a"\n{ENV}', "agents: unknown key; did you mean 'agent'?"),
        (f'{AGENT}{ENV}idd = "x"\n', "env[1].idd: unknown key; did you mean 'id'?"),
        (f'{AGENT}train = "x"\n{ENV}', "agent[1].train: must be a whole number, not 'x'"),
        (f"{AGENT}train = true\n{ENV}", "agent[1].train: must be a whole number, not True"),
        (f"{AGENT}train = -1\n{ENV}", "agent[1].train: must be at least 0, not -1"),
        (f"episodes = 0\n{AGENT}{ENV}", "episodes: must be at least 1, not 0"),
        (f"seed = -1\n{AGENT}{ENV}", "seed: must be at least 0, not -1"),
        (f"name = 3\n{AGENT}{ENV}", "name: must be a text in quotes, not 3"),
        (f'[[agent]]\nname = "a"\n{ENV}', "agent[1].ref: is missing"),
        (f'[[agent]]\nref = ""\n{ENV}', "agent[1].ref: must not be empty"),
        (f'[agent]\nref = "a"\n{ENV}', "agent: must be a list of tables, each begun with [[agent]], not a dict"),
        (ENV, "agent: a tournament without agents; add [[agent]] to its file, or --agent"),
        (AGENT, "env: a tournament without environments; add [[env]] to its file, or --env"),
        (f"{AGENT}{ENV}{ENV}", "env[2].id: 'CartPole-v1' is entered twice; leave one out"),
        (
            f'{AGENT}name = "x y"\n[[agent]]\nref = "b"\nname = "x-Y"\n{ENV}',
            "agent[2].name: 'b' and 'a.py:A' are both named 'x-Y'; "
            "give one another: `name` in the tournament file, or --agent NAME=b",
        ),
    ],
)
def test_every_mistake_is_one_line_that_names_the_key(tmp_path, text, message):
    file = written(tmp_path, text)
    with pytest.raises(InvalidValue) as caught:
        configure(file)
    assert str(caught.value) == f"{file}: {message}"


def test_a_mistake_of_syntax_names_the_line(tmp_path):
    with pytest.raises(ArenaError, match=r"cup\.toml is not valid TOML: .*line 2"):
        configure(written(tmp_path, 'name = "a"\nseed =\n'))


def test_a_missing_file_and_a_folder_are_one_line(tmp_path):
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(ArenaError) as caught:
            configure(path)
        assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_wrong_flag_is_named_as_a_flag(tmp_path):
    with pytest.raises(InvalidValue, match=r"^--episodes: must be at least 1, not -4$"):
        configure(written(tmp_path, AGENT + ENV), episodes=-4)
    with pytest.raises(InvalidValue, match=r"^--train: must be at least 0, not -1$"):
        configure(agents=["a"], envs=["b"], train=-1)


def test_the_flag_trains_this_projects_learners_and_runs_no_strangers_code(tmp_path):
    (tmp_path / "mine.py").write_text("raise SystemExit('imported')\nclass Mine:\n    pass\n")
    config = configure(agents=["q_learning", "random", f"{tmp_path / 'mine.py'}:Mine"], envs=["Taxi-v4"], train=5)
    assert [agent.train for agent in config.agents] == [5, 0, 0]


def test_two_agents_of_one_name_are_both_named():
    agents = [Entrant(ref="runs/one", name="dqn"), Entrant(ref="runs/two", name="dqn")]
    config = TournamentConfig(agents=agents, envs=[EnvEntry(id="CartPole-v1")])
    with pytest.raises(InvalidValue, match=r"agent\[2\].name: 'runs/two' and 'runs/one' are both named 'dqn'"):
        check_consistent(config)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f'format = "round_robin"\n{GAME}', "format: unknown format 'round_robin'; did you mean 'round-robin'?"),
        (
            f'format = "x"\n{GAME}',
            "format: unknown format 'x'; choices: league, round-robin, gauntlet, knockout, swiss",
        ),
        (
            f'format = "swiss"\nepisodes = 5\n{GAME}',
            "episodes: means nothing in a swiss, which takes pairs, opening_plies, rounds",
        ),
        (f"pairs = 5\n{AGENT}{ENV}", "pairs: means nothing in a league, which takes episodes"),
        (f'format = "knockout"\npairs = 0\n{GAME}', "pairs: must be at least 1, not 0"),
        (f'format = "knockout"\npairs = 2.5\n{GAME}', "pairs: must be a whole number, not 2.5"),
        (f'format = "swiss"\nopening_plies = -1\n{GAME}', "opening_plies: must be at least 0, not -1"),
        (
            f'format = "swiss"\nrounds = 2\n{GAME}',
            'rounds: after 1 all 2 agents have met; play fewer, or format = "round-robin"',
        ),
        (
            f'format = "round-robin"\n{AGENT}{ENV}',
            "agent: a round-robin needs at least two agents; add [[agent]] to its file, or --agent",
        ),
        (
            f'format = "gauntlet"\nchallengers = 2\n{GAME}',
            "challengers: must be fewer than the 2 agents, not 2",
        ),
        (f'format = "knockout"\n{GAME}{ENV}', "env: a knockout is played in one environment, not 2"),
        (
            f'format = "gauntlet"\n{GAME}[[agent]]\nref = "c"\ntrain = 5\n',
            "agent[3].train: learners train in environments of one player; enter a trained one",
        ),
        (
            f'format = "round-robin"\nstop = "sprt"\n{SPRT}{GAME}[[agent]]\nref = "c"\n',
            "stop: a sequential test is between two agents, not 3",
        ),
        (
            f'format = "round-robin"\nstop = "sprt"\n{SPRT}{GAME}{ENV}',
            "stop: a sequential test is in one environment, not 2",
        ),
        (
            f'format = "round-robin"\nstop = "sprt"\n{GAME}',
            "sprt: is missing; name the differences to tell apart, [sprt] with elo0 = 0 and elo1 = 20 for instance",
        ),
        (f'format = "round-robin"\n{SPRT}{GAME}', 'sprt: means nothing without stop = "sprt"'),
        (
            f'format = "round-robin"\nstop = "sprt"\n[sprt]\nelo0 = 5\nelo1 = 0\n{GAME}',
            "sprt.elo1: must be more than sprt.elo0 = 5, not 0",
        ),
        (f'format = "round-robin"\n[sprt]\nelo0 = 0\n{GAME}', "sprt.elo1: is missing"),
        (f"format = 'round-robin'\n{SPRT}alhpa = 0.1\n{GAME}", "sprt.alhpa: unknown key; did you mean 'alpha'?"),
        (f"format = 'round-robin'\n{SPRT}alpha = 0.5\n{GAME}", "sprt.alpha: must be less than 0.5, not 0.5"),
        (f"format = 'round-robin'\n{SPRT}beta = nan\n{GAME}", "sprt.beta: must be a finite number, not nan"),
        (f"[limits]\nmove_s = 0\n{AGENT}{ENV}", "limits.move_s: must be more than 0, not 0"),
        (f'[limits]\nmove_s = "5"\n{AGENT}{ENV}', "limits.move_s: must be a number, not '5'"),
        (f"[limits]\nmemory = 5\n{AGENT}{ENV}", "limits.memory: unknown key; did you mean 'memory_mb'?"),
        (f"limits = 5\n{AGENT}{ENV}", "limits: must be a table, not 5"),
        (
            f'{AGENT}mode = "best"\n{ENV}',
            "agent[1].mode: a mode is greedy, sample or epsilon=X with X from 0 to 1, not 'best'",
        ),
        (f"{AGENT}trust = 1\n{ENV}", "agent[1].trust: must be true or false, not 1"),
        (
            f"{AGENT}{ENV}{ENV}preprocess = 'x'\n",
            "env[2].name: two environments are called 'CartPole-v1'; give each a `name` of its own",
        ),
    ],
)
def test_every_mistake_about_formats_is_one_line_that_names_the_key(tmp_path, text, message):
    file = written(tmp_path, text)
    with pytest.raises(InvalidValue) as caught:
        configure(file)
    assert str(caught.value) == f"{file}: {message}"


def test_an_environment_is_entered_twice_under_two_names(tmp_path):
    config = configure(written(tmp_path, f"{AGENT}{ENV}{ENV}name = 'short'\nsettings.max_episode_steps = 9\n"))
    assert [env.label for env in config.envs] == ["CartPole-v1", "short"]


def test_the_format_and_the_limits_may_come_from_flags(tmp_path):
    file = written(tmp_path, f"[limits]\nmove_s = 3\nlog_kb = 1\n{GAME}")
    config = configure(
        file, format="swiss", pairs=2, rounds=1, opening_plies=0, limits={"move_s": 5.0, "start_s": None}
    )
    assert (config.format, config.pairs, config.rounds, config.opening_plies) == ("swiss", 2, 1, 0)
    assert config.limits == Limits(move_s=5.0, log_kb=1)
    with pytest.raises(InvalidValue, match=r"^--opening-plies: must be at least 0, not -1$"):
        configure(file, format="swiss", opening_plies=-1)
    with pytest.raises(InvalidValue, match=r"^--move-s: must be more than 0, not 0$"):
        configure(file, limits={"move_s": 0})
    with pytest.raises(InvalidValue, match=r"^--pairs: means nothing in a league, which takes episodes$"):
        configure(file, pairs=3)


@pytest.mark.parametrize(("num_agents", "rounds"), [(2, 1), (3, 2), (4, 2), (5, 3), (8, 3), (9, 4)])
def test_a_swiss_has_as_many_rounds_as_leave_one_winner_of_all(num_agents, rounds):
    config = configure(agents=[f"a{i}" for i in range(num_agents)], envs=["go"], format="swiss")
    assert config.num_rounds == rounds  # 2 ** rounds >= agents > 2 ** (rounds - 1)


def test_games_open_with_the_tournaments_plies_unless_an_environment_has_its_own():
    envs = [EnvEntry(id="go", settings={"board_size": 5}), EnvEntry(id="y", settings={"opening_plies": 1})]
    config = TournamentConfig(format="round-robin", opening_plies=3, agents=[Entrant(ref="a")] * 2, envs=envs)
    assert config.env_settings(0) == {"board_size": 5, "opening_plies": 3}
    assert config.env_settings(1) == {"opening_plies": 1}
    assert TournamentConfig(agents=[Entrant(ref="a")], envs=envs).env_settings(0) == {"board_size": 5}


def test_newcomers_are_entered_last_where_the_format_admits_them(tmp_path):
    config = configure(written(tmp_path, f'format = "round-robin"\n{GAME}'))
    assert [agent.ref for agent in extended(config, ["c"]).agents] == ["a.py:A", "b.py:B", "c"]
    for format in ("knockout", "swiss"):
        with pytest.raises(InvalidValue, match=f"^format: nobody can join a {format} once it is drawn"):
            extended(config.model_copy(update={"format": format}), ["c"])
    tested = config.model_copy(update={"stop": "sprt", "sprt": Sprt(elo0=0, elo1=5)})
    with pytest.raises(InvalidValue, match=r"^stop: a sequential test is between two agents, not 3$"):
        extended(tested, ["c"])


@pytest.mark.parametrize(
    "config",
    [
        TournamentConfig(
            name='a "quoted" name',
            agents=[Entrant(ref="a\\b é", train=5), Entrant(ref="c", name="d")],
            envs=[EnvEntry(id="ALE/Pong-v5", preprocess="atari", settings={"frameskip": 4, "p": 0.25, "q": [1, True]})],
        ),
        TournamentConfig(
            format="gauntlet",
            pairs=7,
            opening_plies=0,
            challengers=1,
            stop="sprt",
            sprt=Sprt(elo0=-3, elo1=2.5, model="normalized"),
            limits=Limits(move_s=0.5),
            agents=[Entrant(ref="a", settings={"depth": 3}, mode="sample", trust=True), Entrant(ref="b")],
            envs=[EnvEntry(id="go", name="small go", settings={"board_size": 5})],
        ),
        TournamentConfig(
            format="swiss", rounds=2, agents=[Entrant(ref=name) for name in "abcd"], envs=[EnvEntry(id="go")]
        ),
        TournamentConfig(
            format="knockout", tiebreak_pairs=0, agents=[Entrant(ref=name) for name in "ab"], envs=[EnvEntry(id="go")]
        ),
    ],
    ids=lambda config: config.format,
)
def test_a_configuration_written_as_a_file_reads_back_the_same(tmp_path, config):
    write_toml(tmp_path / "t.toml", to_toml(config))
    assert configure(tmp_path / "t.toml") == config


def test_a_name_in_a_path_has_no_separators():
    assert slug("ALE/Pong-v5") == "ALE-Pong-v5"
    assert slug("../..") == "unnamed"


GUIDE = (Path(__file__).parents[3] / "docs" / "tournaments.md").read_text(encoding="utf-8")


def test_every_key_and_format_is_in_the_guide():
    code = " ".join(re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL) + re.findall(r"(?<!`)`([^`\n]+)`(?!`)", GUIDE))
    models = (TournamentConfig, Entrant, EnvEntry, Sprt, Limits)
    keys = {str(field.validation_alias or name) for model in models for name, field in model.model_fields.items()}
    assert not (keys | set(KEYS)) - set(re.findall(r"[\w-]+", code))


def test_the_guides_file_is_one(tmp_path):
    file, test = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    config = configure(written(tmp_path, file))
    assert (config.format, config.pairs, config.limits.move_s) == ("round-robin", 50, 2.0)
    with_test = configure(written(tmp_path, file.replace("pairs = 50", "pairs = 50\n" + test)))
    assert with_test.sprt == Sprt(elo0=0, elo1=20)
