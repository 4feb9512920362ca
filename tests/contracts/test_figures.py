"""Figures of jobs, told alike by both databases."""

from pathlib import Path

import pytest

from mediahost.hashing import hash_bytes
from mediahost.model.job import Failure, JobRequest, Outcome
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.ports import Setback
from mediahost.store import SqlStore


def fail(store: SqlStore, path: str, message: str, hint: str | None = None) -> None:
    media = MediaFile(Path(path), MediaKind.VIDEO, hash_bytes(path.encode()))
    store.submit([JobRequest("av.probe", 1, {}, media, hash_bytes(message.encode()))])
    (job,) = store.claim("here", 1, 60)
    failure = Failure(message, hint)
    store.commit("here", [], [Setback(job, Outcome.ERROR, failure)])


def test_the_reason_of_many_damaged_files_is_one(sql_store: SqlStore) -> None:
    for number in range(3):
        name = f"film {number} 100%.mp4"
        hint = f"It is no film, or cut off after {number} s." if number else None
        fail(sql_store, f"/in/takes/{name}", f"{name} can't be read: no header", hint)
    fail(sql_store, "/in/other.mp4", "Nobody can tell what is in other.mp4")
    figures = sql_store.browse().figures(24)
    assert figures.reasons == (
        ("… can't be read: no header", 3),
        ("Nobody can tell what is in …", 1),
    )


@pytest.mark.parametrize("path", ["/in/a", "/in/no"])
def test_a_name_that_may_be_a_word_stays_in_the_reason(sql_store: SqlStore, path: str) -> None:
    fail(sql_store, path, "a film has no sound...")
    assert sql_store.browse().figures(24).reasons == (("a film has no sound...", 1),)
