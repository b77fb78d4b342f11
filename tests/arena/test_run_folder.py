"""The run folder: what it says of a run."""

import tomllib

from arena.config import RunConfig
from arena.run_folder import load_config
from arena.training import train
from arena.versions import machine


def test_the_configuration_names_the_environments_default_preprocessing_and_the_machine(tmp_path):
    config = RunConfig.of(agent="q_learning", env="CartPole-v1", steps=1, eval_episodes=1)
    folder = train(config, run_dir=tmp_path / "run").folder
    assert load_config(folder).preprocess == "none"
    assert tomllib.loads((folder / "config.toml").read_text())["machine"] == machine()
