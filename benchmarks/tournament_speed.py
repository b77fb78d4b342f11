"""How fast tournaments are played, and how fast large ones go on and are reported.

python benchmarks/tournament_speed.py [--only league|large] [--episodes 100] [--rounds 3] [--matches 10000]

league: the six built-in agents on 4 classic environments, with policies that were trained for a moment. One worker, two
  workers, and two processes that each play the whole league on their own, alternating; each in a new process, which
  waits for the others before it begins. The clock runs while matches are played. Two independent processes play two
  leagues in T, so alone they would need T / 2 for one: that is what two workers are compared with.
large: a league of --matches blocks of ten games. Memory while it is played; then a match is taken out of the store and
  a new process goes on with it; then its report.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import common

LEARNERS = ("random_search", "q_learning", "reinforce", "ppo", "dqn")
TRAINED_ON = ("CartPole-v1", "Acrobot-v1", "MountainCar-v0")
ENVS = (*TRAINED_ON, "CartPole-v0")  # whose players are CartPole-v1's
STEPS = 2_000
GAMES = 10  # of a match


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=["league", "large"])
    parser.add_argument("--episodes", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--matches", type=int, default=10_000)
    parser.add_argument("--side", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        return print(json.dumps(SIDES[given.side[0]](json.loads(given.side[1]))))
    path = common.RESULTS / "tournament_speed.json"
    result = json.loads(path.read_text()) if path.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        if given.only != "large":
            result["league"] = league(Path(folder), given.episodes, given.rounds)
        if given.only != "league":
            result["large"] = large(Path(folder), given.matches)
    common.write("tournament_speed", result)


def league(folder: Path, episodes: int, rounds: int) -> dict[str, Any]:
    run("train", folder=str(folder))
    times: dict[str, list[dict[str, Any]]] = {"jobs 1": [], "jobs 2": [], "two processes": []}
    for _ in range(rounds):
        for name, sides in (("jobs 1", [1]), ("jobs 2", [2]), ("two processes", [1, 1])):
            told = together([{"folder": str(folder), "episodes": episodes, "jobs": jobs} for jobs in sides])
            times[name].append({"matches_s": max(one["matches_s"] for one in told), **told[0]})
    shares = [
        pair["matches_s"] / 2 / two["matches_s"]
        for pair, two in zip(times["two processes"], times["jobs 2"], strict=True)
    ]
    overheads = [one["matches_s"] / one["playing_s"] - 1 for one in times["jobs 1"]]
    return {
        "environments": ENVS,
        "episodes": episodes,
        "matches": times["jobs 1"][0]["matches"],
        "rounds": times,
        "results are identical": len({one["digest"] for told in times.values() for one in told}) == 1,
        "share of the speed-up of two processes": statistics.median(shares),
        "shares": shares,
        "overhead": statistics.median(overheads),
        "overheads": overheads,
    }


def large(folder: Path, matches: int) -> dict[str, Any]:
    played = run("play many", folder=str(folder), matches=matches)
    with sqlite3.connect(folder / "large" / "tournament.sqlite") as store:
        (last,) = store.execute("SELECT id FROM matches ORDER BY rowid DESC LIMIT 1").fetchone()
        for table, column in (("games", "match"), ("forfeits", "match"), ("matches", "id")):
            store.execute(f"DELETE FROM {table} WHERE {column} = ?", (last,))
    store.close()
    resumed = run("resume", folder=str(folder))
    return {"matches": matches, **played, **resumed, **run("report", folder=str(folder))}


def run(side: str, **options: Any) -> dict[str, Any]:
    """Returns what a side tells, done in a new process."""
    with start(side, options) as process:
        return read(process)


def together(options: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Returns what leagues tell that begin at the same time."""
    processes = [start("league", one) for one in options]
    for process in processes:
        assert process.stdout and process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    return [read(process) for process in processes]


def start(side: str, options: dict[str, Any]) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, "--side", side, json.dumps(options | {"begun": time.time()})]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def read(process: subprocess.Popen[str]) -> dict[str, Any]:
    output, _ = process.communicate()
    assert process.returncode == 0, output
    told: dict[str, Any] = json.loads(output.splitlines()[-1])
    return told


