"""Components learn from what a run's policy sees."""

import numpy as np
import pytest

from arena import visited
from arena.config import RunConfig
from arena.errors import ArenaError, DoesNotFit
from arena.training import train


def run_of(tmp_path, env_id, agent="random_search", **settings):
    config = RunConfig(agent=agent, env=env_id, steps=40, num_envs=2, eval_episodes=1, settings=settings)
    return train(config, run_dir=tmp_path / "run").folder


def test_vectors_are_kept_as_they_are_and_the_same_again(tmp_path):
    folder = run_of(tmp_path, "CartPole-v1")
    dataset, again = (visited.dataset(folder, examples=100) for _ in range(2))
    assert (dataset.train.inputs.shape, dataset.test.inputs.shape) == ((90, 4), (10, 4))
    np.testing.assert_array_equal(dataset.train.inputs, again.train.inputs)
    starts = dataset.train.inputs[: visited.ROWS]
    assert np.abs(starts).max() <= 0.05  # as CartPole begins


@pytest.mark.slow
def test_of_stacked_frames_the_newest_is_kept(tmp_path):
    folder = run_of(tmp_path, "ALE/Pong-v5", agent="dqn", learning_starts=1_000)
    dataset = visited.dataset(folder, examples=50)
    assert (dataset.train.inputs.shape, dataset.train.inputs.dtype) == ((45, 84, 84), np.uint8)


def test_numbers_of_states_are_nothing_to_see(tmp_path):
    folder = run_of(tmp_path, "FrozenLake-v1", agent="q_learning")
    with pytest.raises(DoesNotFit, match="components see vectors and stacked frames; FrozenLake-v1 has Discrete"):
        visited.dataset(folder)


def test_a_folder_that_is_no_run_is_told(tmp_path):
    with pytest.raises(ArenaError, match="is not a run folder"):
        visited.dataset(tmp_path)


def test_the_command_line_takes_a_run_for_data(tmp_path, arena, monkeypatch):
    monkeypatch.setattr(visited, "NUM_EXAMPLES", 100)
    folder = run_of(tmp_path, "CartPole-v1")
    result = arena("component", "train", "kmeans", "--data", folder, "--out", "centres")
    assert (result.code, "sse" in result.out) == (0, True)
