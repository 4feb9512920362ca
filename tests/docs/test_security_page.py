"""docs/security.md: each test that it names is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
ROWS = re.findall(r"^\| ([^|]+) \| ([^|]+) \| (`test_[^|]+) \|$", PAGE, re.MULTILINE)
NAMED = sorted(set(re.findall(r"`(test_\w+)`", PAGE)))
SOURCES = [*ROOT.glob("tests/**/test_*.py"), *ROOT.glob("plugins/*/tests/test_*.py")]
TEST = re.compile(r"^def (test_\w+)", re.MULTILINE)
WRITTEN = {name for source in SOURCES for name in TEST.findall(source.read_text())}


def test_each_requirement_has_its_tests() -> None:
    table = PAGE.partition("|---|---|---|\n")[2].partition("\n\n")[0]
    assert len(ROWS) == len(table.splitlines()) > 20


@pytest.mark.parametrize("name", NAMED)
def test_each_test_on_the_page_is_there(name: str) -> None:
    assert name in WRITTEN
