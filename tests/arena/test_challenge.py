"""A person at the keyboard: SDL's dummy driver, its own events, and the real window in between."""

import numpy as np
import pytest

import envs
from arena import evaluation, policy
from arena.challenge import challenge, field_of, keys_of, standing
from arena.errors import ArenaError, DoesNotFit, InvalidValue
from arena.evaluation import Evaluation
from arena.functions import Linear
from arena.loop import Episode
from arena.person import Person
from arena.window import CLOSE, Window

LEFT = """
import numpy as np
from arena.agent import Decision, Player

class Left(Player):
    def act(self, obs, state):
        return Decision(np.zeros(len(obs), np.int64))
"""


@pytest.fixture
def left(tmp_path):
    path = tmp_path / "left.py"
    path.write_text(LEFT)
    return f"{path}:Left"


@pytest.fixture
def typed(monkeypatch):
    """Lets a script answer the pictures, and returns these: a list of what is pressed while each of them is shown.

    "+right" goes down, "-right" goes up, "right" does both, "close" is the window's. It is closed at the script's end,
    and when a picture has been shown for long.
    """
    import pygame

    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    monkeypatch.setattr("arena.person._DEAF", 0)
    monkeypatch.setattr("arena.person._IDLE_FPS", 1000.0)
    monkeypatch.setattr("arena.challenge.fps_of", lambda spec: 1000.0)
    show, wait = Window.show, Window.wait
    waits = 0

    def wait_not_forever(window, fps):
        nonlocal waits
        waits += 1
        return wait(window, fps) if waits < 50 else [CLOSE]

    def start(script):
        pictures: list[np.ndarray] = []
        answers = iter(script)

        def answer(window, rgb):
            nonlocal waits
            waits = 0
            show(window, rgb)
            pictures.append(rgb)
            for word in next(answers, "close").split():
                if word == "close":
                    pygame.event.post(pygame.event.Event(pygame.QUIT))
                    continue
                key = pygame.key.key_code(word.strip("+-"))
                if word[0] != "-":
                    pygame.event.post(pygame.event.Event(pygame.KEYDOWN, key=key))
                if word[0] != "+":
                    pygame.event.post(pygame.event.Event(pygame.KEYUP, key=key))

        monkeypatch.setattr(Window, "show", answer)
        monkeypatch.setattr(Window, "wait", wait_not_forever)
        return pictures

    return start


def game(number, ret):
    return Episode(number, 0, 0, ret, 1, False)


def played(*returns):
    scores = list(returns)
    return Evaluation("", "", {}, len(scores), scores, [], [], 0.0, 0.0, 0, 0.0)


def actions_of(env_id, num_steps):
    """Returns what the person did in a game that is cut after `num_steps`."""
    actions = []
    see = Person.see

    def watched(self, event):
        actions.append(event.transition.action[0].tolist())
        see(self, event)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Person, "see", watched)
        challenge(env_id, against=["random"], episodes=1, env_settings={"max_episode_steps": num_steps})
    return actions


def test_the_person_stands_among_agents_on_the_games_that_were_played():
    # Games 0 and 2 count. good has 5 and 9 there, both ahead of 4; even has 5 and 3, one of them.
    agents = {"bad": played(1, 100, 1), "even": played(5, 100, 3), "good": played(5, 0, 9)}
    places = standing([game(0, 4.0), game(2, 4.0)], agents).places
    assert [tuple(place) for place in places] == [
        (1, "good", 7.0, 2),
        (2, "you", 4.0, None),
        (2, "even", 4.0, 1),
        (4, "bad", 1.0, 0),
    ]


def test_the_person_plays_the_games_that_eval_reports(typed, left):
    # The cart is pushed left all the time, so the person's games are the agent's.
    typed(["space +left", *[""] * 200])
    standings = []
    result = challenge(
        "CartPole-v1",
        against=[left],
        episodes=1,
        seed=3,
        env_settings={"max_episode_steps": 8},
        on_game=standings.append,
    )
    expected = evaluation.evaluate(left, "CartPole-v1", episodes=1, seed=3, env_settings={"max_episode_steps": 8})
    assert [(g.seed, g.ret) for g in result.games] == list(zip(expected.seeds, expected.returns, strict=True))
    assert [place.rank for place in result.places] == [1, 1]
    assert standings == [result]


