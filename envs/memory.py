"""Environments of this project in which what is seen does not say what to do: an agent has to remember.

arena/CartPoleNoVelocity-v1   CartPole-v1 with both velocities hidden
arena/TMaze-v0                a sign at the start of a corridor says where to turn at its end

Importing this module registers them.
"""

from __future__ import annotations

from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.envs.classic_control.cartpole import CartPoleEnv

_MAX_LENGTH = 500
_SEEN = [0, 2]  # of CartPole's state: the cart's position and the pole's angle


class CartPoleNoVelocity(CartPoleEnv):
    """CartPole-v1 whose observations are the cart's position and the pole's angle, without their velocities.

    Source: the pole balancing of Bakker (2002), "Reinforcement learning with long short-term memory", section 5, which
    hides both velocities too; dynamics, rewards and limits are Gymnasium's.
    """

    def __init__(self, sutton_barto_reward: bool = False, render_mode: str | None = None) -> None:
        super().__init__(sutton_barto_reward, render_mode)
        high = self.observation_space.high[_SEEN]
        self.observation_space = gym.spaces.Box(-high, high, dtype=np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, Any]:
        obs, info = super().reset(seed=seed, options=options)
        return obs[_SEEN], info

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, Any]:
        obs, reward, terminated, truncated, info = super().step(action)
        return obs[_SEEN], reward, terminated, truncated, info


class TMaze(gym.Env[np.ndarray, int]):
    """A corridor that ends in a junction: north or south of it is the goal, and a sign at the start says which.

    Observations are 3 numbers: 011 or 110 at the start, where the sign points north or south; 101 in the corridor; 010
    at the junction. Actions are 0 north, 1 east, 2 south, 3 west. North or south at the junction ends the episode, with
    a reward of 4 at the goal and -0.1 on the wrong side; whoever walks into a wall stands still, for -0.1; other steps
    are worth 0. The shortest way has `length` steps to the junction and one into an arm.

    The paper gives no limit to an episode's length; registered here it is 1,000 steps, about what a random walk takes.

    Args:
      length: steps from the start to the junction: for so long the sign has to be remembered.
      render_mode: "rgb_array" for pictures.

    Source: Bakker (2002), "Reinforcement learning with long short-term memory", section 4.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["rgb_array"], "render_fps": 8}
    NORTH, EAST, SOUTH, WEST = range(4)

    def __init__(self, length: int = 20, render_mode: str | None = None) -> None:
        if type(length) is not int or not 1 <= length <= _MAX_LENGTH:
            raise ValueError(f"length is a whole number from 1 to {_MAX_LENGTH}")
        self.length, self.render_mode = length, render_mode
        self.observation_space = gym.spaces.Box(0.0, 1.0, (3,), np.float32)
        self.action_space = gym.spaces.Discrete(4)
        self.goal, self.position, self.arm = self.NORTH, 0, -1  # which arm was entered; -1: none yet

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, Any]:
        super().reset(seed=seed)
        self.goal = (self.NORTH, self.SOUTH)[self.np_random.integers(2)]
        self.position, self.arm = 0, -1
        return self._seen(), {}

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, Any]:
        if action in (self.NORTH, self.SOUTH) and self.position == self.length:
            self.arm = int(action)
            return self._seen(), 4.0 if self.arm == self.goal else -0.1, True, False, {}
        ahead = self.position + {self.EAST: 1, self.WEST: -1}.get(int(action), 0)
        moves = ahead != self.position and 0 <= ahead <= self.length
        self.position = ahead if moves else self.position
        return self._seen(), 0.0 if moves else -0.1, False, False, {}

    def render(self) -> np.ndarray:
        from envs.pictures import t_maze

        return t_maze(self.length, self.position, is_north=self.goal == self.NORTH, arm=self.arm)

    def _seen(self) -> np.ndarray:
        if self.position == self.length:
            bits = (0, 1, 0)
        elif self.position:
            bits = (1, 0, 1)
        else:
            bits = (0, 1, 1) if self.goal == self.NORTH else (1, 1, 0)
        return np.array(bits, np.float32)


gym.register("arena/CartPoleNoVelocity-v1", "envs.memory:CartPoleNoVelocity", max_episode_steps=500)
gym.register("arena/TMaze-v0", "envs.memory:TMaze", max_episode_steps=1_000)
