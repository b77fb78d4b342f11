"""The tournament of the zoo, which `arena tournament` holds when it is told of no agents."""

from __future__ import annotations

from collections.abc import Sequence

from arena import zoo
from arena.errors import InvalidValue
from envs import catalogue

ENVS = ("CartPole-v1", "Acrobot-v1", "LunarLander-v3", "ALE/Pong-v5")
NAME = "zoo"
EPISODES = 10


def environments() -> list[str]:
    """Returns the environments that are played: those whose extra is installed."""
    return [env for env in ENVS if all(entry.is_installed for entry in catalogue.entries(env))]


def agents(envs: Sequence[str]) -> list[str]:
    """Returns references to all agents with a pretrained policy for one of `envs`, and to the random one.

    Raises InvalidValue where there is none.
    """
    trained = sorted({entry.agent for entry in zoo.entries() if entry.env in envs})
    if not trained:
        raise InvalidValue(f"agent: the zoo has nothing for {', '.join(envs)}; name agents with --agent")
    return [*(zoo.PREFIX + agent for agent in trained), "random"]
