"""docs/glossary.md knows the words that the code uses."""

import re
from pathlib import Path

import pytest

from mediahost.model.job import JobStatus
from mediahost.model.kinds import MediaKind
from mediahost.plugin.action import POOLS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "glossary.md").read_text()
ENTRIES = dict(re.findall(r"^(\w[\w ,]*)\n: ((?:.+\n(?:  )?)+)", PAGE, re.MULTILINE))


def test_every_word_has_its_sentence() -> None:
    words = {word for entry in ENTRIES for word in entry.split(", ")}
    assert {"plugin", "action", "job", "attempt", "artifact", "result", "host", "store"} <= words
    assert len(words) == sum(len(entry.split(", ")) for entry in ENTRIES)


def test_every_status_is_named() -> None:
    assert all(f"`{status}`" in ENTRIES["status"] for status in JobStatus)


def test_every_kind_of_media_file_and_every_pool_is_named() -> None:
    assert all(kind in ENTRIES["media file"] for kind in MediaKind)
    assert all(pool in ENTRIES["pool"] for pool in POOLS)


@pytest.mark.parametrize("link", re.findall(r"\]\((?!https?:)([^)#]+)\)", PAGE))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (DOCS / link).exists()
