"""Monte-Carlo tree search: OpenSpiel's bot, with random rollouts.

Sources: Kocsis & Szepesvari (2006), "Bandit based Monte-Carlo planning", for UCT; Winands, Bjornsson & Saito (2008),
"Monte-Carlo tree search solver", for proven moves; Lanctot et al. (2019), "OpenSpiel", for the implementation.

Every move is searched anew, from a seed of its own, so that a move is a function of the row's key and the position.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pydantic

from arena import agent, seeding
from arena.agent import Decision, Player, Spec
from envs.games.positions import game_of, position


class MCTSSettings(agent.Settings):
    """Settings of the search.

    Attributes:
      simulations: descents of the tree for every move.
      uct_c: how much is explored: the constant before the root in UCT.
      rollouts: random games from each leaf.
      memory_mb: the most that a tree may take.
    """

    simulations: int = pydantic.Field(1_000, ge=2)
    uct_c: float = pydantic.Field(2.0, gt=0)
    rollouts: pydantic.PositiveInt = 1
    memory_mb: pydantic.PositiveInt = 200


class MCTS(Player):
    """Plays the move that is proven best, else the one that was visited most.

    What it shows as "probs" is each move's share of the visits.

    Raises DoesNotFit where the game is not one of OpenSpiel's for two.
    """

    Settings = MCTSSettings

    def __init__(self, spec: Spec, *, seed: int, settings: Mapping[str, Any] | agent.Settings | None = None) -> None:
        super().__init__(spec, seed=seed, settings=settings)
        self._game = game_of(spec, "mcts")

    def initial_state(self, seeds: np.ndarray) -> np.ndarray:
        """Returns the rows' [N] keys."""
        return seeding.row_keys(seeds)

    def act(self, obs: Mapping[str, np.ndarray], state: np.ndarray) -> Decision:
        histories = obs["history"]
        action = np.zeros(len(histories), np.int64)
        visits = np.zeros((len(histories), self.spec.num_actions), np.float32)
        draw, state = seeding.row_uniform(state)
        for row in np.flatnonzero(obs["legal"].any(axis=1)):
            root = self._search(histories[row], int(draw[row] * 2**31))
            action[row] = root.best_child().action
            for child in root.children:
                visits[row, child.action] = child.explore_count
        return Decision(action, state, {"probs": visits / np.maximum(visits.sum(axis=1, keepdims=True), 1.0)})

    def _search(self, history: np.ndarray, seed: int) -> Any:
        """Returns the root of the tree that was grown from one row's [H] history."""
        import pyspiel

        settings = self.settings
        bot = pyspiel.MCTSBot(
            self._game,
            pyspiel.RandomRolloutEvaluator(settings.rollouts, seed),
            settings.uct_c,
            settings.simulations,
            settings.memory_mb,
            True,  # solve: proven moves count as proven
            seed + 1,  # other numbers than the rollouts'
            False,  # verbose
        )
        return bot.mcts_search(position(self._game, history))
