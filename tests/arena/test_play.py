import contextlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pyspiel", reason="needs the extra 'two-player'")

from arena import policy
from arena.errors import ArenaError, DoesNotFit, InvalidValue
from arena.functions import Linear
from arena.gamelog import Game
from arena.play import Table, play
from envs import make

MINIMAX = "agents.minimax:Minimax"


class Script(Table):
    """Types what it was given and remembers what it was shown."""

    def __init__(self, *typed: str) -> None:
        self._typed = iter(typed)
        self.lines: list[str] = []
        self.thoughts: list[str] = []
        super().__init__(self._next, self.lines.append, self.lines.append, self._think)

    def _next(self, prompt: str) -> str:
        with contextlib.suppress(StopIteration):
            return next(self._typed)
        raise EOFError

    @contextlib.contextmanager
    def _think(self, text: str) -> Iterator[None]:
        self.thoughts.append(text)
        yield


def test_a_game_is_played_to_its_end():
    # Minimax takes the first of equal moves: from seat 0 the corner 0,0; 2,2 lets it fork with 0,2.
    script = Script("2,2", "0,1", "1,2")
    episode = play("tic_tac_toe", MINIMAX, seat=1, table=script)
    assert episode is not None and episode.returns == (1.0, -1.0)
    assert script.lines[0] == "tic_tac_toe against Minimax; Minimax begins."
    assert script.lines[1] == "Minimax plays 0,0"
    assert script.lines[2].split("\n")[1] == "0 x . ."
    assert script.lines[3] == "Type row,column; ? lists the legal moves, q leaves."
    assert "Minimax plays 0,2" in script.lines
    assert script.lines[-1] == f"You lose after {episode.length} moves."
    assert script.thoughts == ["Minimax thinks"] * 4


def test_the_last_position_is_shown():
    script = Script("2,2", "0,1", "1,2")
    play("tic_tac_toe", MINIMAX, seat=1, table=script)
    board = script.lines[-2]
    assert board.count("x") == 4 and board.count("o") == 3


def test_a_win_is_told():
    # mcts with two descents a move hardly looks: four in column 1 while it plays elsewhere, or the script ends.
    script = Script(*["1", "1", "1", "1"])
    episode = play("connect_four", "random", seed=2, table=script)
    assert episode is not None and episode.returns == (1.0, -1.0)
    assert script.lines[-1] == "You win after 7 moves."


def test_the_seed_repeats_the_game():
    first, second, other = Script("4", "4"), Script("4", "4"), Script("4", "4")
    settings = {"opening_plies": 4}
    play("connect_four", "random", seed=1, env_settings=settings, table=first)
    play("connect_four", "random", seed=1, env_settings=settings, table=second)
    play("connect_four", "random", seed=2, env_settings=settings, table=other)
    assert first.lines == second.lines != other.lines
    assert first.lines[0] == "connect_four against random; 4 moves were drawn at random."


def test_it_says_who_begins():
    # White begins at chess, and is OpenSpiel's seat 1.
    script = Script("e4", "q")
    play("chess", "random", seat=1, table=script)
    assert script.lines[0] == "chess against random; you begin."


def test_a_game_that_ends_before_the_person_moves_is_told_too():
    # After four random moves x, minimax, is to move; with some seed it wins at once.
    for seed in range(50):
        script = Script()
        episode = play("tic_tac_toe", MINIMAX, seat=1, seed=seed, env_settings={"opening_plies": 4}, table=script)
        if episode is not None:
            assert episode.length == 1 and script.lines[-1] == "You lose after 1 move."
            return
    pytest.fail("no opening that is won at once")


@pytest.mark.parametrize("word", ["q", " Q ", "quit", "exit"])
def test_a_word_leaves_the_game(word):
    script = Script(word)
    assert play("tic_tac_toe", "random", table=script) is None
    assert script.lines[-1] == "You left the game."


def test_the_end_of_the_input_leaves_the_game():
    script = Script("0,0")
    assert play("tic_tac_toe", "random", table=script) is None
    assert script.lines[-1] == "You left the game."


