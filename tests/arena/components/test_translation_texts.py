"""Words, vocabularies, and aligned texts from files."""

import gzip
import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from arena.components.data import load
from arena.components.translation import words
from arena.components.translation.corpora import Corpus
from arena.components.translation.vocabulary import END, START, UNKNOWN, Vocabulary, padded
from arena.errors import ArenaError, DamagedFile, InvalidValue

NAMES = ["multi30k", "iwslt15"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A man, playing guitar.", ["a", "man", ",", "playing", "guitar", "."]),
        ("L'homme porte un T-shirt.", ["l'", "homme", "porte", "un", "T-shirt", "."]),
        ('Un panneau : "5.5 km" !', ["un", "panneau", ":", '"', "5.5", "km", '"', "!"]),
        ("  ", []),
    ],
)
def test_words_and_marks_are_told_apart(text: str, expected: list[str]) -> None:
    assert words.split(text, "words") == expected


@pytest.mark.parametrize("text", ["l'homme (assis) porte un T-shirt, des gants.", 'il dit "bonjour" !', "à 5.5 km"])
def test_words_are_put_together_again(text: str) -> None:
    assert words.join(words.split(text, "words"), "words") == text.replace(" !", "!")


def test_words_set_apart_by_spaces_stay_as_they_are() -> None:
    text = "It &apos;s the I-don &apos;t ."
    assert words.join(words.split(text, "spaces"), "spaces") == text


def test_a_vocabulary_holds_the_commonest_words_below_the_special_ones() -> None:
    sentences = [["b", "a", "c"], ["b", "a", "<s>"], ["b", "<s>", "d", "d"]]
    known = Vocabulary.of(sentences, max_words=10, min_count=2)
    assert known.words == ("<unk>", "<s>", "</s>", "b", "a", "d")
    assert known.encode(["a", "b", "z", "<s>", "</s>"]) == [4, 3, UNKNOWN, UNKNOWN, UNKNOWN]
    assert Vocabulary.of(sentences, max_words=1, min_count=1).words[3:] == ("b",)


def test_a_vocabulary_is_stored_as_bytes() -> None:
    known = Vocabulary(["<unk>", "<s>", "</s>", "été", "người"])
    assert Vocabulary.from_array(known.to_array()).words == known.words


@pytest.mark.parametrize("given", [["a", "b", "c"], ["<unk>", "<s>", "</s>", "a", "a"], []])
def test_what_is_no_vocabulary_is_refused(given: list[str]) -> None:
    with pytest.raises(DamagedFile, match="a vocabulary holds different words, the first three <unk> <s> </s>"):
        Vocabulary(given)


def test_sentences_are_filled_up_with_ends() -> None:
    assert padded([[5], [6, 7]]).tolist() == [[5, END], [6, 7]]
    assert padded([[], []]).tolist() == [[END], [END]]
    assert (UNKNOWN, START, END) == (0, 1, 2)


def write(folder: Path, **texts: str) -> None:
    for name, text in texts.items():
        stem, _, language = name.rpartition("_")
        (folder / f"{stem}.{language}").write_text(text, encoding="utf-8")


@pytest.fixture
def captions(tmp_path: Path) -> Path:
    for part in ("train", "val", "test"):
        write(tmp_path, **{f"{part}_en": "A dog.\nA cat.\n", f"{part}_fr": "Un chien.\nUn chat.\n"})
    return tmp_path


def test_aligned_texts_are_read_plain_or_gzipped(captions: Path) -> None:
    (captions / "val.fr.gz").write_bytes(gzip.compress((captions / "val.fr").read_bytes()))
    (captions / "val.fr").unlink()
    dataset = load(captions, NAMES)
    assert dataset.splits.keys() == {"train", "dev", "test"}
    assert dataset.splits["dev"].inputs.text("fr") == ["Un chien.", "Un chat."]
    assert dataset.train.inputs[1:].text("en") == ["A cat."]
    with pytest.raises(InvalidValue, match="there is no 'de' in these texts, which are en, fr: set source and target"):
        dataset.test.inputs.text("de")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train.fr", b"Un chien.\n", "its lines are not aligned: train.en has 2, train.fr has 1"),
        ("val.en", b"", "val.en is empty"),
        ("test.fr", b"Un chien.\nUn \xe9l\xe9phant.\n", "test.fr is no UTF-8 text: byte 0xe9 in line 2"),
    ],
)
def test_what_is_wrong_with_a_file_is_told_in_a_line(captions: Path, name: str, content: bytes, message: str) -> None:
    (captions / name).write_bytes(content)
    with pytest.raises(DamagedFile, match=message) as raised:
        load(captions, NAMES)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_told_in_a_line(captions: Path) -> None:
    (captions / "val.fr").unlink()
    with pytest.raises(ArenaError, match=r"multi30k is not complete: there is no .*val\.fr"):
        load(captions, NAMES)


def test_a_corpus_is_aligned() -> None:
    with pytest.raises(InvalidValue, match="given en 2, fr 1"):
        Corpus({"en": ["a", "b"], "fr": ["c"]})
    with pytest.raises(InvalidValue, match="given no language"):
        Corpus({})


def test_talks_are_read_with_their_vocabularies_and_from_archives(tmp_path: Path) -> None:
    for archive, stem in (("dev-2012-en-vi.tgz", "tst2012"), ("test-2013-en-vi.tgz", "tst2013")):
        with tarfile.open(tmp_path / archive, "w:gz") as packed:
            for language in ("en", "vi"):
                content = f"{stem} {language}\n".encode()
                entry = tarfile.TarInfo(f"{stem}.{language}")
                entry.size = len(content)
                packed.addfile(entry, io.BytesIO(content))
    write(tmp_path, train_en="Hello .\n", train_vi="Xin chào .\n", vocab_en="<unk>\n<s>\n</s>\nHello\n")
    dataset = load(tmp_path, NAMES)
    assert dataset.name == "iwslt15"
    assert dataset.train.inputs.vocabularies == {"en": ["<unk>", "<s>", "</s>", "Hello"]}
    assert dataset.splits["dev"].inputs.text("vi") == ["tst2012 vi"]
    assert dataset.test.inputs.text("en") == ["tst2013 en"]


def test_the_real_talks_are_read(real_data: Path) -> None:
    if not (real_data / "iwslt15_en_vi").is_dir():
        pytest.skip(f"there is no iwslt15_en_vi in {real_data}")
    dataset = load(real_data / "iwslt15_en_vi", NAMES)
    assert (dataset.name, len(dataset.train.inputs)) == ("iwslt15-small", 3545)
    assert (len(dataset.splits["dev"].inputs), len(dataset.test.inputs)) == (1553, 1268)
    known = {language: Vocabulary(words) for language, words in dataset.train.inputs.vocabularies.items()}
    assert (len(known["en"]), len(known["vi"])) == (17191, 7709)
    tokens = [known["vi"].encode(text.split()) for text in dataset.test.inputs.text("vi")]
    assert np.mean(np.concatenate(tokens) == UNKNOWN) < 0.02
