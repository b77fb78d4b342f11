"""What `--dry-run` says: the schedule, and an estimate of the time."""

import json

import pytest

from arena.errors import DoesNotFit
from arena.sources import Kind, Source
from arena.tournaments import dry_run as module
from arena.tournaments.checking import Checked
from arena.tournaments.dry_run import dry_run
from arena.tournaments.entering import NothingToPlay
from arena.tournaments.file import Entrant, EnvEntry, Sprt
from arena.tournaments.outline import show
from arena.tournaments.pace import Pace, estimate, measure
from arena.tournaments.task import Contestant, Stand


@pytest.fixture
def checked(arranged, monkeypatch):
    """Returns a function that gives a tournament, every agent of which takes 0.01 s a step and 20 steps a game."""
    monkeypatch.setattr(module, "measure", lambda contestant, stand, seed: Pace(0.01, 20.0))
    monkeypatch.setattr("os.cpu_count", lambda: 8)

    def build(format, num_agents, strangers=(), **keys):
        config, entered = arranged.setting(format, num_agents, **keys)
        sources = {
            agent.name: Source(agent.ref, agent.name, agent.digest, agent.name not in strangers, Kind.PLUGIN)
            for agent in entered
        }
        stands = [Stand(env.id) for env in config.envs]
        return Checked(config, sources, stands, [100] * len(stands))

    return build


@pytest.mark.parametrize(
    ("format", "keys", "matches", "games", "seconds"),
    [
        # A game is 20 * 0.01 = 0.2 s. Blocks of 10, 10 and 5 games for each of 3 agents: 75 games, two at a time.
        ("league", {"episodes": 25}, (9, 9), (75, 75), 7.5),
        # 3 meetings of 4 pairs.
        ("round-robin", {"pairs": 4}, (12, 12), (24, 24), 2.4),
        ("gauntlet", {"pairs": 4}, (8, 8), (16, 16), 1.6),
        # Of three, two ties of 4 to 4 + 3 pairs; the time is that of the most.
        ("knockout", {"pairs": 4}, (8, 14), (16, 28), 2.8),
        # Of three, one meeting in each of two rounds.
        ("swiss", {"pairs": 4}, (8, 8), (16, 16), 1.6),
    ],
)
def test_matches_games_and_time_are_counted(checked, format, keys, matches, games, seconds):
    run = dry_run(checked(format, 3, **keys), jobs=2)
    assert (run.num_matches, run.num_games) == (matches, games)
    assert run.seconds == pytest.approx(seconds)


def test_a_sequential_test_plays_from_one_group_to_all_pairs(checked):
    run = dry_run(checked("gauntlet", 2, pairs=50, stop="sprt", sprt=Sprt(elo0=0, elo1=9)))
    assert run.num_matches == (8, 50)
    assert run.seconds == pytest.approx(50 * 0.4)


def test_strangers_and_learners_are_not_measured_and_their_code_is_not_run(checked, monkeypatch):
    measured = []
    monkeypatch.setattr(
        module, "measure", lambda contestant, stand, seed: measured.append(contestant.name) or Pace(0.01, 20.0)
    )
    prepared = checked("league", 3, strangers=["a01"], envs=[EnvEntry(id="x"), EnvEntry(id="y")])
    learner = Entrant(ref="a02", name="a02", train=500)
    config = prepared.config.model_copy(update={"agents": [*prepared.config.agents[:2], learner]})
    run = dry_run(Checked(config, prepared.sources, prepared.stands, prepared.caps))
    assert measured == ["a00", "a00"]
    assert run.isolated == ["a01"]
    assert run.not_measured == {
        ("a01", 0): "runs in a process of its own",
        ("a02", 0): "trains first",
        ("a01", 1): "runs in a process of its own",
        ("a02", 1): "trains first",
    }
    assert run.training_steps == 1000


def test_who_does_not_fit_is_left_out_of_the_schedule(checked, monkeypatch):
    def refuse(contestant, stand, seed):
        if contestant.name == "a01":
            raise DoesNotFit("too large a board")
        return Pace(0.01, 20.0)

    monkeypatch.setattr(module, "measure", refuse)
    for format in ("round-robin", "swiss"):
        run = dry_run(checked(format, 3, pairs=1))
        assert run.left_out == {("a01", 0): "too large a board"}
        assert [match.players for match in run.drawn.matches] == [("a00", "a02")]


@pytest.mark.parametrize("format", ["round-robin", "knockout", "swiss"])
def test_where_one_alone_fits_there_is_nothing_to_play(checked, monkeypatch, format):
    def refuse(contestant, stand, seed):
        if contestant.name == "a01":
            raise DoesNotFit("too large a board")
        return Pace(0.01, 20.0)

    monkeypatch.setattr(module, "measure", refuse)
    with pytest.raises(NothingToPlay) as error:
        dry_run(checked(format, 2, pairs=1))
    assert str(error.value) == "there is nothing to play: a01 does not fit connect_four (too large a board)"


