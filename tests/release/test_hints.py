"""Every hint that says what to install is a command that works, and asks no index for our names."""

import ast
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mediahost.installation import OURS, docs_hint, extra_hint, install_hint, shipped

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for folder in (ROOT / "mediahost", *sorted((ROOT / "plugins").glob("*/src")))
    for path in sorted(folder.rglob("*.py"))
]
PAGES = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("plugins/*/README.md")]
MAKERS: dict[str, Callable[..., str]] = {
    "install_hint": install_hint,
    "extra_hint": extra_hint,
    "docs_hint": docs_hint,
}


def _calls() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Hints in the code whose words are written there, each once."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            words = [one.value for one in node.args if isinstance(one, ast.Constant)]
            if node.func.id in MAKERS and words and len(words) == len(node.args):
                yield node.func.id, tuple(map(str, words))


HINTS = sorted({(maker, words) for maker, words in _calls() if maker != "docs_hint"})


def _dry_run(command: str) -> str:
    """Run a hint as it would be pasted, up to the point where pip would install."""
    # pip reads this variable backwards: 0 builds in this environment, which has hatchling.
    here = {**os.environ, "PIP_DRY_RUN": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
        env=here | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize(("maker", "words"), HINTS, ids=" ".join)
def test_a_hint_works_as_it_is_pasted(maker: str, words: tuple[str, ...]) -> None:
    said = _dry_run(MAKERS[maker](*words))
    assert re.search("Requirement already satisfied|Would install", said)
    assert not _asked_of_an_index(said)


@pytest.mark.slow
def test_all_that_is_shipped_can_be_installed_by_its_name() -> None:
    said = _dry_run(install_hint(*sorted(OURS - {"mediahost"})))
    assert not _asked_of_an_index(said)
    assert all(f"plugins/{name}" in said for name in OURS - {"mediahost"})


def test_there_are_hints() -> None:
    assert ("extra_hint", ("mediahost", "postgres")) in HINTS
    assert ("install_hint", ("mediahost-av",)) in HINTS


def test_hints_name_pages_that_are_there() -> None:
    pages = {words for maker, words in _calls() if maker == "docs_hint"}
    assert ("settings",) in pages
    assert all((shipped("docs") / f"{page}.md").is_file() for (page,) in pages)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_code_advises_pip_by_itself(path: Path) -> None:
    texts = [
        node.value
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert not [text for text in texts if re.search(r"\b(pip|pipx|uv tool) install\b", text)]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_page_takes_our_names_from_an_index(path: Path) -> None:
    for line in path.read_text().splitlines():
        command = re.search(r"(?<!plugins )\b(?:pip|pipx|uv tool|uv pip) install ([^`#]*)", line)
        if command:
            named = {re.split(r"[\[=<>@]", word)[0] for word in shlex.split(command[1])}
            assert not named & OURS, line


def _asked_of_an_index(said: str) -> list[str]:
    """What pip collected of ours by name alone, rather than from a place that was named."""
    lines = re.findall(r"^Collecting mediahost.*$", said, re.MULTILINE)
    return [line for line in lines if "@" not in line and "file:" not in line]
