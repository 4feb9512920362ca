"""Browsing a real store: filters, windows, and what is new since a look."""

import sqlite3
import threading
import time
from array import array
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import literal, select
from sqlalchemy.dialects import postgresql

from mediahost.hashing import hash_bytes
from mediahost.model.job import Failure, JobRequest, JobStatus, Outcome
from mediahost.model.job_filter import JobFilter
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.model.result import MediaAnalysisResult
from mediahost.ports import Completion, Setback
from mediahost.store import SqlStore, browse, open_store
from mediahost.store.browse import Browser, Order
from mediahost.store.job_filter import condition_of

HOST = "here"


def request(name: str, action: str = "av.probe") -> JobRequest:
    media = MediaFile(Path("/in") / name, MediaKind.AUDIO, hash_bytes(name.encode()))
    return JobRequest(action, 1, {}, media, hash_bytes(action.encode()))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    """Five jobs: 1 completed, 2 failed, 3 cancelled, 4 processing, 5 pending."""
    opened = open_store(tmp_path / "store.db")
    opened.submit([request("one.wav"), request("two_.wav", "av.convert"), request("three.wav")])
    one, two, three = opened.claim(HOST, 3, 60)
    opened.commit(
        HOST,
        [Completion(one, MediaAnalysisResult(), hash_bytes(b"r"), 90_000)],
        [Setback(two, Outcome.ERROR, Failure("no audio stream", "Take another."), None, 500)],
    )
    opened.request_cancel([three.token.job_id])
    opened.release(HOST, [three.token])
    opened.submit([request("four.wav", "speech.vad")])
    (four,) = opened.claim(HOST, 1, 60)
    opened.report_progress(HOST, {four.token: (0.5, "half")})
    opened.submit([request("five%.wav")])
    yield opened
    opened.close()


@pytest.fixture
def browser(store: SqlStore) -> Iterator[Browser]:
    reader = store.browse()
    yield reader
    reader.close()


def found(browser: Browser, text: str, order: Order = Order.OLDEST) -> list[int]:
    return [n for stretch in browser.numbers(JobFilter.parse(text), order) for n in stretch]


NFC, NFD = "Caf\u00e9", "Cafe\u0301"


@pytest.mark.parametrize(("typed", "there"), [(NFC, NFD), (NFD, NFC)])
@pytest.mark.parametrize("text", ["{}", "media:{}", "media:/in/{}*", "media:/in/{}.wav"])
def test_an_accent_is_the_same_however_a_path_spells_it(
    store: SqlStore, browser: Browser, typed: str, there: str, text: str
) -> None:
    store.submit([request(f"{there}.wav")])
    assert found(browser, text.format(typed)) == [6]
    assert found(browser, f"-{text.format(typed)}") == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", [1, 2, 3, 4, 5]),
        ("state:failed,pending", [2, 5]),
        ("-state:failed", [1, 3, 4, 5]),
        ("plugin:av", [1, 2, 3, 5]),
        ("plugin:sp*", [4]),
        ("action:av.convert", [2]),
        ("media:three", [3]),
        ("media:/in/t*", [2, 3]),
        ("media:/in/?our.wav", [4]),
        ("two_", [2]),
        ("%", [5]),
        ("-wav", []),
        ("-err:audio", [1, 3, 4, 5]),
        ('err:"AUDIO stream"', [2]),
        ("dur>1m", [1]),
        ("dur:90s", [1]),
        ("dur<1s", [2]),
        ("-dur<1s", [1, 3, 4, 5]),
        ("try>=1", [1, 2, 3, 4]),
        ("try:0", [5]),
        ("job:4", [4]),
        ("age<1h", [1, 2, 3, 4, 5]),
        ("age>1h", []),
        ("cached:yes", []),
        ("unresolved:yes", [2]),
        ("audio -state:completed", [2]),
        ("WAV plugin:av -one", [2, 3, 5]),
    ],
)
def test_a_filter_finds_its_jobs(browser: Browser, text: str, numbers: list[int]) -> None:
    assert found(browser, text) == numbers


def test_a_failure_is_resolved_once_the_same_was_computed(
    store: SqlStore, browser: Browser
) -> None:
    store.submit([request("two_.wav", "av.convert")])
    job = next(one for one in store.claim(HOST, 2, 60) if one.request.action == "av.convert")
    result = MediaAnalysisResult()
    store.commit(HOST, [Completion(job, result, hash_bytes(b"r"), 1)])
    assert found(browser, "state:failed") == [2]
    assert found(browser, "unresolved:yes") == []


def test_asking_to_cancel_shows_as_cancelling(store: SqlStore, browser: Browser) -> None:
    line = browser.first(JobFilter.parse("state:processing"), Order.NEWEST, 9)[0]
    store.request_cancel([line.job_id])
    assert found(browser, "state:cancelling") == [4]