def test_who_was_not_measured_is_taken_to_be_as_quick_as_the_others(arranged):
    from arena.tournaments.schedule import due

    config, entered = arranged.setting("round-robin", 3, pairs=1)
    matches = due(config, entered, {})
    # a00 takes 0.1 s a step and a01 0.3 s, both 10 steps a game; a02 is taken to take 0.2 s.
    paces = {("a00", 0): Pace(0.1, 10.0), ("a01", 0): Pace(0.3, 10.0)}
    # 2 games of 10 steps at 0.2 (a00 - a01), 0.15 (a00 - a02) and 0.25 s (a01 - a02): 4 + 3 + 5 s.
    assert estimate(matches, 3, paces, [100], 1) == pytest.approx(12.0)
    assert estimate(matches, 3, paces, [100], 2) == pytest.approx(6.0)
    assert estimate(matches, 3, paces, [100], 100) == pytest.approx(5.0)  # the longest match
    assert estimate(matches, 3, {}, [100], 1) is None


def test_the_outline_of_a_knockout(checked, capsys):
    show(dry_run(checked("knockout", 5, strangers=["a04"], pairs=2), jobs=2))
    out = capsys.readouterr().out
    assert out.startswith("tournament: knockout, 5 agents, 1 environment, seed 0\n")
    assert "    1  connect_four         1      2      4  a03 - a04\n" in out
    assert "matches   10 to 25 pairs: 20 to 50 games; a tie that is level has up to 3 more" in out
    assert "byes      a00, a01, a02 in round 1\n" in out
    assert "isolated  a04, each with 60 s to start, 10 s a move, 2,048 MiB of memory and 256 KiB of log\n" in out
    assert "time      at most about 5 s with 2 jobs; an estimate" in out  # 25 pairs of 0.4 s, two at a time
    assert "not measured, taken to be as quick as the others: a04 (runs in a process of its own)\n" in out


def test_the_outline_of_a_long_schedule_is_cut(checked, capsys):
    show(dry_run(checked("round-robin", 30, pairs=1)))
    out = capsys.readouterr().out
    assert "   20  connect_four" in out and "   21  connect_four" not in out
    assert "    …  9 more\n" in out  # of 29 rounds


def test_the_outline_of_a_league_says_what_it_does_not_know(checked, capsys, monkeypatch):
    monkeypatch.setattr(module, "measure", lambda contestant, stand, seed: Pace(0.01, 100.0, False))
    show(dry_run(checked("league", 2, episodes=15)))
    out = capsys.readouterr().out
    assert "connect_four       2       4     30  " in out
    assert "matches   4 blocks of up to 10 games: 30 games\n" in out
    assert "no game of a00, a01 ended: counted up to the cap\n" in out


def test_the_plain_data_hold_the_whole_schedule(checked):
    content = dry_run(checked("swiss", 4, pairs=2)).to_json()
    assert json.loads(json.dumps(content)) == content
    assert [match["players"] for match in content["matches"]] == [["a00", "a02"]] * 2 + [["a01", "a03"]] * 2
    assert content["num_games"] == [16, 16]
    assert content["estimate"]["measured"][0] == {
        "agent": "a00",
        "env": "connect_four",
        "step_s": 0.01,
        "game_steps": 20.0,
        "has_ended": True,
    }


def test_a_pace_is_measured_by_playing():
    pace = measure(Contestant("random", "random"), Stand("CartPole-v1"), 0)
    assert pace.has_ended and pace.step_s > 0.0
    assert 10.0 < pace.game_steps < 40.0  # random play lasts 22 steps on average


def test_the_pace_of_a_game_is_measured_by_playing_oneself():
    pytest.importorskip("pyspiel", reason="the extra two-player is not installed")
    pace = measure(Contestant("random", "random"), Stand("tic_tac_toe", settings={"opening_plies": 2}), 0)
    assert pace.has_ended and 3.0 <= pace.game_steps <= 7.0  # of 9 plies, two are the opening


def test_the_command_prints_and_writes_nothing(arena, tmp_path):
    done = arena("tournament", "--agent", "random", "--env", "Taxi-v4", "--episodes", 12, "--move-s", 3, "--dry-run")
    assert (done.code, list(tmp_path.iterdir())) == (0, [])
    assert done.out.startswith("tournament: league, 1 agent, 1 environment, seed 0\n")
    plain = json.loads(arena("tournament", "--agent", "random", "--env", "Taxi-v4", "--dry-run", "--json").out)
    assert plain["num_games"] == [20, 20]
    refused = arena("tournament", "--extend", tmp_path, "--agent", "random", "--dry-run")
    assert (refused.code, refused.err) == (
        2,
        "arena: --extend enters newcomers into a tournament as it is; leave --dry-run out\n",
    )
