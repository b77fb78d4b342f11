"""Networks that remember: their steps by hand, and the same answers in sequences, in NumPy and in LiteRT."""

from __future__ import annotations

from collections.abc import Iterator

import gymnasium as gym
import numpy as np
import pytest

from agents.parts import cells
from agents.parts.networks import Network
from agents.parts.tensorflow import load
from arena.errors import UnknownName
from arena.policy import NEXT_STATE, LiteRTFunction

VECTOR = gym.spaces.Box(-1.0, 1.0, (4,), np.float32)
IMAGE = gym.spaces.Box(0, 255, (2, 44, 44), np.uint8)
HEADS = {"logits": 3, "value": 1}


@pytest.fixture(autouse=True)
def interpreted(request: pytest.FixtureRequest) -> Iterator[None]:
    """Runs sequences without compiling them, which takes seconds, but in tests with `compiled` in their name."""
    load().config.run_functions_eagerly("compiled" not in request.node.name)
    yield
    load().config.run_functions_eagerly(False)


KINDS = pytest.mark.parametrize("kind", ["lstm", "gru"])


def network_of(kind="lstm", space=VECTOR, **options) -> Network:
    """Returns a small network; its biases are no zeros, so that they are seen."""
    network = Network(space, HEADS, kind=kind, hidden=(6,), memory_size=5, seed=1, **options)
    rng = np.random.default_rng(7)
    network.set_weights([w + 0.1 * rng.normal(size=w.shape).astype(np.float32) for w in network.read()])
    return network


def sequence(length=6, rows=3, space=VECTOR, seed=0):
    rng = np.random.default_rng(seed)
    if space.dtype == np.uint8:
        return rng.integers(0, 256, (length, rows, *space.shape), np.uint8)
    return rng.normal(size=(length, rows, *space.shape)).astype(np.float32)


def played(network, obs, begins=None, state=None):
    """Returns the heads of a sequence and the state after it, acted step by step."""
    state = network.initial_state(obs.shape[1]) if state is None else state
    answers = []
    for t in range(len(obs)):
        if begins is not None:
            state = np.where(begins[t][:, None], 0.0, state).astype(np.float32)
        heads, state = network.step(obs[t], state)
        answers.append(heads)
    return {name: np.stack([heads[name] for heads in answers]) for name in HEADS}, state


def assert_close(found, expected):
    assert set(found) == set(expected)
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-4, atol=1e-5)


def test_an_lstm_step_by_hand():
    # One unit: x = 1, h = .5, c = 2; a gate is squashed kernel + bias + h * recurrent.
    kernel, bias = np.float32([[0.0, -1.0, 1.0, 2.0]]), np.float32([0.5, 0.0, 0.0, -1.0])
    recurrent = np.float32([[1.0, 0.0, -2.0, 4.0]])
    # input .5 + .5 = 1 -> .731059; forget -1 -> .268941; candidate 1 - 1 = 0 -> 0; output 2 - 1 + 2 = 3 -> .952574
    # c = .268941 * 2 + .731059 * 0 = .537883; h = .952574 * tanh(.537883) = .952574 * .491384 = .468079
    expected = [[0.468079, 0.537883]]
    before = np.float32([[0.5, 2.0]])
    np.testing.assert_allclose(cells.LSTM(kernel, bias, recurrent)(np.float32([[1.0]]), before), expected, rtol=1e-5)
    np.testing.assert_allclose(cells.lstm_step(kernel + bias, before, recurrent), expected, rtol=1e-5)


def test_a_gru_step_by_hand():
    # One unit: x = 1, h = .5.
    kernel, bias = np.float32([[1.0, -1.0, 0.5]]), np.float32([0.0, 0.0, 0.5])
    recurrent, recurrent_bias = np.float32([[2.0, 0.0, 3.0]]), np.float32([-1.0, 1.0, 0.5])
    # update 1 + 1 - 1 = 1 -> .731059; reset -1 + 0 + 1 = 0 -> .5
    # candidate tanh(1 + .5 * (1.5 + .5)) = tanh(2) = .964028
    # h = .731059 * .5 + .268941 * .964028 = .365529 + .259267 = .624796
    before = np.float32([[0.5]])
    numpy_cell = cells.GRU(kernel, bias, recurrent, recurrent_bias)
    np.testing.assert_allclose(numpy_cell(np.float32([[1.0]]), before), [[0.624796]], rtol=1e-5)
    stepped = cells.gru_step(kernel + bias, before, recurrent, recurrent_bias)
    np.testing.assert_allclose(stepped, [[0.624796]], rtol=1e-5)


