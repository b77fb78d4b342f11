"""A good agent: it pushes the cart, or the pendulum, or the stone, where a line through the observation says."""

from __future__ import annotations

from typing import Any

import numpy as np

from arena.agent import Decision, Player


class Good(Player):
    """Plays CartPole-v1 well, Pendulum-v1 somehow, and in games the first legal action of its seat."""

    def act(self, obs: Any, state: Any) -> Decision:
        if isinstance(obs, dict):
            return Decision(obs["legal"].argmax(1), state)
        if obs.shape[1] == 3:  # Pendulum-v1: cosine, sine, velocity
            return Decision(np.clip(-obs[:, 1:2] - 0.2 * obs[:, 2:3], -2, 2).astype(np.float32), state)
        return Decision((obs[:, 2] + obs[:, 3] > 0).astype(np.int64), state)
