"""Reports of runs."""

from pathlib import Path

import pytest

from arena.config import write_toml
from arena.errors import ArenaError, DamagedFile
from arena.reports.run import report


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run of 300 steps."""
    config = {"agent": "dqn", "env": "CartPole-v1", "seed": 1, "steps": 300, "settings": {"discount": 0.9}}
    write_toml(tmp_path / "config.toml", {**config, "env_settings": {}, "versions": {"python": "3.11"}})
    (tmp_path / "episodes.csv").write_text("episode,step,return,length,seconds\n0,100,5.0,100,1\n1,300,9.0,200,2\n")
    (tmp_path / "evaluations.csv").write_text("step,mean,std,episodes,seconds\n150,8.0,1.0,10,1\n300,6.5,0.5,10,2\n")
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "learning_curve.png").touch()
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos" / "good game.mp4").touch()
    return tmp_path


def test_a_run_report_tells_last_and_best_scores_and_the_command(run):
    path = report(run)
    text = path.read_text()
    assert path == run / "report.md"
    assert text.startswith("# dqn on CartPole-v1\n")
    assert "| mean return of the last 2 episodes | 7.00 |" in text  # (5 + 9) / 2
    assert "| last evaluation | 6.50 ± 0.50 (10 games at step 300) |" in text
    assert "| best evaluation | 8.00 ± 1.00 (10 games at step 150) |" in text
    assert "![learning curve](plots/learning_curve.png)" in text
    assert "(videos/good%20game.mp4)" in text
    assert "arena train dqn --env CartPole-v1 --steps 300 --seed 1 --set discount=0.9" in text
    assert "With python 3.11." in text


def test_a_run_report_is_the_same_when_made_again(run):
    first = report(run).read_bytes()
    assert report(run).read_bytes() == first


def test_a_run_that_has_only_begun_has_a_report(tmp_path):
    write_toml(tmp_path / "config.toml", {"agent": "dqn", "env": "CartPole-v1"})
    assert "# dqn on CartPole-v1" in report(tmp_path).read_text()


def test_a_folder_that_is_neither_is_one_clear_line(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ArenaError, match="is neither a run nor a tournament"):
            report(folder)


def test_a_damaged_run_is_one_clear_line(run):
    (run / "evaluations.csv").write_text("step,mean\n1,2\n")
    with pytest.raises(DamagedFile, match="holds a damaged run: KeyError: 'std'"):
        report(run)
