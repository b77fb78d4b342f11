"""Components that are Keras models inside."""

import numpy as np
import pytest

from arena import components
from arena.components import base, neural, registry, store
from arena.errors import DamagedFile


class Doubler(neural.NeuralComponent):
    """One linear layer, which learns to double."""

    name = "doubler"

    class Settings(base.Settings):
        num_units: int = 2

    def fit(self, data, labels=None, *, validation=None, watch=base.SILENT):
        self.fit_rows(data)
        model = self.build()
        model.get_layer("encoder").set_weights([2 * np.eye(*self.shape_), np.zeros(self.shape_)])
        self.take(model)
        return self

    def build(self):
        neural.tensorflow()
        import keras

        inputs = keras.Input(self.shape_, name="inputs")
        return keras.Model(inputs, keras.layers.Dense(self.settings.num_units, name="encoder")(inputs))

    def transform(self, data):
        return self.rows(data) @ self.weights_["encoder/kernel"] + self.weights_["encoder/bias"]

    def evaluate(self, dataset):
        return {}


@pytest.fixture
def saved(monkeypatch, tmp_path):
    monkeypatch.setitem(registry.ENTRIES, "doubler", registry.Entry("doubler:Doubler", ""))
    monkeypatch.setattr(registry, "component_class", {"doubler": Doubler}.__getitem__)
    return components.save(components.create("doubler").fit(np.ones((1, 2))), tmp_path / "doubler")


def test_a_model_is_saved_by_its_weights_and_built_again(saved):
    loaded = components.load(saved)
    assert sorted(loaded.weights_) == ["encoder/bias", "encoder/kernel"]
    data = np.array([[1.0, 3.0]], np.float32)
    assert loaded.transform(data).tolist() == [[2, 6]]
    assert loaded.model()(data).numpy().tolist() == [[2, 6]]


def test_weights_of_other_settings_are_refused(saved):
    loaded = components.load(saved)
    loaded.settings = Doubler.Settings(num_units=3)
    with pytest.raises(DamagedFile, match="the weights of doubler do not fit its settings: encoder/kernel"):
        loaded.model()


def test_a_model_becomes_a_litert_file(saved):
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=store.load(saved).to_litert())
    assert interpreter.get_signature_runner()(inputs=np.ones((1, 2), np.float32))["encoder"].tolist() == [[2, 2]]
