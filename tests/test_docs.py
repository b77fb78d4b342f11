"""Every command and every flag is in the README."""

import re
from pathlib import Path

import pytest

from arena.cli import app

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
COMMANDS = [command.name or command.callback.__name__ for command in app.registered_commands]


def test_the_commands_are_those_of_the_help(arena):
    listed = re.findall(r"^  (\w+)  ", arena("--help").out.partition("Commands:")[2], re.MULTILINE)
    assert listed == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_and_its_flags_are_in_the_readme(arena, command):
    options = arena(command, "--help").out.partition("Options:")[2]
    flags = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", options)) - {"--help"}
    wanted = {f"arena {command}", *flags}
    assert not {text for text in wanted if not re.search(rf"{text}(?![\w-])", README)}
