"""Prints what a tournament would play."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from arena import terminal
from arena.tournaments import sequential
from arena.tournaments.dry_run import DryRun
from arena.tournaments.fixtures import GAMES_PER_MATCH
from arena.tournaments.records import Match

_MAX_ROWS = 20


def show(run: DryRun) -> None:
    """Prints the schedule, the limits of isolated agents, and the estimate of the time."""
    config = run.config
    agents, environments = _count(len(config.agents), "agent"), _count(len(config.envs), "environment")
    terminal.out.print(f"{config.name}: {config.format}, {agents}, {environments}, seed {config.seed}\n")
    if config.is_league:
        _show_league(run)
    else:
        _show_meetings(run)
    terminal.out.print()
    for line in _lines(run):
        terminal.out.print(line)


def _show_league(run: DryRun) -> None:
    rows = []
    for env, entry in enumerate(run.config.envs):
        here = [match for match in run.drawn.matches if match.env == env]
        agents, games = {match.players for match in here}, sum(len(match.seeds) for match in here)
        rows.append([entry.label, str(len(agents)), f"{len(here):,}", f"{games:,}", _span(here)])
    terminal.table(["environment", "agents", "blocks", "games", "seeds"], rows, right=(1, 2, 3))


def _show_meetings(run: DryRun) -> None:
    meetings: dict[tuple[int, tuple[str, ...]], list[Match]] = {}
    for match in run.drawn.matches:
        meetings.setdefault((match.env, match.players), []).append(match)
    rounds: dict[tuple[int, int], list[list[Match]]] = {}
    for (env, _), matches in meetings.items():
        rounds.setdefault((matches[0].round, env), []).append(matches)
    rows = []
    for (number, env), together in rounds.items():
        pairs = sum(len(matches) for matches in together)
        who = ", ".join(" - ".join(matches[0].players) for matches in together)
        rows.append([str(number), run.config.envs[env].label, str(len(together)), f"{pairs:,}", f"{2 * pairs:,}", who])
    if len(rows) > _MAX_ROWS:
        rows[_MAX_ROWS:] = [["…", f"{len(rows) - _MAX_ROWS} more", "", "", "", ""]]
    terminal.table(["round", "environment", "meetings", "pairs", "games", "who"], rows, right=(0, 2, 3, 4))


def _lines(run: DryRun) -> Iterator[str]:
    """Yields what stands below the table."""
    config = run.config
    games = _range(run.num_games)
    if config.is_league:
        blocks = "block" if run.num_matches[1] == 1 else "blocks"
        yield f"matches   {_range(run.num_matches)} {blocks} of up to {GAMES_PER_MATCH} games: {games} games"
    else:
        pairs = "pair" if run.num_matches[1] == 1 else "pairs"
        yield f"matches   {_range(run.num_matches)} {pairs}: {games} games{_to_come(run)}"
        yield f"openings  {_openings(run)}; both games of a pair have the same, and so has every meeting, pair by pair"
    byes = [meeting.players[0] for meeting in run.drawn.meetings if meeting.is_bye]
    if byes:
        yield f"byes      {', '.join(byes)} in round 1"
    for (name, env), reason in run.left_out.items():
        yield f"left out  {name} on {config.envs[env].label}: {reason}"
    limits = config.limits
    if run.isolated:
        each = f"{limits.start_s:g} s to start, {limits.move_s:g} s a move, {limits.memory_mb:,} MiB of memory"
        yield f"isolated  {', '.join(run.isolated)}, each with {each} and {limits.log_kb} KiB of log"
    yield f"time      {_time(run)}"
    if run.training_steps:
        yield f"          and before that {run.training_steps:,} steps of training, which are not in it"
    if running := [name for (name, _), pace in run.paces.items() if not pace.has_ended]:
        yield f"          no game of {', '.join(dict.fromkeys(running))} ended: counted up to the cap"
    reasons: dict[str, dict[str, None]] = {}
    for (name, _), reason in run.not_measured.items():
        reasons.setdefault(reason, {})[name] = None
    for reason, names in reasons.items():
        yield f"          not measured, taken to be as quick as the others: {', '.join(names)} ({reason})"


def _to_come(run: DryRun) -> str:
    config = run.config
    if config.format == "knockout":
        return f"; a tie that is level has up to {config.tiebreak_pairs} more, then the better seed advances"
    if config.format == "swiss":
        return f" in {_count(config.num_rounds, 'round')}, each drawn when the one before is complete"
    if config.sprt:
        return f"; they stop when a difference of {' or '.join(sequential.hypotheses(config.sprt))} is accepted"
    return ""


def _openings(run: DryRun) -> str:
    return f"{_count(run.config.opening_plies, 'random move')}, seeds {_span(run.drawn.matches)}"


def _time(run: DryRun) -> str:
    if run.seconds is None:
        return "no estimate: there was nobody to measure"
    at_most = "at most " if run.num_matches[0] < run.num_matches[1] else ""
    how = f"{_count(run.jobs, 'job')}; an estimate, from a moment of each agent's play here"
    return f"{at_most}about {_duration(run.seconds)} with {how}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _range(numbers: tuple[int, int]) -> str:
    least, most = numbers
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _span(matches: Sequence[Match]) -> str:
    """Returns the first and the last of the matches' seeds."""
    seeds = list(dict.fromkeys(seed for match in matches for seed in match.seeds))
    return " … ".join(map(str, seeds if len(seeds) < 2 else (seeds[0], seeds[-1])))


def _duration(seconds: float) -> str:
    for unit, length in (("h", 3600.0), ("min", 60.0)):
        if seconds >= 1.5 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{max(1.0, seconds):.0f} s"
