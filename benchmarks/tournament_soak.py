"""Kills tournaments with SIGKILL at random moments, resumes them, and compares what comes of them.

Every tournament is played once without a stop. Then it is played again, its runner killed and resumed at once, so many
times, and left to come to its end. What must be so: after every kill, what was committed before is still there; in
the end no match of the schedule is lost or doubled; games, forfeits, standings and outcome are, to the bit, those of
the tournament without a stop; and no process and no file of a seat is left behind. Times are left out.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import common
import numpy as np
import tomli_w

AGENTS = Path(__file__).parent / "hostile_agents"
STORE = "tournament.sqlite"
LIMITS = {"move_s": 20.0, "memory_mb": 1024}
GOOD = {"ref": f"{AGENTS}/good.py:Good"}
BAD = {"ref": f"{AGENTS}/hostile.py:RaisesOnMoveSeven"}
GAMES = {"env": [{"id": "tic_tac_toe"}], "opening_plies": 2, "pairs": 10}
MCTS = {"ref": "mcts", "settings": {"simulations": 30}}
#: Pooled agents, isolated ones and one that forfeits; formats whose rounds depend on those before.
TOURNAMENTS: dict[str, dict[str, Any]] = {
    "league": {
        "episodes": 60,
        "agent": [{"ref": "random"}, {"ref": "random", "name": "again"}, GOOD, BAD],
        "env": [{"id": "CartPole-v1"}, {"id": "Acrobot-v1", "settings": {"max_episode_steps": 100}}],
    },
    "swiss": {"format": "swiss", "rounds": 3, "agent": [{"ref": "random"}, {"ref": "minimax"}, MCTS, GOOD], **GAMES},
}
TABLES = {
    "schedule": "id, env, round, first_game, players, seeds, key",
    "matches": "id, protocol",
    "games": "match, game, seed, players, returns, scores, length, truncated, digest, dtype, shape, actions",
    "forfeits": "match, game, agent, type, reason",
}
START, PLAY, END = "at the start", "in play", "at the end"


class Soak:
    """Plays tournaments through the real command, in a folder by whose name their processes are known."""

    def __init__(self, folder: Path, jobs: int) -> None:
        self._folder, self._jobs = folder, str(jobs)
        self._python, self._temporary = folder / "python", folder / "tmp"
        self._temporary.mkdir()
        self._python.symlink_to(sys.prefix)

    def run(self, name: str, kills: int, seed: int) -> dict[str, Any]:
        """Returns where the kills came, and what is not as it must be."""
        random = np.random.default_rng(seed)
        file = self._folder / f"{name}.toml"
        file.write_text(tomli_w.dumps({"name": name, "seed": seed, "limits": LIMITS, **TOURNAMENTS[name]}))
        whole, killed = self._folder / f"{name}-whole", self._folder / f"{name}-killed"
        begin = time.perf_counter()
        expected = self._finish(file, whole)
        whole_s = time.perf_counter() - begin
        landed: collections.Counter[str] = collections.Counter()
        faults: list[str] = []
        for number in range(kills):
            before = committed(killed)
            process = self._start(file, killed)
            if number % 3:  # in play, the others as it starts
                while process.poll() is None and committed(killed) == before:
                    time.sleep(0.01)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(random.random() * whole_s / (kills - number))
            is_ended = process.poll() is not None
            process.kill()
            process.wait()
            if is_ended and process.returncode:
                faults.append(f"resumed, it ended with {process.returncode}")
            after = committed(killed)
            landed[END if is_ended else PLAY if after - before else START] += 1
            if lost := before - after:
                faults.append(f"{len(lost)} matches were lost by kill {number + 1}")
        result = self._finish(file, killed)
        faults += [f"{key} is another" for key in ("standings", "outcome") if result[key] != expected[key]]
        faults += differences(whole, killed) + self._left()
        return {"matches": len(committed(whole)), "whole_s": round(whole_s, 1), "kills": dict(landed), "faults": faults}

    def _start(self, file: Path, out: Path) -> subprocess.Popen[str]:
        """Starts what a person would type next."""
        is_begun = (out / STORE).exists()
        what = ["resume", str(out)] if is_begun else ["tournament", str(file), "--out", str(out)]
        command = [str(self._python / "bin" / "python"), "-m", "arena.cli", *what, "--jobs", self._jobs, "--json"]
        environment = {**os.environ, "TMPDIR": str(self._temporary)}
        with open(self._folder / "json", "w") as output, open(self._folder / "log", "a") as log:
            return subprocess.Popen(command, env=environment, text=True, stdout=output, stderr=log)

    def _finish(self, file: Path, out: Path) -> dict[str, Any]:
        """Lets a tournament come to its end; returns what it says of it."""
        if code := self._start(file, out).wait():
            sys.exit(f"{out}: exit code {code}; see {self._folder / 'log'}")
        result: dict[str, Any] = json.loads((self._folder / "json").read_text())
        return result

    def _left(self) -> list[str]:
        """Returns the processes and files that are left behind, a moment after the last runner's end."""
        time.sleep(1.0)
        listed = subprocess.run(["ps", "-axo", "command="], capture_output=True, text=True, check=True).stdout
        left = [line for line in listed.splitlines() if str(self._python) in line]
        left += [path.name for path in self._temporary.iterdir() if path.name.startswith("arena-")]
        return [f"left behind: {', '.join(left)}"] if left else []


