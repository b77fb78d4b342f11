"""Scores that compare across environments: 0 is a random player, 1 a stated reference.

For Atari the reference is a human games tester. Source of the 57 games: Wang et al. (2016), "Dueling network
architectures for deep reinforcement learning", tables of no-op starts, which `atari_data.py` of DeepMind's dqn_zoo
repeats. They were taken with up to 30 initial no-ops, no sticky actions and at most 30 minutes of play.

For other environments the reference is Gymnasium's `reward_threshold`, and the random score the mean of 1,000 games of
`arena eval random --env ID --episodes 1000 --seed 0`.

Scales are never guessed: an environment that is not listed, or that has settings of its own, has none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Scale:
    """What an environment's scores are measured against.

    Attributes:
      random: the mean return of a player that chooses at random.
      reference: the return that counts as 1.
      source: what the reference is.
    """

    random: float
    reference: float
    source: str

    def normalised(self, returns: np.ndarray) -> np.ndarray:
        """Returns (returns - random) / (reference - random), of any shape."""
        return (np.asarray(returns, np.float64) - self.random) / (self.reference - self.random)


HUMAN, SOLVED = "a human games tester", "Gymnasium's reward threshold"


def scale_of(env_id: str, settings: Mapping[str, Any] | None = None) -> Scale | None:
    """Returns the scale of an environment, or None where none is known.

    Args:
      env_id: as `ALE/MsPacman-v5`, `MsPacmanNoFrameskip-v4`, `CartPole-v1`.
      settings: keywords of its maker; with any but max_episode_steps it may be another game.
    """
    if set(settings or ()) - {"max_episode_steps"}:
        return None
    if env_id in _CLASSIC:
        return Scale(*_CLASSIC[env_id], SOLVED)
    found = re.fullmatch(r"(?:ALE/)?([A-Z]\w*?)(?:NoFrameskip|Deterministic)?-v\d+", env_id)
    game = found[1].lower() if found else ""
    return Scale(*_ATARI[game], HUMAN) if game in _ATARI else None


# (random, threshold)
_CLASSIC = {
    "Acrobot-v1": (-498.59, -100.0),
    "CartPole-v0": (22.41, 195.0),
    "CartPole-v1": (22.41, 475.0),
    "FrozenLake-v1": (0.015, 0.7),
    "FrozenLake8x8-v1": (0.001, 0.85),
    "LunarLander-v3": (-185.96, 200.0),
    "MountainCar-v0": (-200.0, -110.0),
    "MountainCarContinuous-v0": (-33.21, 90.0),
    "Taxi-v4": (-775.77, 8.0),
}

# (random, human)
_ATARI = {
    "alien": (227.8, 7127.7),
    "amidar": (5.8, 1719.5),
    "assault": (222.4, 742.0),
    "asterix": (210.0, 8503.3),
    "asteroids": (719.1, 47388.7),
    "atlantis": (12850.0, 29028.1),
    "bankheist": (14.2, 753.1),
    "battlezone": (2360.0, 37187.5),
    "beamrider": (363.9, 16926.5),
    "berzerk": (123.7, 2630.4),
    "bowling": (23.1, 160.7),
    "boxing": (0.1, 12.1),
    "breakout": (1.7, 30.5),
    "centipede": (2090.9, 12017.0),
    "choppercommand": (811.0, 7387.8),
    "crazyclimber": (10780.5, 35829.4),
    "defender": (2874.5, 18688.9),
    "demonattack": (152.1, 1971.0),
    "doubledunk": (-18.6, -16.4),
    "enduro": (0.0, 860.5),
    "fishingderby": (-91.7, -38.7),
    "freeway": (0.0, 29.6),
    "frostbite": (65.2, 4334.7),
    "gopher": (257.6, 2412.5),
    "gravitar": (173.0, 3351.4),
    "hero": (1027.0, 30826.4),
    "icehockey": (-11.2, 0.9),
    "jamesbond": (29.0, 302.8),
    "kangaroo": (52.0, 3035.0),
    "krull": (1598.0, 2665.5),
    "kungfumaster": (258.5, 22736.3),
    "montezumarevenge": (0.0, 4753.3),
    "mspacman": (307.3, 6951.6),
    "namethisgame": (2292.3, 8049.0),
    "phoenix": (761.4, 7242.6),
    "pitfall": (-229.4, 6463.7),
    "pong": (-20.7, 14.6),
    "privateeye": (24.9, 69571.3),
    "qbert": (163.9, 13455.0),
    "riverraid": (1338.5, 17118.0),
    "roadrunner": (11.5, 7845.0),
    "robotank": (2.2, 11.9),
    "seaquest": (68.4, 42054.7),
    "skiing": (-17098.1, -4336.9),
    "solaris": (1236.3, 12326.7),
    "spaceinvaders": (148.0, 1668.7),
    "stargunner": (664.0, 10250.0),
    "surround": (-10.0, 6.5),
    "tennis": (-23.8, -8.3),
    "timepilot": (3568.0, 5229.2),
    "tutankham": (11.4, 167.6),
    "upndown": (533.4, 11693.2),
    "venture": (0.0, 1187.5),
    "videopinball": (16256.9, 17667.9),
    "wizardofwor": (563.5, 4756.5),
    "yarsrevenge": (3092.9, 54576.9),
    "zaxxon": (32.5, 9173.3),
}
