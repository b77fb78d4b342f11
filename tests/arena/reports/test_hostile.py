"""Strangers' texts."""

import pytest

from arena.reports.hostile import shown


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("plain ünïcode 漢字 עברית", "plain ünïcode 漢字 עברית"),
        ("tab\tand\nline", "tab\tand\nline"),
        ("a\u202eb", "a\\u202eb"),  # right-to-left override
        ("a\u2066b\u200bc", "a\\u2066b\\u200bc"),
        ("\x1b[31m\r", "\\x1b[31m\\r"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text, safe):
    assert shown(text) == safe
