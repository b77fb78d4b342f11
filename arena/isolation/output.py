"""What a process prints, as far as it is kept."""

from __future__ import annotations

import re

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


class Output:
    """Keeps the beginning and the end of what is added, `limit` bytes in all."""

    def __init__(self, limit: int) -> None:
        self._half = limit // 2
        self._head, self._tail, self._cut = bytearray(), bytearray(), 0

    def add(self, content: bytes) -> None:
        """Takes in what was printed next."""
        room = self._half - len(self._head)
        self._head += content[:room]
        self._tail += content[room:]
        if (over := len(self._tail) - self._half) > self._half:
            self._shorten(over)

    @property
    def text(self) -> str:
        """What was kept, with a line that says how much was cut; nothing in it steers a terminal."""
        if (over := len(self._tail) - self._half) > 0:
            self._shorten(over)
        cut = f"\n[... {self._cut:,} bytes cut ...]\n" if self._cut else ""
        return printable(self._head.decode(errors="replace") + cut + self._tail.decode(errors="replace"))

    def _shorten(self, count: int) -> None:
        del self._tail[:count]
        self._cut += count


def printable(text: str) -> str:
    """Returns `text` without what could steer a terminal; line ends and tabs stay."""
    return _CONTROLS.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def one_line(text: str, most: int = 500) -> str:
    """Returns `text` as one printable line of at most so many characters."""
    line = " ".join(printable(text).split())
    return line if len(line) <= most else line[: most - 1] + "\N{HORIZONTAL ELLIPSIS}"
