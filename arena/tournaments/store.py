"""A tournament's store: one SQLite file that holds all of it, each finished match one transaction."""

from __future__ import annotations

import functools
import json
import zlib
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from arena.errors import ArenaError
from arena.tournaments.database import Database, making
from arena.tournaments.records import Entered, Forfeit, ForfeitType, Match, PlayedGame, PlayedMatch

FILE = "tournament.sqlite"
FORMAT = 1
KIND = 0x4152454E  # "AREN": what says in the file that it is one
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


class Store(Database):
    """The store of the tournament in `folder`; a context manager.

    Every method raises ArenaError where it cannot be read or written, DamagedFile where it is damaged.
    """

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        if not (folder / FILE).exists():
            raise ArenaError(f"{folder} holds no tournament: it has no {FILE}")
        super().__init__(folder / FILE, KIND, FORMAT, read_only=read_only)
        self.folder = folder

    @classmethod
    def make(cls, folder: Path, **values: Any) -> Store:
        """Returns a new store, with values as put() stores them; it is there as a whole or not at all."""
        if (folder / FILE).exists():
            raise ArenaError(f"{folder} already holds a tournament; name another folder with --out")
        with making(folder / FILE, KIND, FORMAT, _SCHEMA) as execute:
            for key, value in values.items():
                execute("INSERT INTO meta VALUES (?, ?)", (key, json.dumps(value)))
        return cls(folder)

    # What the tournament is.

    def get(self, key: str) -> Any:
        """Returns the value that put() gave to `key`, or None."""
        found = self.rows("SELECT value FROM meta WHERE key = ?", (key,))
        with self.decoding():
            return json.loads(found[0][0]) if found else None

    def put(self, **values: Any) -> None:
        """Stores plain data under names of their own, replacing what was there."""
        with self.transaction() as execute:
            for key, value in values.items():
                execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, json.dumps(value)))

    def enter(self, agents: Sequence[Entered]) -> None:
        """Stores who is entered, in this order."""
        with self.transaction() as execute:
            for position, agent in enumerate(agents):
                row = (agent.name, position, agent.ref, agent.digest, agent.is_pooled, _json(agent.settings))
                execute("INSERT OR REPLACE INTO agents VALUES (?, ?, ?, ?, ?, ?)", row)

    def entered(self) -> list[Entered]:
        """Returns who is entered, in order."""
        query = "SELECT name, ref, digest, is_pooled, settings FROM agents ORDER BY position"
        with self.decoding():
            return [Entered(n, ref, digest, bool(pool), json.loads(s)) for n, ref, digest, pool, s in self.rows(query)]

    def add_entry(self, entry: Entry) -> None:
        """Stores what plays for an agent in an environment."""
        with self.transaction() as execute:
            execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?)", astuple(entry))

    def leave_out(self, agent: str, env: int, reason: str) -> None:
        """Stores why an agent is not entered in an environment after all."""
        with self.transaction() as execute:
            execute("UPDATE entries SET reason = ? WHERE agent = ? AND env = ?", (reason, agent, env))

    def entries(self) -> list[Entry]:
        """Returns what add_entry() stored, by environment and agent."""
        query = "SELECT e.* FROM entries e LEFT JOIN agents a ON a.name = e.agent ORDER BY e.env, a.position, e.rowid"
        return [Entry(*row) for row in self.rows(query)]

    def plan(self, matches: Sequence[Match]) -> None:
        """Stores the schedule as far as it is known, in this order; matches that are in it already keep their place."""
        with self.transaction() as execute:
            known = dict(execute("SELECT id, position FROM schedule"))
            for place, match in enumerate(matches):
                if known.get(match.id) == place:
                    continue
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
        with self.transaction() as execute:
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
        return {row[0] for row in self.rows("SELECT id FROM matches")}

    def num_matches(self) -> int:
        """Returns how many matches are committed."""
        return int(self.rows("SELECT count(*) FROM matches")[0][0])

    def num_forfeits(self) -> dict[str, int]:
        """Returns how many forfeits every agent has that has any."""
        return dict(self.rows("SELECT agent, count(*) FROM forfeits GROUP BY agent"))

    def sums_of_returns(self) -> dict[tuple[str, int], tuple[float, int]]:
        """Returns the sum of a league's returns, and of how many games, by agent and index of the environment."""
        query = (
            "SELECT json_extract(schedule.players, '$[0]'), env, sum(json_extract(returns, '$[0]')), count(*) "
            "FROM games JOIN schedule ON schedule.id = match GROUP BY 1, 2"
        )
        return {(agent, env): (total, number) for agent, env, total, number in self.rows(query)}

    def results_of_pairs(self) -> list[tuple[tuple[str, str], tuple[float, float], int]]:
        """Returns meetings, what the first player scored in the games of a pair, and how many pairs ended so."""
        query = (
            "SELECT json_extract(schedule.players, '$[0]'), json_extract(schedule.players, '$[1]'), "
            "json_extract(first.scores, '$[0]'), json_extract(second.scores, '$[1]'), count(*) "
            "FROM games first JOIN games second ON second.match = first.match AND second.game = 1 "
            "JOIN schedule ON schedule.id = first.match WHERE first.game = 0 GROUP BY 1, 2, 3, 4"
        )
        return [((one, other), (first, second), number) for one, other, first, second, number in self.rows(query)]

    def played(self, match_id: str | None = None) -> list[PlayedMatch]:
        """Returns the committed matches in the order of the schedule, without actions; or the one with this id."""
        where = "" if match_id is None else "WHERE {} = ?"
        values = () if match_id is None else (match_id,)
        games: dict[str, list[PlayedGame]] = {}
        query = (
            "SELECT match, players, seed, returns, scores, length, truncated, digest FROM games {} ORDER BY match, game"
        )
        with self.decoding():
            for match, players, seed, returns, scores, length, truncated, digest in self.rows(
                query.format(where.format("match")), values
            ):
                texts = (_tuple(players), seed, _tuple(returns), _tuple(scores))
                game = PlayedGame(*texts, length, bool(truncated), _NO_ACTIONS, digest)
                games.setdefault(match, []).append(game)
            forfeits: dict[str, list[Forfeit]] = {}
            query = "SELECT match, game, agent, type, reason, log FROM forfeits {} ORDER BY match, game"
            for match, game, agent, kind, reason, log in self.rows(query.format(where.format("match")), values):
                forfeits.setdefault(match, []).append(Forfeit(match, game, agent, ForfeitType(kind), reason, log))
            query = (
                "SELECT id, env, players, seeds, first_game, round, key, protocol, times "
                "FROM matches JOIN schedule USING (id) {} ORDER BY position"
            )
            return [
                PlayedMatch(
                    _match(match), tuple(games.get(id_, ())), tuple(forfeits.get(id_, ())), json.loads(p), json.loads(t)
                )
                for id_, *match, p, t in self.rows(query.format(where.format("id")), values)
            ]

    def actions(self, match_id: str) -> list[np.ndarray]:
        """Returns the actions of every game of a match: [T] or [T, A] each."""
        query = "SELECT dtype, shape, actions FROM games WHERE match = ? ORDER BY game"
        with self.decoding():
            return [
                np.frombuffer(zlib.decompress(data), np.dtype(dtype)).reshape(json.loads(shape)).copy()
                for dtype, shape, data in self.rows(query, (match_id,))
            ]


def _match(row: Sequence[Any]) -> Match:
    env, players, seeds, first_game, round_, key = row
    return Match(env, _tuple(players), _tuple(seeds), first_game, round_, json.loads(key))


@functools.lru_cache(maxsize=4096)  # the same few players and scores, again and again
def _tuple(text: str) -> tuple[Any, ...]:
    return tuple(json.loads(text))


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
