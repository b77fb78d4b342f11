"""What all components share: settings, inputs, files."""

import json

import numpy as np
import pytest

from arena import components
from arena.components import store
from arena.components.base import as_rows
from arena.errors import ArenaError, DamagedFile, InvalidValue, UnknownName

SQUARE = np.array([[0, 0], [0, 2], [4, 0], [4, 2]], np.float32)


@pytest.fixture
def saved(tmp_path):
    return components.save(components.create("kmeans", num_clusters=2).fit(SQUARE), tmp_path / "mine")


def test_every_component_can_be_made_without_settings():
    for name in components.names():
        component = components.create(name)
        assert component.name == name
        assert component.settings.seed == 0
        assert component.datasets


def test_an_unknown_component_is_told_with_the_closest_one():
    with pytest.raises(UnknownName, match="unknown component 'kmean'; did you mean 'kmeans'"):
        components.create("kmean")
    with pytest.raises(UnknownName, match=r"did you mean 'kmeans'.*or a \.safetensors file"):
        components.load("kmean")


def test_a_wrong_setting_names_its_key():
    with pytest.raises(UnknownName, match="key of kmeans's settings 'clusters'; did you mean 'num_clusters'"):
        components.create("kmeans", clusters=3)
    with pytest.raises(InvalidValue, match="num_clusters = 0: it should be greater than 0"):
        components.create("kmeans", num_clusters=0)


def test_bytes_become_shares_and_other_numbers_stay():
    assert as_rows(np.array([[[0, 255], [51, 102]]], np.uint8), "x") == pytest.approx(np.array([[0, 1, 0.2, 0.4]]))
    assert as_rows([[3, 4]], "x").tolist() == [[3.0, 4.0]]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.zeros((0, 2)), r"was given no examples: the array is \[0, 2\]"),
        (np.array([[0.0, 1.0], [np.nan, 1.0]]), "NaN or infinite numbers, first in example 1"),
        (np.array([["a"]]), "takes numbers"),
        (np.zeros(3), r"takes examples as rows, \[N, ...\]; given \[3\]"),
    ],
)
def test_examples_that_cannot_be_learned_from_are_refused(data, message):
    for name in ("pca", "kmeans", "som"):
        with pytest.raises(InvalidValue, match=message):
            components.create(name).fit(data)


def test_examples_of_another_shape_are_refused():
    fitted = components.create("kmeans", num_clusters=2).fit(SQUARE.reshape(4, 1, 2))
    assert fitted.predict(SQUARE).shape == (4,)  # rows of the right width will do
    with pytest.raises(InvalidValue, match=r"kmeans takes inputs of shape \[N, 1, 2\], given \[N, 3\]"):
        fitted.predict(np.zeros((4, 3)))


def test_nothing_can_be_asked_before_it_is_fitted():
    with pytest.raises(InvalidValue, match="som has learned nothing yet"):
        components.create("som").predict(SQUARE)


def test_what_is_loaded_is_what_was_saved(saved):
    loaded = components.load(saved)
    assert loaded.settings.num_clusters == 2
    assert loaded.shape_ == (2,)
    assert sorted(loaded.centres_.tolist()) == [[0, 1], [4, 1]]  # the middles of the short sides
    assert components.load(saved.parent).centres_.tolist() == loaded.centres_.tolist()
    assert sorted(path.name for path in saved.parent.iterdir()) == ["mine.json", "mine.safetensors"]


def test_numbers_are_stored_in_half_precision_where_they_fit(tmp_path):
    far = components.create("kmeans", num_clusters=1).fit(np.array([[100_000.0, 0.1]], np.float32))
    assert components.load(components.save(far, tmp_path / "far")).centres_[0, 0] == 100_000  # float16 ends at 65,504
    near = components.create("kmeans", num_clusters=1).fit(np.array([[1.0, 0.1]], np.float32))
    loaded = components.load(components.save(near, tmp_path / "near")).centres_
    assert loaded[0, 1] == np.float32(np.float16(0.1))
    assert loaded.dtype == np.float32


def test_a_damaged_file_is_refused(saved):
    content = bytearray(saved.read_bytes())
    content[-1] ^= 1
    saved.write_bytes(content)
    with pytest.raises(DamagedFile, match=r"mine.safetensors is damaged: it is not what its .json tells of"):
        components.load(saved)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"component": "kmeams"}, "unknown component 'kmeams'"),
        ({"settings": {"num_clusters": -1}}, "num_clusters = -1"),
        ({"component": "pca", "settings": {}}, "the weights of pca lack 'mean'"),
        ({"format": 7}, "does not describe a component"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(saved, change, message):
    card = saved.with_suffix(".json")
    card.write_text(json.dumps(json.loads(card.read_text()) | change))
    with pytest.raises(DamagedFile, match=message):
        components.load(saved)


def test_missing_files_are_told(saved, tmp_path):
    with pytest.raises(ArenaError, match=r"there is no file .*other\.safetensors"):
        components.load(tmp_path / "other.safetensors")
    saved.unlink()
    with pytest.raises(ArenaError, match="cannot be read"):
        components.load(saved)
    with pytest.raises(ArenaError, match=r"holds no \.safetensors files"):
        components.load(tmp_path)


def test_all_that_is_shipped_loads_and_is_small():
    shipped = store.pretrained()
    for name, component in shipped.items():
        assert components.load(name).name == component
    total = sum(path.stat().st_size for path in store.PRETRAINED.iterdir())
    assert total <= 60e6
