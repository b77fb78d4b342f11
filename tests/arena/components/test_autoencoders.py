"""Autoencoders: what all five promise, and what each is for."""

import numpy as np
import pytest

from arena import components
from arena.components import activations, base, pictures, store
from arena.components.data import Dataset, Split, load
from arena.errors import InvalidValue

SMALL = {
    "autoencoder": {"num_hidden": 20},
    "sparse-autoencoder": {"num_hidden": 20},
    "denoising-autoencoder": {"num_hidden": 20},
    "convolutional-autoencoder": {"filters": (4, 3)},
    "stacked-autoencoder": {"hidden": (20, 6), "pretraining_epochs": 1},
}
NAMES = list(SMALL)


def squares(num: int, side: int = 10) -> np.ndarray:
    """[N, 10, 10] uint8: a white square of 4x4 somewhere on black."""
    rng = np.random.default_rng(0)
    images = np.zeros((num, side, side), np.uint8)
    for image, (x, y) in zip(images, rng.integers(0, side - 4, (num, 2)), strict=True):
        image[y : y + 4, x : x + 4] = 255
    return images


IMAGES = squares(50)
SET = Dataset("squares", {"train": Split(IMAGES), "test": Split(squares(20))})


def fitted(name: str, **settings) -> components.base.Component:
    return components.create(name, **SMALL[name] | {"epochs": 2, "batch_size": 16} | settings).fit(IMAGES)


