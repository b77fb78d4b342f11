"""Matches: what pooled players play, together and, where one fails, game by game."""

import pytest

from arena.errors import BrokenPlugin
from arena.seeding import Stream, episode_seed
from arena.tournaments.match import Stage
from arena.tournaments.records import ForfeitType, Match, PlayedMatch
from arena.tournaments.task import Contestant, Stand, Task, Unfit

PLAYERS = '''
import numpy as np
from arena.agent import Decision, Player
from arena.errors import DoesNotFit

class Counts(Player):
    """Leans left and right in turns; fails in games that last more than `most` moves."""
    most = 10**9
    def initial_state(self, seeds):
        return np.zeros(len(seeds), np.int64)
    def act(self, obs, state):
        if (state >= self.most).any():
            raise RuntimeError("too long for me")
        return Decision(state % 2, state + 1)

class Tires(Counts):
    most = 30

class Refuses(Player):
    def __init__(self, spec, *, seed, settings=None):
        raise DoesNotFit("not here")
    def act(self, obs, state):
        pass

class Unborn(Player):
    def __init__(self, spec, *, seed, settings=None):
        raise RuntimeError("no")
    def act(self, obs, state):
        pass

class First(Player):
    """Plays the first legal move."""
    def act(self, obs, state):
        return Decision(obs["legal"].argmax(1))

class Last(Player):
    """Plays the last legal move."""
    def act(self, obs, state):
        return Decision(obs["legal"].shape[1] - 1 - obs["legal"][:, ::-1].argmax(1))

class Cheats(Player):
    """Plays a move that is not legal, whenever it does not begin."""
    def act(self, obs, state):
        moves = np.where(obs["seat"] == 0, obs["legal"].argmax(1), obs["legal"].argmin(1))
        return Decision(moves)
'''
SEEDS = [episode_seed(0, Stream.EVALUATION, i) for i in range(30)]


@pytest.fixture
def task(tmp_path):
    path = tmp_path / "pooled_players.py"
    path.write_text(PLAYERS)

    def task(*names, env="CartPole-v1", num_rows=8, matches=2, games=5):
        contestants = tuple(Contestant(name, f"{path}:{name}") for name in names)
        seeds = [
            (SEEDS[k], SEEDS[k]) if len(names) == 2 else SEEDS[games * k : games * (k + 1)] for k in range(matches)
        ]
        blocks = [Match(0, names, tuple(seeds[k]), games * k, 1, {"k": k}) for k in range(matches)]
        return Task(tuple(blocks), Stand(env), contestants, 0, num_rows)

    return task


def play(task):
    stage = Stage()
    try:
        return list(stage.play(task))
    finally:
        stage.close()


def actions(matches):
    return [[game.actions.tolist() for game in played.games] for played in matches]


def test_matches_are_the_same_in_any_number_of_rows(task):
    many, one = play(task("Counts")), play(task("Counts", num_rows=1))
    assert many == one and actions(many) == actions(one)
    game = many[0].games[0]
    assert game.players == ("Counts",) and game.seed == SEEDS[0] and game.scores == ()
    assert game.length == len(game.actions) == game.returns[0] and game.actions[:4].tolist() == [0, 1, 0, 1]
    assert set(many[0].times) == {"wall_s", "Counts"} and 0 < many[0].times["Counts"] < many[0].times["wall_s"]
    assert many[0].protocol["seed"] == 0 and many[0].protocol["mode"] == "own"


def test_a_pooled_agent_that_fails_forfeits_from_the_same_game_on_in_any_number_of_rows(task):
    whole = {played.match.id: played for played in play(task("Counts"))}
    many, one = ({p.match.id: p for p in play(task("Tires", num_rows=rows))} for rows in (8, 1))
    assert many == one
    assert any(played.forfeits for played in many.values())
    for match_id, played in many.items():
        lengths = [game.length for game in whole[match_id].games]
        finished = next((k for k, length in enumerate(lengths) if length > 30), len(lengths))
        assert [game.length for game in played.games] == lengths[:finished]
        if finished < len(lengths):
            (forfeit,) = played.forfeits
            assert (forfeit.game, forfeit.agent, forfeit.type) == (finished, "Tires", ForfeitType.CRASH)
            assert "RuntimeError: too long for me" in forfeit.reason


def test_who_does_not_fit_is_told_and_who_cannot_be_built_forfeits(task):
    assert play(task("Refuses")) == [Unfit("Refuses", "not here")]
    assert list(Stage().unfit(task("Refuses"))) == [Unfit("Refuses", "not here")]
    assert list(Stage().unfit(task("Unborn"))) == []
    for played in play(task("Unborn")):
        assert isinstance(played, PlayedMatch) and played.games == ()
        assert [(forfeit.game, forfeit.type) for forfeit in played.forfeits] == [(0, ForfeitType.CRASH)]


def test_a_stage_plays_one_task_after_the_other(task):
    stage = Stage()
    first, other = task("Counts"), task("Counts", env="MountainCar-v0", matches=1, games=1)
    assert list(stage.play(first)) == list(stage.play(first)) == play(first)
    assert list(stage.play(other)) == play(other)
    stage.close()


def test_an_environment_that_fails_is_no_agents_fault(task, monkeypatch):
    from envs.gym_rows import GymRows

    monkeypatch.setattr(GymRows, "step", lambda self, actions: 1 / 0)
    with pytest.raises(BrokenPlugin, match=r"MountainCar-v0\.step\(\) failed"):
        play(task("Counts", env="MountainCar-v0"))


def test_the_players_of_a_pair_swap_seats_and_the_winner_has_the_point(task):
    pytest.importorskip("pyspiel", reason="needs the extra two-player")
    many, one = (play(task("First", "Last", env="tic_tac_toe", num_rows=rows)) for rows in (8, 1))
    assert many == one and actions(many) == actions(one)
    first, second = many[0].games
    assert (first.players, second.players) == (("First", "Last"), ("Last", "First"))
    # From the upper left, First fills the upper row while Last takes the lower one from the right.
    assert first.actions.tolist() == [0, 8, 1, 7, 2] and first.scores == (1.0, 0.0) and first.returns == (1.0, -1.0)
    assert second.actions.tolist() == [8, 0, 7, 1, 6] and second.scores == (1.0, 0.0)
    assert many[0].points == 1.0
    assert set(many[0].times) == {"wall_s", "First", "Last"}


def test_an_illegal_move_loses_its_game_only(task):
    pytest.importorskip("pyspiel", reason="needs the extra two-player")
    for played in play(task("Cheats", "First", env="tic_tac_toe")):
        fair, lost = played.games
        assert fair.players == ("Cheats", "First") and len(fair.actions) >= 5
        assert (lost.players, lost.scores) == (("First", "Cheats"), (1.0, 0.0))
        assert lost.actions.tolist() == [0]  # what was played before
        (forfeit,) = played.forfeits
        assert (forfeit.game, forfeit.agent) == (1, "Cheats")
