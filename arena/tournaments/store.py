"""A tournament's store: one SQLite file that holds all of it, each finished match one transaction.

The journal is a write-ahead log, so that others can read while the tournament is played. A commit is handed to the
operating system and not waited for (`synchronous=NORMAL`): a process that is killed loses nothing that it committed.
A loss of power may take the last matches with it, whole; they are played again, with the same results.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from arena.errors import ArenaError, DamagedFile
from arena.tournaments.records import Entered, Forfeit, ForfeitType, Match, PlayedGame, PlayedMatch

FILE = "tournament.sqlite"
FORMAT = 1
_APPLICATION_ID = 0x4152454E  # "AREN"
_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE agents (
  name TEXT PRIMARY KEY, position INTEGER NOT NULL, ref TEXT NOT NULL, digest TEXT NOT NULL, is_pooled INTEGER NOT NULL,
  settings TEXT NOT NULL);
CREATE TABLE entries (
  agent TEXT NOT NULL, env INTEGER NOT NULL, ref TEXT NOT NULL, digest TEXT NOT NULL, reason TEXT NOT NULL,
  PRIMARY KEY (agent, env));
CREATE TABLE schedule (
  id TEXT PRIMARY KEY, position INTEGER NOT NULL, env INTEGER NOT NULL, round INTEGER NOT NULL,
  first_game INTEGER NOT NULL, players TEXT NOT NULL, seeds TEXT NOT NULL, key TEXT NOT NULL);
CREATE TABLE matches (
  id TEXT PRIMARY KEY REFERENCES schedule, protocol TEXT NOT NULL, times TEXT NOT NULL, tries INTEGER NOT NULL,
  committed TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE games (
  match TEXT NOT NULL REFERENCES matches, game INTEGER NOT NULL, seed INTEGER NOT NULL, players TEXT NOT NULL,
  returns TEXT NOT NULL, scores TEXT NOT NULL, length INTEGER NOT NULL, truncated INTEGER NOT NULL,
  digest TEXT NOT NULL, dtype TEXT NOT NULL, shape TEXT NOT NULL, actions BLOB NOT NULL, PRIMARY KEY (match, game));
CREATE TABLE forfeits (
  match TEXT NOT NULL REFERENCES matches, game INTEGER NOT NULL, agent TEXT NOT NULL, type TEXT NOT NULL,
  reason TEXT NOT NULL, log TEXT NOT NULL, PRIMARY KEY (match, game, agent));
"""
_NO_ACTIONS = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Entry:
    """What plays for an agent in one environment, or why nothing does.

    Attributes:
      agent: its name.
      env: index of the environment.
      ref: what plays: the agent's own reference, or the run folder of what it was trained to.
      digest: of what plays.
      reason: why it is not entered there; "" where it is.
    """

    agent: str
    env: int
    ref: str
    digest: str
    reason: str = ""


