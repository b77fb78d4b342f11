"""What an agent in a process of its own cannot reach: every promise of isolation, tried."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import envs
from arena import isolation
from arena.isolation import launcher, probe
from arena.isolation.player import IsolatedPlayer

STRANGERS = Path(__file__).with_name("strangers.py")


@pytest.fixture(autouse=True, scope="module")
def no_process_is_left() -> Iterator[None]:
    yield
    launcher.stop()


@pytest.fixture
def told() -> Iterator[dict[str, Any]]:
    """What the attempts aim at: this process, and files, ports and sockets of its own."""
    with probe.targets() as told:
        yield told


def needs(what: str) -> None:
    tier = next(tier for tier in isolation.tiers() if tier.what == what)
    if not tier.holds:
        pytest.skip(f"{what} is not held here: {tier.how}")


def escapes(**options: Any) -> dict[str, Any]:
    """Returns what an agent could do."""
    hidden = options.pop("hidden", ())
    ref = options.pop("ref", f"{STRANGERS}:Escapes")
    spec = envs.make("CartPole-v1", 1).spec
    with IsolatedPlayer("stranger", ref, spec, seed=0, settings=options, hidden=hidden) as player:
        pass
    return json.loads(player.log.splitlines()[0])


def test_every_attempt_succeeds_where_nothing_forbids_it(told: dict[str, Any], tmp_path: Path):
    code = "import json, sys, arena.isolation.attempts as it; print(json.dumps(it.attempt(json.load(sys.stdin))))"
    with subprocess.Popen(["sleep", "60"]) as victim, open(tmp_path / "out", "w") as out:
        subprocess.run(
            [sys.executable, "-c", code],
            input=json.dumps({**told, "runner": victim.pid}),
            cwd=tmp_path,
            env={**os.environ, "SECRET": "x"},
            stdout=out,  # which the daemon keeps open
            text=True,
            check=True,
        )
        victim.kill()
    could = json.loads((tmp_path / "out").read_text())
    assert len(could["files"]) == 4
    assert could["processes"][:1] == ["signal the runner"]
    assert len(could["network"]) == 5
    assert "SECRET" in could["environment"]
    os.kill(could["daemon"], 9)  # it is there


def test_an_agent_reads_and_writes_no_file_of_the_runner(told: dict[str, Any]):
    needs("files")
    assert escapes(told=told)["files"] == []
    assert sorted(path.name for path in Path(told["secret"]).parent.iterdir()) == ["secret", "service"]


def test_an_agent_neither_signals_nor_traces_nor_reads_the_runner(told: dict[str, Any]):
    needs("processes")
    assert escapes(told=told)["processes"] == []


def test_an_agent_neither_signals_nor_traces_nor_reads_another_seat(told: dict[str, Any]):
    needs("processes")
    spec = envs.make("CartPole-v1", 1).spec
    with IsolatedPlayer("other", f"{STRANGERS}:Leans", spec, seed=0) as other:
        from arena.isolation import processes

        seats = [pid for pid in processes.resident(os.getpid()) if _works_in(pid, other)]
        assert seats
        for seat in seats:
            assert escapes(told={**told, "runner": seat})["processes"] == []
        other.act(np.zeros((1, 4), np.float32), other.initial_state(np.arange(1)))  # it is well


def test_an_agent_has_no_network(told: dict[str, Any]):
    needs("network")
    assert escapes(told=told)["network"] == []


def test_an_agent_has_no_privilege(told: dict[str, Any]):
    needs("privileges")
    assert escapes(told=told)["privileges"] == []


def test_an_agent_inherits_no_variable_and_no_file(
    told: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    launcher.stop()  # one that starts with these
    monkeypatch.setenv("API_TOKEN", "secret")
    with open(tmp_path / "open", "w") as file:
        os.set_inheritable(file.fileno(), True)
        could = escapes(told=told)
    assert set(could["environment"]) == {
        *("PATH", "LANG", "HOME", "TMPDIR", "PYTHONHASHSEED"),
        *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ARENA_THREADS"),
    }
    assert could["files open"] == 4  # standard input, output and error, and the line


def test_what_an_agent_leaves_behind_ends_with_it(told: dict[str, Any]):
    needs("orphans")
    daemon = escapes(told=told)["daemon"]
    with pytest.raises(ProcessLookupError):
        os.kill(daemon, 0)


def test_an_agent_reads_what_lies_beside_its_file_but_nothing_hidden(tmp_path: Path):
    needs("files")
    names = ("weights.npz", "data/more.npz", "store/arena.db", "store/logs/log.txt", ".env", "data/secret/key")
    for name in names:
        path = tmp_path / "agents" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    (tmp_path / "outside").write_text("x")
    (tmp_path / "agents" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "agents" / "escapes.py").write_text(STRANGERS.read_text())
    paths = [*(str(tmp_path / "agents" / name) for name in (*names, "link")), str(tmp_path / "outside")]
    could = escapes(
        ref=f"{tmp_path}/agents/escapes.py:Escapes",
        secrets=paths,
        hidden=[tmp_path / "agents" / "store", tmp_path / "agents" / "data" / "secret"],
    )
    assert [Path(path).name for path in could["read"]] == ["weights.npz", "more.npz"]


def test_an_agent_reads_no_passwords_and_no_home(tmp_path: Path):
    needs("files")
    secrets = [
        "/etc/shadow",
        "/proc/self/root/etc/shadow",
        str(Path.home() / ".bashrc"),
        "/proc/1/environ",
        __file__.replace("test_escapes", "x"),
    ]
    assert escapes(secrets=[path for path in secrets if os.path.exists(path)])["read"] == []


def test_a_tier_that_was_broken_is_told_with_its_reason():
    done: dict[str, Any] = {
        **{"files": ["read a file of the runner's"], "processes": [], "network": [], "privileges": []},
        **{"environment": ["HOME", "TOKEN"], "files open": 5, "daemon": os.getpid()},
    }
    tiers = {tier.what: tier for tier in probe.judge(done, {"files": "no Landlock: Function not implemented"}, None)}
    assert [what for what, tier in tiers.items() if tier.holds] == ["processes", "network", "privileges"]
    assert tiers["files"].how == "it can read a file of the runner's (no Landlock: Function not implemented)"
    assert tiers["environment"].how == "it can read the variable TOKEN, use 1 files that were open"
    assert tiers["orphans"].how == "it can leave a process behind"


def _works_in(pid: int, player: IsolatedPlayer) -> bool:
    with contextlib.suppress(OSError):
        return player.process is not None and os.readlink(f"/proc/{pid}/cwd") == player.process.folder
    return False
