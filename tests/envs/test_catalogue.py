"""The catalogue says what the environments are, and needs none of them to say it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import ale_py  # noqa: F401  registers the games
import gymnasium as gym
import pytest

from arena.errors import MissingExtra
from envs import catalogue, make

OWN = [entry for entry in catalogue.entries() if not entry.id.startswith("ALE/")]
GAMES = catalogue.entries("ALE/")
FEW_GAMES = {"ALE/Pong-v5", "ALE/MsPacman-v5", "ALE/Skiing-v5"}


def is_cartridge(entry: catalogue.Entry) -> bool:
    return entry.num_seats == 2 and ", 160, 3)" in entry.observation_space and "pong" not in entry.id


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # MuJoCo leaves a log where it stands


def check(entry: catalogue.Entry) -> None:
    if not entry.is_installed:
        pytest.skip(f"needs {entry.extra}")
    assert catalogue.describe(entry.id) == entry


@pytest.mark.parametrize(
    "entry",
    [pytest.param(entry, marks=pytest.mark.slow if is_cartridge(entry) else ()) for entry in OWN],
    ids=lambda entry: entry.id,
)
def test_an_entry_is_what_making_the_environment_gives(entry: catalogue.Entry) -> None:
    check(entry)


@pytest.mark.parametrize(
    "entry",
    [pytest.param(game, marks=() if game.id in FEW_GAMES else pytest.mark.slow) for game in GAMES],
    ids=lambda entry: entry.id,
)
def test_an_entry_is_what_making_the_game_gives(entry: catalogue.Entry) -> None:
    check(entry)


def test_nothing_that_can_be_made_is_left_out() -> None:
    listed = {entry.id for entry in catalogue.entries()}
    assert {env_id for env_id, registered in gym.registry.items() if registered.namespace == "ALE"} <= listed
    for env_id, registered in gym.registry.items():
        if env_id not in listed and str(registered.entry_point).startswith("gymnasium."):
            with pytest.raises(MissingExtra):
                make(env_id)


def test_reading_it_imports_no_environment() -> None:
    code = (
        "import sys; from envs import catalogue; assert catalogue.entries('cart');"
        "assert not {'gymnasium', 'numpy', 'ale_py', 'tensorflow'} & set(sys.modules)"
    )
    root = Path(catalogue.__file__).parent.parent
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("taxi", {"Taxi-v4"}),
        ("ALE/P*ng-v?", {"ALE/Pong-v5"}),
        ("[t]axi-*", {"Taxi-v4"}),
        ("nothing like it", set()),
    ],
)
def test_a_pattern_is_part_of_an_id_or_has_wildcards(pattern: str, found: set[str]) -> None:
    assert {entry.id for entry in catalogue.entries(pattern)} == found


def test_no_pattern_gives_everything() -> None:
    assert len(catalogue.entries()) == len(catalogue.entries("*")) > 190


def test_games_are_those_of_openspiel_and_pettingzoo_that_fit() -> None:
    spiel = pytest.importorskip("pyspiel", reason="needs the extra two-player")
    from envs.games.openspiel import fits

    fitting = {kind.short_name for kind in spiel.registered_games() if not fits(spiel, kind)}
    games = {entry.id for entry in catalogue.entries() if entry.num_seats == 2}
    assert {game for game in games if ":" not in game} == fitting
    assert {"connect_four", "go", "pettingzoo:connect_four_v3", "pettingzoo:pong_v3"} <= games
    assert {entry.extra for entry in catalogue.entries() if entry.num_seats == 2} == {"two-player"}
