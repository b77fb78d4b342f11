"""Text that a stranger wrote (names, reasons, logs), made safe to look at."""

from __future__ import annotations

import re

#: Controls but tab and newline, zero-width characters, bidirectional marks, embeddings, overrides and isolates.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


def shown(text: str) -> str:
    """Returns a text whose invisible characters, which could pass one name off as another, are written as escapes.

    Lone surrogates, which UTF-8 cannot hold, become escapes too.
    """
    return _INVISIBLE.sub(_escape, text.encode("utf-8", "backslashreplace").decode("utf-8"))


def _escape(found: re.Match[str]) -> str:
    return found.group().encode("unicode_escape").decode("ascii")
