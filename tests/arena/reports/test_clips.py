"""Films in the page."""

import base64
import re
from pathlib import Path

import pytest

import envs
from agents.random_agent import RandomAgent
from arena.gamelog import GameLog
from arena.loop import run
from arena.reports.choice import Chosen
from arena.reports.clips import clips
from arena.tournaments.records import PlayedGame, PlayedMatch
from arena.tournaments.result import load


@pytest.fixture
def play(made):
    """Plays a game of CartPole with random actions, for a match of one game."""

    def one(match):
        env = envs.make("CartPole-v1", 1)
        log = GameLog("random", "CartPole-v1")
        (game,) = [
            game
            for event in run(env, RandomAgent(env.spec, seed=0), lambda _: match.seeds[0], num_episodes=1)
            for game in log.add(event)
        ]
        env.close()
        played = PlayedGame(match.players, game.seed, (game.ret,), (), game.length, False, game.actions, game.digest)
        return PlayedMatch(match, (played,), (), {"preprocessing": "none"}, {"wall_s": 1.0})

    return one


@pytest.fixture
def chosen(made, play) -> Chosen:
    folder = made.folder("league", ["random"], play, envs=["CartPole-v1"], episodes=1)
    return Chosen(load(folder).matches[0], 0, "The best game", "It falls.")


@pytest.fixture
def folder(made, chosen) -> Path:
    return made.root / "league"


def film_of(clip) -> bytes:
    return base64.b64decode(clip.video.removeprefix("data:video/mp4;base64,"), validate=True)


def test_a_film_is_embedded_and_kept(chosen, folder):
    (clip,) = clips([chosen], folder)
    (path,) = (folder / "videos" / "report").iterdir()
    assert film_of(clip) == path.read_bytes()
    assert b"avc1" in film_of(clip)
    assert (clip.title, clip.text, clip.reason) == ("The best game", "It falls.", "")
    path.write_bytes(b"kept")
    assert film_of(clips([chosen], folder)[0]) == b"kept"


def test_a_long_game_is_shown_from_near_its_end(chosen, folder, monkeypatch):
    monkeypatch.setattr("arena.reports.clips._MOST_FRAMES", 5)
    (clip,) = clips([chosen], folder)
    # Five frames are four steps: a game of T steps has T + 1 pictures.
    assert clip.text == "It falls. The film shows its last 4 steps."
    assert clip.video


@pytest.mark.parametrize(
    ("limit", "value", "reason"),
    [
        ("_MOST_STEPS", 3, "There is no film: the game has .* steps, and more than 3 take too long for a report"),
        ("_MOST_CLIPS", 0, "The page holds 0 films at most; arena record DIR --match [0-9a-f]{16} films it."),
    ],
)
def test_what_is_left_out_says_why(chosen, folder, monkeypatch, limit, value, reason):
    monkeypatch.setattr(f"arena.reports.clips.{limit}", value)
    (clip,) = clips([chosen], folder)
    assert clip.video == ""
    assert re.fullmatch(reason, clip.reason)


def test_films_that_would_make_the_page_too_large_are_left_out(chosen, folder):
    (clip,) = clips([chosen], folder, most_bytes=10)
    assert clip.video == ""
    assert clip.reason.startswith("The film would make the page too large; arena record")


def test_a_game_that_comes_out_otherwise_has_no_film(made, play):
    def other(match):
        played = play(match)
        (game,) = played.games
        lost = PlayedGame(game.players, game.seed + 1, *list(vars(game).values())[2:])
        return PlayedMatch(match, (lost,), (), played.protocol, played.times)

    folder = made.folder("league", ["random"], other, envs=["CartPole-v1"], episodes=1)
    (clip,) = clips([Chosen(load(folder).matches[0], 0, "The best game", "")], folder)
    assert clip.reason.startswith("There is no film: game 0 of random")
    assert not list((folder / "videos" / "report").glob("*"))


def test_progress_is_told(chosen, folder):
    told = []
    clips([chosen, chosen], folder, on_progress=lambda *progress: told.append(progress))
    assert told == [(0, 2), (1, 2)]
