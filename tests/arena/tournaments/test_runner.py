"""The runner: what it hands out, in which order, and what it does when work is lost. The workers are played."""

from dataclasses import replace

import numpy as np
import pytest

from arena.errors import ArenaError
from arena.tournaments.file import Entrant, EnvEntry, TournamentConfig
from arena.tournaments.hooks import Hooks
from arena.tournaments.pool import Done, Item
from arena.tournaments.records import Entered, PlayedGame, PlayedMatch
from arena.tournaments.runner import Lineup, Runner
from arena.tournaments.store import Entry, Store
from arena.tournaments.tally import Tally
from arena.tournaments.task import Contestant, Stand, Unfit

CONFIG = TournamentConfig(
    episodes=30,
    agents=[Entrant(ref="random", name="fast"), Entrant(ref="slow.py:Slow", name="slow")],
    envs=[EnvEntry(id="Short-v0"), EnvEntry(id="Long-v0")],
)


class PlayedPool:
    """Stands for workers: `work(task)` gives what they send, the end of the task included."""

    def __init__(self, work, jobs=1):
        self.work, self.jobs = work, jobs
        self.tasks, self._sent = [], []

    @property
    def is_free(self):
        return len(self._sent) < self.jobs

    @property
    def is_busy(self):
        return bool(self._sent)

    def begin(self, method, task):
        assert method == "play"
        self.tasks.append(task)
        self._sent.append(iter(self.work(task)))

    def next(self):
        told = next(self._sent[0])
        if isinstance(told, Done):
            self._sent.pop(0)
        return [told]


def played(match):
    games = [PlayedGame(match.players, seed, (1.0,), (), 5, False, np.zeros(5)) for seed in match.seeds]
    return PlayedMatch(match, tuple(games), (), {}, {"wall_s": 0.01})


def plays(task):
    for match in task.matches:
        yield Item(task, played(match))
    yield Done(task, 0.01)


@pytest.fixture
def hold(tmp_path):
    stores = []

    def hold(pool, config=CONFIG, hooks=None):
        store = Store(tmp_path) if stores else Store.make(tmp_path)
        stores.append(store)
        entered = [Entered(agent.name, agent.ref, "", agent.name == "fast") for agent in config.agents]
        contestants = {}
        for agent in entered:
            for env in range(len(config.envs)):
                contestants[agent.name, env] = Contestant(agent.name, agent.ref, agent.is_pooled)
                store.add_entry(Entry(agent.name, env, agent.ref, ""))
        stands = [Stand(env.id) for env in config.envs]
        lineup = Lineup(config, tmp_path, entered, contestants, stands, caps=[10, 1000][: len(stands)])
        with store:
            Runner(lineup, store, pool, hooks or Hooks(), Tally(config, store)).run()
            return store.played(), store.entries()

    return hold


def about(task):
    return task.contestants[0].name, task.stand.env_id, len(task.matches)


def test_long_matches_come_first_and_pooled_ones_share_the_rows(hold):
    pool = PlayedPool(plays)
    matches, _ = hold(pool)
    assert len(matches) == 12  # three blocks of ten games, of two agents in two environments
    assert [about(task) for task in pool.tasks[:4]] == [("fast", "Long-v0", 3)] + [("slow", "Long-v0", 1)] * 3
    assert sorted(about(task) for task in pool.tasks[4:]) == [("fast", "Short-v0", 3)] + [("slow", "Short-v0", 1)] * 3
    assert {task.num_rows for task in pool.tasks} == {32}
    assert all(task.hidden for task in pool.tasks)


def test_matches_are_spread_over_the_workers(hold):
    pool = PlayedPool(plays, jobs=2)
    hold(pool)
    # Half of what waits each time: 2 of 3, then 1.
    assert [about(task)[2] for task in pool.tasks if about(task)[0] == "fast"] == [2, 1, 2, 1]


def test_what_was_lost_is_played_again_and_only_that(hold):
    seen = []

    def work(task):
        seen.append(len(task.matches))
        if len(seen) == 1:
            yield Item(task, played(task.matches[0]))
            yield Done(task, 0.1, ArenaError("a worker process died"), is_lost=True)
        else:
            yield from plays(task)

    matches, _ = hold(PlayedPool(work))
    assert len(matches) == len({one.match.id for one in matches}) == 12
    assert seen[0] == 3 and sum(seen) == 14  # the two that were lost, a second time


def test_a_match_that_cannot_be_played_is_one_clear_line(hold):
    def work(task):
        if task.stand.env_id == "Long-v0" and task.contestants[0].name == "slow":
            yield Done(task, 0.1, ArenaError("the environment fails"))
        else:
            yield from plays(task)

    with pytest.raises(ArenaError, match=r"^slow on Long-v0: begun 3 times, and always: the environment fails$"):
        hold(PlayedPool(work))
    matches, _ = hold(PlayedPool(plays))
    assert len(matches) == 12


def test_who_turns_out_not_to_fit_plays_no_more_there(hold):
    def work(task):
        if about(task)[:2] == ("slow", "Long-v0"):
            yield Item(task, Unfit("slow", "too long"))
            yield Done(task, 0.1)
        else:
            yield from plays(task)

    told, pool = [], PlayedPool(work)
    matches, entries = hold(pool, hooks=Hooks(warn=told.append))
    assert len(matches) == 9 and sum(about(task)[:2] == ("slow", "Long-v0") for task in pool.tasks) == 1
    assert [(entry.agent, entry.env, entry.reason) for entry in entries if entry.reason] == [("slow", 1, "too long")]
    assert told == ["slow is not entered on Long-v0: too long"]


def test_a_sequential_test_leaves_the_rest_unplayed(hold):
    from arena.tournaments.file import Sprt

    config = CONFIG.model_copy(
        update={
            "format": "round-robin",
            "pairs": 500,
            "stop": "sprt",
            "sprt": Sprt(elo0=0, elo1=100),
            "envs": [EnvEntry(id="tic_tac_toe")],
            "agents": [Entrant(ref="random", name=name) for name in ("fast", "other")],
        }
    )

    def wins(task):
        for match in task.matches:
            games = [
                PlayedGame(
                    players, 1, (0.0, 0.0), tuple(float(name == "fast") for name in players), 5, False, np.zeros(5)
                )
                for players in (match.players, match.players[::-1])
            ]
            yield Item(task, replace(played(match), games=tuple(games)))
        yield Done(task, 0.01)

    matches, _ = hold(PlayedPool(wins), config)
    assert 2 < len(matches) < 100