@pytest.mark.parametrize("place", ["ask", "thinking"])
def test_an_interrupt_leaves_the_game(place, monkeypatch):
    def interrupt(text: str) -> str:
        raise KeyboardInterrupt

    script = Script("0,0")
    monkeypatch.setattr(script, place, interrupt)
    assert play("tic_tac_toe", "random", table=script) is None
    assert script.lines[-1] == "You left the game."


def test_legal_moves_are_listed_on_request_and_mistakes_explained():
    script = Script("?", "", "5", "hello", "1")
    play("connect_four", "random", env_settings={"rows": 4, "columns": 4}, table=script)
    help_line = "Type a column's number; ? lists the legal moves, q leaves."
    asked = script.lines.index(help_line)
    assert script.lines[asked + 1 : asked + 5] == [
        "1  2  3  4",
        help_line,
        "'5' is not a legal move; legal: 1, 2, 3, 4",
        "'hello' is not a legal move; legal: 1, 2, 3, 4",
    ]
    assert script.lines[asked + 5].startswith("random plays ")


def test_settings_reach_the_agent():
    script = Script("q")
    assert play("connect_four", MINIMAX, settings={"max_depth": 2}, table=script) is None
    with pytest.raises(DoesNotFit, match="set max_depth"):
        play("connect_four", MINIMAX, table=Script())
    with pytest.raises(ArenaError, match="max_dept"):
        play("connect_four", MINIMAX, settings={"max_dept": 2}, table=Script())


def test_the_game_is_saved_only_when_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    moves = ("2,2", "0,1", "1,2")
    play("tic_tac_toe", MINIMAX, seat=1, table=Script(*moves))
    assert not list(tmp_path.iterdir())
    script = Script(*moves)
    episode = play("tic_tac_toe", MINIMAX, seat=1, save=tmp_path / "game.npz", table=script)
    game = Game.load(tmp_path / "game.npz")
    assert episode is not None and game.length == episode.length == len(game.actions)
    assert game.agent == "Minimax, you" and game.env_id == "tic_tac_toe"
    assert script.lines[-1].startswith("Saved as ")


def test_a_saved_policy_takes_no_settings(tmp_path: Path):
    spec = make("CartPole-v1").spec
    function = Linear(np.ones((4, 2), np.float32), np.zeros(2, np.float32))
    path = policy.save(policy.Policy(function, policy.Card.of("linear", spec, "greedy", {})), tmp_path / "linear")
    with pytest.raises(InvalidValue, match="is a saved policy and has no settings"):
        play("tic_tac_toe", str(path), settings={"depth": 1})
    with pytest.raises(DoesNotFit):
        play("tic_tac_toe", str(path))


def test_what_cannot_be_is_refused_before_the_game(tmp_path: Path):
    with pytest.raises(InvalidValue, match="the seat is 0 or 1, not 2"):
        play("tic_tac_toe", "random", seat=2)
    with pytest.raises(InvalidValue, match=r"there is no folder .*nowhere"):
        play("tic_tac_toe", "random", save=tmp_path / "nowhere" / "game.npz")
    with pytest.raises(DoesNotFit, match=r"arena play plays OpenSpiel's .*games .* not CartPole-v1"):
        play("CartPole-v1", "random")


def test_the_command_plays_in_the_terminal(arena, monkeypatch):
    typed = iter(["1", "q"])
    monkeypatch.setattr("builtins.input", lambda prompt: next(typed))
    outcome = arena("play", "connect_four", "--against", "random", "--env-set", "rows=4", "--env-set", "columns=5")
    assert outcome.code == 0
    assert " 1 2 3 4 5\n" in outcome.out and "random plays" in outcome.out
    assert outcome.out.endswith("You left the game.\n")


def test_the_command_names_a_wrong_setting(arena):
    outcome = arena("play", "tic_tac_toe", "--against", "agents.mcts:MCTS", "--set", "simulation=4")
    assert outcome.code == 2 and "did you mean 'simulations'?" in outcome.err
