"""Two policies on the same games: how often they choose the same, and what it does to the score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from arena.agent import Decision, Player
from arena.evaluation import play
from arena.loop import Event
from arena.policy import Policy, softmax
from arena.seeding import Stream, episode_seed
from arena.statistics.bootstrap import mean_interval
from envs.rows import Rows

NEAR_TIE = 0.01  # share of the values' range
_SMALLEST = 1e-30  # probability


@dataclass(frozen=True)
class Comparison:
    """What a policy changed against another one, over the same seeds.

    Attributes:
      games: how many each played.
      observations: how many the original met; all shares are of these.
      agreement: share on which both choose the same action, given the same coins; None for continuous actions.
      decided: share on which the two best values (action values, or logarithms of probabilities) are further apart
        than 1% of the range of all values that the original gave; None for continuous actions.
      decided_agreement: agreement on those; None where there are none.
      kl: mean Kullback-Leibler divergence in nats, of the new distribution from the original; None unless it samples.
      action_difference: mean distance of continuous actions as a share of the action's range, or None.
      mean, other_mean: mean return of the original and of the other policy.
      difference: mean of the paired differences in return, the other's less the original's.
      low, high: 95% interval of `difference`, a percentile bootstrap over the pairs.
    """

    games: int
    observations: int
    agreement: float | None
    decided: float | None
    decided_agreement: float | None
    kl: float | None
    action_difference: float | None
    mean: float
    other_mean: float
    difference: float
    low: float
    high: float

    def to_json(self) -> dict[str, Any]:
        """Returns the result as a JSON object."""
        return asdict(self)


def compare(
    env: Rows,
    original: Policy,
    other: Policy,
    *,
    num_games: int,
    seed: int,
    on_event: Callable[[Event], None] | None = None,
) -> Comparison:
    """Returns how `other` differs from `original`, which both play the games of the same seeds in `env`."""
    asked = _Asked(original, other)

    def watch(event: Event) -> None:
        asked.keep(event.live)
        if on_event is not None:
            on_event(event)

    def seed_of(number: int) -> int:
        return episode_seed(seed, Stream.EVALUATION, number)

    first = np.array([game.ret for game in play(env, asked, seed_of, num_games, on_event=watch)])
    second = np.array([game.ret for game in play(env, other, seed_of, num_games, on_event=on_event)])
    differences = second - first
    low, high = mean_interval(differences, seed)
    return Comparison(
        games=num_games,
        **asked.summary(),
        mean=float(first.mean()),
        other_mean=float(second.mean()),
        difference=float(differences.mean()),
        low=low,
        high=high,
    )


class _Asked(Player):
    """Plays as the original, and asks the other policy the same questions with the same coins."""

    def __init__(self, original: Policy, other: Policy) -> None:
        self.initial_state = original.initial_state  # type: ignore[method-assign]
        self._original, self._other = original, other
        self._kept: dict[str, list[np.ndarray]] = {}
        self._last: dict[str, np.ndarray] = {}

    def act(self, obs: np.ndarray, state: Any) -> Decision:
        mine, other = self._original.act(obs, state), self._other.act(obs, state)
        is_sampled = self._original.mode.name == "sample"
        if "mean" in mine.extras:
            self._last = {"distance": np.abs(mine.action - other.action).mean(-1) / self._range}
            if is_sampled:
                self._last["kl"] = gaussian_kl(mine.extras, other.extras)
        else:
            values = np.sort(_values(mine.extras), -1)
            self._last = {
                "same": mine.action == other.action,
                "gap": values[:, -1] - values[:, max(-2, -values.shape[1])],
                "low": values[:, 0],
                "high": values[:, -1],
            }
            if is_sampled:
                self._last["kl"] = categorical_kl(_probs(mine.extras), _probs(other.extras))
        return mine

    @property
    def _range(self) -> float:
        space = self._original.card.action_space
        return float(np.mean(np.subtract(space["high"], space["low"])))

    def keep(self, live: np.ndarray) -> None:
        """Takes in the answers to the last questions, of the rows that were playing."""
        for name, values in self._last.items():
            self._kept.setdefault(name, []).append(values[live])

    def summary(self) -> dict[str, Any]:
        kept = {name: np.concatenate(parts) for name, parts in self._kept.items()}
        summary: dict[str, Any] = dict.fromkeys(
            ("agreement", "decided", "decided_agreement", "kl", "action_difference")
        )
        summary["observations"] = len(next(iter(kept.values())))
        if "kl" in kept:
            summary["kl"] = float(kept["kl"].mean())
        if "distance" in kept:
            return summary | {"action_difference": float(kept["distance"].mean())}
        decided = kept["gap"] > NEAR_TIE * (kept["high"].max() - kept["low"].min())
        return summary | {
            "agreement": float(kept["same"].mean()),
            "decided": float(decided.mean()),
            "decided_agreement": float(kept["same"][decided].mean()) if decided.any() else None,
        }


def _values(extras: Any) -> np.ndarray:
    values: np.ndarray = extras["q"] if "q" in extras else np.log(np.maximum(extras["probs"], _SMALLEST))
    return values


def _probs(extras: Any) -> np.ndarray:
    probs: np.ndarray = extras["probs"] if "probs" in extras else softmax(extras["q"])
    return probs


def categorical_kl(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Returns [N] KL(p || q) in nats of [N, A] probabilities."""
    p, q = (np.maximum(x.astype(np.float64), _SMALLEST) for x in (p, q))
    p, q = (x / x.sum(-1, keepdims=True) for x in (p, q))
    divergence: np.ndarray = (p * np.log(p / q)).sum(-1)
    return divergence


def gaussian_kl(p: Any, q: Any) -> np.ndarray:
    """Returns [N] KL(p || q) in nats of diagonal Gaussians, each a mapping with "mean" and "std", [N, A]."""
    variance = q["std"] ** 2
    spread = (p["std"] ** 2 + (p["mean"] - q["mean"]) ** 2) / (2.0 * variance)
    divergence: np.ndarray = (np.log(q["std"] / p["std"]) + spread - 0.5).sum(-1)
    return divergence
