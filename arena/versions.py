"""What a run was made with: all that a score, or a run's exact course, may depend on beside its configuration."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from arena.threads import max_threads, num_cores

PACKAGES = (
    "agent-arena", "ai-edge-litert", "ale-py", "gymnasium", "keras", "multi-agent-ale-py", "numpy", "open-spiel",
    "pettingzoo", "tensorflow",
)  # fmt: skip


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that are installed; imports none of them."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def machine() -> dict[str, Any]:
    """Returns the processor's model and widest vectors, the cores that this process may use, and its threads."""
    return {"cpu": _cpu(), "cores": num_cores(), "threads": max_threads()}


def made_with() -> dict[str, Any]:
    """Returns versions() and machine(), by name."""
    return {**versions(), **machine()}


def difference(before: Mapping[str, Any]) -> str:
    """Returns how made_with() differs from what it was before, for people; "" where it does not."""
    now = made_with()
    changed = [name for name in sorted(before.keys() | now.keys()) if before.get(name) != now.get(name)]
    return ", ".join(f"{name} {now.get(name, 'missing')} instead of {before.get(name, 'missing')}" for name in changed)


def _cpu() -> str:
    try:
        first = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    except OSError:
        return _mac_cpu() or platform.machine()
    parts = [line.partition(":") for line in first.splitlines()]
    entries = {name.strip(): value.strip() for name, _, value in parts}
    vectors = next((name for name in ("avx512f", "avx2", "avx") if name in entries.get("flags", "").split()), "")
    return f"{entries.get('model name', platform.machine())} {vectors}".strip()


def _mac_cpu() -> str:
    command = ["sysctl", "-n", "machdep.cpu.brand_string"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""
