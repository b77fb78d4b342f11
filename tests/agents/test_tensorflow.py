from agents.parts import tensorflow


def test_memory_grows_on_every_gpu(monkeypatch):
    tf = tensorflow.load()
    grown = {}
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: {"GPU": ["first", "second"]}[kind])
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", grown.__setitem__)
    tensorflow.load.__wrapped__()
    assert grown == {"first": True, "second": True}
