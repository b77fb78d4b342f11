"""What a run was made with."""

import pytest

from arena.versions import difference, machine, made_with


def test_nothing_differs_from_itself():
    assert difference(made_with()) == ""


def test_what_differs_is_named_with_both_values():
    now = made_with()
    before = {key: value for key, value in now.items() if key != "numpy"} | {"python": "2.7", "theano": "1.0"}
    assert difference(before) == (
        f"numpy {now['numpy']} instead of missing, python {now['python']} instead of 2.7, theano missing instead of 1.0"
    )


def test_the_number_of_threads_is_the_one_that_was_asked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("ARENA_THREADS", raising=False)
    assert machine()["threads"] == machine()["cores"] >= 1
    monkeypatch.setenv("ARENA_THREADS", "7")
    assert machine()["threads"] == 7
    assert machine()["cpu"]
