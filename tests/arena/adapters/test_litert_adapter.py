"""LiteRT files of any making play where their shapes say how; where they do not, one line says what they are."""

import json

import ai_edge_litert.interpreter as litert
import gymnasium as gym
import numpy as np
import pytest

from agents.parts import tensorflow
from arena import policy, registry
from arena.adapters.layout import axes_between
from arena.adapters.litert import player_class
from arena.agent import Spec
from arena.errors import ArenaError, DamagedFile, DoesNotFit
from envs import make

CARTPOLE = make("CartPole-v1").spec
PENDULUM = make("Pendulum-v1").spec
WEIGHTS = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    """Returns a function that converts a TensorFlow function of tensors of these (shape, type)s to a file."""
    tf = tensorflow.load()

    def convert(function, *inputs):
        specs = [tf.TensorSpec(shape, dtype) for shape, dtype in inputs]
        concrete = tf.function(function).get_concrete_function(*specs)
        content = tf.lite.TFLiteConverter.from_concrete_functions([concrete]).convert()
        path = tmp_path_factory.mktemp("converted") / "model.tflite"
        path.write_bytes(content)
        return path

    return convert


def acted(path, spec, obs):
    return player_class(path)(spec, seed=0).act(obs, ()).action


def observations(number=6):
    return make("CartPole-v1", number).reset(np.arange(number), np.arange(number))


def test_the_largest_of_the_values_is_chosen(foreign_model, litert_policy):
    own = policy.load(litert_policy)
    action = acted(foreign_model, CARTPOLE, observations())
    np.testing.assert_array_equal(action, own.act(observations(), ()).action)
    assert action.dtype == np.int64


@pytest.mark.parametrize("shape", [(1, 4), (4,), (None, 4)])
def test_the_batch_may_be_one_or_open_or_missing(converted, shape):
    tf = tensorflow.load()
    path = converted(lambda obs: tf.reshape(obs, (1, 4)) @ WEIGHTS, (shape, "float32"))
    expected = (observations() @ WEIGHTS).argmax(-1)
    np.testing.assert_array_equal(acted(path, CARTPOLE, observations()), expected)


def test_one_whole_number_is_the_action(converted):
    tf = tensorflow.load()
    path = converted(lambda obs: tf.argmax(obs @ WEIGHTS, axis=1), ((1, 4), "float32"))
    np.testing.assert_array_equal(acted(path, CARTPOLE, observations()), (observations() @ WEIGHTS).argmax(-1))


def test_a_value_beside_the_action_values_is_left_alone(converted):
    tf = tensorflow.load()
    path = converted(lambda obs: (obs @ WEIGHTS, tf.reduce_sum(obs, axis=1, keepdims=True)), ((1, 4), "float32"))
    np.testing.assert_array_equal(acted(path, CARTPOLE, observations()), (observations() @ WEIGHTS).argmax(-1))


def test_continuous_actions_are_taken_in_the_environments_units_and_clipped(converted):
    path = converted(lambda obs: obs[:, :1] * 3.0, ((1, 3), "float32"))
    action = acted(path, PENDULUM, np.array([[0.5, 0, 0], [1, 0, 0], [-1, 0, 0]], np.float32))
    assert action.tolist() == [[1.5], [2.0], [-2.0]]  # Pendulum's torque is within [-2, 2]


def test_an_image_may_have_its_channels_last(converted):
    tf = tensorflow.load()
    path = converted(lambda obs: tf.reduce_sum(tf.cast(obs, tf.float32), axis=(1, 2)), ((1, 6, 6, 4), "uint8"))
    spec = Spec("image", gym.spaces.Box(0, 255, (4, 6, 6), np.uint8), gym.spaces.Discrete(4))
    obs = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 6), np.uint8)
    np.testing.assert_array_equal(acted(path, spec, obs), obs.sum((2, 3)).argmax(-1))


def test_a_quantized_input_gets_quantized_observations(monkeypatch, foreign_model):
    class Quantized:
        """Two inputs' worth of int8 with scale 0.5 and zero point 3; the values are what went in, once more."""

        def __init__(self, **keywords):
            pass

        def tensor(self, shape):
            return {"index": 0, "shape": np.array(shape), "shape_signature": np.array(shape), "dtype": np.int8} | {
                "quantization": (0.5, 3)
            }

        def get_input_details(self):
            return [self.tensor((1, 2))]

        get_output_details = get_input_details

        def allocate_tensors(self):
            pass

        def set_tensor(self, index, value):
            given.append(value)

        invoke = allocate_tensors

        def get_tensor(self, index):
            return given[-1]

    given: list[np.ndarray] = []
    monkeypatch.setattr(litert, "Interpreter", Quantized)
    box = gym.spaces.Box(-100, 100, (2,), np.float32)
    action = acted(foreign_model, Spec("box", box, box), np.array([[1.0, 90.0]], np.float32))
    assert given[0].tolist() == [[5, 127]]  # 1 / 0.5 + 3; 90 / 0.5 + 3 is more than int8 holds
    assert action.tolist() == [[1.0, 62.0]]  # (5 - 3) / 2, (127 - 3) / 2