def committed(folder: Path) -> set[str]:
    """Returns the ids of the matches that are in a tournament's store, if there is one."""
    return {row[0] for row in _rows(folder, "SELECT id FROM matches")}


def differences(whole: Path, killed: Path) -> list[str]:
    """Returns what is not the same in two stores, and matches that are lost or doubled."""
    found = []
    for table, columns in TABLES.items():
        query = f"SELECT {columns} FROM {table}"
        if sorted(map(repr, _rows(whole, query))) != sorted(map(repr, _rows(killed, query))):
            found.append(f"the {table} are others")
    due = {row[0] for row in _rows(killed, "SELECT id FROM schedule")}
    ids = [row[0] for row in _rows(killed, "SELECT id FROM matches")]
    lost, doubled = due - set(ids), len(ids) - len(set(ids))
    return found + [f"{count} matches {what}" for count, what in ((len(lost), "lost"), (doubled, "doubled")) if count]


def _rows(folder: Path, query: str) -> list[Any]:
    """Returns what is in a store; nothing where it is not made yet."""
    if not (folder / STORE).exists():
        return []
    with contextlib.closing(sqlite3.connect(f"file:{folder / STORE}?mode=ro", uri=True)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.OperationalError:  # killed before it had its tables
            return []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=15, metavar="N", help="of each tournament")
    parser.add_argument("--jobs", type=int, default=2, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--only", nargs="+", default=list(TOURNAMENTS), choices=list(TOURNAMENTS))
    parser.add_argument(
        "--no-results", action="store_true", help="do not write benchmarks/results/tournament_soak.json"
    )
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    soak, results = Soak(folder, options.jobs), {}
    for name in options.only:
        result = results[name] = soak.run(name, options.kills, options.seed)
        kills = ", ".join(f"{count} {where}" for where, count in sorted(result["kills"].items()))
        print(
            f"{name:<10}{result['matches']:>5} matches  killed {kills}  faults: {'; '.join(result['faults']) or 'none'}"
        )
    is_well = not any(result["faults"] for result in results.values())
    if is_well:
        shutil.rmtree(folder)
    else:
        print(f"the tournaments are in {folder}")
    if not options.no_results:
        common.write(
            "tournament_soak", {"kills": options.kills, "seed": options.seed, "tournaments": results}, show=False
        )
    sys.exit(0 if is_well else 1)


if __name__ == "__main__":
    main()
