"""Twelve agents that do harm in one tournament with two good ones, through the real command.

What must be so: the tournament comes to its end; every hostile agent forfeits, for the right reason; the games of the
good ones are, to the bit, those of a tournament without the others; no process and no file is left behind.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import common
import tomli_w

AGENTS = Path(__file__).parent / "hostile_agents"
GOOD = [{"ref": "random"}, {"ref": f"{AGENTS}/good.py:Good"}]
LIMITS = {"start_s": 30.0, "move_s": 3.0, "memory_mb": 512, "log_kb": 64}
#: By name: the file of each, and what it forfeits for.
HOSTILE = {
    "FailsToImport": ("raises_at_import.py", "failed import"),
    "RaisesAtStart": ("hostile.py", "crash"),
    "RaisesOnMoveSeven": ("hostile.py", "crash"),
    "Hangs": ("hostile.py", "timeout"),
    "SleepsTooLong": ("hostile.py", "timeout"),
    "WrongShape": ("hostile.py", "wrong shape"),
    "NotANumber": ("hostile.py", "not a number"),
    "IllegalAction": ("hostile.py", "illegal action"),
    "Exits": ("hostile.py", "exit"),
    "Allocates": ("hostile.py", "out of memory"),
    "Forks": ("hostile.py", "crash"),
    "Prints": ("hostile.py", "crash"),
}
SETTINGS = {"SleepsTooLong": {"late_s": LIMITS["move_s"] + 0.05}}
#: A move is a number on a scale in Pendulum-v1 alone: elsewhere it cannot be NaN.
HARMLESS = {("NotANumber", "CartPole-v1")}


def configuration(*, with_hostile: bool, episodes: int) -> dict[str, Any]:
    """Returns the content of the tournament's file."""
    hostile = [
        {"ref": f"{AGENTS}/{file}:{name}", "name": name, "settings": SETTINGS.get(name, {})}
        for name, (file, _) in HOSTILE.items()
    ]
    envs = [{"id": "CartPole-v1"}, {"id": "Pendulum-v1", "settings": {"max_episode_steps": 50}}]
    agents = GOOD + (hostile if with_hostile else [])
    return {"name": "hostile", "seed": 0, "episodes": episodes, "limits": LIMITS, "agent": agents, "env": envs}


def play(folder: Path, config: dict[str, Any], jobs: int) -> dict[str, Any]:
    """Plays a tournament; returns what `arena tournament --json` says of it."""
    temporary, python = folder / "tmp", folder / "python"
    temporary.mkdir(parents=True)
    python.symlink_to(sys.prefix)  # by this name the tournament's processes are known from all others
    (folder / "tournament.toml").write_text(tomli_w.dumps(config))
    command = [*(str(python / "bin" / "python"), "-m", "arena.cli", "tournament", "tournament.toml"), "--json"]
    ended = subprocess.run(
        [*command, "--out", "out", "--jobs", str(jobs)],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        check=False,
    )
    time.sleep(0.5)
    result: dict[str, Any] = json.loads(ended.stdout) if ended.returncode == 0 else {"matches": [], "forfeits": []}
    result["exit code"] = ended.returncode
    result["processes left"] = [line for line in _processes() if str(python) in line]
    result["files left"] = [str(path.relative_to(temporary)) for path in temporary.rglob("*")]
    return result


def faults(hostile: dict[str, Any], peaceful: dict[str, Any]) -> list[str]:
    """Returns what is not as it must be."""
    found = [f"a tournament ended with {played['exit code']}" for played in (hostile, peaceful) if played["exit code"]]
    for played in (hostile, peaceful):
        found += [f"{kind}: {played[kind]}" for kind in ("processes left", "files left") if played[kind]]
    envs = {match["id"]: match["env"] for match in hostile["matches"]}
    types = {(forfeit["agent"], envs[forfeit["match"]]): forfeit["type"] for forfeit in hostile["forfeits"]}
    wanted = {(name, env): type for name, (_, type) in HOSTILE.items() for env in sorted(set(envs.values()))}
    for key in sorted(types.keys() | wanted.keys()):
        want = None if key in HARMLESS else wanted.get(key)
        if types.get(key) != want:
            found.append(f"{' on '.join(key)} forfeits for {types.get(key)}, not for {want}")
    if games_of_good(hostile) != games_of_good(peaceful):
        found.append("the games of the good agents are others")
    if not games_of_good(peaceful) or peaceful["forfeits"]:
        found.append("the good agents did not play")
    return found


def games_of_good(played: dict[str, Any]) -> dict[str, Any]:
    """Returns the games of the good agents, by match."""
    names = [agent["name"] for agent in played.get("agents", [])[: len(GOOD)]]
    return {match["id"]: match["games"] for match in played["matches"] if match["players"][0] in names}


def _processes() -> list[str]:
    return subprocess.run(["ps", "-axo", "command="], capture_output=True, text=True, check=True).stdout.splitlines()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--episodes", type=int, default=20, metavar="N")
    parser.add_argument("--jobs", type=int, default=2, metavar="N")
    parser.add_argument("--no-results", action="store_true", help="do not write benchmarks/results/hostile.json")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        begin = time.perf_counter()
        hostile = play(
            Path(name) / "hostile", configuration(with_hostile=True, episodes=options.episodes), options.jobs
        )
        seconds = time.perf_counter() - begin
        peaceful = play(
            Path(name) / "peaceful", configuration(with_hostile=False, episodes=options.episodes), options.jobs
        )
    found = faults(hostile, peaceful)
    envs = {match["id"]: match["env"] for match in hostile["matches"]}
    forfeits = sorted(
        {(entry["agent"], envs[entry["match"]], entry["type"], entry["reason"]) for entry in hostile["forfeits"]}
    )
    for agent, env, type, reason in forfeits:
        print(f"{agent:<20}{env:<14}{type:<16}{reason}")
    print(f"{len(hostile['matches'])} matches in {seconds:.0f} s; faults: {'; '.join(found) or 'none'}")
    if not options.no_results:
        result = {"episodes": options.episodes, "jobs": options.jobs, "seconds": round(seconds, 1), "faults": found}
        common.write("hostile", {**result, "limits": LIMITS, "forfeits": forfeits}, show=False)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
