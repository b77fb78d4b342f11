"""The deep belief network as a component."""

from pathlib import Path

import numpy as np
import pytest

from arena import components
from arena.components import data, store
from arena.components.base import Watch
from arena.components.contrastive import Plan, train
from arena.components.data import Dataset, Split
from arena.components.dbn import DBN, standardised
from arena.errors import DoesNotFit, InvalidValue
from arena.seeding import generator

SMALL = {
    "hidden": (12, 8),
    "num_top": 10,
    "num_classes": 2,
    "batch_size": 20,
    "learning_rate": 0.02,
    "dropout": 0.1,
    "shift": 0,
}


@pytest.fixture(scope="module")
def bars() -> Split:
    """80 noisy images of 6 x 6 with a bar: across (class 0) or down (class 1)."""
    rng = np.random.default_rng(3)
    images = rng.integers(0, 60, (80, 6, 6))
    labels = np.arange(80) % 2
    for image, label, place in zip(images, labels, rng.integers(0, 6, 80), strict=True):
        image[(place, slice(None)) if label == 0 else (slice(None), place)] = 230
    return Split(images.astype(np.uint8), labels)


@pytest.fixture(scope="module")
def fitted(bars: Split) -> DBN:
    return DBN(**SMALL, pretraining_epochs=20, epochs=80).fit(bars.inputs, bars.labels)


def test_it_tells_the_classes_it_was_fitted_on(fitted: DBN, bars: Split) -> None:
    assert fitted.score(bars.inputs, bars.labels) > 0.9
    assert fitted.transform(bars.inputs).shape == (80, 8)


def test_probabilities_sum_to_one_and_the_highest_is_the_prediction(fitted: DBN, bars: Split) -> None:
    probabilities = fitted.predict_proba(bars.inputs)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), fitted.predict(bars.inputs))
    np.testing.assert_array_equal(fitted.outputs(bars.inputs), probabilities)


def test_brightness_and_contrast_make_no_difference_to_standardised_images(fitted: DBN, bars: Split) -> None:
    rows = bars.inputs.reshape(80, 36) / np.float32(255)
    # the variance is stretched by a little less than to 1, so contrast makes a small difference
    np.testing.assert_allclose(fitted.predict_proba(0.1 + 0.8 * rows), fitted.predict_proba(rows), atol=0.03)


def test_layers_start_as_the_machines_that_see_each_pixel_with_mean_0_and_variance_1(bars: Split) -> None:
    made = DBN(**SMALL, pretraining_epochs=3)
    made.take(made.begun(made.fit_rows(bars.inputs), Watch()))
    images = standardised(bars.inputs.reshape(80, 36) / np.float32(255))
    pixels = (images - images.mean(axis=0)) / images.std(axis=0)
    plan = Plan(12, 3, batch_size=200, learning_rate=0.005, momentum=0.9, weight_decay=1e-4, gaussian=True)
    machine = train(pixels, plan, generator(0, "dbn hidden_1"))
    first = DBN(**SMALL | {"hidden": (12,)})
    first.shape_, first.weights_ = made.shape_, made.weights_
    np.testing.assert_allclose(first.transform(bars.inputs), machine.hidden(pixels), atol=1e-3)
    assert np.ptp(first.transform(bars.inputs), axis=0).max() > 0.01


def test_pixels_are_probabilities_where_nothing_is_standardised(bars: Split) -> None:
    plain = DBN(**SMALL, standardise=False, pretraining_epochs=20, epochs=80).fit(bars.inputs, bars.labels)
    assert plain.score(bars.inputs, bars.labels) > 0.8


def test_the_metrics_are_of_both_test_parts(fitted: DBN, bars: Split) -> None:
    wrong = Split(bars.inputs, 1 - bars.labels)
    metrics = fitted.evaluate(Dataset("bars", {"train": bars, "test": bars, "public": wrong}))
    assert metrics["accuracy"] == pytest.approx(1 - metrics["accuracy_public"])
    right = fitted.predict_proba(bars.inputs)[np.arange(80), bars.labels]
    assert metrics["cross_entropy"] == pytest.approx(-np.log(right).mean(), rel=1e-4)


def test_a_saved_one_says_the_same(fitted: DBN, bars: Split, tmp_path: Path) -> None:
    loaded = components.load(components.save(fitted, tmp_path / "dbn"))
    np.testing.assert_allclose(loaded.outputs(bars.inputs), fitted.outputs(bars.inputs), atol=0.02)


def test_the_keras_model_computes_the_same(fitted: DBN, bars: Split) -> None:
    outputs = fitted.model()(bars.inputs.reshape(80, 36) / np.float32(255))
    np.testing.assert_allclose(outputs["codes"], fitted.transform(bars.inputs), atol=1e-4)
    odds = np.exp(np.asarray(outputs["logits"]))
    np.testing.assert_allclose(odds / odds.sum(axis=1, keepdims=True), fitted.predict_proba(bars.inputs), atol=1e-4)


@pytest.mark.slow
def test_the_exported_one_computes_the_same(fitted: DBN, bars: Split) -> None:
    from ai_edge_litert.interpreter import Interpreter

    runner = Interpreter(model_content=fitted.to_litert()).get_signature_runner()
    exported = runner(inputs=bars.inputs.reshape(80, 36) / np.float32(255))
    np.testing.assert_allclose(exported["codes"], fitted.transform(bars.inputs), atol=1e-4)


def test_pictures_show_the_confusion_and_some_images(fitted: DBN, bars: Split) -> None:
    shown = fitted.pictures(Dataset("bars", {"train": bars, "test": bars}, ("across", "down")))
    assert shown.keys() == {"confusion", "predictions"}
    assert all(picture.dtype == np.uint8 and picture.ndim == 3 for picture in shown.values())


def test_standardised_examples_have_mean_0_and_variance_1() -> None:
    # (0, 1): mean 1/2, variance 1/4; the floor of 0.0004 takes 0.08% of it.
    np.testing.assert_allclose(standardised(np.array([[0.0, 1.0], [0.5, 0.5]])), [[-1, 1], [0, 0]], atol=1e-3)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "give them with the examples"),
        (np.zeros(3, np.int64), r"one integer label; given \[3\]"),
        (np.zeros(80), "float64"),
        (np.arange(80), "labels must be 0 to 1, given 0 to 79: set num_classes"),
    ],
)
def test_labels_that_do_not_fit_are_named(bars: Split, labels: np.ndarray | None, message: str) -> None:
    with pytest.raises(DoesNotFit, match=message):
        DBN(**SMALL).fit(bars.inputs, labels)


@pytest.mark.parametrize("settings", [{"mirror": True}, {"mirror": False, "shift": 1}])
def test_only_images_can_be_moved(settings: dict[str, int]) -> None:
    with pytest.raises(DoesNotFit, match=r"not \[4\]: set mirror=false, shift=0"):
        DBN(**SMALL | settings).fit(np.zeros((4, 4)), np.zeros(4, np.int64))


def test_settings_out_of_range_are_named() -> None:
    with pytest.raises(InvalidValue, match="dropout"):
        DBN(dropout=1)


def test_the_shipped_one_tells_emotions_of_faces_it_never_saw(real_data: Path) -> None:
    if "dbn" not in store.pretrained():
        pytest.skip("dbn comes without weights")
    metrics = components.load("dbn").evaluate(data.load(real_data / "fer2013", DBN.datasets))
    assert min(metrics["accuracy"], metrics["accuracy_public"]) >= 0.45
