"""What the benchmarks share: one JSON file each, with configuration, commit, versions and machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from arena.versions import versions

RESULTS = Path(__file__).parent / "results"


def write(name: str, result: dict[str, Any], *, show: bool = True) -> None:
    """Writes benchmarks/results/NAME.json and prints it (or leaves that to the caller)."""
    about = {"commit": commit(), "versions": versions(), "cores": os.cpu_count(), "machine": platform.machine()}
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(result | about, indent=1)
    (RESULTS / f"{name}.json").write_text(text + "\n")
    if show:
        print(text)


def commit() -> str:
    """Returns the short name of the commit that is checked out."""
    return subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
