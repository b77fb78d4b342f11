"""An agent that learns from the codes of what it sees."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from arena import functions
from arena.agent import Agent, Decision, Player, Spec, Transition
from arena.encoders import Encoder
from arena.errors import DoesNotFit
from arena.policy import Policy, describe_space


class EncodedAgent(Agent):
    """An agent behind an encoder, which never changes: both together are one agent of the environment.

    Its policies begin with the encoder, and so play wherever the environment is.

    Args:
      build: makes the agent, given the spec that it sees.
      spec: of the environment.
      encoder: what the agent sees observations through.
    """

    def __init__(self, build: Callable[[Spec], Agent], spec: Spec, encoder: Encoder) -> None:
        self._agent = build(dataclasses.replace(spec, observation_space=encoder.space, preprocess="none"))
        super().__init__(spec, seed=self._agent.seed, settings=None)
        self.settings = self._agent.settings
        self._encoder = encoder
        self._seen: tuple[Any, Any] = (None, None)  # the newest observations, and their codes

    @property
    def progress(self) -> float:
        """Fraction of the training's steps that is spent."""
        return self._agent.progress

    @progress.setter
    def progress(self, value: float) -> None:
        self._agent.progress = value

    @property
    def is_finished(self) -> bool:
        return self._agent.is_finished

    def initial_state(self, seeds: np.ndarray) -> Any:
        return self._agent.initial_state(seeds)

    def begin(self, episodes: np.ndarray, seeds: np.ndarray) -> Any:
        return self._agent.begin(episodes, seeds)

    def act(self, obs: np.ndarray, state: Any) -> Decision:
        return self._agent.act(self._codes(obs), state)

    def observe(self, transition: Transition) -> None:
        obs, next_obs = self._codes(transition.obs), self._codes(transition.next_obs)
        self._agent.observe(transition._replace(obs=obs, next_obs=next_obs))

    def learn(self) -> Mapping[str, Any]:
        return self._agent.learn()

    def policy(self) -> Player:
        policy = self._agent.policy()
        if not isinstance(policy, Policy):
            raise DoesNotFit(
                f"{type(self._agent).__name__} plays by code of its own, which cannot see through an encoder"
            )
        card = policy.card.model_copy(
            update={
                "observation_space": describe_space(self.spec.observation_space),
                "preprocess": self.spec.preprocess,
                "settings": {**policy.card.settings, "encoder": self._encoder.name},
            }
        )
        return Policy(functions.Encoded(self._encoder.function, policy.function), card, policy.mode)

    def weights(self) -> Mapping[str, np.ndarray]:
        return self._agent.weights()

    def load_weights(self, folder: Path) -> None:
        self._agent.load_weights(folder)

    def save_state(self, folder: Path) -> None:
        self._agent.save_state(folder)

    def restore_state(self, folder: Path) -> None:
        self._agent.restore_state(folder)

    def forget_unfinished(self) -> None:
        self._agent.forget_unfinished()

    def _codes(self, obs: np.ndarray) -> np.ndarray:
        """Returns the codes of [N, ...] observations; of the same array as before, the same codes."""
        if obs is not self._seen[0]:
            self._seen = obs, self._encoder.function(obs)["codes"]
        codes: np.ndarray = self._seen[1]
        return codes
