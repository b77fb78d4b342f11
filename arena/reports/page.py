"""The page: a view in a template, as one file that asks the network for nothing and runs nothing but its own script."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from arena.reports.hostile import shown
from arena.reports.view import View


def render(view: View) -> str:
    """Returns the page as HTML: every text of the view escaped, its invisible characters shown."""
    style, script = _file("style.css"), _file("script.js")
    page = jinja2.Environment(
        autoescape=True, finalize=_finalize, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    page.filters["data"] = _data
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "img-src data:",
            "media-src data: blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    template = page.from_string(_file("template.html"))
    return template.render(view=view, policy=policy, style=Markup(style), script=Markup(script))


def _finalize(value: Any) -> Any:
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _data(rows: Sequence[Sequence[str | float]]) -> Markup:
    """Returns JSON that cannot end the element it stands in."""
    safe = [[shown(value) if isinstance(value, str) else value for value in row] for row in rows]
    text = json.dumps(safe, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _file(name: str) -> str:
    return resources.files("arena.reports").joinpath(name).read_text(encoding="utf-8")
