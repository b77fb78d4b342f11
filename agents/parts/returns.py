"""Returns and advantages from rewards: pure NumPy functions over time-major arrays."""

from __future__ import annotations

import numpy as np


def discounted_returns(
    reward: np.ndarray, discount: float, *, bootstrap: float = 0.0, reset_on_reward: bool = False
) -> np.ndarray:
    """Returns the discounted sum of rewards from every step to the end of one episode.

    Args:
      reward: [T] rewards of one whole episode.
      discount: per step.
      bootstrap: the value of what follows the last step; 0 where the episode terminated.
      reset_on_reward: the sum begins anew at every reward that is not 0. In Pong each point is then
        a game of its own (Karpathy 2016, "Deep reinforcement learning: Pong from pixels").

    Returns:
      [T] float64.

    Source: Sutton & Barto (2018), section 3.3.
    """
    returns = np.empty(len(reward))
    following = bootstrap
    for t in reversed(range(len(reward))):
        if reset_on_reward and reward[t] != 0.0:
            following = 0.0
        following = reward[t] + discount * following
        returns[t] = following
    return returns


def gae(
    reward: np.ndarray,
    value: np.ndarray,
    next_value: np.ndarray,
    terminated: np.ndarray,
    done: np.ndarray,
    discount: float,
    lam: float,
) -> np.ndarray:
    """Returns generalised advantage estimates for every step of every row.

    Nothing leaks from one episode into the one before it: a terminated step bootstraps with 0, a
    truncated one with the value of its true successor, and the sum restarts after either.

    Args:
      reward: [T, N] rewards.
      value: [T, N] values of the observations that were acted on.
      next_value: [T, N] values of their true successors, where an episode was truncated too.
      terminated: [T, N] bool.
      done: [T, N] bool, terminated or truncated.
      discount: per step.
      lam: 0 gives one-step temporal differences, 1 gives returns minus values.

    Returns:
      [T, N] float64. Add `value` for the targets of the value function.

    Source: Schulman et al. (2016), "High-dimensional continuous control using generalized advantage
    estimation", equation 16.
    """
    delta = reward + discount * np.where(terminated, 0.0, next_value) - value
    keep = discount * lam * ~done
    advantage = np.empty(delta.shape)
    following = np.zeros(delta.shape[1:])
    for t in reversed(range(len(delta))):
        following = delta[t] + keep[t] * following
        advantage[t] = following
    return advantage


def normalise(x: np.ndarray) -> np.ndarray:
    """Returns `x` with mean 0 and standard deviation 1 over all its elements (0 where they are all equal)."""
    return np.asarray((x - x.mean()) / (x.std() + 1e-8))


def explained_variance(value: np.ndarray, target: np.ndarray) -> float:
    """Returns 1 - Var(target - value) / Var(target): 1 is perfect, 0 no better than a constant."""
    variance = target.var()
    return float(1.0 - (target - value).var() / variance) if variance > 0 else 0.0


class RewardScale:
    """Divides rewards by the running standard deviation of the discounted return, row by row.

    The mean is left alone, so a reward keeps its sign; scaled rewards are clipped to [-10, 10].

    Attributes:
      returns: [N] float64, each row's running return. moments: [3] float64, mean, variance and count.

    Source: Engstrom et al. (2020), "Implementation matters in deep policy gradients", section 3.
    """

    clip = 10.0

    def __init__(self, num_rows: int, discount: float) -> None:
        self.discount = discount
        self.returns = np.zeros(num_rows)
        self.moments = np.array([0.0, 1.0, 0.0])

    def __call__(self, reward: np.ndarray, done: np.ndarray) -> np.ndarray:
        """Takes in [T, N] rewards and episode ends; returns the scaled rewards."""
        returns = np.empty(reward.shape)
        for t in range(len(reward)):
            returns[t] = self.returns = self.returns * self.discount + reward[t]
            self.returns = np.where(done[t], 0.0, self.returns)
        mean, variance, count = self.moments
        total = count + returns.size
        delta = returns.mean() - mean
        spread = variance * count + returns.var() * returns.size + delta**2 * count * returns.size / total
        self.moments[:] = mean + delta * returns.size / total, spread / total, total
        return np.asarray(np.clip(reward / np.sqrt(self.moments[1] + 1e-8), -self.clip, self.clip))