def test_a_tap_counts_once_and_what_is_held_counts_on(typed):
    # Six steps: no key is left, right, left, ...; right is tapped in the second, held from the fourth and let go.
    typed(["space", "", "right", "", "+right", "", "-right"])
    actions = actions_of("CartPole-v1", 6)
    assert actions == [0, 1, 0, 1, 1, 1]


def test_combinations_are_what_is_held(typed):
    typed(["space", "+up", "+right", "-up", "-right", ""])
    assert actions_of("ALE/MsPacman-v5", 5) == [1, 5, 2, 0, 0]  # up, up right, right, nothing


def test_w_a_s_d_play_too(typed):
    typed(["space", "+w", "-w +a", ""])
    assert actions_of("LunarLander-v3", 3) == [2, 1, 1]


def test_axes_are_pushed_in_the_units_of_the_environment(typed):
    typed(["space", "+left", "-left +right", "-right"])
    assert actions_of("Pendulum-v1", 3) == [[2.0], [-2.0], [0.0]]


def test_where_time_stands_still_every_key_is_a_step(typed):
    # Two keys at one picture are two steps; keys without a meaning are none.
    typed(["space", "f1 down up", "", "right", "left"])
    assert actions_of("CliffWalking-v1", 4) == [2, 0, 1, 3]


def test_the_keys_that_are_held_are_shown(typed):
    pictures = typed(["space", "+left", "", "-left", ""])
    challenge("CartPole-v1", against=["random"], episodes=1)
    before, held = pictures[1], pictures[2]
    amber = (255, 179, 71)
    assert not (before == amber).all(-1).any() and (held == amber).all(-1).any()


def test_a_pause_lasts_until_p_is_pressed_again(typed):
    pictures = typed(["space", "", "p", "p", "", ""])
    actions = actions_of("CartPole-v1", 4)
    assert len(actions) == 4
    assert pictures[3].mean() < pictures[2].mean() / 2  # dimmed while it is paused


def test_a_game_that_is_given_up_does_not_count(typed):
    # Game 0 is given up in its second step, game 1 is played out, and game 2 left.
    typed(["space", "", "r", "space", *[""] * 5, "space", "", "escape"])
    result = challenge("CartPole-v1", against=["random"], episodes=3, env_settings={"max_episode_steps": 5})
    assert [game.number for game in result.games] == [1]
    expected = evaluation.evaluate("random", "CartPole-v1", episodes=3, env_settings={"max_episode_steps": 5})
    assert {place.player: place.mean for place in result.places}["random"] == expected.returns[1]


@pytest.mark.parametrize("end", ["escape", "close"])
def test_whoever_leaves_keeps_what_was_played(typed, end):
    typed(["space", *[""] * 5, "space", end])
    result = challenge("CartPole-v1", against=["random"], episodes=3, env_settings={"max_episode_steps": 5})
    assert [game.number for game in result.games] == [0]


def test_leaving_before_the_first_game_is_no_mistake(typed):
    typed(["escape"])
    assert challenge("CartPole-v1", against=["random"], episodes=3).games == []


def test_r_after_a_game_does_not_take_it_back(typed):
    typed(["space", *[""] * 5, "r space", "escape"])
    result = challenge("CartPole-v1", against=["random"], episodes=2, env_settings={"max_episode_steps": 5})
    assert [game.number for game in result.games] == [0]


def test_no_key_is_held_when_the_keyboard_goes_to_another_window(typed, monkeypatch):
    import pygame

    pictures = typed(["space", "+right", "", "", ""])
    show = Window.show

    def lose(window, rgb):
        if len(pictures) == 3:
            pygame.event.post(pygame.event.Event(pygame.WINDOWFOCUSLOST))
        show(window, rgb)

    monkeypatch.setattr(Window, "show", lose)
    assert actions_of("CartPole-v1", 4) == [1, 1, 0, 1]


