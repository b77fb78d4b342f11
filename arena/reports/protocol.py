"""The protocol in words, and how to play the tournament again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from arena.reports.view import Block, Cell, Column, Facts, Fold, Part, Section, Table, Text
from arena.reports.words import count
from arena.tournaments.records import PlayedMatch

if TYPE_CHECKING:
    from arena.tournaments.file import TournamentConfig
    from arena.tournaments.result import Result

_PAIR = (
    "A meeting is {pairs} of games. Both games of a pair begin from the same opening{opening} and the seats are "
    "swapped; the pair is the statistical unit."
)


def what_was_played(result: Result) -> str:
    """Returns the tournament in a sentence or two."""
    config = result.config
    agents, envs = count(len(result.entered), "agent"), [env.label for env in config.envs]
    where = envs[0] if len(envs) == 1 else count(len(envs), "environment")
    games = sum(len(played.games) for played in result.matches)
    kind = {
        "league": "A league",
        "round-robin": "A round-robin",
        "gauntlet": "A gauntlet",
        "knockout": "A knockout",
        "swiss": "A Swiss tournament",
    }[config.format]
    return f"{kind} of {agents} in {where}: {count(games, 'game')} in {count(len(result.matches), 'match', 'matches')}."


def protocol(result: Result) -> Section:
    """Returns what every score depends on: the format's rules, and each environment's protocol as it was played."""
    config = result.config
    parts = [Part("", [Text(text) for text in _rules(config)])]
    by_env: dict[int, list[PlayedMatch]] = {}
    for played in result.matches:
        by_env.setdefault(played.match.env, []).append(played)
    parts += [Part(config.envs[index].label, [Facts(_settings(by_env[index]))]) for index in sorted(by_env)]
    return Section(
        "protocol", "Protocol", "A score means nothing without the protocol that it was reached under.", parts
    )


def reproduction(result: Result, toml: str) -> Section:
    """Returns how to play it again: the command, the file, who played, with which versions, on which machine."""
    meta = result.meta
    columns = [Column(title, is_number=False) for title in ("agent", "reference", "digest", "ran in")]
    rows = [
        [Cell(agent.name), Cell(agent.ref), Cell(_brief(agent.digest)), Cell(_WHERE[agent.is_pooled])]
        for agent in result.entered
    ]
    blocks: list[Block] = [
        Facts([("command", "arena tournament tournament.toml"), ("root seed", str(result.config.seed))]),
        Fold("tournament.toml", toml, is_open=True),
        Table("agents-table", "Who played; the digest is the beginning of a hash of what played", columns, rows),
    ]
    parts = [Part("", blocks)]
    for key, title in (("versions", "Versions"), ("machine", "Machine")):
        if meta.get(key):
            parts.append(Part(title, [Facts([(str(name), str(value)) for name, value in meta[key].items()])]))
    if meta.get("tiers"):
        tiers = [(str(what), f"{_HOLDS[bool(holds)]}: {how}") for what, holds, how in meta["tiers"]]
        parts.append(Part("What kept agents in their own processes", [Facts(tiers)]))
    lead = "From the same file, seeds and versions come the same games, whatever the number of workers."
    return Section("reproduce", "How to reproduce it", lead, parts)


_WHERE = {True: "a shared worker", False: "a process of its own"}
_HOLDS = {True: "held", False: "did not hold"}


def _brief(digest: str) -> str:
    """Returns the beginning of a hash, and a distribution's version as it is."""
    kind, colon, value = digest.partition(":")
    return f"{kind}:{value[:16]}" if colon else digest


def _rules(config: TournamentConfig) -> list[str]:
    if config.format == "league":
        return [
            f"Every agent plays {count(config.episodes, 'game')} in every environment it fits, all on the same seeds, "
            f"which follow from the root seed {config.seed}. Scores are raw, undiscounted returns."
        ]
    opening = f" of {config.opening_plies} random plies, the same for both," if config.opening_plies else ""
    pair = _PAIR.format(pairs=count(config.pairs, "pair"), opening=opening)
    who = {
        "round-robin": "Every two agents meet.",
        "gauntlet": f"The first {count(config.challengers, 'agent')} of the file meet all the others.",
        "knockout": "Who wins a meeting goes on to the next round; agents are seeded in the order of the file.",
        "swiss": "In every round those meet who have about the same points and have not met before.",
    }[config.format]
    rules = [who, pair, "A win is 1 point, a draw ½; a forfeited game is lost."]
    if config.sprt:
        test = config.sprt
        rules.append(
            "The match ends early by a sequential test on whole pairs in the schedule's order "
            f"(elo0 {test.elo0:g}, elo1 {test.elo1:g}, alpha {test.alpha:g}, beta {test.beta:g}, {test.model} Elo)."
        )
    return rules


def _settings(matches: Sequence[PlayedMatch]) -> list[tuple[str, str]]:
    """Returns what every match was played under; where agents differ, who was played how."""
    keys = dict.fromkeys(key for played in matches for key in played.protocol)
    return [(key.replace("_", " "), _value(matches, key)) for key in keys]


def _value(matches: Sequence[PlayedMatch], key: str) -> str:
    who: dict[str, dict[str, None]] = {}
    for played in matches:
        value = played.protocol.get(key, "unset")
        each = value if isinstance(value, Mapping) else dict.fromkeys(played.match.players, value)
        for name, own in each.items():
            who.setdefault(str(own), {})[name] = None
    if len(who) == 1:
        return next(iter(who))
    return "; ".join(f"{value} ({', '.join(names)})" for value, names in who.items())
