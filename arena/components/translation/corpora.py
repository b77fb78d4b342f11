"""Line-aligned texts: sentence k of one language is the translation of sentence k of the others.

Files are UTF-8 with one sentence a line, plain or gzipped, PART.LANGUAGE or PART.LANGUAGE.gz.
"""

from __future__ import annotations

import gzip
import re
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from arena.components.data import Dataset, Split
from arena.errors import InvalidValue

_MULTI30K = {"train": ("train",), "dev": ("val", "dev"), "test": ("test_2016_flickr", "test")}
_TOKENS = re.compile(r"\w+(?:[-'\u2019.]\w+)*|[^\w\s]")


@dataclass(frozen=True)
class Corpus:
    """Texts by language, aligned.

    Attributes:
      texts: sentences by language, as many in each.
      vocabularies: words by language, where the set brings them.
    """

    texts: Mapping[str, Sequence[str]]
    vocabularies: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sizes = {language: len(sentences) for language, sentences in self.texts.items()}
        if not sizes or len(set(sizes.values())) > 1 or not all(sizes.values()):
            told = ", ".join(f"{language} {size}" for language, size in sizes.items()) or "no language"
            raise InvalidValue(
                f"texts must be aligned, with as many lines in each language, at least one; given {told}"
            )

    def __len__(self) -> int:
        return len(next(iter(self.texts.values())))

    def __getitem__(self, rows: slice) -> Corpus:
        """Returns some of the sentences, in all languages."""
        texts = {language: sentences[rows] for language, sentences in self.texts.items()}
        return Corpus(texts, self.vocabularies)

    def text(self, language: str) -> Sequence[str]:
        """Returns the sentences of a language. Raises InvalidValue where it is not there."""
        if language not in self.texts:
            raise InvalidValue(
                f"there is no {language!r} in these texts, which are {', '.join(self.texts)}: set source and target"
            )
        return self.texts[language]


def multi30k(folder: Path) -> Dataset:
    """Elliott et al. (2016), "Multi30K": captions in English, French and German; or your own texts, named alike.

    The parts are train, val (or dev) and test_2016_flickr (or test), in all the languages that train has.
    """
    parts = {}
    for part, names in _MULTI30K.items():
        present = next((name for name in names if _languages(folder, name)), names[0])
        languages = _languages(folder, "train") or ["en"]
        parts[part] = Split(_aligned({language: _find(folder, f"{present}.{language}") for language in languages}))
    return Dataset("multi30k", parts)


def iwslt15(folder: Path) -> Dataset:
    """Talks in English and Vietnamese as the Stanford NLP group prepared them, words set apart by spaces.

    Source: Luong & Manning (2015), "Stanford neural machine translation systems for spoken language domains". Where
    there is no train.en, the 3,545 sentences of ted_small (other talks of the same campaign) stand for it.
    """
    pair = ("en", "vi")
    vocabularies = {}
    for language in pair:
        if path := _present(folder, f"vocab.{language}"):
            vocabularies[language] = _lines(path)
    small = _present(folder, "ted_small.en")
    if small and not _present(folder, "train.en"):
        texts = _aligned({language: _find(folder, f"ted_small.{language}") for language in pair}).texts
        spaced = {language: [" ".join(_TOKENS.findall(line)) for line in texts[language]] for language in pair}
        name, train = "iwslt15-small", Corpus(spaced, vocabularies)
    else:
        found = _aligned({language: _find(folder, f"train.{language}") for language in pair})
        name, train = "iwslt15", Corpus(found.texts, vocabularies)
    parts = {"train": Split(train)}
    for part, stem, archive in (("dev", "tst2012", "dev-2012-en-vi.tgz"), ("test", "tst2013", "test-2013-en-vi.tgz")):
        if (folder / archive).is_file() and not _present(folder, f"{stem}.en"):
            parts[part] = Split(
                _checked({f"{stem}.{lang}": _packed(folder / archive, f"{stem}.{lang}") for lang in pair})
            )
        else:
            parts[part] = Split(_aligned({language: _find(folder, f"{stem}.{language}") for language in pair}))
    return Dataset(name, parts)


def read_lines(path: Path) -> list[str]:
    """Returns the lines of a UTF-8 file, .gz or not. Raises ValueError or OSError where it is none."""
    return _lines(path)


def _languages(folder: Path, part: str) -> list[str]:
    found = {path.name.removesuffix(".gz").removeprefix(f"{part}.") for path in folder.glob(f"{part}.*")}
    return sorted(language for language in found if language.isalpha())


def _present(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def _find(folder: Path, name: str) -> Path:
    path = _present(folder, name)
    if path is None:
        raise FileNotFoundError(2, "there is no such file", str(folder / name))
    return path


def _aligned(paths: Mapping[str, Path]) -> Corpus:
    return _checked({path.name: _lines(path) for path in paths.values()})


def _checked(texts: Mapping[str, list[str]]) -> Corpus:
    """Returns texts by language, which is what their files' names end in. Raises ValueError unless they are aligned."""
    sizes = {name: len(lines) for name, lines in texts.items()}
    empty = [name for name, size in sizes.items() if not size]
    if empty:
        raise ValueError(f"{empty[0]} is empty")
    if len(set(sizes.values())) > 1:
        raise ValueError(
            f"its lines are not aligned: {', '.join(f'{name} has {size}' for name, size in sizes.items())}"
        )
    return Corpus({name.removesuffix(".gz").rpartition(".")[2]: lines for name, lines in texts.items()})


def _lines(path: Path) -> list[str]:
    content = path.read_bytes()
    return _decoded(gzip.decompress(content) if path.suffix == ".gz" else content, path.name)


def _packed(archive: Path, name: str) -> list[str]:
    try:
        with tarfile.open(archive) as opened:
            file = opened.extractfile(name)
            return _decoded(file.read() if file else b"", name)
    except (tarfile.TarError, KeyError) as error:
        raise ValueError(f"{archive.name}: {error}") from error


def _decoded(content: bytes, name: str) -> list[str]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(f"{name} is no UTF-8 text: byte 0x{content[error.start]:02x} in line {line}") from error
    return text.removesuffix("\n").split("\n") if text else []
