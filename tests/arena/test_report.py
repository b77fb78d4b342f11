"""Reports of tournaments and runs."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from arena.config import write_toml
from arena.errors import ArenaError, DamagedFile
from arena.report import print_standings, report
from arena.tournaments.league import Entrant, EnvEntry, TournamentConfig, TournamentResult
from arena.tournaments.match import LeftOut, Match
from arena.tournaments.standings import rank


def result_in(folder: Path) -> TournamentResult:
    protocol = {"preprocessing": "none", "max_episode_steps": 500, "mode": "greedy", "seed": 7}
    matches = [
        Match("good", "g.npz", "Pole-v1", 7, 2, [10.0, 14.0], [10, 14], [5, 6], 12.0, 2.8284, 0.5, protocol),
        Match("poor", "p.npz", "Pole-v1", 7, 2, [1.0, 1.0], [1, 1], [5, 6], 1.0, 0.0, 0.5, protocol),
    ]
    return TournamentResult(
        out=folder,
        config=TournamentConfig(
            name="cup",
            seed=7,
            episodes=2,
            agents=[Entrant(ref="g.npz", name="good", train=5000), Entrant(ref="p.npz", name="poor")],
            envs=[EnvEntry(id="Pole-v1"), EnvEntry(id="Lake-v1")],
        ),
        standings=rank(map(vars, matches)),
        matches=matches,
        left_out=[LeftOut("good", "Lake-v1", "no pole"), LeftOut("poor", "Lake-v1", "no pole")],
        versions={"python": "3.11"},
        not_filmed=[LeftOut("poor", "Pole-v1", "it has no pictures")],
    )


def tournament_in(folder: Path) -> TournamentResult:
    result = result_in(folder)
    (folder / "tournament.json").write_text(json.dumps(result.to_json()))
    (folder / "standings.png").touch()
    (folder / "runs" / "good__Pole-v1" / "plots").mkdir(parents=True)
    (folder / "runs" / "good__Pole-v1" / "plots" / "learning_curve.png").touch()
    (folder / "videos" / "Pole-v1").mkdir(parents=True)
    (folder / "videos" / "Pole-v1" / "good game.mp4").touch()
    return result


def run_in(folder: Path) -> None:
    config = {"agent": "dqn", "env": "CartPole-v1", "seed": 1, "steps": 300, "settings": {"discount": 0.9}}
    write_toml(folder / "config.toml", {**config, "env_settings": {}, "versions": {"python": "3.11"}})
    (folder / "episodes.csv").write_text("episode,step,return,length,seconds\n0,100,5.0,100,1\n1,300,9.0,200,2\n")
    (folder / "evaluations.csv").write_text("step,mean,std,episodes,seconds\n150,8.0,1.0,10,1\n300,6.5,0.5,10,2\n")
    (folder / "plots").mkdir()
    (folder / "plots" / "learning_curve.png").touch()


def test_a_tournament_report_tells_scores_protocol_absentees_and_how_to_reproduce_it(tmp_path):
    tournament_in(tmp_path)
    path = report(tmp_path)
    text = path.read_text()
    assert path == tmp_path / "report.md"
    # The standard error is 2.8284 / sqrt(2) = 2.
    assert "| 1 | good | 12.00 | 2.83 | 2.00 | 2 |" in text
    assert "Protocol: preprocessing none · max episode steps 500 · mode greedy · seed 7 · episodes 2." in text
    assert "## Lake-v1\n\n- good is not entered: no pole\n- poor is not entered: no pole" in text
    assert "| good | `g.npz` | 5,000 steps |" in text
    assert "| poor | `p.npz` | as it is |" in text
    assert "![standings](standings.png)" in text
    assert "![good on Pole-v1 learning curve](runs/good__Pole-v1/plots/learning_curve.png)" in text
    assert "(videos/Pole-v1/good%20game.mp4)" in text
    assert "- none of poor on Pole-v1: it has no pictures" in text
    assert f"arena tournament {tmp_path / 'tournament.toml'}" in text
    assert "python 3.11" in text


def test_a_report_is_the_same_when_made_again(tmp_path):
    tournament_in(tmp_path)
    first = report(tmp_path).read_bytes()
    assert report(tmp_path).read_bytes() == first


def test_a_run_report_tells_last_and_best_scores_and_the_command(tmp_path):
    run_in(tmp_path)
    text = report(tmp_path).read_text()
    assert text.startswith("# dqn on CartPole-v1\n")
    assert "| mean return of the last 2 episodes | 7.00 |" in text  # (5 + 9) / 2
    assert "| last evaluation | 6.50 ± 0.50 (10 games at step 300) |" in text
    assert "| best evaluation | 8.00 ± 1.00 (10 games at step 150) |" in text
    assert "![learning curve](plots/learning_curve.png)" in text
    assert "arena train dqn --env CartPole-v1 --steps 300 --seed 1 --set discount=0.9" in text


def test_a_run_that_has_only_begun_has_a_report(tmp_path):
    write_toml(tmp_path / "config.toml", {"agent": "dqn", "env": "CartPole-v1"})
    assert "# dqn on CartPole-v1" in report(tmp_path).read_text()


def test_a_folder_that_is_neither_is_one_clear_line(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ArenaError, match="is neither a run nor a tournament"):
            report(folder)


def test_an_unfinished_tournament_says_so(tmp_path):
    (tmp_path / "tournament.toml").touch()
    with pytest.raises(ArenaError, match="has not been played to its end"):
        report(tmp_path)


def test_damaged_files_are_one_clear_line(tmp_path):
    (tmp_path / "tournament.json").write_text("{")
    with pytest.raises(DamagedFile, match=r"tournament\.json is damaged"):
        report(tmp_path)
    (tmp_path / "tournament.json").unlink()
    run_in(tmp_path)
    (tmp_path / "evaluations.csv").write_text("step,mean\n1,2\n")
    with pytest.raises(DamagedFile, match="holds a damaged run: KeyError: 'std'"):
        report(tmp_path)


def test_the_terminal_shows_one_table_for_every_environment(tmp_path):
    console = Console(file=io.StringIO(), width=120)
    print_standings(console, result_in(tmp_path))
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
    assert lines == [
        "Pole-v1",
        "rank  agent   mean   std  standard error  episodes",
        "   1  good   12.00  2.83            2.00         2",
        "   2  poor    1.00  0.00            0.00         2",
        "preprocessing none · max episode steps 500 · mode greedy · seed 7 · episodes 2",
        "",
        "Lake-v1",
        "good is not entered: no pole",
        "poor is not entered: no pole",
        "",
    ]
