"""Layers one by one, then together."""

import numpy as np
import pytest

from arena import components
from arena.components.base import Watch
from arena.components.data import load


def images() -> np.ndarray:
    """[300, 64] float32: a sum of three fixed patterns each, so that six numbers can tell them."""
    rng = np.random.default_rng(0)
    return (rng.random((300, 3)) @ rng.random((3, 64)) / 3).astype(np.float32)


def stacked(**settings):
    small = {"hidden": (30, 6), "epochs": 3, "batch_size": 20, "noise": 0.1, "learning_rate": 0.01}
    return components.create("stacked-autoencoder", **small | settings)


def test_fine_tuning_starts_lower_after_pretraining():
    with_it, without = (stacked(pretraining_epochs=epochs).fit(images()).fine_tuning_ for epochs in (10, 0))
    assert len(with_it) == len(without) == 4  # before, and the three epochs
    assert with_it[0] < 0.5 * without[0]
    assert with_it[1] < without[1]


def test_the_decoder_has_no_kernels_of_its_own():
    component = stacked(pretraining_epochs=1).fit(images())
    shapes = {name: weights.shape for name, weights in component.weights_.items()}
    assert shapes == {
        "encoder_1/kernel": (64, 30),
        "encoder_1/bias": (30,),
        "encoder_2/kernel": (30, 6),
        "encoder_2/bias": (6,),
        "decoder_2/bias": (30,),
        "decoder_1/bias": (64,),
    }


def test_pretraining_changes_every_layer():
    component = stacked(pretraining_epochs=1)
    rows = component.fit_rows(images())
    model = component.build()
    before = {variable.path: variable.numpy() for variable in model.weights}
    component._pretrain(model, rows, Watch())
    assert all(not np.array_equal(before[variable.path], variable.numpy()) for variable in model.weights)


def test_progress_goes_from_the_first_layer_to_the_last_epoch():
    fractions: list[float] = []
    stacked(pretraining_epochs=1).fit(images(), watch=Watch(lambda fraction, text: fractions.append(fraction)))
    # one epoch of each layer has the share 1 / (1 + 3) of the fit, then come three epochs
    assert fractions == pytest.approx([0.125, 0.25, 0.5, 0.75, 1.0])


@pytest.mark.slow
def test_on_digits_too_fine_tuning_starts_lower_after_pretraining(real_data):
    few = load(real_data / "mnist", ("mnist",)).train.inputs[:2_000]
    with_it, without = (
        components.create("stacked-autoencoder", epochs=1, pretraining_epochs=epochs).fit(few).fine_tuning_
        for epochs in (4, 0)
    )
    assert with_it[0] < without[0]
    assert with_it[1] < without[1]
