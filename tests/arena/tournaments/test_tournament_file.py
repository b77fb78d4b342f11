"""A tournament's file and flags."""

from pathlib import Path

import pytest

from arena.config import write_toml
from arena.errors import ArenaError, InvalidValue
from arena.tournaments.file import Entrant, EnvEntry, TournamentConfig, check_unique, configure, slug, to_toml

AGENT = '[[agent]]\nref = "a.py:A"\n'
ENV = '[[env]]\nid = "CartPole-v1"\n'


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


def test_flags_alone_make_a_tournament():
    config = configure(agents=["a.py:A"], envs=["CartPole-v1"], seed=5)
    assert (config.name, config.seed, len(config.agents)) == ("tournament", 5, 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{AGENT}{AGENT}trian = 5\n{ENV}", "agent[2].trian: unknown key; did you mean 'train'?"),
        (f"epsiodes = 5\n{AGENT}{ENV}", "epsiodes: unknown key; did you mean 'episodes'?"),
        (f"xyz = 5\n{AGENT}{ENV}", "xyz: unknown key; known: name, seed, episodes, agent, env"),
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
            "give one of them another name in the tournament file",
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


def test_two_agents_of_one_name_are_both_named():
    agents = [Entrant(ref="runs/one", name="dqn"), Entrant(ref="runs/two", name="dqn")]
    config = TournamentConfig(agents=agents, envs=[EnvEntry(id="CartPole-v1")])
    with pytest.raises(InvalidValue, match=r"agent\[2\].name: 'runs/two' and 'runs/one' are both named 'dqn'"):
        check_unique(config)


def test_a_configuration_written_as_a_file_reads_back_the_same(tmp_path):
    config = TournamentConfig(
        name='a "quoted" name',
        agents=[Entrant(ref="a\\b é", train=5), Entrant(ref="c", name="d")],
        envs=[EnvEntry(id="ALE/Pong-v5", preprocess="atari", settings={"frameskip": 4, "p": 0.25, "q": [1, True]})],
    )
    write_toml(tmp_path / "t.toml", to_toml(config))
    assert configure(tmp_path / "t.toml") == config


def test_a_name_in_a_path_has_no_separators():
    assert slug("ALE/Pong-v5") == "ALE-Pong-v5"
    assert slug("../..") == "unnamed"
