"""Who meets whom when all of it is known beforehand: agents by their index, in rounds in which nobody plays twice."""

from __future__ import annotations

Rounds = list[list[tuple[int, int]]]


def round_robin(num_agents: int) -> Rounds:
    """Returns the rounds in which everybody meets everybody once; of an odd number, one sits out in each.

    Source: the Berger tables (FIDE Handbook C.05, annex 1). The last agent stays in its place and the others move
    around a circle by half its length, so after any number of rounds all have played about as much.
    """
    circle = num_agents - 1 + num_agents % 2  # with an odd number, whoever meets the last place sits out
    half = (circle + 1) // 2
    rounds = []
    for number in range(circle):
        pivot = number * half % circle
        meetings = [((pivot + step) % circle, (pivot - step) % circle) for step in range(1, half)]
        rounds.append([(pivot, circle), *meetings] if num_agents > circle else meetings)
    return rounds


def gauntlet(num_agents: int, num_challengers: int) -> Rounds:
    """Returns the rounds in which each of the first agents meets each of the others once, and nobody else."""
    num_others = num_agents - num_challengers
    circle = max(num_challengers, num_others)
    return [
        [
            (challenger, num_challengers + (challenger + number) % circle)
            for challenger in range(num_challengers)
            if (challenger + number) % circle < num_others
        ]
        for number in range(circle)
    ]
