"""Texts: read from files, and written as numbers, one for each character."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import numpy as np

from arena.components.data import Dataset, Split
from arena.errors import ArenaError, DamagedFile, InvalidValue

_FEWEST = 100  # characters


def shakespeare(folder: Path) -> Dataset:
    """The speeches of all 37 plays, 4.65 million characters; the last tenth is the test."""
    return _split("shakespeare", _decoded(folder / "shakespeare_speeches.txt.gz"))


def tinyshakespeare(folder: Path) -> Dataset:
    """Karpathy (2015): a part of the plays, 1.1 million characters; the last tenth is the test."""
    zipped = folder / "tinyshakespeare_input.txt.gz"
    return _split("tinyshakespeare", _decoded(zipped if zipped.is_file() else folder / "input.txt"))


def own(path: Path) -> Dataset:
    """A text of your own, plain or gzipped UTF-8; the last tenth is the test."""
    return _split(path.name.removesuffix(".gz").removesuffix(".txt"), read(path))


def read(path: Path) -> str:
    """Returns the text of a UTF-8 file, plain or gzipped, lines ending in "\\n".

    Raises ArenaError, DamagedFile or InvalidValue: it cannot be read, is no such text, or has too few characters.
    """
    try:
        text = _decoded(path)
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise DamagedFile(f"{path} is no gzipped text") from error
        raise ArenaError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DamagedFile(f"{path} is no UTF-8 text: byte {error.start} is wrong; convert it to UTF-8") from error
    except (EOFError, zlib.error) as error:
        raise DamagedFile(f"{path} is damaged: {error}") from error
    if len(text) < _FEWEST:
        raise InvalidValue(f"{path} holds {len(text)} characters; {_FEWEST} at least are needed")
    return text


class Alphabet:
    """The characters that a model knows, numbered by their code points.

    Args:
      characters: known ones, in rising order.
    """

    def __init__(self, characters: str) -> None:
        self.characters = characters
        self._points = np.array([ord(one) for one in characters], np.uint32)

    @classmethod
    def of(cls, text: str) -> Alphabet:
        """Returns the characters of a text."""
        return cls("".join(sorted(set(text))))

    def __len__(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> np.ndarray:
        """Returns the numbers [N] int32 of the characters of a text that are known; the others are left out."""
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        numbers = np.searchsorted(self._points, points).clip(max=len(self) - 1)
        known: np.ndarray = numbers[self._points[numbers] == points].astype(np.int32)
        return known

    def decode(self, numbers: np.ndarray) -> str:
        """Returns the text that numbers [N] stand for."""
        return "".join(self.characters[number] for number in numbers)


def _decoded(path: Path) -> str:
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    return content.decode("utf-8-sig").replace("\r\n", "\n")


def _split(name: str, text: str) -> Dataset:
    end = len(text) - len(text) // 10
    return Dataset(name, {"train": Split(text[:end]), "test": Split(text[end:])})
