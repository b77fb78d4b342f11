"""What units make of what they sum up, in NumPy."""

from __future__ import annotations

import numpy as np


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Returns 1 / (1 + exp(-x)), which no x overflows."""
    y: np.ndarray = np.tanh(x * 0.5)
    y *= 0.5
    y += 0.5
    return y


def logit(probabilities: np.ndarray) -> np.ndarray:
    """Returns the biases at which units are on with these probabilities, none of them held to be quite sure."""
    sure = np.clip(probabilities, 0.01, 0.99)
    biases: np.ndarray = np.log(sure) - np.log1p(-sure)
    return biases


def softmax(x: np.ndarray) -> np.ndarray:
    """Returns probabilities along the last axis."""
    odds: np.ndarray = np.exp(x - x.max(axis=-1, keepdims=True))
    odds /= odds.sum(axis=-1, keepdims=True)
    return odds
