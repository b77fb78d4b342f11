"""How fast a LiteRT file is here: latency, time by operator and by operator type, memory."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from arena import inspection
from arena.errors import ArenaError, DamagedFile
from arena.evaluation import check_count


@dataclass(frozen=True)
class Profile:
    """What a LiteRT file takes on this machine, at batch 1 and with random inputs. Times are in microseconds.

    Attributes:
      path, threads, runs: what was measured, and how often it was called after the first call.
      load_us: from bytes to an interpreter with its memory allocated.
      first_us: the first call. min_us, max_us, mean_us, std_us: of the calls after it.
      operators: in order, each with index, operator, us and share. Each is the time of the network cut short after
        the operator less that of the network cut short before it; the medians of networks that take turns.
      by_type: the same summed by operator, with count; the slowest first.
      peak_bytes: most memory of the measuring process. model_bytes: what loading and calling the file added to it.
        Both are 0 where the system does not tell.
    """

    path: str
    threads: int
    runs: int
    load_us: float
    first_us: float
    min_us: float
    max_us: float
    mean_us: float
    std_us: float
    operators: list[dict[str, Any]]
    by_type: list[dict[str, Any]]
    peak_bytes: int
    model_bytes: int

    def to_json(self) -> dict[str, Any]:
        """Returns the result as a JSON object."""
        return asdict(self)


def profile(
    path: Path, *, threads: int = 1, runs: int = 500, on_progress: Callable[[float], None] | None = None
) -> Profile:
    """Returns what a LiteRT file takes here, measured in a process of its own.

    Raises DamagedFile where it is no LiteRT file, or crashes LiteRT; ArenaError where LiteRT cannot run it.
    """
    check_count("threads", threads)
    check_count("runs", runs)
    inspection.read_model(path)
    measured = _measured(path, threads, runs, on_progress or (lambda share: None))
    total = sum(entry["us"] for entry in measured["operators"]) or 1.0
    for entry in measured["operators"]:
        entry["share"] = entry["us"] / total
    by_type: dict[str, dict[str, Any]] = {}
    for entry in measured["operators"]:
        row = by_type.setdefault(
            entry["operator"], {"operator": entry["operator"], "count": 0, "us": 0.0, "share": 0.0}
        )
        row["count"] += 1
        row["us"] += entry["us"]
        row["share"] += entry["share"]
    slowest = sorted(by_type.values(), key=lambda row: -row["us"])
    return Profile(path=str(path), threads=threads, runs=runs, by_type=slowest, **measured)


def _measured(path: Path, threads: int, runs: int, on_progress: Callable[[float], None]) -> dict[str, Any]:
    command = [sys.executable, "-P", "-m", "arena.latency", str(path), str(threads), str(runs)]
    nothing = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=nothing, stdout=subprocess.PIPE, stderr=nothing, text=True) as process:
        try:
            assert process.stdout is not None
            for text in process.stdout:
                line = json.loads(text)
                if "done" in line:
                    on_progress(line["done"])
                elif "error" in line:
                    raise ArenaError(line["error"])
                else:
                    return line["result"]  # type: ignore[no-any-return]
            code = process.wait()
        finally:
            process.kill()
    reason = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    raise DamagedFile(f"LiteRT crashed on {path} ({reason}): the file is damaged, or uses what this LiteRT lacks")
