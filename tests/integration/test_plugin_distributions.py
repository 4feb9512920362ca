"""Each shipped plugin stands alone: it requires what it imports, and says what it does."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest

PLUGINS = sorted((Path(__file__).parents[2] / "plugins").glob("mediahost-*"))
# Imported where they are there, and asked for in a sentence where they are not.
OPTIONAL = {"pillow-heif", "xllamacpp"}
# What mediahost gives an author: configs are pydantic models, views are Textual widgets.
OF_THE_HOST = {"pydantic", "textual", "rich"}


def _project(plugin: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((plugin / "pyproject.toml").read_text())["project"]
    return project


def _named(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", one)[0].lower() for one in requirements}


def _imported(plugin: Path) -> Iterator[str]:
    for path in (plugin / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.partition(".")[0]


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_it_requires_all_that_it_imports(plugin: Path) -> None:
    known = packages_distributions()
    own = plugin.name.replace("-", "_")
    modules = set(_imported(plugin)) - set(sys.stdlib_module_names) - {own, "mediahost"}
    needed = {known[module][0].lower().replace("_", "-") for module in modules}
    missing = needed - _named(_project(plugin)["dependencies"]) - OPTIONAL - OF_THE_HOST
    assert not missing


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_it_requires_no_other_plugin(plugin: Path) -> None:
    required = _named(_project(plugin)["dependencies"])
    assert not {name for name in required if name.startswith("mediahost-")}
    assert "mediahost" in required


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.name)
def test_it_is_registered_licensed_and_described(plugin: Path) -> None:
    project = _project(plugin)
    assert project["entry-points"]["mediahost"]
    assert (plugin / "LICENSE").is_file()
    readme = (plugin / project["readme"]).read_text()
    names = (plugin.name, ".")
    assert any(f"mediahost plugins install {name}" in readme.replace("'", "") for name in names)
    assert "real result" in readme.lower()
