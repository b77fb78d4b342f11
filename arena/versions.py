"""The versions of everything that a score may depend on."""

from __future__ import annotations

import importlib.metadata
import platform

PACKAGES = ("agent-arena", "ai-edge-litert", "ale-py", "gymnasium", "keras", "numpy", "tensorflow")


def versions() -> dict[str, str]:
    """Returns the versions of Python and of the packages that are installed; imports none of them."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
