"""A trained policy as a teacher: what it would do is part of what another agent learns.

Source: Schmitt et al. (2018), "Kickstarting deep reinforcement learning".
"""

from __future__ import annotations

import numpy as np

from arena import policy
from arena.agent import Mode, Spec
from arena.errors import InvalidValue
from arena.sources import Kind, locate


class Teacher:
    """The probabilities that a policy gives to the actions of `spec`.

    Args:
      ref: the policy: its file, the folder of its run, or zoo:AGENT/ENV.
      spec: of the agent that learns from it.

    Raises InvalidValue where `ref` names no policy with probabilities or one with memory, DoesNotFit where it plays
    something else, and what arena.sources.locate() raises.
    """

    def __init__(self, ref: str, spec: Spec) -> None:
        source = locate(ref, spec.env_id)
        if source.kind is not Kind.POLICY or source.path is None:
            kinds = "FILE, RUN_DIR or zoo:AGENT/ENV"
            raise InvalidValue(f"teacher must be a saved policy ({kinds}), not {ref} ({source.kind})")
        self._policy = policy.load(source.path).with_mode(Mode.parse("greedy"))
        policy.check_fits(self._policy.card, spec, f"the teacher {ref}")
        has_memory = self._policy.initial_state(np.zeros(1, np.int64)) != ()
        obs = np.zeros((1, *(spec.observation_space.shape or ())), spec.observation_space.dtype)
        if has_memory or "probs" not in self._policy.act(obs, ()).extras:
            raise InvalidValue(f"teacher must give its actions probabilities and have no memory: {ref} does not")

    def __call__(self, obs: np.ndarray) -> np.ndarray:
        """Returns [B, A] float32 for [B, ...] observations."""
        probs: np.ndarray = self._policy.act(obs, ()).extras["probs"]
        return probs
