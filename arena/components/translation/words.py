"""From a text to words and back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

Tokeniser = Literal["words", "spaces"]

_WORDS = re.compile(r"\w+(?:[-.]\w+)*(?:['\u2019](?=\w))?|[^\w\s]")  # "l'homme" is l' and homme
_CLOSING, _OPENING = frozenset(".,;:!?)]}…%»'"), frozenset("([{«")
_QUOTES = frozenset('"„“”')


def split(text: str, tokeniser: Tokeniser) -> list[str]:
    """Returns the words of a text.

    Args:
      text: of one sentence.
      tokeniser: words tells words and marks apart, and writes the first letter small; spaces only cuts at white space,
        for texts whose words are told apart already.
    """
    if tokeniser == "spaces":
        return text.split()
    stripped = text.strip()
    return _WORDS.findall(stripped[:1].lower() + stripped[1:])


def join(words: Sequence[str], tokeniser: Tokeniser) -> str:
    """Returns the text that split() makes such words of, but for its first letter, with a person's spacing."""
    if tokeniser == "spaces":
        return " ".join(words)
    text, is_quoted, is_glued = "", False, True
    for word in words:
        is_closing = word in _CLOSING or (word in _QUOTES and is_quoted)
        text += word if is_glued or is_closing else f" {word}"
        is_glued = word in _OPENING or (len(word) > 1 and word[-1] in "'\u2019") or (word in _QUOTES and not is_quoted)
        is_quoted ^= word in _QUOTES
    return text


def capitalised(text: str, like: str) -> str:
    """Returns the text, with a capital letter first where `like` begins with one."""
    return text[:1].upper() + text[1:] if like.strip()[:1].isupper() else text
