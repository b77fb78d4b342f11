import gymnasium as gym
import numpy as np
import pytest

from arena.agent import Spec
from arena.errors import DoesNotFit
from arena.keymap import keymap_of

SPACE = gym.spaces.Box(-1.0, 1.0, (4,))


def keymap(env_id: str, actions: int | gym.Space):
    space = gym.spaces.Discrete(actions) if isinstance(actions, int) else actions
    return keymap_of(Spec(env_id, SPACE, space))


def box(*bounds: tuple[float, float]) -> gym.spaces.Box:
    low, high = np.array(bounds, np.float32).T
    return gym.spaces.Box(low, high)


def chosen(env_id: str, actions: int | gym.Space, keys: str, step: int = 0):
    action = keymap(env_id, actions).choose(keys.split(), step)
    return None if action is None else action.tolist()


@pytest.mark.parametrize(
    ("env_id", "num_actions", "keys", "action"),
    [
        ("MountainCar-v0", 3, "", 1),
        ("MountainCar-v0", 3, "right", 2),
        ("Acrobot-v1", 3, "left", 0),
        ("Acrobot-v1", 3, "", 1),
        ("LunarLander-v3", 4, "up", 2),
        ("LunarLander-v3", 4, "left", 1),
        ("FrozenLake8x8-v1", 4, "up", 3),
        ("CliffWalking-v1", 4, "up", 0),
        ("Taxi-v4", 6, "up", 1),
        ("Taxi-v4", 6, "space", 4),
        ("Taxi-v4", 6, "return", 5),
        ("Blackjack-v1", 2, "h", 1),
        ("CarRacing-v3", 5, "left", 2),
        ("ALE/Pong-v5", 6, "", 0),
        ("ALE/Pong-v5", 6, "up", 2),  # ALE calls it right; the paddle goes up
        ("ALE/Pong-v5", 6, "down space", 5),
        ("ALE/Breakout-v5", 4, "space", 1),
        ("ALE/MsPacman-v5", 9, "up", 1),
        ("ALE/MsPacman-v5", 9, "up right", 5),
        ("ALE/Seaquest-v5", 18, "down left space", 17),
        ("mine:Custom-v0", 10, "7", 7),
    ],
)
def test_keys_stand_for_actions(env_id, num_actions, keys, action):
    assert chosen(env_id, num_actions, keys) == [action]


def test_of_two_opposite_keys_the_newer_one_counts():
    assert chosen("ALE/MsPacman-v5", 9, "left right") == [2]
    assert chosen("ALE/MsPacman-v5", 9, "right left") == [3]
    assert chosen("ALE/MsPacman-v5", 9, "right up left") == [6]  # up left
    assert chosen("Pendulum-v1", box((-2, 2)), "left right") == [[-2.0]]


def test_keys_that_no_action_has_together_take_turns():
    assert [chosen("LunarLander-v3", 4, "left up", step)[0] for step in range(4)] == [1, 2, 1, 2]


def test_a_cart_with_no_key_held_is_pushed_left_and_right_in_turn():
    assert [chosen("CartPole-v1", 2, "", step)[0] for step in range(3)] == [0, 1, 0]
    assert [chosen("CartPole-v1", 2, "right", step)[0] for step in range(3)] == [1, 1, 1]


@pytest.mark.parametrize(
    ("env_id", "num_actions"), [("FrozenLake-v1", 4), ("Taxi-v4", 6), ("Blackjack-v1", 2), ("mine:Custom-v0", 3)]
)
def test_time_stands_still_where_doing_nothing_is_no_action(env_id, num_actions):
    keys = keymap(env_id, num_actions)
    assert keys.waits and keys.choose(["f1"], 0) is None
    assert not keymap("CartPole-v1", 2).waits and not keymap("ALE/Pong-v5", 6).waits


def test_where_time_stands_still_the_newest_key_counts():
    assert chosen("FrozenLake-v1", 4, "up right") == [2]
    assert chosen("FrozenLake-v1", 4, "right up", 1) == [3]
    assert chosen("FrozenLake-v1", 4, "right f1") is None
    assert chosen("ALE/VideoCheckers-v5", 5, "up right") == [1]  # which has diagonals only
    assert chosen("ALE/VideoCheckers-v5", 5, "up") is None


@pytest.mark.parametrize(
    ("env_id", "space", "keys", "action"),
    [
        ("Pendulum-v1", box((-2, 2)), "left", [2.0]),  # a positive torque turns counterclockwise
        ("Pendulum-v1", box((-2, 2)), "", [0.0]),
        ("MountainCarContinuous-v0", box((-1, 1)), "left", [-1.0]),
        ("LunarLanderContinuous-v3", box((-1, 1), (-1, 1)), "up right", [1.0, 1.0]),
        ("LunarLander-v3", box((-1, 1), (-1, 1)), "left", [0.0, -1.0]),
        ("CarRacing-v3", box((-1, 1), (0, 1), (0, 1)), "left up", [-1.0, 1.0, 0.0]),
        ("BipedalWalker-v3", box(*[(-1, 1)] * 4), "right s", [1.0, 0.0, 0.0, -1.0]),
        ("mine:Valve-v0", box((2, 6)), "", [2.0]),  # zero is out of its range
        ("mine:Valve-v0", box((2, 6)), "left", [2.0]),
    ],
)
def test_keys_push_continuous_actions(env_id, space, keys, action):
    assert chosen(env_id, space, keys) == [action]


def test_the_brake_does_not_lock_the_wheels():
    assert chosen("CarRacing-v3", box((-1, 1), (0, 1), (0, 1)), "down")[0][2] == pytest.approx(0.8)


def test_w_a_s_d_are_arrows_unless_they_have_a_meaning_themselves():
    assert [keymap("ALE/MsPacman-v5", 9).key(key) for key in "wasd"] == ["up", "left", "down", "right"]
    assert keymap("BipedalWalker-v3", box(*[(-1, 1)] * 4)).key("a") == "a"
    assert keymap("Blackjack-v1", 2).key("s") == "s"


def test_the_number_pad_has_numbers_too():
    assert keymap("mine:Custom-v0", 3).key("[2]") == "2"


def test_the_legend_tells_what_each_key_does():
    pong = [(hint.sign, hint.meaning) for hint in keymap("ALE/Pong-v5", 6).legend]
    assert pong == [
        ("space", "fire"),
        ("↑", "up"),
        ("↓", "down"),
        ("together", "both at once"),
        ("no key", "noop"),
    ]
    checkers = [(hint.sign, hint.meaning) for hint in keymap("ALE/VideoCheckers-v5", 5).legend]
    assert checkers[1] == ("↑ + →", "up right") and checkers[-1] == ("no key", "waits for you")
    cart = keymap("CartPole-v1", 2).legend[-1]
    assert (cart.sign, cart.meaning) == ("no key", "left and right in turn")


@pytest.mark.parametrize(
    ("space", "why"),
    [
        (box(*[(-1, 1)] * 8), "it has 8 continuous actions, and the keys steer 4 at most"),
        (gym.spaces.Discrete(13), "it has 13 actions, and there are 10 number keys"),
        (gym.spaces.MultiBinary(3), r"it has actions MultiBinary\(3\)"),
    ],
)
def test_what_hands_cannot_play_is_refused_with_the_number_of_its_actions(space, why):
    with pytest.raises(DoesNotFit, match=f"mine:Big-v0 cannot be played by hand: {why}; `arena watch`"):
        keymap("mine:Big-v0", space)
