"""Ratings from all games at once: Bradley-Terry with ties and a seat advantage, with intervals from resampled pairs.

A player of strength a in seat 0 meets one of strength b: with d = a - b + seat advantage, the odds of won : drawn :
lost are exp(d / 2) : nu : exp(-d / 2). The fit is the maximum of the likelihood, which is concave, and depends on
nothing but how often each result occurred: not on the order of the games.

The prior is one virtual pair for every player, spread evenly over its meetings and over the nine results that a pair of
games can have. It keeps ratings finite where one side won all.

Sources: Bradley & Terry (1952); Davidson (1970), "On extending the Bradley-Terry model to accommodate ties in paired
comparison experiments"; Davidson & Beaver (1977) for the order of presentation; Rubin (1981), "The Bayesian bootstrap".
Deviations: the seat advantage takes part in the odds of a draw too, half of it on each side; pairs are resampled with
Dirichlet weights, which the prior takes part in, rather than whole, so that a meeting won without exception has an
interval as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from arena.statistics.bootstrap import Estimate, interval
from arena.statistics.groups import interval_test

ELO = 400.0 / np.log(10.0)  # Elo points in a unit of log-odds
PRIOR = "one virtual pair for every player, spread evenly over its meetings and the nine results of a pair"
RESAMPLES = 20_000
_WORK = 4e8  # floating-point products that a step for all resamples may cost
_CHUNK = 1_000
_LOST, _DRAWN, _WON = range(3)
_SMALLEST = 1e-6  # of a game; what is drawn below it changes nothing that could be told


class Fit(NamedTuple):
    """The parameters, in log-odds, for B sets of results.

    Attributes:
      strength: [B, P], of mean 0.
      seat: [B], the advantage of seat 0.
      nu: [B], Davidson's parameter of draws: equal players draw a share of nu / (2 + nu).
    """

    strength: np.ndarray
    seat: np.ndarray
    nu: np.ndarray


@dataclass(frozen=True)
class Ratings:
    """Ratings of P players, in Elo, of mean 0.

    Attributes:
      rating: with 95% intervals, [P] each.
      seat_advantage: of seat 0, in Elo.
      nu: Davidson's parameter of draws.
      superiority: [P, P] the likelihood that the row's player is the stronger one (LOS); half on the diagonal.
      p_values: [P, P], two-sided, of the difference between two players; 1 on the diagonal.
      is_connected: False where two players are linked by no chain of meetings; their ratings do not compare then.
      resamples: how many the intervals come from.
    """

    rating: Estimate
    seat_advantage: Estimate
    nu: Estimate
    superiority: np.ndarray
    p_values: np.ndarray
    is_connected: bool
    resamples: int


def rate(
    num_players: int, meetings: np.ndarray, results: np.ndarray, *, seed: int, resamples: int | None = None
) -> Ratings:
    """Returns the ratings of `num_players` players.

    Args:
      meetings: [M, 2], the players of each meeting; every meeting once, each player in at least one.
      results: [M, 3, 3], how many of its pairs had each result: indexed by what the meeting's first player did (0 lost,
        1 drew, 2 won) in the game that it played in seat 0, and in the one that it played in seat 1.
      resamples: None for 20,000, or fewer where there are so many players that it would take long.

    Raises:
      ValueError: a player has no meeting, or the shapes disagree.
    """
    played = np.sum(results, axis=(1, 2))
    meetings, weights = _with_prior(num_players, meetings, results)
    num_pairs = np.bincount(meetings.ravel(), np.repeat(played, 2), num_players).astype(int)
    pairs = weights.sum(1)
    if resamples is None:
        resamples = int(np.clip(_WORK / (60 * len(meetings) + (num_players + 2) ** 3), 1_000, RESAMPLES))
    best = fit(num_players, *_games(meetings, weights[None]))
    rng = np.random.default_rng(seed)
    parts = []
    for done in range(0, resamples, _CHUNK):
        mass = np.maximum(rng.standard_gamma(weights, (min(_CHUNK, resamples - done), *weights.shape)), _SMALLEST)
        drawn = mass / mass.sum(-1, keepdims=True) * pairs[:, None]
        parts.append(fit(num_players, *_games(meetings, drawn), start=best))
    strength, seat, nu = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Ratings(
        rating=Estimate(ELO * best.strength[0], *interval(ELO * strength)),
        seat_advantage=_scalar(ELO * best.seat, ELO * seat),
        nu=_scalar(best.nu, nu),
        superiority=superiority(strength),
        p_values=_p_values(strength, num_pairs),
        is_connected=_num_components(num_players, meetings) == 1,
        resamples=resamples,
    )


def best_fit(num_players: int, meetings: np.ndarray, results: np.ndarray) -> Fit:
    """Returns the fit that rate() takes its ratings from, without intervals; arguments and errors as there."""
    meetings, weights = _with_prior(num_players, meetings, results)
    return fit(num_players, *_games(meetings, weights[None]))


def _with_prior(num_players: int, meetings: np.ndarray, results: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the meetings [M, 2] and how many pairs had each result, [M, 9], virtual ones included."""
    meetings, results = np.asarray(meetings, np.intp).reshape(-1, 2), np.asarray(results, np.float64)
    if results.shape != (len(meetings), 3, 3):
        raise ValueError(f"results must be [{len(meetings)}, 3, 3], one table for every meeting, not {results.shape}")
    degree = np.bincount(meetings.ravel(), minlength=num_players)
    if len(degree) != num_players or not degree.all():
        raise ValueError(f"each of the {num_players} players needs a meeting, and no other may have one")
    virtual = (1.0 / degree[meetings]).mean(1)  # pairs
    return meetings, results.reshape(-1, 9) + virtual[:, None] / 9.0


