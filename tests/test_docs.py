"""Every command and every flag is in the README, or in docs/components.md."""

import re
from pathlib import Path

import pytest

from arena.cli import app

ROOT = Path(__file__).parent.parent
DOCS = "".join((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/components.md"))


def names(typer_app):
    return [command.name or command.callback.__name__ for command in typer_app.registered_commands]


GROUPS = {group.name: group.typer_instance for group in app.registered_groups}
COMMANDS = [*names(app), *(f"{group} {name}" for group, entered in GROUPS.items() for name in names(entered))]


def test_the_commands_are_those_of_the_help(arena):
    listed = re.findall(r"^  (\w+)  ", arena("--help").out.partition("Commands:")[2], re.MULTILINE)
    assert sorted(listed) == sorted([*names(app), *GROUPS])


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_and_its_flags_are_in_the_docs(arena, command):
    options = arena(*command.split(), "--help").out.partition("Options:")[2]
    flags = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", options)) - {"--help"}
    wanted = {f"arena {command}", *flags}
    assert not {text for text in wanted if not re.search(rf"{text}(?![\w-])", DOCS)}
