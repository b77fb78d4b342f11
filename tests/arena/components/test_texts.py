"""Texts: read from files, and their characters as numbers."""

import gzip

import numpy as np
import pytest

from arena.components import texts
from arena.components.data import load
from arena.components.texts import Alphabet
from arena.errors import ArenaError, DamagedFile, InvalidValue

VERSE = "Shall I compare thee to a summer's day?\r\n" * 5


def test_characters_are_numbered_by_their_code_points():
    alphabet = Alphabet.of("banana é")
    assert alphabet.characters == " abné"
    assert alphabet.encode("nab").tolist() == [3, 1, 2]
    assert alphabet.decode(np.array([3, 1, 2])) == "nab"


def test_unknown_characters_are_left_out():
    alphabet = Alphabet.of("abc")
    assert alphabet.encode("zaZb\U0001f600c~").tolist() == [0, 1, 2]
    assert alphabet.encode("").tolist() == []


def test_a_text_of_your_own_is_read_plain_or_gzipped(tmp_path):
    plain, zipped = tmp_path / "verse.txt", tmp_path / "verse.txt.gz"
    plain.write_bytes(b"\xef\xbb\xbf" + VERSE.encode())
    zipped.write_bytes(gzip.compress(VERSE.encode()))
    for path in (plain, zipped):
        dataset = load(path, ["shakespeare", "tinyshakespeare"])
        assert dataset.name == "verse"
        assert dataset.train.inputs + dataset.test.inputs == VERSE.replace("\r\n", "\n")
        assert len(dataset.test.inputs) == 20  # a tenth of 5 * 40


def test_the_plays_are_recognised_by_their_file(tmp_path):
    (tmp_path / "shakespeare_speeches.txt.gz").write_bytes(gzip.compress(VERSE.encode()))
    assert load(tmp_path, ["shakespeare", "tinyshakespeare"]).name == "shakespeare"


@pytest.mark.parametrize(
    ("name", "content", "error", "message"),
    [
        ("empty.txt", b"", InvalidValue, "empty.txt holds 0 characters; 100 at least are needed"),
        (
            "latin.txt",
            b"caf\xe9 " * 50,
            DamagedFile,
            "latin.txt is no UTF-8 text: byte 3 is wrong; convert it to UTF-8",
        ),
        ("verse.txt.gz", VERSE.encode(), DamagedFile, "verse.txt.gz is no gzipped text"),
        ("half.txt.gz", gzip.compress(VERSE.encode())[:-9], DamagedFile, "half.txt.gz is damaged"),
    ],
)
def test_what_is_no_text_is_told_in_a_line(tmp_path, name, content, error, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(error, match=message) as raised:
        texts.read(path)
    assert "\n" not in str(raised.value)


def test_a_folder_is_no_text(tmp_path):
    with pytest.raises(ArenaError, match="cannot be read"):
        texts.read(tmp_path)
