"""The restricted Boltzmann machine as a component."""

from pathlib import Path

import numpy as np
import pytest

from arena import components
from arena.components import base, data, store
from arena.components.data import Dataset, Split
from arena.components.rbm import RBM
from arena.errors import DoesNotFit, InvalidValue


@pytest.fixture(scope="module")
def bars() -> np.ndarray:
    """60 images of 4 x 4, each with one column white."""
    images = np.zeros((60, 4, 4), np.uint8)
    images[np.arange(60), :, np.arange(60) % 4] = 255
    return images


@pytest.fixture(scope="module")
def fitted(bars: np.ndarray) -> RBM:
    return RBM(num_hidden=8, epochs=150, batch_size=10).fit(bars)


def test_it_reconstructs_what_it_was_fitted_on(fitted: RBM, bars: np.ndarray) -> None:
    assert fitted.transform(bars).shape == (60, 8)
    assert -fitted.score(bars) < 0.01  # the mean image has 3/16


def test_what_was_never_seen_has_a_higher_free_energy(fitted: RBM, bars: np.ndarray) -> None:
    assert fitted.free_energy(bars).max() < fitted.free_energy(bars.swapaxes(1, 2)).min()


def test_chains_that_start_at_noise_come_to_what_was_seen(fitted: RBM) -> None:
    noise = np.random.default_rng(0).random((20, 16)).astype(np.float32)
    samples = fitted.sample(noise, 200).reshape(-1, 4, 4)
    per_column = samples.std(axis=1)  # all pixels of a column are alike
    assert per_column.mean() < 0.1
    np.testing.assert_array_equal(samples.reshape(-1, 16), fitted.sample(noise, 200))


def test_persistent_chains_learn_too(bars: np.ndarray) -> None:
    fitted = RBM(num_hidden=8, epochs=100, batch_size=10, persistent=True).fit(bars)
    assert fitted.free_energy(bars).max() < fitted.free_energy(bars.swapaxes(1, 2)).min()


def test_the_metrics_are_of_the_test_part(fitted: RBM, bars: np.ndarray) -> None:
    metrics = fitted.evaluate(Dataset("bars", {"train": Split(bars), "test": Split(bars[:12])}))
    rows = bars[:12].reshape(12, 16) / np.float32(255)
    assert metrics["mse"] == pytest.approx(base.mean_squared_error(fitted.reconstruct(rows), rows))
    assert metrics["free_energy_gap"] == pytest.approx(0, abs=1e-4)  # the same images


def test_a_saved_one_sees_the_same(fitted: RBM, bars: np.ndarray, tmp_path: Path) -> None:
    loaded = components.load(components.save(fitted, tmp_path / "rbm"))
    np.testing.assert_allclose(loaded.transform(bars), fitted.transform(bars), atol=2e-3)


def test_pictures_show_codes_filters_and_chains(fitted: RBM, bars: np.ndarray) -> None:
    shown = fitted.pictures(Dataset("bars", {"train": Split(bars), "test": Split(bars)}))
    assert shown.keys() == {"reconstructions", "filters", "chains"}
    assert all(picture.dtype == np.uint8 and picture.shape[2] == 3 for picture in shown.values())


def test_there_are_no_pictures_of_what_is_no_image() -> None:
    rows = np.random.default_rng(0).random((20, 5)).astype(np.float32)
    assert (
        RBM(num_hidden=2, epochs=1).fit(rows).pictures(Dataset("x", {"train": Split(rows), "test": Split(rows)})) == {}
    )


@pytest.mark.slow
def test_the_keras_model_and_the_exported_one_compute_the_same(fitted: RBM, bars: np.ndarray) -> None:
    from ai_edge_litert.interpreter import Interpreter

    rows = bars.reshape(60, 16) / np.float32(255)
    outputs = fitted.model()(rows)
    np.testing.assert_allclose(outputs["codes"], fitted.transform(bars), atol=1e-5)
    runner = Interpreter(model_content=fitted.to_litert()).get_signature_runner()
    exported = runner(visible=rows)
    np.testing.assert_allclose(exported["codes"], fitted.transform(bars), atol=1e-5)
    np.testing.assert_allclose(exported["reconstructions"], fitted.reconstruct(bars), atol=1e-5)


def test_numbers_that_are_no_probabilities_are_refused() -> None:
    with pytest.raises(DoesNotFit, match="from 0 to 1; given -2 to 3"):
        RBM().fit(np.array([[-2.0, 3.0]]))


def test_wrong_shapes_settings_and_steps_are_named(fitted: RBM) -> None:
    with pytest.raises(InvalidValue, match=r"shape \[N, 4, 4\], given \[N, 3, 3\]"):
        fitted.transform(np.zeros((2, 3, 3)))
    with pytest.raises(InvalidValue, match="momentum"):
        RBM(momentum=1)
    with pytest.raises(InvalidValue, match="at least 1 step"):
        fitted.sample(np.zeros((1, 4, 4)), 0)
    with pytest.raises(InvalidValue, match="learned nothing"):
        RBM().transform(np.zeros((2, 4)))


def test_the_shipped_one_reconstructs_digits_it_never_saw(real_data: Path) -> None:
    if "rbm" not in store.pretrained():
        pytest.skip("rbm comes without weights")
    metrics = components.load("rbm").evaluate(data.load(real_data / "mnist", RBM.datasets))
    assert metrics["mse"] <= 0.025
