"""The command's reference is complete: each command has help and a section, which names all of its options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from tbpy.cli import exit_codes
from tbpy.cli.main import app

REFERENCE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")


def commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    if not hasattr(command, "list_commands"):
        yield name, command
        return
    if command.invoke_without_command and name != "tbpy":
        yield name, command
    for word in command.list_commands(None):
        yield from commands(command.get_command(None, word), f"{name} {word}")


COMMANDS = dict(commands(typer.main.get_command(app), "tbpy"))


def section(name: str) -> str:
    found = re.search(rf"^## {re.escape(name)}\n(.*?)(?=^## |\Z)", REFERENCE, re.MULTILINE | re.DOTALL)
    return found.group(1) if found else ""


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_help_and_a_section(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    text = section(name)
    assert text, f"docs/cli.md has no section on {name}"
    if "The same as" not in text:
        options = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
        assert {option for option in options - {"--json"} if option not in text} == set()


def test_no_section_is_of_a_command_that_is_gone() -> None:
    assert set(re.findall(r"^## (tbpy .*)$", REFERENCE, re.MULTILINE)) == set(COMMANDS)


def test_every_exit_code_is_listed() -> None:
    listed = set(map(int, re.findall(r"^\| (\d+) \|", REFERENCE, re.MULTILINE)))
    defined = {value for name, value in vars(exit_codes).items() if name.isupper() and isinstance(value, int)}
    assert listed == defined
