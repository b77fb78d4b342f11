"""Ends a match of two agents as soon as a sequential test between two differences in strength is decided.

The test reads whole pairs, in the schedule's order: it stops at the first pair at which it is decided among those
before which no pair is missing. Pairs are handed out in groups; when the test is decided within one, its other pairs
are played and not counted. So what is played, and what counts, depends neither on the number of jobs nor on luck.

The statistic is the generalised likelihood ratio of the pentanomial model; see arena.statistics.sequential_test.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

from arena.statistics import sequential_test
from arena.tournaments.file import Sprt
from arena.tournaments.outcome import Outcome, Stop
from arena.tournaments.records import Match, PlayedMatch

#: More keep more workers busy, and play more pairs that do not count.
PAIRS_PER_GROUP = 8
BIAS = "The match was stopped by its own results: the difference in strength that it shows is biased away from zero."


def draw(test: Sprt, pairs: Sequence[Match], played: Mapping[str, PlayedMatch]) -> Outcome:
    """Returns the pairs that are wanted so far, of all that there may be, and how the test stands."""
    prefix = []
    for match in pairs:
        if match.id not in played:
            break
        prefix.append(played[match.id].points)
    stop = decide(test, prefix)
    reached = stop.pairs - 1 if stop.accepted else len(prefix)
    wanted = tuple(pairs[: (reached // PAIRS_PER_GROUP + 1) * PAIRS_PER_GROUP])
    not_counted = tuple(match.id for match in wanted[stop.pairs :] if match.id in played) if stop.accepted else ()
    return Outcome(
        matches=wanted,
        is_complete=all(match.id in played for match in wanted) and (bool(stop.accepted) or len(wanted) == len(pairs)),
        stop=stop,
        not_counted=not_counted,
        notes=(BIAS,) if stop.accepted else (),
    )


def decide(test: Sprt, points: Sequence[float]) -> Stop:
    """Returns how the test stands after pairs in which the first agent scored `points` (0, 0.5, ... 2)."""
    lower, upper = sequential_test.bounds(test.alpha, test.beta)
    counts = [0] * 5
    llrs: list[float] = []
    accepted = ""
    for scored in points:
        counts[round(2 * scored)] += 1
        llrs.append(_llr(tuple(counts), test.elo0, test.elo1, test.model))
        accepted = "H0" if llrs[-1] <= lower else "H1" if llrs[-1] >= upper else ""
        if accepted:
            break
    return Stop(len(llrs), accepted, tuple(llrs), lower, upper, hypotheses(test))


def hypotheses(test: Sprt) -> tuple[str, str]:
    """Returns H0 and H1 in words."""
    unit = "normalized Elo" if test.model == "normalized" else "Elo"
    return f"{test.elo0:+g} {unit}", f"{test.elo1:+g} {unit}"


@functools.lru_cache(maxsize=1 << 16)
def _llr(counts: tuple[int, ...], elo0: float, elo1: float, model: str) -> float:
    return sequential_test.log_likelihood_ratio(counts, elo0, elo1, model)
