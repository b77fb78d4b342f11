"""The run folder: what it says of a run."""

import tomllib

import pytest

from arena.config import RunConfig
from arena.errors import DamagedFile
from arena.run_folder import RunFolder, load_config
from arena.training import train
from arena.versions import machine


def test_the_configuration_names_the_environments_default_preprocessing_and_the_machine(tmp_path):
    config = RunConfig.of(agent="q_learning", env="CartPole-v1", steps=1, eval_episodes=1)
    folder = train(config, run_dir=tmp_path / "run").folder
    assert load_config(folder).preprocess == "none"
    assert tomllib.loads((folder / "config.toml").read_text())["machine"] == machine()


def test_settings_that_are_switched_off_stay_so(tmp_path):
    config = RunConfig.of(agent="x", env="y", settings={"limit": None, "rate": 1.0}, env_settings={"cap": None})
    RunFolder(tmp_path, config, {}, {}).close()
    assert load_config(tmp_path) == config


def test_a_configuration_whose_list_of_these_was_edited_is_one_line(tmp_path):
    RunFolder(tmp_path, RunConfig.of(agent="x", env="y"), {}, {}).close()
    text = (tmp_path / "config.toml").read_text()
    (tmp_path / "config.toml").write_text("null = 3\n" + text[: text.index("[null]")])
    with pytest.raises(DamagedFile, match=r"config\.toml: null must list keys of settings and env_settings"):
        load_config(tmp_path)
