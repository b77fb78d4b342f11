"""A stochastic policy that learns: a network, a distribution over actions, and the coins of training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from agents.parts.distributions import distribution_of
from agents.parts.networks import Network
from agents.parts.variables import load_variables, save_variables
from arena import seeding
from arena.agent import Decision, Settings, Spec
from arena.errors import DamagedFile, DoesNotFit
from arena.policy import Card, LiteRTFunction, Policy

WEIGHTS = "weights.npz"


class Actor:
    """What policy-gradient agents act with.

    Args:
      spec: of the environment.
      seed: of the weights and of the actions.
      has_value: whether a value head stands beside the policy's.
      log_std: where a Gaussian's log standard deviation begins.
      network: keywords of Network.

    Attributes:
      rng: all of the agent's coins; its state is part of what must be saved.
    """

    def __init__(self, spec: Spec, *, seed: int, has_value: bool, log_std: float, **network: Any) -> None:
        self.spec = spec
        self.distribution = distribution_of(spec, log_std)
        heads = self.distribution.heads | ({"value": 1} if has_value else {})
        weights_seed = seeding.derived_seed(seed, "weights")
        self.network = Network(spec.observation_space, heads, acts_in_litert=True, seed=weights_seed, **network)
        self.rng = seeding.generator(seed, "actions")

    @property
    def trainable_variables(self) -> list[Any]:
        """What an optimizer changes."""
        return self.network.trainable_variables + self.distribution.variables

    @property
    def _all_variables(self) -> list[Any]:
        return [*self.network.model.weights, *self.distribution.variables]

    def act(self, obs: np.ndarray, state: Any = ()) -> Decision:
        """Returns drawn actions; extras: sample, log_prob, value (where there is one), and probs or mean.

        With memory its state before and after the step are extras too: memory and next_memory.
        """
        outputs, after = self.network.step(obs, state)
        action, sample, log_prob, shown = self.distribution.draw(outputs, self.rng)
        extras = {"sample": sample, "log_prob": log_prob, **shown}
        if "value" in outputs:
            extras["value"] = outputs["value"][:, 0]
        if self.network.memory:
            extras |= {"memory": state, "next_memory": after}
        return Decision(action, after, extras)

    def value(self, obs: np.ndarray, state: Any = ()) -> np.ndarray:
        """Returns [N] values of [N, ...] observations and the state before them."""
        return self.network.step(obs, state)[0]["value"][:, 0]

    def refresh(self, weights: Sequence[np.ndarray] | None = None) -> None:
        """Makes act() see the weights of the last update: the network's, in order, where they are at hand."""
        self.network.refresh(weights)
        self.distribution.refresh()

    def policy(self, agent: str, mode: str, settings: Settings) -> Policy:
        """Returns the policy as it is now, frozen."""
        content = self.network.to_litert(list(self.distribution.heads), extra=self.distribution.constants)
        return Policy(LiteRTFunction(content), Card.of(agent, self.spec, mode, settings.model_dump()))

    def weights(self) -> dict[str, np.ndarray]:
        """Returns all weights by name."""
        return {**self.network.weights(), **self.distribution.constants}

    def save(self, folder: Path) -> None:
        """Writes the weights into `folder`."""
        save_variables(folder / WEIGHTS, self._all_variables)

    def restore(self, folder: Path) -> None:
        """Reads the weights that save() wrote. Raises DamagedFile where they are broken or do not fit."""
        load_variables(folder / WEIGHTS, self._all_variables)
        self.refresh()

    def load_weights(self, folder: Path) -> None:
        """Reads the weights of another run. Raises DoesNotFit where they are not of this network's shape."""
        try:
            self.restore(folder)
        except DamagedFile as error:
            raise DoesNotFit(f"{self.spec.env_id} cannot start from these weights: {error}") from error
