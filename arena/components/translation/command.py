"""`arena component run translator`: a sentence, or a file of them."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from arena import files
from arena.components.translation import charts
from arena.components.translation.corpora import read_lines
from arena.errors import ArenaError, DamagedFile, InvalidValue

if TYPE_CHECKING:
    from arena.components.translator import Translator

_READ = (".txt", ".gz")
_MOST_IN_A_PICTURE = 4


def run(translator: Translator, source: str, out: Path | None) -> str:
    """Returns the translation of a sentence, or of each line of a .txt or .gz file.

    `out` is a .txt file for them, or a .png for where they looked. Raises ArenaError where either is none of these, or
    there is nothing to translate.
    """
    if out is not None and out.suffix not in (".txt", ".png"):
        raise InvalidValue(f"--out must end in .txt, .png; given {str(out)!r}")
    texts = _texts(source)
    found = translator.translations(texts)
    lines = "\n".join(one.text for one in found)
    if out is None:
        return lines
    if out.suffix == ".txt":
        out.parent.mkdir(parents=True, exist_ok=True)
        files.write_text(out, f"{lines}\n")
        return f"{len(found)} translations are in {out}"
    from arena.components import pictures

    if translator.settings.attention == "none":
        raise InvalidValue("a translator without attention looks nowhere: there is no picture of it")
    pictures.write(out, charts.heat_maps(found[:_MOST_IN_A_PICTURE]))
    return f"{lines}\nwhere it looked is in {out}" if len(found) == 1 else f"where the first ones looked is in {out}"


def _texts(source: str) -> list[str]:
    path = Path(source)
    if path.suffix not in _READ:
        return [_checked(source)]
    if not path.is_file():
        raise ArenaError(f"there is no file {path}")
    try:
        lines = read_lines(path)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DamagedFile(f"{path} cannot be read: {error}") from error
    if not lines:
        raise InvalidValue(f"{path} is empty: it should hold a sentence a line")
    return lines


def _checked(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InvalidValue("the text is not UTF-8, which the terminal should give") from error
    return text
