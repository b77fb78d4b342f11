"""Strangers' agents: each in a process of its own, with limits, and out of reach of everything else.

    runner ── line ──────────── seat      runs the agent's code, confined (seat, sandbox, landlock)
       │                          │
       └── lifeline, report ── warden     watches memory and output, ends all of it, cleans up (warden, processes)
                                  │
                               zygote     a clean process from which both are forked (zygote, launcher)

`player` is what a match plays with. What is promised, and what is not: docs/security.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from arena.isolation.probe import Tier


def tiers() -> tuple[Tier, ...]:
    """Returns (what, holds, how) for every promise of isolation: whether this machine holds it, tried in a process."""
    from arena.isolation.probe import probe

    return probe()
