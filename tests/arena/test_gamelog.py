"""What is kept of games: the actions of each row's own episode, and nothing of the others'."""

import numpy as np
import pytest

from arena.agent import NO_EXTRAS, Transition
from arena.errors import DamagedFile
from arena.gamelog import Game, GameLog
from arena.loop import Episode, Event, RowStart


def event(actions, episodes, finished=(), extras=NO_EXTRAS):
    """Returns a step of all rows; a row with episode -1 idles."""
    rows = len(actions)
    nothing, no = np.zeros((rows, 1)), np.zeros(rows, bool)
    transition = Transition(nothing, np.asarray(actions), np.zeros(rows), no, no, nothing, extras)
    live = np.asarray(episodes) >= 0
    ended = tuple(Episode(episodes[row], 100 + episodes[row], row, 1.0, length, False) for row, length in finished)
    return Event(0, transition, live, np.asarray(episodes), ended, 0)


def test_each_game_has_the_actions_of_its_own_row_and_episode():
    log = GameLog("agent", "Env-v0")
    assert log.add(event([1, 5], [0, 1])) == []
    (first,) = log.add(event([2, 6], [0, 1], finished=[(0, 2)]))
    second, third = log.add(event([3, 7], [2, 1], finished=[(0, 1), (1, 3)]))
    assert (first.episode, first.seed, first.actions.tolist()) == (0, 100, [1, 2])
    assert (second.episode, second.actions.tolist()) == (2, [3])
    assert (third.episode, third.actions.tolist()) == (1, [5, 6, 7])


def test_rows_that_idle_are_no_games_and_keep_nothing_alive():
    log = GameLog("agent", "Env-v0")
    log.add(event([1, 5], [0, 1], finished=[(0, 1)]))
    for _ in range(10):
        assert log.add(event([0, 6], [-1, 1])) == []
    (game,) = log.add(event([0, 7], [-1, 1], finished=[(1, 12)]))
    assert game.actions.tolist() == [5] + [6] * 10 + [7]
    assert log._actions == []


def test_unwanted_episodes_are_not_kept():
    log = GameLog("agent", "Env-v0", wants=lambda episode: episode == 2)
    log.add(event([1, 5], [0, 1]))
    assert log._actions == []
    assert log.add(event([2, 6], [0, 1], finished=[(0, 2)])) == []
    log.add(event([3, 7], [2, 1], finished=[(1, 3)]))
    (game,) = log.add(event([4, 8], [2, 3], finished=[(0, 2)]))
    assert (game.episode, game.actions.tolist()) == (2, [3, 4])


def test_actions_are_copied_so_a_player_may_reuse_its_array():
    log, actions = GameLog("agent", "Env-v0"), np.array([1])
    log.add(event(actions, [0]))
    actions[0] = 2
    (game,) = log.add(event(actions, [0], finished=[(0, 2)]))
    assert game.actions.tolist() == [1, 2]


def test_only_what_a_viewer_shows_is_kept_of_the_extras_and_only_when_asked():
    extras = {"q": np.array([[1.0, 2.0]]), "value": np.array([3.0])}
    (plain,) = GameLog("agent", "Env-v0").add(event([1], [0], [(0, 1)], extras))
    (shown,) = GameLog("agent", "Env-v0", with_extras=True).add(event([1], [0], [(0, 1)], extras))
    assert plain.extras == {}
    assert list(shown.extras) == ["q"]
    assert shown.extras["q"].dtype == np.float32
    assert shown.extras["q"].tolist() == [[1.0, 2.0]]


def test_a_resumed_episode_begins_with_the_actions_from_before():
    starts = [RowStart(7, 107, np.array([8, 9]), ""), None]
    log = GameLog("agent", "Env-v0", with_extras=True, starts=starts)
    extras = {"q": np.ones((2, 2))}
    resumed, other = log.add(event([1, 2], [7, 8], [(0, 3), (1, 1)], extras))
    assert (resumed.actions.tolist(), dict(resumed.extras)) == ([8, 9, 1], {})
    assert (other.actions.tolist(), list(other.extras)) == ([2], ["q"])
    (following,) = log.add(event([3, 4], [9, 10], [(0, 1)], extras))
    assert (following.actions.tolist(), list(following.extras)) == ([3], ["q"])


def some_game():
    actions, probs = np.array([[0.5], [-1.0]], np.float32), np.ones((2, 3), np.float32)
    about = {"preprocess": "none", "env_settings": {"g": 9.8}, "protocol": {"cap": 200}, "seed": 5, "episode": 3}
    return Game(
        "ppo", "Pendulum-v1", **about, actions=actions, extras={"probs": probs}, ret=-7.25, length=2, truncated=True
    )


def test_a_saved_game_is_loaded_as_it_was(tmp_path):
    game = some_game()
    loaded = Game.load(game.save(tmp_path / "game.npz"))
    assert loaded.summary() == game.summary()
    assert loaded.actions.dtype == np.float32
    np.testing.assert_array_equal(loaded.actions, game.actions)
    np.testing.assert_array_equal(loaded.extras["probs"], game.extras["probs"])
    assert [path.name for path in tmp_path.iterdir()] == ["game.npz"]


@pytest.mark.parametrize("keep", [0, 10, 200])
def test_a_damaged_game_is_said_to_be_so_in_one_line(tmp_path, keep):
    path = some_game().save(tmp_path / "game.npz")
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DamagedFile, match=r"game\.npz is not a game") as caught:
        Game.load(path)
    assert "\n" not in str(caught.value)


def test_a_foreign_npz_is_no_game(tmp_path):
    np.savez(tmp_path / "other.npz", x=np.zeros(3))
    with pytest.raises(DamagedFile, match="is not a game"):
        Game.load(tmp_path / "other.npz")


def test_a_game_of_two_keeps_names_and_returns_by_seat(tmp_path):
    log = GameLog("a - b", "game", players=lambda episode: ("a", "b") if episode % 2 == 0 else ("b", "a"))
    ended = (Episode(1, 101, 0, -1.0, 1, False, (-1.0, 1.0)),)
    obs, yes = {"observation": np.zeros((1, 2), np.float32), "seat": np.zeros(1, np.int64)}, np.array([True])
    transition = Transition(obs, np.array([3]), np.array([[-1.0, 1.0]]), yes, ~yes, obs, NO_EXTRAS)
    (game,) = log.add(Event(1, transition, yes, np.array([1]), ended, 2))
    assert (game.players, game.returns, game.ret) == (("b", "a"), (-1.0, 1.0), -1.0)
    loaded = Game.load(game.save(tmp_path / "game.npz"))
    assert (loaded.players, loaded.returns) == (game.players, game.returns)
    assert loaded.summary()["players"] == ["b", "a"]


def test_values_that_only_one_of_two_players_tells_are_kept_with_gaps():
    log = GameLog("a - b", "game", players=lambda episode: ("a", "b"), with_extras=True)
    no = np.array([False])
    for step, extras in enumerate(({}, {"q": np.ones((1, 2))})):
        ended = (Episode(0, 100, 0, 0.0, 2, False, (0.0, 0.0)),) if step else ()
        transition = Transition({"seat": no}, np.array([step]), np.zeros((1, 2)), no, no, {}, extras)
        games = log.add(Event(step + 1, transition, ~no, np.array([0]), ended, 1))
    assert np.isnan(games[0].extras["q"][0]).all()
    assert games[0].extras["q"][1].tolist() == [1.0, 1.0]
