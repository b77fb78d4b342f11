"""The players of matches: built in this process, or each in a process of its own; their faults, and their time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from arena import registry
from arena.agent import Mode, Player, Spec
from arena.errors import BrokenPlugin, DoesNotFit
from arena.isolation.forfeited import Forfeited
from arena.seeding import derived_seed
from arena.tournaments.records import Forfeit, ForfeitType, Match
from arena.tournaments.task import Contestant, Task


class DoesNotFitHere(DoesNotFit):
    """An agent, by its name, that does not fit the environment."""

    def __init__(self, agent: str, reason: str) -> None:
        super().__init__(reason)
        self.agent = agent


def build(contestant: Contestant, spec: Spec, root: int) -> Player:
    """Returns a player that may share this process; `root` is the tournament's seed.

    Raises Forfeited where its code fails, DoesNotFit where it does not fit.
    """
    try:
        mode = Mode.parse(contestant.mode) if contestant.mode else None
        seed = derived_seed(root, "player")
        return registry.resolve(contestant.ref, spec.env_id).player(
            spec, seed=seed, mode=mode, settings=contestant.settings
        )
    except DoesNotFit as error:
        raise DoesNotFitHere(contestant.name, str(error)) from error
    except BrokenPlugin as error:
        kind = ForfeitType.FAILED_IMPORT if "cannot be imported" in str(error) else ForfeitType.CRASH
        raise Forfeited(contestant.name, kind, str(error)) from error


@contextlib.contextmanager
def isolated(task: Task, contestant: Contestant, spec: Spec) -> Iterator[Player]:
    """Yields a player in a process of its own. Raises what build() raises."""
    from arena.isolation.player import IsolatedPlayer

    mode = Mode.parse(contestant.mode) if contestant.mode else None
    seed = derived_seed(task.seed, "player")
    try:
        process = IsolatedPlayer(
            contestant.name,
            contestant.ref,
            spec,
            seed=seed,
            settings=contestant.settings,
            mode=mode,
            limits=task.limits,
            hidden=task.hidden,
        )
        player = process.__enter__()
    except DoesNotFit as error:
        raise DoesNotFitHere(contestant.name, str(error)) from error
    try:
        yield player
    finally:
        process.__exit__(None, None, None)


class Cast:
    """The players of one match that is played game by game; close() ends the processes of those that have one.

    Args:
      pooled: gives the player of a contestant that shares this process.

    Attributes:
      seconds: what each has spent in its moves, by name; good after close().
    """

    def __init__(self, task: Task, spec: Spec, pooled: Callable[[Contestant], tuple[Player, Clock]]) -> None:
        self._task, self._spec, self._pooled = task, spec, pooled
        self._processes = contextlib.ExitStack()
        self._players: list[Player] = []
        self.seconds: dict[str, float] = {contestant.name: 0.0 for contestant in task.contestants}
        self._clocks: list[tuple[str, Clock]] = []

    def players(self) -> list[Player]:
        """Returns the players, begun if need be. Raises Forfeited where one cannot begin."""
        if not self._players:
            for contestant in self._task.contestants:
                if contestant.is_pooled:
                    player, clock = self._pooled(contestant)
                    clock.seconds = 0.0
                else:
                    player = self._processes.enter_context(isolated(self._task, contestant, self._spec))
                    clock = Clock(player)
                self._clocks.append((contestant.name, clock))
                self._players.append(player)
        return self._players

    def forfeit(self, error: BrokenPlugin | Forfeited, match: Match, number: int) -> Forfeit:
        """Returns whose fault an error is. Raises it where it is nobody's: the environment failed."""
        if isinstance(error, Forfeited):
            return Forfeit(match.id, number, error.agent, error.type, error.reason, error.log)
        for contestant, player in zip(self._task.contestants, self._players, strict=False):
            if player is error.player:
                return Forfeit(match.id, number, contestant.name, ForfeitType.CRASH, str(error))
        raise error

    def close(self) -> None:
        for name, clock in self._clocks:
            self.seconds[name] += clock.seconds
        self._clocks.clear()
        self._players = []
        self._processes.close()


class Clock:
    """Adds up the seconds that a player's act() takes."""

    def __init__(self, player: Player) -> None:
        self.seconds = 0.0
        act = player.act

        def timed(obs: Any, state: Any) -> Any:
            begin = time.perf_counter()
            try:
                return act(obs, state)
            finally:
                self.seconds += time.perf_counter() - begin

        player.act = timed  # type: ignore[method-assign]  # not a wrapper: errors name the player itself
