"""The page about learning, and its figures."""

import importlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
KNOWN = {
    "scores": [
        {"source": "zoo", "agent": "dqn", "env": "CartPole-v1", "steps": 50_000, "score": 500.0, "std": 0.0},
        {"source": "dopamine", "agent": "dqn", "env": "ALE/Pong-v5", "steps": 10_000_000, "score": 18.0},
    ]
}


@pytest.fixture
def tables(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("learning_tables")


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("learning_figures")


def joined(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table in short."""
    return "\n".join(" | ".join(str(cell) for cell in line) for line in (headings, *rows))


def entry(agent: str, must: float) -> dict[str, Any]:
    """What the results say of an agent on CartPole with two seeds, one of which got there."""
    curve = {"step": [25_000, 50_000], "mean": [100.0, 490.0], "seconds": [10.0, 20.0]}
    seeds = [{"steps": 50_000, "curve": curve}, {"steps": 50_000, "curve": {**curve, "mean": [50.0, 300.0]}}]
    return {
        **{"agent": agent, "env": "CartPole-v1", "must": must, "games": 100, "steps": 50_000, "seeds": seeds},
        **{"command": "arena train", "eval_every": 25_000, "eval_episodes": 20, "machine": {"threads": 1, "cores": 2}},
        "protocol": {"max_episode_steps": 500, "mode": "greedy"},
        "last": {"mean": 395.0, "low": 300.0, "high": 490.0},
        "best": {"mean": 450.0, "low": 400.0, "high": 500.0},
        "to_must": {"reached": 2, "steps": 50_000.0, "seconds": 20.0},
    }


def test_a_published_score_is_quoted_with_its_steps_where_they_differ(tables: ModuleType):
    assert tables.quoted(KNOWN, "zoo", "dqn", "CartPole-v1", 50_000) == "500.0 ± 0.0"
    assert tables.quoted(KNOWN, "zoo", "dqn", "CartPole-v1", 20_000) == "500.0 ± 0.0 (50k steps)"
    assert tables.quoted(KNOWN, "dopamine", "dqn", "ALE/Pong-v5", 2_000_000) == "18.0 (10M steps)"


def test_what_nobody_publishes_is_a_dash(tables: ModuleType):
    assert tables.quoted(KNOWN, "zoo", "ppo", "CartPole-v1", 50_000) == "-"


def test_every_published_score_has_a_source_and_a_mark(tables: ModuleType, figures: ModuleType):
    known = tables.published()
    sources = {score["source"] for score in known["scores"]}
    assert sources == set(known["sources"]) == set(figures.MARKERS)
    keys = [(score["source"], score["agent"], score["env"]) for score in known["scores"]]
    assert len(keys) == len(set(keys))
    assert {agent for _, agent, _ in keys} <= set(figures.AGENTS)


def test_a_band_is_the_mean_of_the_seeds_and_its_interval_over_them(figures: ModuleType):
    curves = [(np.array([10, 20]), np.array([0.0, 4.0])), (np.array([10, 20]), np.array([2.0, 4.0]))]
    band = figures.band(curves)
    # Of two seeds both means are drawn, or twice the same: a quarter of the resamples at each end.
    assert band.steps.tolist() == [10, 20]
    assert (band.mean.tolist(), band.low.tolist(), band.high.tolist()) == ([1.0, 4.0], [0.0, 4.0], [2.0, 4.0])


def test_a_band_begins_with_the_last_curve_and_a_curve_that_has_ended_keeps_its_value(figures: ModuleType):
    band = figures.band([(np.array([10, 20]), np.array([0.0, 8.0])), (np.array([15, 40]), np.array([2.0, 12.0]))])
    assert band.steps.tolist() == [15, 20, 40]
    assert band.mean.tolist() == [3.0, 6.0, 10.0]  # of 4 and 2, 8 and 4, 8 and 12


def test_the_band_of_one_seed_has_no_width(figures: ModuleType):
    band = figures.band([(np.array([10]), np.array([3.0]))])
    assert (band.low.tolist(), band.mean.tolist(), band.high.tolist()) == ([3.0], [3.0], [3.0])


def test_a_threshold_has_the_colour_of_the_one_agent_that_it_is_asked_of(figures: ModuleType):
    line = figures.Line
    lines = [line("ppo", [], 475.0), line("dqn", [], 475.0), line("random_search", [], 300.0), line("x", [], None)]
    assert figures.thresholds(lines) == {475.0: figures.GREY, 300.0: figures.AGENTS["random_search"]}
    assert figures.thresholds(lines[:1]) == {475.0: figures.GREY}


def test_marks_of_equal_steps_stand_side_by_side(figures: ModuleType):
    points = [figures.Point("zoo", "", "dqn", steps, 1.0) for steps in (10, 20, 10, 10)]
    assert figures.shifts(points) == [-7.0, 0.0, 0.0, 7.0]


def test_the_page_shows_scores_protocols_and_a_small_figure(tables: ModuleType, tmp_path: Path):
    data = {"entries": {"dqn/CartPole-v1": entry("dqn", 475), "random_search/CartPole-v1": entry("random_search", 300)}}
    page = tables.page(lambda name: data, lambda name: True, joined, images=tmp_path / "images", zoo=tmp_path)
    scores = "CartPole-v1 | dqn | 50k | 395.0 [300.0, 490.0] | 450.0 [400.0, 500.0] | 475 | 2 of 2: 50k, 20 s"
    assert f"{scores} | 500.0 ± 0.0 | 488.7 ± 16.1 (500k steps)" in page
    assert "CartPole-v1 | dqn | 500 | 100, greedy | 20 games every 25,000 steps" in page
    assert "over 2\nseeds" in page and "with 1 thread on 2 cores" in page
    assert "### Atari" not in page
    picture = tmp_path / "images" / "learning-CartPole-v1.png"
    assert "(images/learning-CartPole-v1.png)" in page
    assert 5_000 < picture.stat().st_size < 60_000


def test_atari_is_told_to_have_one_seed(tables: ModuleType, tmp_path: Path):
    protocol = {"sticky_actions": 0.25, "frame_skip": 4, "episode_end": "full game", "max_frames": 108_000}
    record = {
        **{"agent": "ppo", "env": "ALE/Pong-v5", "seed": 0, "steps": 4_000_000, "seconds": 7_200.0},
        "protocol": {**protocol, "preprocessing": "atari"},
        "evaluation": {"mean": 19.0, "low": 18.5, "high": 19.5, "episodes": 30, "mode": "sample"},
        "curve": [{"step": 2e6, "mean": -3.0}, {"step": 4e6, "mean": 19.0}],
    }
    path = tmp_path / "ppo" / "ALE" / "Pong-v5.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(record))
    page = tables.page(lambda name: {}, lambda name: False, joined, images=tmp_path / "images", zoo=tmp_path)
    assert "### Atari, with the seeds that the time allowed: one" in page
    assert "sticky actions 0.25, frame skip 4, full games of at most 108,000 frames" in page
    assert "ALE/Pong-v5 | ppo | 0 | 4M | 2 h 0 min | atari | sample | 19.0 [18.5, 19.5] (30 games) | 18 | 21.0" in page
    assert (tmp_path / "images" / "learning-ALE-Pong-v5.png").is_file()


def test_what_went_before_a_training_counts_too(tables: ModuleType, tmp_path: Path):
    first = {"steps": 300, "seconds": 30.0, "curve": [{"step": 100, "mean": 1.0}, {"step": 300, "mean": 2.0}]}
    last = {"steps": 50, "seconds": 5.0, "curve": [{"step": 50, "mean": 4.0}]}
    path = tmp_path / "ppo" / "ALE" / "Pong-v5.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"env": "ALE/Pong-v5", "before": [first], **last}))
    (record,) = tables.atari_records(tmp_path)
    assert (record["steps"], record["seconds"]) == (350, 35.0)
    assert [(row["step"], row["mean"]) for row in record["curve"]] == [(100, 1.0), (300, 2.0), (350, 4.0)]


def test_a_page_of_nothing_is_nothing(tables: ModuleType, tmp_path: Path):
    assert tables.page(lambda name: {}, lambda name: False, joined, images=tmp_path, zoo=tmp_path) == ""