def superiority(strength: np.ndarray) -> np.ndarray:
    """Returns [P, P]: in which share of [R, P] draws the row's player is the stronger one; ties count half."""
    columns = np.ascontiguousarray(strength.T)
    wins = np.array([(column > columns).mean(-1) + (column == columns).mean(-1) / 2.0 for column in columns])
    return wins


def _p_values(strength: np.ndarray, num_pairs: np.ndarray) -> np.ndarray:
    """Returns [P, P] from [R, P] draws; of two players, who has played fewer of the [P] pairs says how sure it is."""
    columns = np.ascontiguousarray(strength.T)
    p = np.ones((len(columns), len(columns)))
    for i, j in zip(*np.tril_indices(len(columns), -1), strict=True):
        p[i, j] = p[j, i] = interval_test(columns[i] - columns[j], min(num_pairs[i], num_pairs[j]))
    return p


def fit(
    num_players: int, seats: np.ndarray, results: np.ndarray, *, start: Fit | None = None, tolerance: float = 1e-6
) -> Fit:
    """Returns the maximum of the likelihood by Newton's method, for B sets of results of the same games at once.

    Args:
      seats: [R, 2], who sits in seat 0 and in seat 1.
      results: [B, R, 3], how many of these games seat 0 lost, drew and won; need not be whole.
      start: a fit from which to begin.

    Raises:
      ValueError: a maximum was not found, as where one side won all and there is no prior.
    """
    num_sets, num_rows, _ = results.shape
    design = np.zeros((num_rows, num_players + 1))
    rows = np.arange(num_rows)
    design[rows, seats[:, 0]] += 1.0
    design[rows, seats[:, 1]] -= 1.0
    design[:, -1] = 1.0
    games, draws = results.sum(-1), results[..., _DRAWN].sum(-1)
    lead = (results[..., _WON] - results[..., _LOST]) / 2.0
    at = np.zeros((num_sets, num_players + 2))  # strengths, seat, log nu
    if start is not None:
        at[:] = np.concatenate([start.strength[0], start.seat, np.log(start.nu)])
    at[draws == 0.0, -1] = -np.inf
    squares = _squares(design)
    left = np.arange(num_sets)
    for _ in range(200):
        gradient, hessian = _derivatives(at[left], design, squares, games[left], lead[left], draws[left])
        step = np.linalg.solve(hessian, gradient[..., None])[..., 0]
        size = np.abs(step).max(-1, keepdims=True)
        at[left] += step / np.maximum(size, 1.0)  # a whole step could leave the region where the curvature is known
        left = left[size[:, 0] > tolerance]
        if not left.size:
            return Fit(at[:, :-2] - at[:, :-2].mean(-1, keepdims=True), at[:, -2], np.exp(at[:, -1]))
    raise ValueError("these results have no finite ratings: one side won all; add a prior")


def _derivatives(
    at: np.ndarray, design: np.ndarray, squares: Any, games: np.ndarray, lead: np.ndarray, draws: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the gradient [B, P + 2] of the log-likelihood, and its negative Hessian [B, P + 2, P + 2]."""
    num_sets, size = at.shape
    half = at[:, :-1] @ design.T / 2.0
    largest = np.maximum(np.abs(half), at[:, -1:])
    won, lost, drawn = np.exp(half - largest), np.exp(-half - largest), np.exp(at[:, -1:] - largest)
    total = won + lost + drawn
    decided, edge, drawn = (won + lost) / total, (won - lost) / total, drawn / total
    gradient = np.empty((num_sets, size))
    gradient[:, :-1] = (lead - games * edge / 2.0) @ design
    gradient[:, -1] = draws - (games * drawn).sum(-1)
    hessian = np.empty((num_sets, size, size))
    hessian[:, :-1, :-1] = (games * (decided - edge**2) / 4.0 @ squares).reshape(num_sets, size - 1, size - 1)
    hessian[:, :-1, -1] = hessian[:, -1, :-1] = -(games * edge * drawn / 2.0) @ design
    hessian[:, -1, -1] = (games * drawn * (1.0 - drawn)).sum(-1)
    # A common shift of all strengths changes nothing: it stays, but for rounding errors, which grow with the games.
    hessian += 1e-8 * np.maximum(1.0, games.sum(-1))[:, None, None] * np.eye(size)
    return gradient, hessian


def _squares(design: np.ndarray) -> Any:
    """Returns every row of [R, D] times itself, flat, as a sparse [R, D * D] matrix: each has but nine entries."""
    from scipy.sparse import csr_array

    three = np.argsort(design == 0.0, axis=1, kind="stable")[:, :3]
    values = np.take_along_axis(design, three, axis=1)
    num_rows, size = design.shape
    columns = (three[:, :, None] * size + three[:, None, :]).reshape(num_rows, 9)
    products = (values[:, :, None] * values[:, None, :]).reshape(num_rows, 9)
    return csr_array((products.ravel(), columns.ravel(), np.arange(0, 9 * num_rows + 1, 9)), (num_rows, size * size))


def _games(meetings: np.ndarray, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns seats [2 M, 2] and results [B, 2 M, 3] of the games in [B, M, 9] pairs."""
    table = pairs.reshape(*pairs.shape[:2], 3, 3)
    results = np.concatenate([table.sum(3), table.sum(2)[..., ::-1]], axis=1)
    return np.concatenate([meetings, meetings[:, ::-1]]), results


def _scalar(best: np.ndarray, draws: np.ndarray) -> Estimate:
    low, high = interval(draws)
    return Estimate(float(best[0]), float(low), float(high))


def _num_components(num_players: int, meetings: np.ndarray) -> int:
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(meetings)), meetings.T), shape=(num_players, num_players))
    return int(connected_components(links, directed=False)[0])