class Store:
    """The store of the tournament in `folder`; a context manager.

    Args:
      folder: the tournament's folder.
      is_new: makes the store, which must not be there yet.
      read_only: for reading, also while another process plays the tournament.

    Raises (from every method):
      ArenaError: it cannot be read or written. What was committed before is safe.
      DamagedFile: it is not a store, or is damaged.
    """

    def __init__(self, folder: Path, *, is_new: bool = False, read_only: bool = False) -> None:
        self.folder, self.path = folder, folder / FILE
        if self.path.exists() is is_new:
            raise ArenaError(
                f"{folder} already holds a tournament; name another folder with --out"
                if is_new
                else f"{folder} holds no tournament: it has no {FILE}"
            )
        with self._guarded():
            self._connection = self._connect(read_only)
            try:
                self._make() if is_new else self._check()
            except BaseException:
                self._connection.close()
                raise

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Folds the write-ahead log into the file. Closing again does nothing."""
        with self._guarded():
            self._connection.close()

    def _connect(self, read_only: bool) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None)
        if not read_only:
            connection.execute("PRAGMA synchronous=NORMAL")
            return connection
        try:
            connection.execute("PRAGMA query_only=ON")
            connection.execute("SELECT count(*) FROM sqlite_schema")
            return connection
        except sqlite3.OperationalError:  # a log needs a file beside it, which a folder for reading only cannot have
            connection.close()
            uri = f"{self.path.absolute().as_uri()}?mode=ro&immutable=1"
            return sqlite3.connect(uri, uri=True, isolation_level=None)

    def _make(self) -> None:
        self._connection.execute("PRAGMA journal_mode=WAL")
        with self._transaction() as execute:
            for statement in _SCHEMA.split(";"):
                execute(statement)
            execute(f"PRAGMA application_id={_APPLICATION_ID}")
            execute(f"PRAGMA user_version={FORMAT}")

    def _check(self) -> None:
        (kind,), (version,) = (self._rows(f"PRAGMA {name}")[0] for name in ("application_id", "user_version"))
        if kind != _APPLICATION_ID:
            raise DamagedFile(f"{self.path} is not the store of a tournament")
        if version != FORMAT:
            raise DamagedFile(f"{self.path} has format {version}; this arena reads format {FORMAT}")

    # What the tournament is.

    def get(self, key: str) -> Any:
        """Returns the value that put() gave to `key`, or None."""
        found = self._rows("SELECT value FROM meta WHERE key = ?", (key,))
        return json.loads(found[0][0]) if found else None

    def put(self, **values: Any) -> None:
        """Stores plain data under names of their own, replacing what was there."""
        with self._transaction() as execute:
            for key, value in values.items():
                execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))

    def enter(self, agents: Sequence[Entered]) -> None:
        """Stores who is entered, in this order."""
        with self._transaction() as execute:
            for position, agent in enumerate(agents):
                row = (agent.name, position, agent.ref, agent.digest, agent.is_pooled, _json(agent.settings))
                execute("INSERT OR REPLACE INTO agents VALUES (?, ?, ?, ?, ?, ?)", row)

    def entered(self) -> list[Entered]:
        """Returns who is entered, in order."""
        query = "SELECT name, ref, digest, is_pooled, settings FROM agents ORDER BY position"
        return [Entered(n, ref, digest, bool(pool), json.loads(s)) for n, ref, digest, pool, s in self._rows(query)]

    def add_entry(self, entry: Entry) -> None:
        """Stores what plays for an agent in an environment."""
        with self._transaction() as execute:
            execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)", astuple(entry))

    def leave_out(self, agent: str, env: int, reason: str) -> None:
        """Stores why an agent is not entered in an environment after all."""
        with self._transaction() as execute:
            execute("UPDATE entries SET reason = ? WHERE agent = ? AND env = ?", (reason, agent, env))

    def entries(self) -> list[Entry]:
        """Returns what add_entry() stored, by environment and agent."""
        query = "SELECT e.* FROM entries e LEFT JOIN agents a ON a.name = e.agent ORDER BY e.env, a.position, e.rowid"
        return [Entry(*row) for row in self._rows(query)]

    def plan(self, matches: Sequence[Match]) -> None:
        """Stores the schedule as far as it is known, in this order; matches that are in it already keep their place."""
        with self._transaction() as execute:
            for place, match in enumerate(matches):
                texts = (_json(match.players), _json(match.seeds), _json(match.key))
                row = (match.id, place, match.env, match.round, match.first_game, *texts)
                execute(
                    "INSERT INTO schedule VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
                    "ON CONFLICT (id) DO UPDATE SET position = excluded.position",
                    row,
                )

    # What was played.

    def commit(self, played: PlayedMatch, tries: int = 1) -> None:
        """Stores a finished match: all of it or nothing.

        Args:
          tries: how often it was begun; more than once where a worker died.
        """
        match = played.match.id
        with self._transaction() as execute:
            execute(
                "INSERT INTO matches (id, protocol, times, tries) VALUES (?, ?, ?, ?)",
                (match, _json(played.protocol), _json(played.times), tries),
            )
            for number, game in enumerate(played.games):
                texts = (_json(game.players), _json(game.returns), _json(game.scores))
                actions = np.ascontiguousarray(game.actions)
                packed = (actions.dtype.str, _json(actions.shape), zlib.compress(actions.tobytes(), 1))
                row = (match, number, game.seed, *texts, game.length, game.truncated, game.digest, *packed)
                execute("INSERT INTO games VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
            for forfeit in played.forfeits:
                execute("INSERT INTO forfeits VALUES (?, ?, ?, ?, ?, ?)", astuple(forfeit))

    def ids(self) -> set[str]:
        """Returns the ids of the matches that are committed."""
        return {row[0] for row in self._rows("SELECT id FROM matches")}

    def num_matches(self) -> int:
        """Returns how many matches are committed."""
        return int(self._rows("SELECT count(*) FROM matches")[0][0])

    def num_forfeits(self) -> dict[str, int]:
        """Returns how many forfeits every agent has that has any."""
        return dict(self._rows("SELECT agent, count(*) FROM forfeits GROUP BY agent"))

    def sums_of_returns(self) -> dict[tuple[str, int], tuple[float, int]]:
        """Returns the sum of a league's returns, and of how many games, by agent and index of the environment."""
        query = (
            "SELECT json_extract(schedule.players, '$[0]'), env, sum(json_extract(returns, '$[0]')), count(*) "
            "FROM games JOIN schedule ON schedule.id = match GROUP BY 1, 2"
        )
        return {(agent, env): (total, number) for agent, env, total, number in self._rows(query)}

    def results_of_pairs(self) -> list[tuple[tuple[str, str], tuple[float, float], int]]:
        """Returns meetings, what the first player scored in the games of a pair, and how many pairs ended so."""
        query = (
            "SELECT json_extract(schedule.players, '$[0]'), json_extract(schedule.players, '$[1]'), "
            "json_extract(first.scores, '$[0]'), json_extract(second.scores, '$[1]'), count(*) "
            "FROM games first JOIN games second ON second.match = first.match AND second.game = 1 "
            "JOIN schedule ON schedule.id = first.match WHERE first.game = 0 GROUP BY 1, 2, 3, 4"
        )
        return [((one, other), (first, second), number) for one, other, first, second, number in self._rows(query)]

    def played(self, match_id: str | None = None) -> list[PlayedMatch]:
        """Returns the committed matches in the order of the schedule, without actions; or the one with this id."""
        where = "" if match_id is None else "WHERE {} = ?"
        values = () if match_id is None else (match_id,)
        games: dict[str, list[PlayedGame]] = {}
        query = (
            "SELECT match, players, seed, returns, scores, length, truncated, digest FROM games {} ORDER BY match, game"
        )
        with self._guarded():
            for match, players, seed, returns, scores, length, truncated, digest in self._rows(
                query.format(where.format("match")), values
            ):
                texts = (tuple(json.loads(players)), seed, tuple(json.loads(returns)), tuple(json.loads(scores)))
                game = PlayedGame(*texts, length, bool(truncated), _NO_ACTIONS, digest)
                games.setdefault(match, []).append(game)
            forfeits: dict[str, list[Forfeit]] = {}
            query = "SELECT match, game, agent, type, reason, log FROM forfeits {} ORDER BY match, game"
            for match, game, agent, kind, reason, log in self._rows(query.format(where.format("match")), values):
                forfeits.setdefault(match, []).append(Forfeit(match, game, agent, ForfeitType(kind), reason, log))
            query = (
                "SELECT id, env, players, seeds, first_game, round, key, protocol, times "
                "FROM matches JOIN schedule USING (id) {} ORDER BY position"
            )
            return [
                PlayedMatch(
                    _match(match), tuple(games.get(id_, ())), tuple(forfeits.get(id_, ())), json.loads(p), json.loads(t)
                )
                for id_, *match, p, t in self._rows(query.format(where.format("id")), values)
            ]

    def actions(self, match_id: str) -> list[np.ndarray]:
        """Returns the actions of every game of a match: [T] or [T, A] each."""
        query = "SELECT dtype, shape, actions FROM games WHERE match = ? ORDER BY game"
        with self._guarded():
            return [
                np.frombuffer(zlib.decompress(data), np.dtype(dtype)).reshape(json.loads(shape)).copy()
                for dtype, shape, data in self._rows(query, (match_id,))
            ]

    def _rows(self, query: str, values: Iterable[Any] = ()) -> list[Any]:
        with self._guarded():
            return self._connection.execute(query, tuple(values)).fetchall()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Any]:
        """Yields execute(); what it does is there as a whole, or not at all."""
        with self._guarded():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection.execute
                self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # a full disk has rolled back by itself
                    self._connection.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise self._told(error) from error
        except (ValueError, TypeError, zlib.error) as error:
            raise DamagedFile(f"{self.path} is damaged: {error}") from error

    def _told(self, error: sqlite3.DatabaseError) -> ArenaError:
        name = getattr(error, "sqlite_errorname", "")
        remedy = f"what was played is kept; then go on with: arena resume {self.folder}"
        if name == "SQLITE_FULL":
            return ArenaError(f"{self.path}: the disk is full; make room, {remedy}")
        if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR", "SQLITE_PERM")):
            return ArenaError(f"{self.path} cannot be written or read ({error}); mend that, {remedy}")
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return ArenaError(f"{self.path} is being written by another process")
        return DamagedFile(f"{self.path} is damaged: {error}")


def _match(row: Sequence[Any]) -> Match:
    env, players, seeds, first_game, round_, key = row
    return Match(env, tuple(json.loads(players)), tuple(json.loads(seeds)), first_game, round_, json.loads(key))


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
