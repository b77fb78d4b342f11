"""Plots: the numbers they are drawn from, and that every state of a run folder gives a picture without a warning."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from arena import plots

EPISODES = "episode,step,return,length,seconds\n"
EVALUATIONS = "step,mean,std,episodes,seconds\n"


def run_folder(folder: Path, episodes: str | None = None, evaluations: str | None = None) -> Path:
    folder.mkdir(parents=True)
    if episodes is not None:
        (folder / "episodes.csv").write_text(EPISODES + episodes)
    if evaluations is not None:
        (folder / "evaluations.csv").write_text(EVALUATIONS + evaluations)
    return folder


def colours(path: Path) -> set[tuple[int, ...]]:
    with Image.open(path) as image:
        return {colour for _, colour in image.convert("RGB").getcolors(1 << 24) or []}


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def test_the_running_mean_is_of_the_last_values_and_skips_nan() -> None:
    # Window 2 over 1, 3, nan, nan, 5: 1 | (1+3)/2 | 3 | nothing | 5
    mean = plots.running_mean(np.array([1.0, 3.0, np.nan, np.nan, 5.0]), window=2)
    np.testing.assert_array_equal(mean, [1.0, 2.0, 3.0, np.nan, 5.0])
    assert plots.running_mean(np.zeros(0), window=2).shape == (0,)


def test_thinning_keeps_both_ends_and_the_pairing() -> None:
    steps = np.arange(123_456)
    thin, same = plots.thinned(steps, 2 * steps)
    assert (len(thin), thin[0], thin[-1]) == (plots.MAX_POINTS, 0, 123_455)
    np.testing.assert_array_equal(same, 2 * thin)


def test_a_torn_last_line_is_left_out_and_other_text_is_nan(tmp_path: Path) -> None:
    run_folder(tmp_path / "run", "0,10,1.5,10,0.1\n1,20,inf,10,0.2\n2,30,oops,10,0.3\n3,40,2")
    columns = plots.read_columns(tmp_path / "run" / "episodes.csv", ("step", "return"))
    np.testing.assert_array_equal(columns["step"], [10, 20, 30])
    np.testing.assert_array_equal(columns["return"], [1.5, math.nan, math.nan])


def test_the_spread_is_taken_where_all_runs_have_been() -> None:
    # Over steps 0..10 and 5..20 both have been at 5..10. The means are (5 + 7) / 2 and (10 + 12) / 2; 2 apart -> sd √2.
    first = (np.array([0.0, 10.0]), np.array([0.0, 10.0]))
    second = (np.array([5.0, 20.0]), np.array([7.0, 22.0]))
    steps, mean, std = plots._spread([first, second])
    assert (steps.tolist(), mean.tolist()) == ([5.0, 10.0], [6.0, 11.0])
    np.testing.assert_allclose(std, math.sqrt(2.0))


@pytest.mark.parametrize(
    ("episodes", "evaluations"),
    [
        (None, None),
        ("", ""),
        ("0,10,1.0,10,0.1\n", None),
        ("0,10,nan,10,0.1\n1,20,nan,10,0.1\n", "20,nan,nan,1,0.1\n"),
        (None, "100,5.0,0.0,1,0.1\n"),
        ("".join(f"{i},{10 * i},{-1e12 * i},10,0.1\n" for i in range(8_000)), "100,5.0,1.0,1,0.1\n"),
    ],
    ids=["no files", "no rows", "one episode", "nan", "one evaluation", "many and huge"],
)
def test_a_learning_curve_can_be_drawn_at_any_time(
    tmp_path: Path, episodes: str | None, evaluations: str | None
) -> None:
    folder = run_folder(tmp_path / "dqn-$x-0", episodes, evaluations)
    path = plots.learning_curve(folder)
    assert path == folder / "plots" / "learning_curve.png"
    assert size(path) == (1200, 840)
    assert [entry.name for entry in path.parent.iterdir()] == ["learning_curve.png"]  # nothing half-written


def test_the_learning_curve_shows_training_and_evaluation(tmp_path: Path) -> None:
    episodes = "".join(f"{i},{10 * i},{i},10,0.1\n" for i in range(50))
    with_both = plots.learning_curve(run_folder(tmp_path / "a", episodes, "100,5.0,1.0,5,0\n400,30.0,1.0,5,0\n"))
    training_only = plots.learning_curve(run_folder(tmp_path / "b", episodes))
    assert {rgb(plots.BLUE), rgb(plots.INK)} <= colours(with_both)
    assert rgb(plots.BLUE) not in colours(training_only)


def test_runs_are_compared_by_their_groups(tmp_path: Path) -> None:
    def run(name: str, level: int) -> Path:
        return run_folder(tmp_path / name, "0,10,1,10,0\n", f"100,{level},0,5,0\n200,{2 * level},0,5,0\n")

    groups = {"dqn": [run("d0", 1), run("d1", 3)], "ppo": [run("p0", 5)]}
    path = plots.compare(groups, tmp_path / "deeper" / "compare.png")
    assert {rgb(plots.BLUE), rgb(plots.VERMILLION)} <= colours(path)


def test_runs_without_evaluations_are_compared_by_their_training(tmp_path: Path) -> None:
    folder = run_folder(tmp_path / "a", "0,10,1,10,0\n1,20,2,10,0\n")
    path = plots.compare({"a": [folder], "b": [run_folder(tmp_path / "b")]}, tmp_path / "compare.png")
    assert rgb(plots.BLUE) in colours(path)


def row(agent: str, env: str, mean: float, rank: int, **more: object) -> dict[str, object]:
    return {"agent": agent, "env": env, "mean": mean, "std": 2.0, "episodes": 4, "rank": rank, **more}


def test_standings_have_a_panel_for_every_environment(tmp_path: Path) -> None:
    rows = [row("dqn", "CartPole-v1", 500, 1, returns=[498, 502]), row("a$ long name" * 9, "CartPole-v1", 20, 2)]
    one = plots.standings(rows, tmp_path / "one.png")
    two = plots.standings([*rows, row("日本", "ALE/Pong-v5", -21, 1)], tmp_path)
    assert two == tmp_path / "standings.png"
    assert size(two)[1] > size(one)[1]
    assert {rgb(plots.BLUE), rgb(plots.GREY)} <= colours(one)


def test_standings_without_scores_can_be_drawn(tmp_path: Path) -> None:
    assert plots.standings([], tmp_path / "empty.png").is_file()
    assert plots.standings([row("dqn", "x", math.nan, 1, returns=[])], tmp_path / "nan.png").is_file()


def test_long_names_keep_both_ends() -> None:
    assert plots._short("dqn") == "dqn"
    short = plots._short("my_agents/experiments/late/agent.py:MyCleverAgent")
    assert len(short) == plots.NAME_LENGTH
    assert short.startswith("my_agents/ex")
    assert short.endswith(".py:MyCleverAgent")


def test_nothing_is_said_and_no_global_state_of_matplotlib_is_touched(tmp_path: Path) -> None:
    code = """
import pathlib, sys
from arena import plots
assert "matplotlib" not in sys.modules
plots.learning_curve(pathlib.Path(sys.argv[1]))
assert "matplotlib.pyplot" not in sys.modules and "tensorflow" not in sys.modules
import matplotlib
assert matplotlib.rcParams["axes.spines.top"]
"""
    environment = {"MPLCONFIGDIR": str(tmp_path / "cache"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, str(tmp_path)], env=environment, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
