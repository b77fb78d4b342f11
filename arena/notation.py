"""Positions and moves of OpenSpiel's games as people read and type them."""

from __future__ import annotations

import re
from typing import Any

from arena.errors import InvalidValue

_GRID = re.compile(r"[.a-zA-Z#]+")  # a line of a board without labels
_FEN = re.compile(r"[a-zA-Z1-8/]+ [wb] .*")
_MOST_CHOICES = 9  # that a message names


def board(state: Any) -> str:
    """Returns the board with its labels: OpenSpiel's own picture, or a grid where that has none."""
    lines = str(state).rstrip("\n").split("\n")
    name = _game(state)
    if _FEN.fullmatch(lines[0]):
        ranks = re.sub(r"\d", lambda digit: "." * int(digit[0]), lines[0].split()[0]).split("/")
        labels = [str(len(ranks) - row) for row in range(len(ranks))]
        return _grid(ranks, labels, "abcdefgh", is_footed=True)
    if name == "hex":
        header = "   " + " ".join("abcdefghijklmnopqrstuvwxyz"[: lines[0].count(" ")])
        return "\n".join([header, *(f"{row:>2} {line.rstrip()}" for row, line in enumerate(lines, 1))])
    if len(lines) == 1 or not all(_GRID.fullmatch(line) and len(line) == len(lines[0]) for line in lines):
        return "\n".join(line.rstrip() for line in lines)
    columns = range(len(lines[0]))
    if name == "connect_four":
        return _grid(lines, [""] * len(lines), [str(column + 1) for column in columns], is_footed=True)
    return _grid(lines, [str(row) for row in range(len(lines))], [str(column) for column in columns])


def _grid(lines: list[str], labels: list[str], columns: Any, *, is_footed: bool = False) -> str:
    """Returns a grid of cells with a label before every row, and the columns' labels above or below."""
    width, margin = max(map(len, columns)), max(map(len, labels))
    rows = [
        f"{label:>{margin}} " + " ".join(f"{cell:>{width}}" for cell in line)
        for label, line in zip(labels, lines, strict=True)
    ]
    names = " " * (margin + 1) + " ".join(f"{column:>{width}}" for column in columns)
    return "\n".join([*rows, names] if is_footed else [names, *rows])


def name(state: Any, action: int) -> str:
    """Returns a legal move's name: its column in Connect Four, else OpenSpiel's without the mover's mark ("x", "B")."""
    text = _full(state, action)
    marked = re.fullmatch(r"[a-z]\((\d+,\d+)\)|[BW] (\w+)", text)
    return (marked[1] or marked[2]) if marked else text


def _full(state: Any, action: int) -> str:
    if _game(state) == "connect_four":
        return str(action + 1)
    return str(state.action_to_string(state.current_player(), action))


def form(state: Any) -> str:
    """Returns how a move is typed, in a few words."""
    if _game(state) == "connect_four":
        return "a column's number"
    moves = [name(state, action) for action in state.legal_actions()]
    return "row,column" if re.fullmatch(r"\d+,\d+", moves[0]) else f"a move, as {moves[len(moves) // 2]}"


def parse(state: Any, text: str) -> int:
    """Returns the legal move that `text` names.

    Case, punctuation and what all legal moves begin with ("x", "Local board 8:") may be left out.

    Raises InvalidValue where it names no legal move, or several.
    """
    moves: dict[int, str] = {action: name(state, action) for action in state.legal_actions()}
    exact = [action for action, move in moves.items() if move == text.strip()]
    if exact:
        return exact[0]
    forms = {action: _tokens(_full(state, action)) for action in moves}
    shared = _shared(list(forms.values()))
    typed = _tokens(text)
    found = [action for action, form in forms.items() if typed and typed in (form, form[shared:])]
    if len(found) == 1:
        return found[0]
    if found:
        choices = " or ".join(moves[action] for action in found[:_MOST_CHOICES])
        raise InvalidValue(f"{text.strip()} can be {choices}; which one?")
    shown = list(moves.values())
    some = ", ".join(shown[:_MOST_CHOICES])
    hint = f"legal: {some}" if len(shown) <= _MOST_CHOICES else f"legal: {some}, ... (? lists all {len(shown)})"
    if _game(state) == "connect_four" and text.strip() in map(str, range(1, len(str(state).split("\n")[0]) + 1)):
        raise InvalidValue(f"column {text.strip()} is full; {hint}")
    raise InvalidValue(f"{text.strip()!r} is not a legal move; {hint}")


def _tokens(text: str) -> list[str]:
    return re.findall(r"[a-z]+|\d+|[+#^<>]", text.lower())


def _shared(forms: list[list[str]]) -> int:
    """Returns how many tokens all forms begin with; none where one of them has no others."""
    length = 0
    while all(len(form) > length + 1 for form in forms) and len({form[length] for form in forms}) == 1:
        length += 1
    return length


def _game(state: Any) -> str:
    return str(state.get_game().get_type().short_name)
