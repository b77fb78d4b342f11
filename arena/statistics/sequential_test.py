"""The generalised sequential probability ratio test on pairs of games: the pentanomial model.

After each pair the log-likelihood ratio of two differences in strength is compared with Wald's bounds. The likelihood
of each is that of the distribution over the five scores of a pair which fits the results best among those that have the
difference.

Sources: Van den Bergh, "Comments on normalized Elo" (https://www.cantate.be/Fishtest/normalized_elo_practical.pdf),
propositions 1.1 and 4.1; Wald (1945), "Sequential tests of statistical hypotheses". fishtest and fastchess stop the
same way. An estimate made after a stop is biased away from zero: say so wherever one is shown.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

MODELS = ("logistic", "normalized")
SCORES = np.array([0.0, 0.25, 0.5, 0.75, 1.0])  # of a pair, as a share of its points
_NEVER = 1e-3  # pairs: what a score that did not occur counts as
_ELO = 400.0 / np.log(10.0)


def bounds(alpha: float, beta: float) -> tuple[float, float]:
    """Returns the log-likelihood ratios at which H0 and H1 are accepted.

    Args:
      alpha: chance of accepting H1 where H0 holds. beta: of accepting H0 where H1 holds.

    Raises:
      ValueError: one is not above 0, or they add up to 1 or more.
    """
    if alpha <= 0 or beta <= 0 or alpha + beta >= 1:
        raise ValueError(f"alpha and beta must be above 0 and add up to less than 1, not {alpha} and {beta}")
    return float(np.log(beta / (1 - alpha))), float(np.log((1 - beta) / alpha))


def log_likelihood_ratio(counts: Sequence[float], elo0: float, elo1: float, model: str = "logistic") -> float:
    """Returns the log-likelihood ratio of H1 to H0; 0.0 without any pair.

    Args:
      counts: of pairs in which the first agent scored 0, 0.5, 1, 1.5 and 2 points.
      elo0: H0, the first agent's lead. elo1: H1, a greater one.
      model: what the two are measured in: "logistic" Elo, the scale of ratings; or "normalized" Elo, the lead in
        standard deviations of a game's result, which makes the test's length independent of how many games are drawn.

    Raises:
      ValueError: not five counts, elo0 is not below elo1, or another model.
    """
    observed = np.asarray(counts, np.float64)
    if observed.shape != (5,) or not elo0 < elo1 or model not in MODELS:
        raise ValueError(f"not five counts, elo0 < elo1 and a model of {MODELS}: {counts}, {elo0}, {elo1}, {model!r}")
    if not observed.any():
        return 0.0
    observed = np.where(observed == 0.0, _NEVER, observed)
    share = observed / observed.sum()
    likeliest = _with_mean if model == "logistic" else _with_effect
    first, second = (np.log(likeliest(share, elo)) for elo in (elo0, elo1))
    return float(observed @ (second - first))


def _with_mean(share: np.ndarray, elo: float) -> np.ndarray:
    """Returns the likeliest [5] distribution whose mean is the expected score at this lead (proposition 1.1)."""
    return _tilted(share, SCORES - 1.0 / (1.0 + np.exp(-elo / _ELO)))


def _with_effect(share: np.ndarray, elo: float) -> np.ndarray:
    """Returns the likeliest [5] distribution whose mean lies `elo` normalised points from a half.

    The condition is not linear; it is solved as a series of linear ones (proposition 4.1 and what follows it), from the
    uniform distribution. A large lead is approached in steps, since the series may fail far from its end.
    """
    effect = elo * np.sqrt(2.0) / (2.0 * _ELO)  # standard deviations of a pair: of a game, times sqrt(2)
    probs = np.full(5, 0.2)
    for target in np.linspace(0.0, effect, 1 + max(1, int(np.ceil(abs(effect) / 0.4))))[1:]:
        for trial in range(500):
            mean = probs @ SCORES
            deviation = np.sqrt(probs @ (SCORES - mean) ** 2)
            spread = (1.0 + ((SCORES - mean) / deviation) ** 2) / 2.0
            step = _tilted(share, SCORES - 0.5 - target * deviation * spread) - probs
            probs = probs + step / (1 + trial // 20)  # ever shorter steps end what would go round in circles
            if np.abs(step).max() < 1e-9:
                break
    return probs


def _tilted(share: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Returns the distribution nearest to `share` in likelihood under which the mean of `distance` is 0; all [5]."""
    from scipy.optimize import brentq

    low, high = -1.0 / distance.max(), -1.0 / distance.min()  # within, all probabilities are positive
    margin = 1e-13 * (high - low)
    multiplier = brentq(lambda x: share @ (distance / (1.0 + x * distance)), low + margin, high - margin, xtol=1e-14)
    tilted: np.ndarray = share / (1.0 + multiplier * distance)
    return tilted