@KINDS
def test_cells_are_those_of_keras(kind):
    load()
    import keras

    cell = cells.new_cell(kind, 5, "glorot_uniform", seed=3)
    x, state = sequence(1)[0], np.random.default_rng(2).normal(size=(3, 5 * cells.CELLS[kind])).astype(np.float32)
    cell(x, state)
    theirs = {"lstm": keras.layers.LSTMCell, "gru": keras.layers.GRUCell}[kind](5)
    theirs.build((3, 4))
    rng = np.random.default_rng(4)
    for variable in cell.weights:
        variable.assign(rng.normal(size=variable.shape))
    kernel, bias, recurrent, *rest = (variable.numpy() for variable in cell.weights)
    theirs.set_weights([kernel, recurrent, np.stack([bias, *rest]) if rest else bias])
    expected = np.concatenate(theirs(x, np.split(state, cells.CELLS[kind], -1))[1], -1)
    np.testing.assert_allclose(cell(x, state), expected, rtol=1e-5, atol=1e-6)


@KINDS
@pytest.mark.parametrize("shared", [True, False])
def test_acting_learning_and_litert_agree(kind, shared):
    network, obs = network_of(kind, shared=shared), sequence()
    acted, after = played(network, obs)
    heads, states = network.unroll(obs, network.initial_state(3), np.zeros((6, 3), bool))
    assert_close({name: value.numpy() for name, value in heads.items()}, acted)
    np.testing.assert_allclose(states[-1], after, rtol=1e-4, atol=1e-5)
    function = LiteRTFunction(network.to_litert(list(HEADS)))
    assert function.state_size == network.state_size == after.shape[1]
    state = network.initial_state(3)
    for t in range(6):
        answer = function(obs[t], state)
        state = answer[NEXT_STATE]
        assert_close({name: answer[name] for name in HEADS}, {name: acted[name][t] for name in HEADS})