@pytest.mark.parametrize(
    ("inputs", "function", "spec", "line"),
    [
        (
            [((1, 4), "float32")],
            lambda obs: obs,
            CARTPOLE,
            r"model\.tflite does not fit CartPole-v1: it gives \(1, 4\) float32, of which none can be the 2 numbers of "
            r"Discrete\(2\); write a Player that runs it",
        ),
        ([((1, 4), "float32")], lambda obs: (obs[:, :2], obs[:, 2:]), CARTPOLE, "of which more than one can be the 2"),
        ([((1, 3), "float32")], lambda obs: obs, CARTPOLE, r"it takes \(1, 3\) float32, an observation is \(4,\)"),
        (
            [((1, 4), "float32")] * 2,
            lambda a, b: a + b,
            CARTPOLE,
            r"takes \(1, 4\) float32 and \(1, 4\) float32, the",
        ),
        (
            [((1, 4), "int32")],
            lambda obs: obs[:, :2],
            CARTPOLE,
            r"takes \(1, 4\) int32, observations are float32: how",
        ),
        ([((1, 3), "float32")], lambda obs: obs, PENDULUM, "of which none can be the 1 numbers of Box"),
    ],
)
def test_what_its_shapes_leave_open_is_one_line(converted, inputs, function, spec, line):
    path = converted(function, *inputs)
    with pytest.raises(DoesNotFit, match=line):
        player_class(path)(spec, seed=0)


def test_bytes_are_not_taken_for_floats(converted):
    path = converted(lambda obs: obs[:, :2], ((1, 4), "float32"))
    spec = Spec("bytes", gym.spaces.Box(0, 255, (4,), np.uint8), gym.spaces.Discrete(2))
    with pytest.raises(DoesNotFit, match="observations are uint8: how to turn them into one another is not in"):
        player_class(path)(spec, seed=0)


def test_a_damaged_file_is_one_line_before_native_code_sees_it(tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(b"\x1c\x00\x00\x00TFL3" + bytes(100))
    with pytest.raises(DamagedFile, match="is not a LiteRT model, or is damaged"):
        registry.locate(str(path))


def test_it_is_named_but_not_read_by_native_code_in_this_process(foreign_model):
    reference = registry.resolve(str(foreign_model))
    assert (reference.name, reference.isolated.kind, reference.isolated.is_ours) == ("model", "LiteRT file", False)
    with pytest.raises(ArenaError, match="is a LiteRT file, which plays in a process of its own only"):
        reference.player(CARTPOLE, seed=0)
    assert registry.resolve_isolated(str(foreign_model)).player(CARTPOLE, seed=0).path == foreign_model


def test_it_plays_in_a_process_of_its_own_as_its_twin_with_a_card_does_here(foreign_model, litert_policy, arena):
    results = []
    for path in (foreign_model, litert_policy):
        outcome = arena("eval", path, "--env", "CartPole-v1", "--episodes", 3, "--json")
        assert outcome.code == 0, outcome.err
        results.append(json.loads(outcome.out))
    foreign, own = results
    assert (foreign["agent"], foreign["protocol"]["mode"], foreign["returns"]) == ("model", "own", own["returns"])


def test_a_file_that_does_not_fit_is_one_line_at_the_command_line(foreign_model, arena):
    outcome = arena("eval", foreign_model, "--env", "Pendulum-v1")
    assert outcome.code == 2
    assert (
        "arena: model.tflite does not fit Pendulum-v1: it takes (-1, 4) float32, an observation is (3,)" in outcome.err
    )
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    ("ours", "theirs", "axes"),
    [
        ((4, 84, 84), (4, 84, 84), (0, 1, 2)),
        ((4, 84, 84), (84, 84, 4), (1, 2, 0)),
        ((84, 84, 3), (3, 84, 84), (2, 0, 1)),
        ((4, 84, 84), (-1, -1, 4), (1, 2, 0)),
        ((3, 5), (5, 3), None),
        ((4,), (1, 4), None),
        ((), (), ()),
    ],
)
def test_the_order_of_axes_is_told_from_two_shapes(ours, theirs, axes):
    assert axes_between(ours, theirs) == axes
