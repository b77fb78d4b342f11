"""The page's HTML, without a browser."""

import base64
import hashlib
import itertools
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from arena.reports.page import render
from arena.reports.view import Cell, Column, Listing, Section, Table, View, blocks

_VOID = {"meta", "link", "br", "img", "input", "hr"}


class Tree(HTMLParser):
    """Every element as (name, attributes), texts of scripts, headings in order; unbalanced tags are an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if self._open:
            self.texts.setdefault(self._open[-1], []).append(data)

    def all(self, name: str) -> list[dict[str, str]]:
        return [attributes for tag, attributes in self.elements if tag == name]


@pytest.fixture(scope="module")
def text(page_file: Path) -> str:
    return page_file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tree(text: str) -> Tree:
    return Tree(text)


def test_the_page_asks_the_network_for_nothing(tree):
    for _, attributes in tree.elements:
        for key in ("src", "href", "action", "poster", "srcset", "data"):
            assert attributes.get(key, "#").startswith(("#", "data:"))
    assert not any("url(" in style or "@import" in style for style in tree.texts["style"])


def test_only_the_page_s_own_script_and_style_may_run(tree):
    policy = next(meta["content"] for meta in tree.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for key, element in (("style-src", "style"), ("script-src", "script")):
        content = tree.texts[element][-1]
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[key] == f"'sha256-{digest}'"
    assert not any(key.startswith("on") or key == "style" for _, attributes in tree.elements for key in attributes)


def test_what_strangers_wrote_stays_text(tree, text):
    assert [script.get("type") for script in tree.all("script")] == ["application/json", None]
    assert "document.title=&#39;owned&#39;" in text
    assert "\u202e" not in text and "\x1b" not in text
    assert "safe\\u202egnp.exe" in text and "\\x1b[31m" in text


def test_lists_carry_their_rows_as_data_that_cannot_end_its_element(tree):
    data = json.loads(tree.texts["script"][0])
    assert len(data) == 60
    assert data[:2] == [[0, "</script><b>", 0.0], [1, "safe\\u202egnp.exe", 7.0]]


def test_ids_are_unique_and_every_reference_has_its_target(tree):
    ids = Counter(attributes["id"] for _, attributes in tree.elements if "id" in attributes)
    assert set(ids.values()) == {1}
    for _, attributes in tree.elements:
        for key in ("aria-labelledby", "aria-describedby"):
            assert attributes.get(key, "main") in ids
        assert attributes.get("href", "#main").startswith("data:") or attributes.get("href", "#main")[1:] in ids


def test_tables_have_captions_scopes_and_buttons_in_the_headings_that_sort(tree):
    assert len(tree.all("caption")) == len(tree.all("table")) == 2
    headings = tree.all("th")
    assert {heading["scope"] for heading in headings} == {"col", "row"}
    assert all(heading.get("aria-sort", "none") == "none" for heading in headings)
    regions = [part for part in tree.all("div") if part.get("class") == "scroll"]
    assert all(part["tabindex"] == "0" and part["role"] == "region" for part in regions)


def test_landmarks_language_and_headings_are_in_order(tree, text):
    assert tree.all("html") == [{"lang": "en"}]
    assert all(len(tree.all(name)) == 1 for name in ("main", "header", "nav", "footer", "h1"))
    levels = [int(level) for level in re.findall(r"<h([1-6])", text)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_charts_have_a_name_and_the_bars_in_tables_none(tree):
    for drawing in tree.all("svg"):
        assert drawing.get("aria-hidden") == "true" or drawing.get("aria-label") or drawing["class"] == "swatch"


def test_a_film_that_could_not_be_made_says_why(tree, text):
    assert len(tree.all("video")) == 1
    assert "There is no film." in text


def test_numbers_that_json_does_not_have_are_refused():
    listing = Listing("list", "List", [Column("x")], [[float("nan")]])
    with pytest.raises(ValueError, match="not JSON compliant"):
        render(View("t", "h", "s", [Section("a", "A", "", blocks(listing))]))


def test_quotes_do_not_end_attributes():
    name = '" onmouseover="alert(1)'
    table = Table("t", name, [Column(name, hint=name)], [[Cell(name)]])
    tree = Tree(render(View(name, name, name, [Section("a", name, name, blocks(table))])))
    assert not any(key.startswith("on") for _, attributes in tree.elements for key in attributes)
