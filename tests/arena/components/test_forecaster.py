"""Forecasts: windows, errors and baselines by hand, and the component."""

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from arena import components
from arena.components import data, forecasts, store
from arena.components.data import Dataset, Split
from arena.components.forecaster import Forecaster
from arena.errors import InvalidValue


@pytest.fixture(scope="module")
def waves() -> np.ndarray:
    """[300, 2]: a sine and a cosine of 20 steps, one around 100 and ten times as high."""
    angle = 2 * np.pi * np.arange(300) / 20
    return np.stack([np.sin(angle), 100 + 10 * np.cos(angle)], 1)


@pytest.fixture(scope="module")
def fitted(waves: np.ndarray) -> Forecaster:
    settings = {"num_past": 10, "num_future": 5, "num_units": 12, "l2": 1e-5, "learning_rate": 0.02, "batch_size": 32}
    return Forecaster(epochs=25, **settings).fit(waves)


def test_windows_follow_one_another_step_by_step() -> None:
    past, future = forecasts.windows(np.arange(6.0)[:, None], 3, 2)
    assert past[..., 0].tolist() == [[0, 1, 2], [1, 2, 3]]
    assert future[..., 0].tolist() == [[3, 4], [4, 5]]
    with pytest.raises(InvalidValue, match=r"signals of 4 steps are too short: 3 \+ 2 are needed"):
        forecasts.windows(np.zeros((4, 1)), 3, 2)


def test_the_baselines_and_their_errors_by_hand() -> None:
    past, future = np.array([[[1.0], [2.0], [6.0]]]), np.array([[[7.0], [9.0]]])
    assert forecasts.last_value(past, 2)[0, :, 0].tolist() == [6, 6]
    assert forecasts.drift(past, 2)[0, :, 0].tolist() == [8.5, 11]  # (6 - 1) / 2 a step
    assert forecasts.mean(past, 2)[0, :, 0].tolist() == [3, 3]
    # the variance of 1, 2, 6 is (4 + 1 + 9) / 3 = 14 / 3; 7 - 6 and 9 - 6, squared, over it
    errors = forecasts.squared_errors(forecasts.last_value(past, 2), past, future)
    np.testing.assert_allclose(errors[0, :, 0], [3 / 14, 27 / 14])


def test_a_flat_past_is_measured_in_hundredths_of_its_mean() -> None:
    middle, scale = forecasts.level(np.full((1, 4, 1), 200.0))
    assert (middle.item(), scale.item()) == (200, 2)


def test_it_learns_to_go_on(fitted: Forecaster, waves: np.ndarray) -> None:
    metrics = fitted.evaluate(Dataset("waves", {"train": Split(waves), "test": Split(waves)}))
    assert metrics.keys() == {"mse", "mse_last_value", "mse_drift", "mse_mean"}
    assert metrics["mse"] < 0.1 * min(metrics["mse_last_value"], metrics["mse_drift"], metrics["mse_mean"])
    assert fitted.score(waves) == pytest.approx(-metrics["mse"])


def test_units_do_not_matter(fitted: Forecaster, waves: np.ndarray) -> None:
    past = waves[None, :10]
    np.testing.assert_allclose(fitted.predict(1000 * past), 1000 * fitted.predict(past), rtol=1e-3, atol=0.1)


def test_the_keras_model_and_the_exported_one_compute_the_same(fitted: Forecaster, waves: np.ndarray) -> None:
    from ai_edge_litert.interpreter import Interpreter

    past, future = forecasts.windows(waves, 10, 5)
    inputs, _ = forecasts.normalised(past[:7], future[:7])
    middle, scale = forecasts.level(past[:7])
    expected = (fitted.predict(past[:7]) - middle) / scale
    np.testing.assert_allclose(fitted.model()(inputs)["future"], expected, atol=1e-4)
    exported = Interpreter(model_content=fitted.to_litert()).get_signature_runner()(past=inputs)
    np.testing.assert_allclose(exported["future"], expected, atol=1e-4)


def test_a_saved_one_says_the_same(fitted: Forecaster, waves: np.ndarray, tmp_path: Path) -> None:
    loaded = components.load(components.save(fitted, tmp_path / "forecaster"))
    past, _ = forecasts.windows(waves, 10, 5)
    np.testing.assert_allclose(loaded.predict(past), fitted.predict(past), atol=0.1)


def test_pictures_show_forecasts_and_errors(fitted: Forecaster, waves: np.ndarray) -> None:
    shown = fitted.pictures(Dataset("waves", {"train": Split(waves), "test": Split(waves[:60])}))
    assert shown.keys() == {"forecasts", "errors"}
    assert all(picture.dtype == np.uint8 and picture.shape[2] == 3 for picture in shown.values())


def series(waves: np.ndarray, num: int) -> str:
    days = (date(2020, 1, 1) + timedelta(k) for k in range(num))
    return "\n".join(["date,a,b", *(f"{day},{row[0]},{row[1]}" for day, row in zip(days, waves, strict=False))])


def test_a_file_is_gone_on_from(arena, fitted: Forecaster, waves: np.ndarray, tmp_path: Path) -> None:
    components.save(fitted, tmp_path / "mine" / "forecaster")
    (tmp_path / "own.csv").write_text(series(waves, 30))
    outcome = arena("component", "run", "mine", "own.csv", "--out", "next.csv")
    assert (outcome.code, outcome.out) == (0, "5 days after 2020-01-30 are in next.csv\n")
    header, first, *rest = (tmp_path / "next.csv").read_text().splitlines()
    assert (header, len(rest)) == ("date,a,b", 4)
    day, a, b = first.split(",")
    assert day == "2020-01-31"
    assert [float(a), float(b)] == pytest.approx(waves[30], abs=1)
    assert arena("component", "run", "mine", "own.csv", "--out", "next.png").code == 0
    assert (tmp_path / "next.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["run", "mine", "short.csv", "--out", "x.csv"],
            "short.csv holds 9 days; 10 at least are needed to go on from",
        ),
        (["run", "mine", "own.csv", "--out", "x.txt"], "--out must end in .csv, .png; given 'x.txt'"),
        (["run", "mine", "own.csv"], "--out must end in .csv, .png; given 'none'"),
        (["run", "mine", "one.csv", "--out", "x.csv"], "forecaster takes inputs of shape [N, 2], given [N, 1]"),
        (["run", "mine", "none.csv", "--out", "x.csv"], "none.csv cannot be read: No such file or directory"),
        (["train", "forecaster", "--data", "short.csv"], "signals of 7 steps are too short: 40 + 40 are needed"),
        (["train", "forecaster", "--set", "num_past=1"], "num_past"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arena, fitted, waves, tmp_path, arguments, message) -> None:
    components.save(fitted, tmp_path / "mine" / "forecaster")
    (tmp_path / "own.csv").write_text(series(waves, 30))
    (tmp_path / "short.csv").write_text(series(waves, 9))
    (tmp_path / "one.csv").write_text("date,a\n2020-01-01,1\n2020-01-02,2\n")
    outcome = arena("component", *arguments)
    assert outcome.code == 2
    assert message in outcome.err
    assert outcome.err.count("\n") == 1


def test_the_shipped_one_meets_its_figures(real_data: Path) -> None:
    if "forecaster" not in store.pretrained():
        pytest.skip("forecaster comes without weights")
    metrics = components.load("forecaster").evaluate(data.load(real_data / "bitcoin", Forecaster.datasets))
    assert metrics["mse"] < metrics["mse_drift"] < metrics["mse_mean"]