def test_lists_come_in_each_order(browser: Browser) -> None:
    assert [line.number for line in browser.first(JobFilter(), Order.NEWEST, 3)] == [5, 4, 3]
    assert [line.number for line in browser.first(JobFilter(), Order.SLOWEST, 2)] == [1, 2]
    assert found(browser, "", Order.NEWEST) == [1, 2, 3, 4, 5]
    assert found(browser, "", Order.SLOWEST)[:2] == [1, 2]
    assert sorted(found(browser, "", Order.CHANGED)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("text", ["", "wav"])
def test_stretches_join_without_gap_or_overlap(
    browser: Browser, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setattr(browse, "STRETCH", 2)
    stretches = list(browser.numbers(JobFilter.parse(text), Order.NEWEST))
    assert [list(one) for one in stretches] == [[5], [3, 4], [1, 2]]
    assert found(browser, text) == [1, 2, 3, 4, 5]


def test_a_list_that_nobody_waits_for_any_more_is_broken_off(
    browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []

    def slowly(_browser: Browser, _wanted: object, start: int) -> "array[int]":
        read.append(start)
        threading.Event().wait(0.1)  # as words among a million take
        return array("q", [start])

    monkeypatch.setattr(browse, "STRETCH", 1)
    monkeypatch.setattr(Browser, "_bounds", lambda _: (1, 400))
    monkeypatch.setattr(Browser, "_stretch", slowly)
    numbers = cast(
        "Generator[array[int], None, None]", browser.numbers(JobFilter.parse("wav"), Order.OLDEST)
    )
    assert list(next(numbers)) == [1]
    numbers.close()
    assert len(read) < 400


def test_a_line_names_the_file_that_its_file_was_made_of(store: SqlStore, browser: Browser) -> None:
    roots = "/in/film.mp4", "/in/sound.wav", None
    store.submit([replace(request("sound.wav", str(root)), root_url=root) for root in roots])
    lines = browser.look([6, 7, 8], JobFilter(), 8, 0).lines
    origins = {line.number: line.origin_url for line in lines}
    assert origins == {6: "/in/film.mp4", 7: None, 8: None}


def test_a_look_tells_lines_progress_and_what_is_new(store: SqlStore, browser: Browser) -> None:
    wanted = JobFilter.parse("state:pending")
    store.submit([request("six.wav"), request("seven.wav")])
    look = browser.look([4, 5, 77], wanted, 5, 9)
    by_number = {line.number: line for line in look.lines}
    assert set(by_number) == {4, 5}
    assert (by_number[4].fraction, by_number[4].message) == (0.5, "half")
    assert (by_number[4].matches, by_number[5].matches) == (False, True)
    assert (look.fresh, look.newest) == (array("q", [6, 7]), 7)
    assert browser.look([], JobFilter.parse("two"), 5, 9).fresh == array("q")


def test_the_version_moves_when_another_connection_writes(
    store: SqlStore, browser: Browser
) -> None:
    before = browser.version()
    assert browser.version() == before
    store.submit([request("eight.wav")])
    after = browser.version()
    assert after != before
    assert browser.version() == after


def test_counts_by_status_and_action(browser: Browser) -> None:
    assert browser.counts() == dict.fromkeys(JobStatus, 1)
    assert [tuple(one) for one in browser.actions()] == [
        ("av.convert", 1),
        ("av.probe", 3),
        ("speech.vad", 1),
    ]


def test_a_look_counts_ages_back_from_its_own_moment(store: SqlStore, browser: Browser) -> None:
    store.submit([request("new.wav")])
    wanted = JobFilter.parse("age>300ms")
    ends_at = time.monotonic() + 60
    while not browser.look([6], wanted, 6, 0).lines[0].matches:
        assert time.monotonic() < ends_at


def test_ids_of_marked_jobs_or_of_all_that_match(store: SqlStore, browser: Browser) -> None:
    ids = browser.ids(JobFilter.parse("plugin:av"), None, [JobStatus.FAILED, JobStatus.PENDING])
    assert {view.number for view in store.get_jobs(ids).values()} == {2, 5}
    ids = browser.ids(JobFilter(), [1, 2], [JobStatus.FAILED])
    assert {view.number for view in store.get_jobs(ids).values()} == {2}


def test_an_age_counts_from_when_the_job_was_made(store: SqlStore, tmp_path: Path) -> None:
    before = (datetime.now(UTC) - timedelta(days=3)).strftime("%Y-%m-%d %H:%M:%S.%f")
    with closing(sqlite3.connect(tmp_path / "store.db")) as database, database:
        database.execute("UPDATE jobs SET created_at = ? WHERE number < 3", (before,))
    browser = store.browse()
    assert found(browser, "age<2d") == [3, 4, 5]
    assert found(browser, "age>2d") == [1, 2]


@settings(max_examples=60)
@given(st.text(min_size=1, max_size=12))
def test_a_word_is_a_parameter_and_never_sql(word: str) -> None:
    wanted = JobFilter.parse('media:"' + word.replace('"', "") + '"') if word.strip('"') else None
    if wanted is None or not wanted.terms:
        return
    statement = select(literal(1)).where(condition_of(wanted))
    for dialect in (None, postgresql.dialect()):  # type: ignore[no-untyped-call]
        compiled = statement.compile(dialect=dialect) if dialect else None
        if compiled is not None:
            assert "jobs.media_url ILIKE" in str(compiled)
            assert len(compiled.params) > 0
