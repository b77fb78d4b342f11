"""Components as LiteRT files, and how far these are from what they were made of."""

import json
from pathlib import Path

import numpy as np
import pytest

from arena import components, inspection, policy
from arena.components.translation.corpora import Corpus


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 12, 10), np.uint8)


SMALL = {
    "autoencoder": {"num_hidden": 40},
    "sparse-autoencoder": {"num_hidden": 40},
    "denoising-autoencoder": {"num_hidden": 40},
    "convolutional-autoencoder": {"filters": (8, 8)},
    "stacked-autoencoder": {"hidden": (40, 6), "pretraining_epochs": 1},
    "dbn": {"hidden": (40, 6), "num_top": 8, "num_classes": 2, "pretraining_epochs": 1},
}


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, images: np.ndarray) -> dict[str, Path]:
    folder, labels = tmp_path_factory.mktemp("components"), np.arange(len(images)) % 2
    return {
        name: components.save(components.create(name, epochs=1, **settings).fit(images, labels), folder / name)
        for name, settings in SMALL.items()
    }


@pytest.mark.parametrize("name", SMALL)
def test_an_exported_component_answers_as_it_does(arena, saved, images, name):
    outcome = arena("export", f"component:{saved[name]}", "--out", "c.tflite", "--json")
    assert outcome.code == 0, outcome.err
    told = json.loads(outcome.out)
    assert told["component"] == name
    assert told["bytes"] == Path("c.tflite").stat().st_size
    assert told["differences"].keys() == {"codes", "logits" if name == "dbn" else "reconstructions"}
    assert max(told["differences"].values()) < 1e-4
    (signature,) = inspection.inspect(Path("c.tflite")).signatures
    assert [tensor["shape"][0] for tensor in signature["inputs"] + signature["outputs"]] == [1, 1, 1]
    component = components.load(saved[name])
    inputs = component.rows(images).reshape(-1, *signature["inputs"][0]["shape"][1:])
    codes = policy.LiteRTFunction(Path("c.tflite").read_bytes())(inputs)["codes"]
    assert codes == pytest.approx(component.transform(images), abs=1e-4)


@pytest.mark.parametrize(
    ("quantize", "least", "most"),
    [("float16", 0.0, 1e-5), ("dynamic", 1e-5, 0.1)],  # a saved component has float16 weights: no bit of them is lost
)
def test_fewer_bits_change_the_answers_a_little(arena, saved, quantize, least, most):
    sizes, differences = {}, {}
    for kind in ("none", quantize):
        ref = f"component:{saved['autoencoder']}"
        told = json.loads(arena("export", ref, "--out", f"{kind}.tflite", "--quantize", kind, "--json").out)
        sizes[kind], differences[kind] = told["bytes"], told["differences"]["reconstructions"]
    assert sizes[quantize] < 0.6 * sizes["none"]
    assert differences["none"] < 1e-5
    assert least <= differences[quantize] < most


def test_the_differences_are_printed(arena, saved):
    outcome = arena("export", f"component:{saved['autoencoder']}", "--out", "c.tflite")
    assert "autoencoder -> c.tflite, quantization none" in outcome.out
    assert "compared on 100 random inputs" in outcome.out
    assert "reconstructions: at most" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("component:autoencodr", "--out", "c.tflite"), "did you mean 'autoencoder'?"),
        (("component:{file}", "--out", "c.npz"), "--out must end in .tflite, not 'c.npz'"),
        (("component:{file}", "--out", "no/c.tflite"), "there is no folder no for c.tflite"),
        (("component:{file}", "--out", "c.tflite", "--quantize", "int8"), "choices: dynamic, float16, none"),
        (("component:{file}", "--out", "c.tflite", "--env", "CartPole-v1"), "leave out --env"),
    ],
)
def test_mistakes_are_one_line_and_leave_no_file(arena, saved, arguments, message):
    outcome = arena("export", *(argument.format(file=saved["autoencoder"]) for argument in arguments))
    assert outcome.code == 2
    assert message in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1
    assert not list(Path().iterdir())


def test_what_is_no_network_is_not_exported(arena, tmp_path):
    path = components.save(components.create("pca", n_dimensions=2).fit(np.random.rand(9, 4)), tmp_path / "pca")
    outcome = arena("export", f"component:{path}", "--out", "c.tflite")
    assert outcome.code == 2
    assert "pca has no network to export" in outcome.err


def test_a_file_that_is_there_stays(arena, saved):
    Path("c.tflite").write_text("mine")
    outcome = arena("export", f"component:{saved['autoencoder']}", "--out", "c.tflite")
    assert outcome.code == 2
    assert "c.tflite exists already" in outcome.err
    assert Path("c.tflite").read_text() == "mine"


TEXT = "to be or not to be " * 20
SEQUENCES = {
    "char-rnn": ({"num_units": 6, "unroll": 8, "batch_size": 4}, TEXT, {"logits", "next_state"}),
    "translator": (
        {"num_units": 6, "embedding_size": 4, "min_count": 1, "max_length": 5},
        Corpus({"en": ["a dog", "a cat"], "fr": ["un chien", "un chat"]}),
        {"log_probs", "attention", "next_hidden", "next_cell"},
    ),
    "forecaster": (
        {"num_past": 4, "num_future": 3, "num_units": 5},
        np.sin(np.arange(40.0))[:, None],
        {"future"},
    ),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_step_of_a_sequence_is_exported_as_it_is(arena, tmp_path, name):
    settings, data, outputs = SEQUENCES[name]
    components.save(components.create(name, epochs=1, **settings).fit(data), tmp_path / "mine" / name)
    outcome = arena("export", "component:mine", "--out", "c.tflite", "--json")
    assert outcome.code == 0, outcome.err
    differences = json.loads(outcome.out)["differences"]
    assert differences.keys() == outputs
    assert max(differences.values()) < 1e-4
