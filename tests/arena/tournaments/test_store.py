"""The store of a tournament."""

import sqlite3

import numpy as np
import pytest

from arena.errors import ArenaError, DamagedFile
from arena.tournaments.records import Entered, Forfeit, ForfeitType, Match, PlayedGame, PlayedMatch
from arena.tournaments.store import FILE, Entry, Store


def match_of(number=0, env=0):
    return Match(env, ("a", "b"), (7, 7), 2 * number, 1, {"number": number, "env": env})


def played(match, actions=((1, 2, 3), (4, 5))):
    games = [
        PlayedGame(names, 7, (1.0, -1.0), (1.0, 0.0), len(moves), False, np.array(moves), f"digest {names[0]}")
        for names, moves in zip((("a", "b"), ("b", "a")), actions, strict=True)
    ]
    forfeit = Forfeit(match.id, 1, "b", ForfeitType.TIMEOUT, "too slow", "log")
    return PlayedMatch(match, tuple(games), (forfeit,), {"cap": 9}, {"wall_s": 0.5, "a": 0.25})


@pytest.fixture
def store(tmp_path):
    with Store.make(tmp_path) as store:
        yield store


def test_a_committed_match_comes_back_as_it_was(store):
    store.plan([match_of()])
    store.commit(played(match_of()), tries=2)
    (back,) = store.played()
    assert back == played(match_of())
    assert back.match.key == {"number": 0, "env": 0} and back.times == {"wall_s": 0.5, "a": 0.25}
    assert [game.actions.size for game in back.games] == [0, 0]
    assert [actions.tolist() for actions in store.actions(back.match.id)] == [[1, 2, 3], [4, 5]]


def test_actions_keep_their_type_and_shape(store):
    moves = (np.ones((4, 2), np.float32), np.zeros((0, 2), np.float32))
    store.plan([match_of()])
    store.commit(played(match_of(), moves))
    back = store.actions(match_of().id)
    assert [(actions.dtype, actions.shape) for actions in back] == [(np.float32, (4, 2)), (np.float32, (0, 2))]


def test_matches_come_in_the_order_of_the_schedule_whatever_came_first(store):
    first, second, third = map(match_of, range(3))
    store.plan([first, second])
    for match in (second, first):
        store.commit(played(match))
    assert [one.match for one in store.played()] == [first, second]
    store.plan([third, first, second])  # a newcomer's match goes before them
    store.commit(played(third))
    assert [one.match for one in store.played()] == [third, first, second]
    assert store.ids() == {first.id, second.id, third.id}
    assert [one.match for one in store.played(second.id)] == [second]


def test_a_match_is_committed_as_a_whole_or_not_at_all(store):
    store.plan([match_of()])
    broken = played(match_of())
    broken = PlayedMatch(broken.match, broken.games, (broken.forfeits[0], broken.forfeits[0]), {}, {})
    with pytest.raises(ArenaError):
        store.commit(broken)  # the second forfeit has the first one's key
    assert store.ids() == set() and store.actions(match_of().id) == []
    store.commit(played(match_of()))
    assert len(store.played()) == 1


def test_agents_entries_and_facts_come_back(store):
    agents = [Entered("b", "dqn", "sha256:1", True, {"x": [1]}), Entered("a", "a.py:A", "sha256:2", False)]
    store.enter(agents)
    assert store.entered() == agents
    entries = [Entry("a", 0, "a.py:A", "2"), Entry("b", 0, "runs/b", "1"), Entry("a", 1, "a.py:A", "2")]
    for entry in entries:
        store.add_entry(entry)
    assert store.entries() == [entries[1], entries[0], entries[2]]  # by environment, then as entered
    store.leave_out("a", 1, "no pole")
    assert store.entries()[2].reason == "no pole"
    store.put(config="text", meta={"a": 1.5})
    assert store.get("config") == "text" and store.get("meta") == {"a": 1.5} and store.get("nothing") is None


def test_a_store_can_be_read_while_it_is_written(store):
    store.plan([match_of(0), match_of(1)])
    store.commit(played(match_of(0)))
    with Store(store.folder, read_only=True) as reader:
        assert len(reader.played()) == 1
        store.commit(played(match_of(1)))
        assert len(reader.played()) == 2
        with pytest.raises(ArenaError):
            reader.put(config="mine")


def test_a_store_is_made_as_a_whole_or_not_at_all(tmp_path):
    with pytest.raises(TypeError):
        Store.make(tmp_path, config="text", meta=object())  # as where it is killed on the way
    with pytest.raises(ArenaError, match="holds no tournament"):
        Store(tmp_path)
    with Store.make(tmp_path, config="text") as store:
        assert store.get("config") == "text"


def test_a_closed_store_is_one_file(tmp_path):
    with Store.make(tmp_path) as store:
        store.put(config="text")
    with Store(tmp_path, read_only=True) as store:
        assert store.get("config") == "text"
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_a_full_disk_is_one_clear_line_and_what_was_committed_stays(store):
    store.plan([match_of(0), match_of(1)])
    store.commit(played(match_of(0)))
    (pages,) = store.rows("PRAGMA page_count")[0]
    store.rows(f"PRAGMA max_page_count={pages}")
    noise = np.random.default_rng(0).integers(256, size=100_000)
    with pytest.raises(ArenaError, match=r"the disk is full; make room, .* then go on with: arena resume") as caught:
        store.commit(played(match_of(1), (noise, noise)))
    assert not isinstance(caught.value, DamagedFile)
    assert store.ids() == {match_of(0).id}
    store.rows("PRAGMA max_page_count=100000")
    store.commit(played(match_of(1), (noise, noise)))
    assert [len(actions) for actions in store.actions(match_of(1).id)] == [100_000, 100_000]


def test_what_is_no_store_is_one_clear_line(tmp_path):
    with pytest.raises(ArenaError, match=r"holds no tournament: it has no tournament\.sqlite"):
        Store(tmp_path)
    (tmp_path / FILE).write_bytes(b"something else, long enough to be a header " * 100)
    with pytest.raises(DamagedFile, match="is damaged"):
        Store(tmp_path)
    with pytest.raises(ArenaError, match="already holds a tournament"):
        Store.make(tmp_path)
    (tmp_path / FILE).unlink()
    sqlite3.connect(tmp_path / FILE).execute("CREATE TABLE theirs (x)").connection.close()
    with pytest.raises(DamagedFile, match="is not the store of a tournament"):
        Store(tmp_path)


def test_another_format_is_one_clear_line(tmp_path):
    with Store.make(tmp_path) as store:
        store.rows("PRAGMA user_version=99")
    with pytest.raises(DamagedFile, match="has format 99; this arena reads format 1"):
        Store(tmp_path)


def test_damage_is_found_when_it_is_met(tmp_path):
    with Store.make(tmp_path) as store:
        store.plan([match_of()])
        store.commit(played(match_of()))
        store.rows("UPDATE games SET returns = '[1'")
        with pytest.raises(DamagedFile, match="is damaged"):
            store.played()
    content = bytearray((tmp_path / FILE).read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(DamagedFile, match="is damaged"), Store(tmp_path) as store:
        store.played()
