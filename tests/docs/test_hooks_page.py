"""docs/hooks.md says what the hookspecs say, word for word."""

import inspect
import re
from pathlib import Path
from types import ModuleType

import pytest

from mediahost.plugin import hookspecs
from mediahost.plugin.registry import PluginRow, Registry

PAGE = (Path(__file__).parents[2] / "docs" / "hooks.md").read_text()
SPECS = {name: value for name, value in vars(hookspecs).items() if name.startswith("mediahost_")}


def _words(text: str) -> list[str]:
    return [word for word in text.split() if word != "-"]


def _section(name: str) -> str:
    found = re.search(rf"^## {name}\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"docs/hooks.md has no section {name}"
    return found[1]


def test_the_page_has_a_section_for_each_hook_and_no_other() -> None:
    assert re.findall(r"^## (.+)$", PAGE, re.MULTILINE) == list(SPECS)


@pytest.mark.parametrize("name", SPECS)
def test_a_section_is_the_hooks_signature_and_docstring(name: str) -> None:
    found = re.fullmatch(r"\n```text\n(.+?)\n```\n(.*)", _section(name), re.DOTALL)
    assert found, f"the section {name} has no signature"
    signature, text = found.groups()
    source = re.sub(r"\s+", " ", inspect.getsource(SPECS[name])).replace('"', "")
    assert f"def {signature}:" in source
    assert _words(text) == _words(inspect.getdoc(SPECS[name]) or "")


@pytest.mark.parametrize("name", SPECS)
def test_a_hook_says_when_with_what_and_where_it_fires(name: str) -> None:
    text = inspect.getdoc(SPECS[name]) or ""
    for fact in ("Fires:", "Parameters:", "First result:", "Runs in:"):
        assert text.count(fact) == 1
    parameters = text.partition("Parameters:")[2].partition("First result:")[0]
    for parameter in inspect.signature(SPECS[name]).parameters:
        assert f"`{parameter}`" in parameters


@pytest.mark.parametrize("name", SPECS)
def test_what_is_said_of_the_first_result_is_so(name: str) -> None:
    first = SPECS[name].mediahost_spec["firstresult"]
    assert ("First result: yes" in (inspect.getdoc(SPECS[name]) or "")) == first
    (row,) = re.findall(rf"^\| \[`{name}`\]\(#{name}\) \| (yes|no) \|", PAGE, re.MULTILINE)
    assert (row == "yes") == first


@pytest.mark.parametrize(
    "code", re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
)
def test_the_examples_are_hooks_that_the_host_takes(code: str) -> None:
    module = ModuleType("example")
    exec(code, vars(module))  # noqa: S102 - the page's own example
    row = PluginRow("example", "", "")
    registry = Registry()
    registry.register(module, row)
    assert row.error is None
    assert len(registry.plugins.get_hookcallers(module) or []) == 1
