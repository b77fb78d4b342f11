"""The policies that a run had early in its training, which `arena record --story` plays beside the final one."""

from __future__ import annotations

from pathlib import Path

from arena.agent import Agent
from arena.errors import BrokenPlugin
from arena.policy import Policy, save
from arena.sources import POLICY_SUFFIXES

#: Percent of the training at which a policy is kept.
PERCENTS = (0, 1, 10)


def stem(run: Path, percent: int) -> Path:
    """Returns where a run keeps the policy of that time, without the suffix of its kind."""
    return run / "milestones" / f"{percent:03}"


def policy_at(path: Path) -> Path | None:
    """Returns the file of a policy that was saved under this name, without its suffix, or None where there is none."""
    files = (path.with_suffix(suffix) for suffix in POLICY_SUFFIXES)
    return next((file for file in files if file.is_file()), None)


def kept(run: Path) -> list[tuple[int, Path]]:
    """Returns (percent, file) of the policies that a run has kept, the earliest first."""
    files = ((percent, policy_at(stem(run, percent))) for percent in PERCENTS)
    return [(percent, file) for percent, file in files if file is not None]


class Milestones:
    """Keeps the policies of one training as it passes the milestones.

    Args:
      run: the run folder.
      fraction: of the training, at which it begins or goes on.
    """

    def __init__(self, run: Path, fraction: float) -> None:
        self._run = run
        self._ahead = [percent for percent in PERCENTS if percent >= 100.0 * fraction]

    def add(self, agent: Agent, fraction: float, step: int) -> None:
        """Keeps what `agent` plays now, where a milestone was reached. Policies of a plugin's own kind are left."""
        while self._ahead and 100.0 * fraction >= self._ahead[0]:
            percent = self._ahead.pop(0)
            with BrokenPlugin.guard(agent, "policy"):
                policy = agent.policy()
            if isinstance(policy, Policy):
                path = stem(self._run, percent)
                path.parent.mkdir(exist_ok=True)
                save(policy.with_card(step=step), path)