@pytest.fixture(scope="module")
def all_fitted() -> dict[str, base.Component]:
    return {name: fitted(name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_numpy_and_keras_give_the_same_codes_and_reconstructions(name, all_fitted):
    component = all_fitted[name]
    model = component.model()
    answers = model(component.rows(IMAGES).reshape(-1, *model.inputs[0].shape[1:]))
    assert component.transform(IMAGES) == pytest.approx(answers["codes"].numpy(), abs=1e-5)
    assert component.reconstruct(IMAGES) == pytest.approx(answers["reconstructions"].numpy().reshape(50, 100), abs=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_loaded_is_what_was_saved(name, all_fitted, tmp_path):
    path = components.save(all_fitted[name], tmp_path / name)
    loaded = components.load(path)
    assert loaded.settings == all_fitted[name].settings
    assert loaded.transform(IMAGES) == pytest.approx(all_fitted[name].transform(IMAGES), abs=0.01)  # stored in 16 bits


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_weights(name, all_fitted):
    again = fitted(name)
    for key, weights in all_fitted[name].weights_.items():
        assert np.array_equal(weights, again.weights_[key])


def test_another_seed_gives_other_weights(all_fitted):
    other = fitted("autoencoder", seed=1)
    assert not np.array_equal(all_fitted["autoencoder"].weights_["encoder/kernel"], other.weights_["encoder/kernel"])


@pytest.mark.parametrize("name", NAMES)
def test_values_must_be_from_0_to_1(name):
    with pytest.raises(InvalidValue, match=f"{name} takes values from 0 to 1, given 0 to 255"):
        components.create(name).fit(IMAGES.astype(np.float32))


@pytest.mark.parametrize("name", NAMES)
def test_images_of_another_size_are_refused(name, all_fitted):
    with pytest.raises(InvalidValue, match=rf"{name} takes inputs of shape \[N, 10, 10\], given \[N, 9, 10\]"):
        all_fitted[name].transform(IMAGES[:, 1:])


@pytest.mark.parametrize("name", NAMES)
def test_the_metrics_are_those_of_the_test_part(name, all_fitted):
    component = all_fitted[name]
    metrics = component.evaluate(SET)
    test = component.rows(SET.test.inputs)
    assert metrics["mse"] == pytest.approx(np.mean((component.reconstruct(test) - test) ** 2))
    assert ("mse_clean" in metrics) == (name not in ("autoencoder", "sparse-autoencoder"))
    assert component.evaluate(SET) == metrics  # also where there is noise


@pytest.mark.parametrize("name", ["autoencoder", "denoising-autoencoder", "convolutional-autoencoder"])
def test_pictures_stand_above_what_becomes_of_them(name, all_fitted):
    picture = all_fitted[name].pictures(SET)["reconstructions"]
    rows = 2 if name == "autoencoder" else 3  # with the noisy ones
    assert picture.shape == (rows * 21 - 1, 16 * 21 - 1, 3)  # twice 10 pixels and a line between
    assert picture[:20, :20].max() == 255  # the first row is the clean ones
    assert picture[:20, :20].reshape(20, 20, 3)[::2, ::2, 0] == pytest.approx(SET.test.inputs[0])


def test_a_unit_is_shown_by_its_weights():
    # kernel [D, K]: one unit, of weights -2, 0, 1, 2 on 2 x 2 pixels; its greatest is 2
    picture = pictures.filters(np.array([[-2.0], [0.0], [1.0], [2.0]]), (2, 2))
    assert picture[:4:2, :4:2, 0].tolist() == [[0, 128], [191, 255]]  # drawn twice as large


def test_examples_that_are_no_images_have_no_pictures():
    rows = np.random.default_rng(0).random((30, 7))
    component = components.create("autoencoder", num_hidden=3, epochs=1).fit(rows)
    assert component.pictures(Dataset("rows", {"train": Split(rows), "test": Split(rows)})) == {}


def test_an_autoencoder_learns():
    few, many = (fitted("autoencoder", epochs=epochs).evaluate(SET)["mse"] for epochs in (1, 60))
    assert many < 0.3 * few


def test_the_penalty_is_the_divergence_summed_over_hidden_units():
    component = components.create("sparse-autoencoder", activation=0.25, penalty=2.0)
    outputs = {"codes": np.float32([[0.25, 0.4], [0.25, 0.6]]), "reconstructions": np.float32([[1.0], [0.0]])}
    told = {name: float(value) for name, value in component.objective(np.float32([[0.0], [0.0]]), outputs).items()}
    # the first unit is on target; the second one's mean is 1/2: 1/4 log(1/2) + 3/4 log(3/2) = 0.130812
    assert told["mse"] == pytest.approx(0.5)
    assert told["loss"] == pytest.approx(0.5 + 2 * 0.130812, abs=1e-5)
    assert told["mean_activation"] == pytest.approx((0.25 + 0.5) / 2)


def test_a_strong_penalty_brings_activations_to_their_target():
    settings = {"activation": 0.1, "epochs": 60, "learning_rate": 0.02}
    strong, none = (fitted("sparse-autoencoder", penalty=penalty, **settings).evaluate(SET) for penalty in (0.1, 0.0))
    assert strong["mean_activation"] == pytest.approx(0.1, rel=0.25)
    assert none["mean_activation"] > 0.2
    assert strong["target_activation"] == 0.1


@pytest.mark.parametrize("corruption", ["gaussian", "masking"])
def test_a_denoiser_takes_noise_away(corruption):
    settings = {"num_hidden": 60, "corruption": corruption, "epochs": 200, "learning_rate": 0.01}
    metrics = fitted("denoising-autoencoder", **settings).evaluate(SET)
    assert metrics["mse_clean"] < 0.7 * metrics["mse_noisy"]


def test_the_logistic_function_does_not_overflow():
    assert activations.sigmoid(np.float32([-1000, 0, 1000])) == pytest.approx([0, 0.5, 1])


FIGURES = {
    "autoencoder": ("mse", 0.005),
    "sparse-autoencoder": ("mse", 0.006),
    "denoising-autoencoder": ("mse_clean", 0.012),
    "convolutional-autoencoder": ("mse_clean", 0.015),
    "stacked-autoencoder": ("mse_clean", 0.015),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(FIGURES) & set(store.pretrained())))
def test_the_pretrained_one_reaches_its_figure(name, real_data):
    metric, most = FIGURES[name]
    assert components.load(name).evaluate(load(real_data / "mnist", ("mnist",)))[metric] <= most


@pytest.mark.slow
def test_the_convolutional_one_takes_more_noise_away_than_the_dense_one(real_data):
    mnist = load(real_data / "mnist", ("mnist",))
    convolutional, dense = (
        components.load(name).evaluate(mnist) for name in ("convolutional-autoencoder", "denoising-autoencoder-half")
    )
    assert convolutional["mse_noisy"] == pytest.approx(dense["mse_noisy"], rel=0.01)
    assert convolutional["mse_clean"] < dense["mse_clean"]
