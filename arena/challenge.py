"""A person against agents, each alone at the same seeds: who plays which scores better."""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import envs
from arena import registry, zoo
from arena.errors import InvalidValue
from arena.evaluation import Evaluation, check_count, evaluate, expect_one_seat
from arena.film import fps_of
from arena.keymap import Hint, keymap_of
from arena.loop import Episode, Event, run
from arena.overlay import number_text
from arena.person import GivenUp, Person
from arena.play import Left
from arena.scene import Scene
from arena.seeding import Stream, check_seed, episode_seed
from arena.window import opened
from envs.rows import Rows

YOU = "you"


class Place(NamedTuple):
    """Where a player stands: equal means share a rank. The games are those that the person has played.

    Attributes:
      rank: 1 is the best.
      player: its name, YOU for the person.
      mean: of the returns.
      ahead: in how many games it scored more than the person; None for the person.
    """

    rank: int
    player: str
    mean: float
    ahead: int | None


class Standing(NamedTuple):
    """How it stands after some games.

    Attributes:
      places: the best first, the person before those who are as good.
      games: the person's, which count.
    """

    places: list[Place]
    games: list[Episode]


def challenge(
    env_id: str,
    *,
    against: Sequence[str] = (),
    episodes: int = 3,
    seed: int = 0,
    speed: float = 1.0,
    env_settings: Mapping[str, Any] | None = None,
    trust: bool = False,
    progress: Callable[[str], contextlib.AbstractContextManager[Any]] | None = None,
    on_game: Callable[[Standing], None] | None = None,
) -> Standing:
    """Lets a person play `env_id` by keyboard in a window, on the seeds of `evaluate`; returns where they stand.

    The agents play first. A game that the person gives up does not count, for the agents neither.

    Args:
      env_id: an environment for one player.
      against: references of agents; by default field_of(env_id).
      episodes: how many games.
      seed: the root from which game i has its seed.
      speed: times the environment's own.
      env_settings: keywords for the environment's maker.
      trust: whether a model that can hold code may be loaded (in a process of its own).
      progress: entered while the agents play; gives an update(fraction, text).
      on_game: is called after each of the person's games.

    Raises:
      DoesNotFit: an environment that cannot be played by hand, or an agent that cannot play it.
      ArenaError: there is no display.
    """
    check_count("episodes", episodes)
    check_seed(seed)
    if not (isinstance(speed, int | float) and 0 < speed < math.inf):
        raise InvalidValue(f"speed must be a number above 0, not {speed!r}")
    refs = _named(list(dict.fromkeys(against)) or field_of(env_id), env_id)
    env = envs.make(env_id, 1, settings=env_settings, render=True)
    try:
        expect_one_seat(env.spec)
        keymap = keymap_of(env.spec)
        with opened(f"{YOU} · {env_id}", "a game by keyboard is played on a desktop") as window:
            with (progress or _no_progress)("the agents' games") as update:
                agents = _evaluated(
                    refs, env_id, update, episodes=episodes, seed=seed, env_settings=env_settings, trust=trust
                )
            scene = Scene(env_id, keymap)
            person = Person(env, keymap, window, scene, speed * fps_of(env.spec))
            return _play(env, person, scene, agents, episodes, seed, on_game)
    finally:
        env.close()


def keys_of(env_id: str, env_settings: Mapping[str, Any] | None = None) -> list[Hint]:
    """Returns what the keys do in an environment. Raises DoesNotFit where it cannot be played by hand."""
    env = envs.make(env_id, 1, settings=env_settings)
    try:
        expect_one_seat(env.spec)
        return keymap_of(env.spec).legend
    finally:
        env.close()


def field_of(env_id: str) -> list[str]:
    """Returns the agents that a person meets who names none: the pretrained ones for the environment, and random."""
    return [*(entry.ref for entry in zoo.entries(env_id)), "random"]


def standing(games: Sequence[Episode], agents: Mapping[str, Evaluation]) -> Standing:
    """Returns where a person with these games stands among agents that played games of the same numbers."""
    numbers = [game.number for game in games]
    returns = {YOU: [game.ret for game in games]}
    returns |= {name: [result.returns[number] for number in numbers] for name, result in agents.items()}
    means = {name: sum(scores) / max(1, len(scores)) for name, scores in returns.items()}
    places = []
    for name in sorted(means, key=lambda name: -means[name]):
        rank = 1 + sum(mean > means[name] for mean in means.values())
        ahead = sum(score > mine for score, mine in zip(returns[name], returns[YOU], strict=True))
        places.append(Place(rank, name, means[name], None if name == YOU else ahead))
    return Standing(places, list(games))


def _play(
    env: Rows,
    person: Person,
    scene: Scene,
    agents: Mapping[str, Evaluation],
    episodes: int,
    seed: int,
    on_game: Callable[[Standing], None] | None,
) -> Standing:
    games: list[Episode] = []
    for number in range(episodes):
        scene.game = f"game {number + 1} of {episodes}"
        scene.others = [(name, result.returns[number]) for name, result in agents.items()]
        try:
            for event in run(
                env,
                person,
                lambda i: episode_seed(seed, Stream.EVALUATION, i),
                next_episode=number,
                num_episodes=number + 1,
            ):
                person.see(event)
                games.extend(event.finished)
            now = standing(games, agents)
            if on_game:
                on_game(now)
            rank = next(place.rank for place in now.places if place.player == YOU)
            what = "Space goes on" if number + 1 < episodes else "Space ends"
            person.rest(number_text(games[-1].ret), f"rank {rank} of {len(now.places)} so far", what)
        except GivenUp:
            continue
        except Left:
            break
    return standing(games, agents)


def _evaluated(
    refs: Mapping[str, str], env_id: str, update: Callable[[float, str], None], *, episodes: int, **keywords: Any
) -> dict[str, Evaluation]:
    """Returns each agent's games, by name."""
    results: dict[str, Evaluation] = {}
    played, total = 0, episodes * len(refs)
    for name, ref in refs.items():

        def on_event(event: Event, name: str = name) -> None:
            nonlocal played
            if event.finished:
                played += len(event.finished)
                update(played / total, f"{name} plays")

        results[name] = evaluate(ref, env_id, episodes=episodes, on_event=on_event, **keywords)
    return results


def _named(refs: Sequence[str], env_id: str) -> dict[str, str]:
    """Returns the references by the agents' names, or by themselves where two are called the same."""
    names = [registry.resolve(ref, env_id).name for ref in refs]
    counts = Counter([*names, YOU])
    return {name if counts[name] == 1 else ref: ref for name, ref in zip(names, refs, strict=True)}


@contextlib.contextmanager
def _no_progress(title: str) -> Iterator[Callable[[float, str], None]]:
    yield lambda fraction, text: None
