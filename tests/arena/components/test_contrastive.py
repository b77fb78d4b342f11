"""Restricted Boltzmann machines: their arithmetic by hand, and that training finds what is there."""

import itertools

import numpy as np
import pytest

from arena.components.contrastive import Machine, Plan, batches, logit, sigmoid, train


def generator() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture
def small() -> Machine:
    """Two visible and one hidden unit."""
    return Machine(
        np.array([[np.log(3.0)], [0.0]], np.float32), np.array([0.0, np.log(2.0)], np.float32), np.zeros(1, np.float32)
    )


def test_hidden_units_are_on_with_the_sigmoid_of_what_reaches_them(small: Machine) -> None:
    # v = (1, 0) gives log 3, whose sigmoid is 3/4; v = (0, 1) gives 0.
    np.testing.assert_allclose(small.hidden(np.eye(2, dtype=np.float32)), [[0.75], [0.5]], rtol=1e-6)


def test_visible_units_see_the_same_weights_and_their_own_bias(small: Machine) -> None:
    # h = 1: log 3 and log 2, so 3/4 and 2/3; h = 0: 1/2 and 2/3.
    np.testing.assert_allclose(small.visible(np.array([[1.0], [0.0]])), [[0.75, 2 / 3], [0.5, 2 / 3]], rtol=1e-6)


def test_gaussian_visible_units_have_means_of_any_size(small: Machine) -> None:
    gaussian = Machine(small.kernel, small.visible_bias, small.hidden_bias, gaussian=True)
    np.testing.assert_allclose(gaussian.visible(np.array([[2.0]])), [[np.log(9), np.log(2)]], rtol=1e-6)


@pytest.mark.parametrize("gaussian", [False, True])
def test_free_energy_sums_over_the_hidden_units(gaussian: bool) -> None:
    rng = generator()
    kernel, b, c = rng.normal(size=(3, 4)), rng.normal(size=3), rng.normal(size=4)
    v = np.array([1.0, 0.0, 1.0])
    energies = [
        (0.5 * np.sum((v - b) ** 2) if gaussian else -b @ v) - v @ kernel @ h - c @ h
        for h in (np.array(bits) for bits in itertools.product([0.0, 1.0], repeat=4))
    ]
    expected = -np.log(np.sum(np.exp(-np.array(energies))))
    assert Machine(kernel, b, c, gaussian).free_energy(v[None])[0] == pytest.approx(expected)


def test_a_walk_from_certain_units_goes_where_the_weights_lead() -> None:
    sure = Machine(np.full((2, 1), 100.0, np.float32), np.full(2, -50.0, np.float32), np.full(1, -50.0, np.float32))
    visible, hidden = sure.walk(np.array([[1.0], [0.0]], np.float32), 5, generator())
    assert visible.tolist() == [[1, 1], [0, 0]]
    assert hidden.tolist() == [[1], [0]]


@pytest.mark.parametrize(
    "plan",
    [
        Plan(4, epochs=60, batch_size=10),
        Plan(4, epochs=60, batch_size=10, num_steps=3, momentum=0.9, learning_rate=0.05),
        Plan(4, epochs=60, batch_size=10, persistent=True),
    ],
    ids=["cd-1", "cd-3", "persistent"],
)
def test_training_prefers_what_it_saw(plan: Plan) -> None:
    seen = np.array([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]], np.float32)
    others = np.array([[1, 0, 1, 0, 1, 0], [0, 1, 0, 0, 1, 1]], np.float32)
    machine = train(seen.repeat(50, axis=0), plan, generator())
    assert machine.free_energy(seen).max() < machine.free_energy(others).min() - 1
    assert np.abs(machine.visible(machine.hidden(seen)) - seen).max() < 0.2


def test_training_of_gaussian_units_finds_the_two_means() -> None:
    rng = generator()
    signs = rng.choice([-1.0, 1.0], size=(200, 1))
    rows = (signs * np.array([1.0, -1.0, 1.0]) + 0.1 * rng.normal(size=(200, 3))).astype(np.float32)
    machine = train(rows, Plan(3, epochs=100, batch_size=20, learning_rate=0.02, gaussian=True), rng)
    assert np.square(machine.visible(machine.hidden(rows)) - rows).mean() < 0.1  # 1 where nothing is learned


def test_training_tells_of_each_epoch_and_repeats_itself() -> None:
    rows = generator().random((30, 5)).astype(np.float32)
    told: list[int] = []
    first, second = (
        train(rows, Plan(2, epochs=3), generator(), lambda epoch, machine, error: told.append(epoch)) for _ in range(2)
    )
    assert told == [1, 2, 3, 1, 2, 3]
    np.testing.assert_array_equal(first.kernel, second.kernel)


def test_weight_decay_makes_smaller_weights() -> None:
    rows = (generator().random((100, 8)) < 0.5).astype(np.float32)
    free, held = (train(rows, Plan(5, 30, weight_decay=decay, batch_size=20), generator()) for decay in (0.0, 0.1))
    assert np.linalg.norm(held.kernel) < np.linalg.norm(free.kernel)


def test_batches_hold_every_number_once() -> None:
    found = list(batches(7, 3, generator()))
    assert [len(batch) for batch in found] == [3, 3, 1]
    assert sorted(np.concatenate(found)) == list(range(7))


def test_no_number_overflows_the_sigmoid() -> None:
    np.testing.assert_allclose(sigmoid(np.array([-1e4, 0, 1e4], np.float32)), [0, 0.5, 1])


def test_biases_of_units_that_are_never_or_always_on_stay_finite() -> None:
    # log(0.99 / 0.01) = log 99
    np.testing.assert_allclose(logit(np.array([0.0, 0.5, 1.0])), [-np.log(99), 0, np.log(99)])
