"""What an agent's process may read: the system, Python and its packages, this project's code, and its own source."""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from arena.sources import Kind, Source

#: Of /etc only what libraries need to start; no passwords and no keys.
SYSTEM = (
    *("/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin"),
    *("/System", "/Library", "/opt/homebrew"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime", "/etc/passwd", "/etc/group"),
    *("/etc/nsswitch.conf", "/etc/os-release", "/etc/alternatives", "/etc/fonts", "/etc/mime.types"),
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/version", "/proc/filesystems", "/proc/sys"),
    *("/sys/devices/system", "/sys/fs/cgroup"),
    *("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"),
)
_PACKAGES = ("arena", "agents", "envs")
_ROOT = Path(__file__).resolve().parents[2]


def readable(source: Source, hidden: Iterable[Path]) -> list[str]:
    """Returns the files and folders that the agent may read, with everything in them; none holds a hidden path."""
    paths = _python()
    played = []
    if source.kind in (Kind.MODULE, Kind.PLUGIN) and source.path is not None:
        paths.append(_top(source.path))
    elif source.path is not None:
        played.append(str(source.path))  # wherever it is
        paths += _beside(source.path) if source.kind is Kind.FILE else []
    out_of_reach = [Path(path).resolve() for path in hidden]
    return [*SYSTEM, *played, *(str(found) for path in paths for found in _without(path.resolve(), out_of_reach))]


def system() -> list[str]:
    """Returns what every process may read that is confined."""
    return [*SYSTEM, *map(str, _python())]


def import_from(source: Source) -> list[str]:
    """Returns the folders that the agent's process must import from, beside those that every Python here has."""
    if source.kind is Kind.MODULE and source.path is not None:
        return [str(_top(source.path).parent)]
    return []


def python_path() -> list[str]:
    """Returns the folders that Python was told to import from, beside its own."""
    given = [str(Path(folder).resolve()) for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder]
    return [*given, str(_ROOT)] if str(_ROOT) in sys.path and str(_ROOT) not in given else given


def _python() -> list[Path]:
    """Returns the folders of Python, its packages and this project."""
    folders = {sys.prefix, sys.base_prefix, sys.exec_prefix, *site.getsitepackages()}
    if site.ENABLE_USER_SITE:
        folders.add(site.getusersitepackages())
    added = [Path(folder) for folder in python_path() if folder != str(_ROOT) and not _holds_home(Path(folder))]
    ours = [*(_ROOT / package for package in _PACKAGES), *_ROOT.glob("*.egg-info")]  # the latter name the plugins
    return [*map(Path, sorted(folders)), *added, *ours]


def _holds_home(folder: Path) -> bool:
    return Path.home().resolve().is_relative_to(folder)


def _beside(file: Path) -> list[Path]:
    """Returns what lies in the file's folder, hidden files and links aside; nothing where that is or holds a home."""
    if _holds_home(file.parent):
        return []
    return [path for path in file.parent.iterdir() if not (path.name.startswith(".") or path.is_symlink())]


def _top(path: Path) -> Path:
    """Returns the outermost package that a module's file is in, or the file where it is in none."""
    top = path
    while (top.parent / "__init__.py").is_file():
        top = top.parent
    return top


def _without(path: Path, hidden: Sequence[Path]) -> list[Path]:
    """Returns `path`, or as much of what is in it as does not hold any of `hidden`."""
    if any(path.is_relative_to(secret) for secret in hidden):
        return []
    if not any(secret.is_relative_to(path) for secret in hidden):
        return [path]
    return [found for entry in path.iterdir() if not entry.is_symlink() for found in _without(entry, hidden)]