# What happens in the processes.


def train(given: dict[str, Any]) -> dict[str, Any]:
    import arena

    for env in TRAINED_ON:
        for agent in LEARNERS:
            settings = {"eval_every": STEPS, "eval_episodes": 1}
            arena.train(agent, env, steps=STEPS, run_dir=Path(given["folder"]) / f"{agent}-{env}", **settings)
    return {}


def play_league(given: dict[str, Any]) -> dict[str, Any]:
    from arena.tournaments.file import Entrant, EnvEntry, TournamentConfig
    from arena.tournaments.tournament import tournament

    folder = Path(given["folder"])
    names = [f"{agent}-{env}" for env in TRAINED_ON for agent in LEARNERS]
    agents = [Entrant(ref="random"), *(Entrant(ref=str(folder / name), name=name) for name in names)]
    config = TournamentConfig(agents=agents, envs=[EnvEntry(id=env) for env in ENVS], episodes=given["episodes"])
    out = folder / f"league-{os.getpid()}"
    print("ready", flush=True)
    sys.stdin.readline()
    begin = time.perf_counter()
    result = tournament(config, out=out, jobs=given["jobs"], videos=False)
    whole_s = time.perf_counter() - begin
    assert "tensorflow" not in sys.modules and result.is_finished
    games = [[match.match.id, match.protocol, *map(repr, match.games)] for match in result.matches]
    digest = hashlib.sha256(json.dumps(games).encode()).hexdigest()
    steps = sum(game.length for match in result.matches for game in match.games)
    shutil.rmtree(out)
    clock = {name: result.meta[name] for name in ("matches_s", "playing_s")}
    return {**clock, "whole_s": whole_s, "steps": steps, "matches": len(result.matches), "digest": digest}


def play_many(given: dict[str, Any]) -> dict[str, Any]:
    from arena.tournaments.file import Entrant, EnvEntry, TournamentConfig
    from arena.tournaments.tournament import Hooks, tournament

    matches = given["matches"]
    agents = [Entrant(ref="random", name=name) for name in ("one", "two")]
    config = TournamentConfig(agents=agents, envs=[EnvEntry(id="FrozenLake-v1")], episodes=GAMES * matches // 2)
    memory: dict[int, float] = {}

    def on_played(_: Any, tally: Any) -> None:
        if tally.matches in (matches // 10, matches):
            memory[tally.matches] = resident_mb()

    begin = time.perf_counter()
    result = tournament(config, out=Path(given["folder"]) / "large", videos=False, hooks=Hooks(on_played=on_played))
    clock = {name: result.meta[name] for name in ("matches_s", "playing_s")}
    return {
        **clock,
        "whole_s": time.perf_counter() - begin,
        "MB after a tenth": memory[matches // 10],
        "MB in the end": memory[matches],
    }


def resume(given: dict[str, Any]) -> dict[str, Any]:
    from arena.tournaments.pool import Pool
    from arena.tournaments.tournament import resume

    begun: list[float] = []
    begin = Pool.begin

    def watched(self: Any, method: str, task: Any) -> None:
        if method == "play":
            begun.append(time.time())
        begin(self, method, task)

    Pool.begin = watched  # type: ignore[method-assign]
    called = time.time()
    assert resume(Path(given["folder"]) / "large", videos=False).is_finished and len(begun) == 1
    first = {"from the call": begun[0] - called, "from the start of the process": begun[0] - given["begun"]}
    return {"seconds until resume begins its first match": first}


def report(given: dict[str, Any]) -> dict[str, Any]:
    from arena.reports.tournament import write

    begin = time.perf_counter()
    path = write(Path(given["folder"]) / "large")
    return {"report_s": time.perf_counter() - begin, "report_mb": path.stat().st_size / 1e6}


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


SIDES = {"train": train, "league": play_league, "play many": play_many, "resume": resume, "report": report}


if __name__ == "__main__":
    main()