def test_agents_of_one_name_are_told_apart(typed, left, tmp_path):
    (tmp_path / "other.py").write_text(LEFT)
    other = left.replace("left.py", "other.py")
    typed(["escape"])
    places = challenge("CartPole-v1", against=[left, other, left, "random"], episodes=1).places
    assert [place.player for place in places] == ["you", left, other, "random"]


def test_whoever_names_no_agents_meets_the_zoo_and_random(monkeypatch):
    class Entry:
        ref = "zoo:dqn/CartPole-v1"

    monkeypatch.setattr("arena.zoo.entries", lambda env_id: [Entry()])
    assert field_of("CartPole-v1") == ["zoo:dqn/CartPole-v1", "random"]


def test_the_keys_are_known_without_a_window():
    assert [hint.sign for hint in keys_of("LunarLander-v3")] == ["←", "↑", "→", "no key"]
    with pytest.raises(DoesNotFit, match="Ant-v5 cannot be played by hand: it has 8 continuous actions"):
        keys_of("Ant-v5")


def test_what_cannot_be_is_refused(typed, tmp_path):
    with pytest.raises(InvalidValue, match="episodes must be a whole number of at least 1"):
        challenge("CartPole-v1", episodes=0)
    with pytest.raises(InvalidValue, match=r"speed must be a number above 0, not -1\.0"):
        challenge("CartPole-v1", speed=-1.0)
    function = Linear(np.ones((4, 2), np.float32), np.zeros(2, np.float32))
    card = policy.Card.of("linear", envs.make("CartPole-v1").spec, "greedy", {})
    path = policy.save(policy.Policy(function, card), tmp_path / "linear")
    with pytest.raises(DoesNotFit, match="was trained on CartPole-v1 and does not fit Acrobot-v1"):
        challenge("Acrobot-v1", against=[str(path)])


def test_without_a_display_nothing_is_played(monkeypatch):
    for name in ("SDL_VIDEODRIVER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr("arena.challenge.evaluate", lambda *_, **__: pytest.fail("an agent played"))
    with pytest.raises(ArenaError, match=r"no display .* on a desktop"):
        challenge("CartPole-v1", against=["random"])


def test_the_command_prints_where_the_person_stands(typed, left, arena):
    typed(["space +left", *[""] * 50])
    outcome = arena("play", "CartPole-v1", "--against", left, "--episodes", "1", "--env-set", "max_episode_steps=5")
    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        "game 1: 5 in 5 steps",
        "rank  player  mean  games  ahead of you",
        "   1  you     5.00      1",
        "   1  Left    5.00      1             0",
        "",
    ]


def test_the_command_tells_the_keys(arena):
    outcome = arena("play", "FrozenLake-v1", "--keys")
    assert outcome.code == 0
    assert outcome.out.startswith("key     action\n←       left\n")


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("CartPol-v1", "unknown environment 'CartPol-v1'; did you mean 'CartPole-v1'?"),
        ("CartPole-v1 --against rndom", "unknown agent 'rndom'; did you mean 'random'?"),
        ("CartPole-v1 --seat 1", "CartPole-v1 is no game for two: --seat means nothing there"),
        ("CartPole-v1 --mode greedy", "CartPole-v1 is no game for two: --mode means nothing there"),
        ("CartPole-v1 --speed 0", "speed must be a number above 0, not 0.0"),
        ("CartPole-v1 --episodes 0", "episodes must be a whole number of at least 1, not 0"),
        ("Ant-v5", "Ant-v5 cannot be played by hand: it has 8 continuous actions"),
        ("tic_tac_toe", "tic_tac_toe is a game for two: name one agent with --against REF"),
        ("tic_tac_toe --against random --against mcts", "name one agent with --against REF"),
        ("tic_tac_toe --against random --speed 2", "played in the terminal: --speed means nothing there"),
    ],
)
def test_a_mistake_is_one_line(arena, typed, command, line):
    outcome = arena("play", *command.split())
    assert outcome.code == 2 and outcome.out == ""
    assert line in outcome.err and outcome.err.count("\n") == 1
