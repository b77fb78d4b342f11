"""Environments by id: `make("CartPole-v1", 8)` gives eight rows of it.

Importing this package costs nothing: Gymnasium and the emulator are imported by the first make(), so
that `envs.catalogue` can be read without them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from envs.factory import make
    from envs.rows import Rows, Step

__all__ = ["Rows", "Step", "install_command", "make"]

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")  # pygame greets on standard output, where JSON may go


def install_command(extra: str) -> str:
    """Returns the command that installs one of the project's extras (box2d, mujoco)."""
    return f'pip install ".[{extra}]"'


def __getattr__(name: str) -> Any:
    if name == "make":
        from envs.factory import make

        return make
    if name in ("Rows", "Step"):
        from envs import rows

        return getattr(rows, name)
    raise AttributeError(f"module 'envs' has no attribute {name!r}")
