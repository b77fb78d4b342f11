"""A frozen vocabulary: what is not in it is the unknown word.

The first three words, and that a sentence is filled up with the last of them, are those of the files of
nlp.stanford.edu/projects/nmt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from arena.errors import DamagedFile

SPECIAL = ("<unk>", "<s>", "</s>")
UNKNOWN, START, END = range(3)


class Vocabulary:
    """Words and their numbers.

    Args:
      words: all of them; the first three are SPECIAL. Raises DamagedFile where they are not, or a word comes twice.

    Attributes:
      words: by number.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._numbers = {word: number for number, word in enumerate(self.words)}
        if self.words[:3] != SPECIAL or len(self._numbers) != len(self.words):
            raise DamagedFile(f"a vocabulary holds different words, the first three {' '.join(SPECIAL)}")

    def __len__(self) -> int:
        return len(self.words)

    @classmethod
    def of(cls, sentences: Iterable[Sequence[str]], max_words: int, min_count: int) -> Vocabulary:
        """Returns the `max_words` commonest of the words that occur at least `min_count` times."""
        counts = Counter(word for sentence in sentences for word in sentence)
        common = sorted((-count, word) for word, count in counts.items() if count >= min_count)
        return cls([*SPECIAL, *(word for _, word in common[:max_words] if word not in SPECIAL)])

    def encode(self, sentence: Sequence[str]) -> list[int]:
        """Returns the numbers of a sentence's words; what is not known, or special, is UNKNOWN."""
        numbers = (self._numbers.get(word, UNKNOWN) for word in sentence)
        return [number if number > END else UNKNOWN for number in numbers]

    def to_array(self) -> np.ndarray:
        """Returns the words as bytes, [N] uint8: UTF-8, one a line."""
        return np.frombuffer("\n".join(self.words).encode(), np.uint8)

    @classmethod
    def from_array(cls, array: np.ndarray) -> Vocabulary:
        """Returns what to_array() made an array of. Raises DamagedFile where it is none."""
        try:
            return cls(array.astype(np.uint8).tobytes().decode().split("\n"))
        except UnicodeDecodeError as error:
            raise DamagedFile("a vocabulary is no UTF-8 text") from error


def padded(sentences: Sequence[Sequence[int]]) -> np.ndarray:
    """Returns [B, T] int32, T that of the longest sentence, at least 1; what is shorter is filled up with END."""
    array = np.full((len(sentences), max(1, *map(len, sentences)) if sentences else 1), END, np.int32)
    for row, sentence in zip(array, sentences, strict=True):
        row[: len(sentence)] = sentence
    return array
