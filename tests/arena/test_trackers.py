"""Trackers: tables, recent returns, and rows that are brought back in the middle of their episodes."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import envs
from arena.agent import Decision, Player
from arena.errors import DamagedFile
from arena.loop import EpisodesLost, Event, RowStart, run
from arena.trackers import RecentReturns, RowTracker, Table, load_starts, save_starts


class Weathercock(Player):
    """Plays by the bits of the observation alone, which makes it look random and remember nothing."""

    def act(self, obs: np.ndarray, state: object) -> Decision:
        words = obs.reshape(len(obs), -1).view(np.uint32).astype(np.uint64)
        return Decision(((words.sum(1) * 2654435761 >> 7) % self.spec.num_actions).astype(np.int64))


def seed_of(episode: int) -> int:
    return 1000 + episode


def summary(event: Event) -> tuple:
    t = event.transition
    arrays = (t.obs, t.action, t.reward, t.terminated, t.truncated, t.next_obs, event.episodes)
    live = (array[event.live].tolist() for array in arrays)
    return (*live, event.live.tolist(), event.finished, event.next_episode)


def play(env_id: str, num_rows: int, cuts: list[int], num_steps: int, num_episodes: int | None = None) -> list[tuple]:
    """Returns what happens in `num_steps`; at every cut all but the tracker's starts and the next episode is lost."""
    starts, next_episode, summaries = None, 0, []
    for begin, end in zip([0, *cuts], [*cuts, num_steps], strict=True):
        env = envs.make(env_id, num_rows)
        tracker = RowTracker(num_rows, starts)
        player = Weathercock(env.spec, seed=0)
        events = run(env, player, seed_of, num_episodes=num_episodes, starts=starts, next_episode=next_episode)
        for _, event in zip(range(end - begin), events, strict=False):
            tracker.add(event)
            summaries.append(summary(event))
            starts, next_episode = tracker.starts(seed_of), event.next_episode
    return summaries


@settings(max_examples=25)
@given(
    env_id=st.sampled_from(["CartPole-v1", "FrozenLake8x8-v1"]),
    num_rows=st.integers(1, 4),
    cuts=st.lists(st.integers(1, 79), min_size=1, max_size=3, unique=True).map(sorted),
)
def test_a_loop_cut_anywhere_goes_on_as_if_it_had_not_been(env_id, num_rows, cuts):
    assert play(env_id, num_rows, cuts, 80) == play(env_id, num_rows, [], 80)


@pytest.mark.parametrize("cut", [3, 20, 40, 60])
def test_rows_that_idle_at_the_cut_idle_afterwards(cut):
    whole = play("CartPole-v1", 4, [], 10_000, num_episodes=6)
    assert 60 < len(whole) < 10_000
    assert play("CartPole-v1", 4, [cut], 10_000, num_episodes=6) == whole


def test_an_episode_that_cannot_be_brought_back_is_told_before_anything_is_played():
    env = envs.make("CartPole-v1", 2)
    starts = [RowStart(7, 1007, np.zeros(3, np.int64), "not what it leads to"), None]
    with pytest.raises(EpisodesLost, match="CartPole-v1 is not reproducible: 1 episodes cannot be brought back"):
        next(run(env, Weathercock(env.spec, seed=0), seed_of, starts=starts, next_episode=8))


def test_starts_come_back_from_a_file(tmp_path: Path):
    starts = [RowStart(3, 1003, np.array([1, 0, 1]), "ab"), None, RowStart(4, 1004, np.zeros((2, 3), np.float32), "cd")]
    path = tmp_path / "rows.npz"
    loaded = load_starts(save_starts(starts, path), path)
    assert loaded[1] is None
    for before, after in ((starts[0], loaded[0]), (starts[2], loaded[2])):
        assert (before.episode, before.seed, before.digest) == (after.episode, after.seed, after.digest)
        assert before.actions.dtype == after.actions.dtype
        assert np.array_equal(before.actions, after.actions)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"nothing"])
def test_damaged_starts_are_one_line(tmp_path: Path, content: bytes):
    path = tmp_path / "rows.npz"
    path.write_bytes(content)
    with pytest.raises(DamagedFile, match=r"rows\.npz cannot be read"):
        load_starts([{"episode": 0, "seed": 0, "digest": ""}], path)


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_a_table_that_is_opened_again_is_cut_back_to_its_mark(tmp_path: Path):
    path = tmp_path / "t.csv"
    table = Table(path, ("a", "b"))
    table.add(1, 2.5)
    mark = table.flush()
    table.add(3, 4.5)
    table.close()
    assert rows_of(path) == [["a", "b"], ["1", "2.5"], ["3", "4.5"]]
    again = Table(path, ("a", "b"), keep_bytes=mark)
    again.add(5, 6.5)
    again.close()
    assert rows_of(path) == [["a", "b"], ["1", "2.5"], ["5", "6.5"]]


def test_a_table_whose_file_is_gone_begins_with_its_heading(tmp_path: Path):
    Table(tmp_path / "t.csv", ("a",), keep_bytes=100).close()
    assert rows_of(tmp_path / "t.csv") == [["a"]]


def test_recent_returns_forget_all_but_the_last():
    recent = RecentReturns(size=3, values=[100.0])
    for value in (1.0, 2.0, 6.0):
        recent.add(value)
    assert recent.mean == 3.0  # (1 + 2 + 6) / 3
    assert np.isnan(RecentReturns().mean)