def test_a_compiled_sequence_has_the_same_answers_and_gradients():
    tf = load()
    network, obs = network_of(), sequence(4, 2)
    begins = np.zeros((4, 2), bool)
    begins[2, 0] = True

    def gradients():
        with tf.GradientTape() as tape:
            heads, _ = network.unroll(tf.constant(obs), tf.zeros((2, network.state_size)), tf.constant(begins))
            loss = tf.reduce_mean(tf.square(heads["value"])) + tf.reduce_mean(heads["logits"])
        return [loss, *tape.gradient(loss, network.trainable_variables)]

    compiled = [array.numpy() for array in tf.function(gradients, jit_compile=True)()]
    tf.config.run_functions_eagerly(True)
    for one, other in zip(compiled, gradients(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)


def test_images_go_through_the_convolutions_and_then_the_cell():
    network, obs = network_of(space=IMAGE), sequence(3, 2, IMAGE)
    assert (network.kind, network.memory, network.state_size) == ("cnn-2015", "lstm", 10)
    acted, _ = played(network, obs)
    heads, _ = network.unroll(obs, network.initial_state(2), np.zeros((3, 2), bool))
    assert_close({name: value.numpy() for name, value in heads.items()}, acted)


def test_a_cnn_with_memory_may_act_in_litert():
    fast, slow = (network_of(space=IMAGE, acts_in_litert=choice) for choice in (True, False))
    obs = sequence(3, 2, IMAGE)
    assert_close(played(fast, obs)[0], played(slow, obs)[0])


@KINDS
def test_a_sequence_with_a_boundary_is_worth_two_sequences(kind):
    network, obs = network_of(kind), sequence(6, 2)
    begins = np.zeros((6, 2), bool)
    begins[4, 0] = True  # row 0 begins an episode at step 4, row 1 goes on
    whole, states = network.unroll(obs, network.initial_state(2), begins)
    before, _ = network.unroll(obs[:4], network.initial_state(2), np.zeros((4, 2), bool))
    behind, later = network.unroll(obs[4:], network.initial_state(2), np.zeros((2, 2), bool))
    for name in HEADS:
        np.testing.assert_allclose(whole[name][:4], before[name], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(whole[name][4:, 0], behind[name][:, 0], rtol=1e-5, atol=1e-6)
        assert np.abs(whole[name][4:, 1] - behind[name][:, 1]).max() > 1e-3
    np.testing.assert_allclose(states[4:, 0], later[:, 0], rtol=1e-5, atol=1e-6)
    assert_close({name: value.numpy() for name, value in whole.items()}, played(network, obs, begins)[0])


def test_no_gradient_flows_back_over_a_boundary():
    tf = load()
    network = network_of()
    obs = tf.constant(sequence(4, 2))
    begins = np.zeros((4, 2), bool)
    begins[2, 0] = True
    with tf.GradientTape() as tape:
        tape.watch(obs)
        heads, _ = network.unroll(obs, network.initial_state(2), begins)
        last = tf.reduce_sum(heads["value"][3])
    reach = np.abs(tape.gradient(last, obs).numpy()).sum(-1) > 0  # [T, N]
    np.testing.assert_array_equal(reach, [[False, True], [False, True], [True, True], [True, True]])


@KINDS
def test_the_state_carries_over_from_one_sequence_to_the_next(kind):
    network, obs = network_of(kind), sequence()
    none = np.zeros((3, 3), bool)
    first, states = network.unroll(obs[:3], network.initial_state(3), none)
    second, _ = network.unroll(obs[3:], states[-1], none)
    whole, _ = network.unroll(obs, network.initial_state(3), np.zeros((6, 3), bool))
    for name in HEADS:
        np.testing.assert_allclose(np.concatenate([first[name], second[name]]), whole[name], rtol=1e-5, atol=1e-6)


@KINDS
def test_rows_remember_apart_from_each_other_to_the_bit(kind):
    network = network_of(kind, shared=False)
    obs = sequence(4, 33)
    function = LiteRTFunction(network.to_litert(["logits"]))
    alone = LiteRTFunction(network.to_litert(["logits"]))
    state = np.zeros((33, function.state_size), np.float32)
    states = [state[row : row + 1] for row in range(33)]
    for t in range(4):
        answer = function(obs[t], state)
        state = answer[NEXT_STATE]
        for row in range(33):
            one = alone(obs[t, row : row + 1], states[row])
            states[row] = one[NEXT_STATE]
            np.testing.assert_array_equal(one["logits"][0], answer["logits"][row])
            np.testing.assert_array_equal(one[NEXT_STATE][0], state[row])


@KINDS
def test_a_file_takes_the_state_of_what_its_heads_need(kind):
    network = network_of(kind, shared=False)
    one_cell = 5 * cells.CELLS[kind]
    assert network.state_size == 2 * one_cell
    function = LiteRTFunction(network.to_litert(["value"]))
    obs = sequence(3)
    acted, _ = played(network, obs)
    state = np.zeros((3, one_cell), np.float32)
    for t in range(3):
        answer = function(obs[t], state)
        assert set(answer) == {"value", NEXT_STATE}
        np.testing.assert_allclose(answer["value"], acted["value"][t], rtol=1e-4, atol=1e-5)
        state = answer[NEXT_STATE]


@KINDS
def test_a_second_file_has_the_weights_of_its_time_without_a_conversion(kind, monkeypatch):
    network, obs = network_of(kind), sequence(1)[0]
    network.to_litert(["logits"])
    monkeypatch.setattr(network, "_convert", lambda *_: pytest.fail("converted again"))
    rng = np.random.default_rng(1)
    network.set_weights([rng.uniform(0.1, 0.3, size=w.shape).astype(np.float32) for w in network.read()])
    state = rng.normal(size=(3, network.state_size)).astype(np.float32)
    answer = LiteRTFunction(network.to_litert(["logits"]))(obs, state)
    np.testing.assert_allclose(answer["logits"], network.step(obs, state)[0]["logits"], rtol=1e-4)


def test_the_forget_gate_begins_open_and_the_seed_fixes_the_weights():
    one, same, other = (Network(VECTOR, HEADS, kind="lstm", memory_size=3, seed=seed) for seed in (1, 1, 2))
    (bias,) = (array for name, array in one.weights().items() if array.shape == (12,))
    np.testing.assert_array_equal(bias, [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0])
    for a, b in zip(one.read(), same.read(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert any(not np.array_equal(a, b) for a, b in zip(one.read(), other.read(), strict=True))


def test_a_span_opens_each_gate_for_as_long_as_its_unit_is_to_remember():
    # A unit that keeps a share sigmoid(b) of its state remembers for 1 / (1 - sigmoid(b)) = 1 + exp(b) steps; with
    # b = log(u) and u from 1 to 99, that is from 2 to 100.
    entry, forget, *others = cells.first_bias("lstm", 500, 100, 0).reshape(4, 500)
    steps = 1 + np.exp(forget)
    assert (steps.min() < 4, steps.max() > 98) == (True, True)
    assert np.all((steps >= 2) & (steps <= 100))
    np.testing.assert_array_equal(entry, -forget)
    assert not np.any(others)
    update, *others = cells.first_bias("gru", 500, 100, 0).reshape(3, 500)
    np.testing.assert_array_equal(update, forget)
    assert not np.any(others)
    assert not np.any(cells.first_bias("gru", 5, 0, 0))


def test_without_memory_a_step_leaves_the_state_as_it_is():
    network, obs = Network(VECTOR, HEADS), sequence(1)[0]
    assert network.initial_state(3) == ()
    heads, state = network.step(obs, ())
    assert state == ()
    np.testing.assert_array_equal(heads["logits"], network.act(obs)["logits"])


def test_an_unknown_memory_is_told_what_there_is():
    with pytest.raises(UnknownName, match="did you mean 'lstm'"):
        Network(VECTOR, HEADS, kind="lstn")
