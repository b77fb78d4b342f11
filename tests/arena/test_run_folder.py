"""The run folder: what another run takes from it."""

import pytest

from arena import checkpoint
from arena.config import RunConfig
from arena.errors import DamagedFile
from arena.run_folder import RunFolder, TrainingState, load_config, weights_of, write_state
from arena.training import train


def run_folder(path, *steps, best):
    folder = RunFolder(path, RunConfig.of(agent="dqn", env="CartPole-v1"), {}, {})
    for step in steps:
        state = TrainingState(step=step, best_step=best)
        checkpoint.save(folder.checkpoints, step, lambda part, state=state: write_state(part, state, [], {}))
    folder.close()
    return path


@pytest.mark.parametrize(("best", "taken"), [(10, 10), (20, 20), (None, 20), (5, 20)])
def test_weights_are_those_of_the_best_policy_else_of_the_newest_checkpoint(tmp_path, best, taken):
    path = run_folder(tmp_path, 10, 20, best=best)
    assert weights_of(path) == path / "checkpoints" / checkpoint.name_of(taken) / "agent"


def test_damaged_best_weights_are_not_taken(tmp_path):
    path = run_folder(tmp_path, 10, 20, best=10)
    (path / "checkpoints" / checkpoint.name_of(10) / "state.json").write_text("{}")
    with pytest.raises(DamagedFile, match=r"state\.json is not what was saved"):
        weights_of(path)


def test_the_configuration_names_the_environments_default_preprocessing(tmp_path):
    config = RunConfig.of(agent="q_learning", env="CartPole-v1", steps=1, eval_episodes=1)
    assert load_config(train(config, run_dir=tmp_path / "run").folder).preprocess == "none"
