"""docs/cli.md: every command with every option, and no other."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from mediahost.cli.app import app
from mediahost.errors import MediahostError

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()


def _commands(command: object, name: str = "mediahost") -> Iterator[tuple[str, object]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield name, command
        return
    for word, inner in below.items():
        yield from _commands(inner, f"{name} {word}")


PROGRAM = typer.main.get_command(app)
COMMANDS = dict(_commands(PROGRAM))


def _sections() -> dict[str, str]:
    parts = re.split(r"^## (mediahost .+)\n", PAGE, flags=re.MULTILINE)
    return {
        title: text.partition("\n## ")[0]
        for title, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def _options(command: object) -> set[str]:
    return {
        option
        for parameter in getattr(command, "params", [])
        if parameter.param_type_name == "option" and not parameter.hidden
        for option in parameter.opts
        if option.startswith("--") and option != "--help"
    }


def _documented(text: str) -> set[str]:
    cells = re.findall(r"^\| (`-.+?) \|", text, re.MULTILINE)
    return {option for cell in cells for option in re.findall(r"`(--[\w-]+)", cell)}


def test_the_page_has_a_section_for_each_command_and_no_other() -> None:
    assert set(_sections()) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_a_section_has_the_options_of_its_command(name: str) -> None:
    assert _documented(_sections()[name]) == _options(COMMANDS[name])


def test_the_global_options_are_on_the_page() -> None:
    head = PAGE.partition("\n## ")[0]
    assert _documented(head) == _options(PROGRAM)


def test_the_exit_codes_of_errors_are_on_the_page() -> None:
    told = {
        int(code)
        for code in re.findall(r"^\| (\d+)", PAGE.partition("## Exit codes")[2], re.MULTILINE)
    }

    def below(error: type[MediahostError]) -> Iterator[type[MediahostError]]:
        yield error
        for inner in error.__subclasses__():
            yield from below(inner)

    assert {error.exit_code for error in below(MediahostError)} <= told
