"""What docs/games.md shows works as it says."""

import re
from pathlib import Path

import pytest

from arena.loop import run
from arena.registry import resolve
from arena.seats import Seats
from arena.testing import assert_contract
from envs import make

GUIDE = (Path(__file__).parents[2] / "docs" / "games.md").read_text(encoding="utf-8")


def test_the_player_of_the_guide_keeps_the_contract_and_plays(tmp_path, monkeypatch):
    pytest.importorskip("pyspiel", reason="needs the extra two-player")
    monkeypatch.chdir(tmp_path)
    (code,) = re.findall(r"```python\n# leftmost.py\n(.*?)```", GUIDE, re.DOTALL)
    Path("leftmost.py").write_text(code)
    assert_contract("leftmost.py:Leftmost", "connect_four")
    env = make("connect_four", 2, settings={"opening_plies": 2})
    players = [resolve(ref).player(env.spec, seed=0) for ref in ("leftmost.py:Leftmost", "random")]
    events = run(env, Seats(players, lambda i: (i % 2, 1 - i % 2)), lambda i: i // 2, num_episodes=4)
    finished = [episode for event in events for episode in event.finished]
    assert sorted(episode.number for episode in finished) == [0, 1, 2, 3]
    assert all(sum(episode.returns) == 0 for episode in finished)
