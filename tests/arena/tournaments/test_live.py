"""Standings that move: the tally, what the terminal shows of it, and TensorBoard."""

import contextlib
import io

import numpy as np
import pytest
from rich.console import Console
from tensorboard.compat.proto import event_pb2
from tensorboard.compat.tensorflow_stub import errors
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import PyRecordReader_New

from arena.tournaments.file import Entrant, EnvEntry, TournamentConfig
from arena.tournaments.hooks import Progress
from arena.tournaments.live import live, standings
from arena.tournaments.records import Forfeit, ForfeitType, Match, PlayedGame, PlayedMatch
from arena.tournaments.store import Store
from arena.tournaments.tally import Score, Tally
from arena.tournaments.telemetry import Telemetry

AGENTS = [Entrant(ref="random", name=name) for name in ("good", "poor")]
LEAGUE = TournamentConfig(agents=AGENTS, envs=[EnvEntry(id="CartPole-v1"), EnvEntry(id="Taxi-v4", name="taxi")])
GAMES = TournamentConfig(format="round-robin", agents=AGENTS, envs=[EnvEntry(id="tic_tac_toe")])


def block(agent, env, *returns, number=0):
    match = Match(env, (agent,), (1,) * len(returns), 10 * number, 1, {"about": [agent, env, number]})
    games = [PlayedGame((agent,), 1, (ret,), (), 3, False, np.zeros(3)) for ret in returns]
    return PlayedMatch(match, tuple(games), (), {}, {"wall_s": 0.1})


def pair(number, first, second):
    """Returns a pair in which "good" scored `first` in seat 0 and then `second` in seat 1."""
    match = Match(0, ("good", "poor"), (1, 1), 2 * number, 1, {"number": number})
    games = [
        PlayedGame(names, 1, (0.0, 0.0), scores, 5, False, np.zeros(5))
        for names, scores in ((("good", "poor"), (first, 1 - first)), (("poor", "good"), (1 - second, second)))
    ]
    forfeits = (Forfeit(match.id, 0, "poor", ForfeitType.EXIT, "left"),) if number == 1 else ()
    return PlayedMatch(match, tuple(games), forfeits, {}, {"wall_s": 0.1})


BLOCKS = [
    block("good", 0, 500.0, 400.0),
    block("poor", 0, 10.0),
    block("good", 1, 7.0),
    block("good", 0, 0.0, number=1),
]
PAIRS = [pair(0, 1.0, 0.5), pair(1, 1.0, 1.0), pair(2, 0.0, 0.5)]


@pytest.mark.parametrize(("config", "matches"), [(LEAGUE, BLOCKS), (GAMES, PAIRS)], ids=["league", "games"])
def test_a_tally_of_the_store_is_the_tally_of_its_matches(config, matches, tmp_path):
    with Store.make(tmp_path) as store:
        folded = Tally(config, store)
        store.plan([played.match for played in matches])
        for played in matches:
            store.commit(played)
            folded.add(played)
        again = Tally(config, store)
    assert (again.matches, again.returns, again.points) == (folded.matches, folded.returns, folded.points)
    assert again.forfeits == folded.forfeits and again.ratings() == folded.ratings()


@pytest.fixture
def tally(tmp_path):
    with Store.make(tmp_path) as store:
        yield lambda config, matches: filled(Tally(config, store), matches)


def filled(tally, matches):
    for played in matches:
        tally.add(played)
    return tally


def test_returns_and_points_are_summed(tally):
    league, games = tally(LEAGUE, BLOCKS), tally(GAMES, PAIRS)
    assert league.returns["good", 0] == Score(900.0, 3) and league.returns["good", 0].mean == 300.0
    # 1.5 and 2 and 0.5 of two points each: 4 of 6, and 2 of 6 for the other.
    assert games.points == {"good": Score(4.0, 6), "poor": Score(2.0, 6)}
    assert dict(games.forfeits) == {"poor": 1}


def test_ratings_are_those_of_the_report(tally):
    from arena.statistics.bradley_terry import rate

    results = np.zeros((1, 3, 3))
    results[0, 2, 1] = results[0, 2, 2] = results[0, 0, 1] = 1
    expected = rate(2, np.array([[0, 1]]), results, seed=0, resamples=10).rating.value
    ratings = tally(GAMES, PAIRS).ratings()
    assert [ratings["good"], ratings["poor"]] == pytest.approx(expected.tolist())
    assert tally(GAMES, []).ratings() == {}


def shown(table):
    console = Console(file=io.StringIO(), width=100)
    console.print(table)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_a_league_shows_means_by_environment_the_best_first(tally):
    assert shown(standings(tally(LEAGUE, BLOCKS))) == [
        "agent  CartPole-v1  taxi  forfeits",
        "good        300.00  7.00",
        "poor         10.00",
    ]


def test_games_show_ratings_and_points(tally):
    head, first, second = shown(standings(tally(GAMES, PAIRS)))
    assert head.split() == ["agent", "rating", "points", "games", "forfeits"]
    assert first.split()[0] == "good" and first.split()[2:] == ["4", "6"]
    assert second.split()[0] == "poor" and second.split()[2:] == ["2", "6", "1"]


def test_only_so_many_agents_are_shown(tally):
    assert shown(standings(tally(LEAGUE, BLOCKS), most=1))[-1] == "and 1 more"


@pytest.mark.parametrize("is_terminal", [True, False])
def test_the_terminal_is_told_of_every_phase(is_terminal, tally):
    console = Console(file=io.StringIO(), width=100, force_terminal=is_terminal)
    with live(console) as hooks:
        hooks.on_isolated(["stranger"], [("network", True, "it has none"), ("files", False, "no Landlock")])
        hooks.on_progress(Progress("train", 5, 10, "good on taxi"))
        hooks.on_progress(Progress("play", 1, 4, "good on taxi"))
        hooks.on_played(BLOCKS[0], tally(LEAGUE, BLOCKS[:1]))
        hooks.warn("mind the gap")
    text = console.file.getvalue()
    assert "in a process of its own: stranger" in text and "✓ network: it has none" in text and "✗ files" in text
    assert "arena: warning: mind the gap" in text
    assert ("CartPole-v1" in text) is is_terminal


def test_tensorboard_gets_standings_over_the_number_of_matches(tally, tmp_path):
    board = Telemetry(tmp_path / "board")
    one = tally(LEAGUE, [])
    for played in BLOCKS:
        one.add(played)
        board.add(played, one)
    games = tally(GAMES, PAIRS)
    board.write_ratings(games)
    board.close()
    good = scalars(tmp_path / "board" / "good")
    assert good[:3] == [
        ("mean return/CartPole-v1", 1, 450.0),
        ("mean return/taxi", 3, 7.0),
        ("mean return/CartPole-v1", 4, 300.0),
    ]
    assert [tag for tag, _, _ in good[3:]] == ["rating in Elo", "share of the points"]
    assert good[3][2] == pytest.approx(games.ratings()["good"], rel=1e-6)
    assert scalars(tmp_path / "board" / "poor")[0] == ("mean return/CartPole-v1", 2, 10.0)


def scalars(folder):
    """Returns (name, step, value) of all numbers of an event file, in order."""
    (path,) = folder.iterdir()
    reader, found = PyRecordReader_New(str(path)), []
    with contextlib.suppress(errors.OutOfRangeError):  # the end of the file
        while True:
            reader.GetNext()
            event = event_pb2.Event.FromString(reader.record())
            found += [(value.tag, event.step, value.tensor.float_val[0]) for value in event.summary.value]
    return found
