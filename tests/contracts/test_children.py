"""A completed job's children: written with it, deleted with it, on each database."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.exc import IntegrityError

from mediahost.hashing import hash_bytes
from mediahost.model.job import ClaimedJob, Failure, JobRequest, Outcome
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.model.paths import path_to_url
from mediahost.model.ranges import TimeRange
from mediahost.model.result import (
    Analysis,
    Artifact,
    MediaAnalysisResult,
    MediaProcessingResult,
    Result,
    Transcription,
    Word,
)
from mediahost.ports import Completion, Setback
from mediahost.store import SqlStore
from mediahost.store.children import analysis_results, media_assets, transcriptions
from mediahost.store.derived import made_files, passages

CHILDREN = (media_assets, transcriptions, analysis_results)

HEARD = MediaAnalysisResult(
    ranges=(TimeRange(start=0, end=2, label="speech"),),
    transcription=Transcription(
        provider="faster-whisper",
        text="It was the best of times.",
        language="en",
        confidence=0.0,
        words=(
            Word(text="It", start=0, end=0.5, probability=0.9),
            Word(text="was", start=0.5, end=1, probability=None),
        ),
        metadata={"beam": 5},
    ),
    analysis=Analysis(
        analysis_type="summary",
        summary="",
        detailed={},
        confidence=1.0,
        model="smollm2",
        prompt="Summarise.",
        input_tokens=0,
        output_tokens=7,
    ),
)


def asked(number: int = 0, path: str | Path = "/media/film.mp4") -> JobRequest:
    media = MediaFile(Path(path), MediaKind.VIDEO, hash_bytes(b"film"))
    return JobRequest("hello.halves", 1, {}, media, hash_bytes(b"%d" % number))


def made(*names: str) -> MediaProcessingResult:
    return MediaProcessingResult(
        artifacts=tuple(
            Artifact(
                path=Path("/made", name),
                asset_type="contact_sheet" if name.endswith("jpg") else "frame",
                mime_type="image/jpeg",
                size=9,
                file_hash=hash_bytes(name.encode()),
                metadata={"rows": 2},
            )
            for name in names
        )
    )


def complete(store: SqlStore, result: Result, *requests: JobRequest) -> list[ClaimedJob]:
    store.submit(requests or [asked()])
    jobs = store.claim("here", 1000, 60)
    done = [Completion(job, result, hash_bytes(b"result"), 12, (), 1234) for job in jobs]
    assert len(store.commit("here", done)) == len(jobs)
    return jobs


def rows(store: SqlStore, table: Any) -> list[dict[str, Any]]:
    with store._database.read() as connection:
        return [dict(row) for row in connection.execute(select(table)).mappings()]


def count(store: SqlStore, table: Any) -> int:
    with store._database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_what_was_said_is_a_transcription_with_its_words(sql_store: SqlStore) -> None:
    (job,) = complete(sql_store, HEARD)
    (row,) = rows(sql_store, transcriptions)
    assert isinstance(row.pop("id"), UUID)
    assert row.pop("created_at").utcoffset() is not None
    assert row == {
        "job_id": job.token.job_id,
        "provider": "faster-whisper",
        "text_content": "It was the best of times.",
        "language": "en",
        "confidence_score": 0.0,
        "word_timestamps": [
            {"word": "It", "start": 0, "end": 0.5, "probability": 0.9},
            {"word": "was", "start": 0.5, "end": 1, "probability": None},
        ],
        "metadata": {"beam": 5},
    }


def test_what_a_model_thought_is_an_analysis_result_with_its_tokens(sql_store: SqlStore) -> None:
    (job,) = complete(sql_store, HEARD)
    (row,) = rows(sql_store, analysis_results)
    del row["id"], row["created_at"]
    assert row == {
        "job_id": job.token.job_id,
        "analysis_type": "summary",
        "summary": "",
        "detailed_analysis": {},
        "confidence_score": 1.0,
        "model_used": "smollm2",
        "prompt_used": "Summarise.",
        "input_tokens": 0,
        "output_tokens": 7,
    }


def test_the_original_and_what_was_made_are_media_assets(sql_store: SqlStore) -> None:
    (job,) = complete(sql_store, made("sheet.jpg", "1.png"))
    found = rows(sql_store, media_assets)
    found.sort(key=lambda row: row["id"])
    assert [row["asset_type"] for row in found] == ["original", "contact_sheet", "frame"]
    original, sheet, _ = found
    assert original["file_path"] == "/media/film.mp4"
    assert (original["file_size_bytes"], original["mime_type"]) == (1234, "video/mp4")
    assert original["metadata"] == {"file_hash": hash_bytes(b"film")}
    assert sheet["job_id"] == job.token.job_id
    assert (sheet["file_path"], sheet["file_size_bytes"]) == ("/made/sheet.jpg", 9)
    assert sheet["metadata"] == {"rows": 2, "file_hash": hash_bytes(b"sheet.jpg")}


def test_a_path_that_is_not_utf8_is_kept_as_its_url(sql_store: SqlStore) -> None:
    odd = Path(os.fsdecode(b"/media/\xff.mp4"))
    complete(sql_store, made("1.png"), asked(path=odd))
    assert path_to_url(odd) in {row["file_path"] for row in rows(sql_store, media_assets)}


def test_deleting_a_job_deletes_its_children_and_nothing_else(sql_store: SqlStore) -> None:
    kept, gone = complete(sql_store, HEARD, asked(1), asked(2))
    sql_store.delete_jobs([gone.token.job_id])
    for table in CHILDREN:
        assert [row["job_id"] for row in rows(sql_store, table)] == [kept.token.job_id]
    assert len(sql_store.results_of(hash_bytes(b"film"))) == 2


def test_what_was_made_is_remembered_without_its_job(sql_store: SqlStore) -> None:
    (job,) = complete(sql_store, made("sheet.jpg", "1.png"))
    sql_store.delete_jobs([job.token.job_id])
    assert count(sql_store, made_files) == 2


def test_a_child_needs_a_job(sql_store: SqlStore) -> None:
    complete(sql_store, HEARD)
    row = {**rows(sql_store, media_assets)[0], "id": UUID(int=1), "job_id": UUID(int=2)}
    with pytest.raises(IntegrityError), sql_store._database.write() as connection:
        connection.execute(media_assets.insert(), [row])


@pytest.mark.parametrize(
    ("table", "wrong"),
    [
        (media_assets, {"file_size_bytes": -1}),
        (transcriptions, {"confidence_score": 1.5}),
        (analysis_results, {"confidence_score": -0.1}),
        (analysis_results, {"output_tokens": -1}),
    ],
)
def test_the_database_refuses_what_can_not_be(
    sql_store: SqlStore, table: Any, wrong: dict[str, Any]
) -> None:
    complete(sql_store, HEARD)
    row = {**rows(sql_store, table)[0], "id": UUID(int=1), **wrong}
    with pytest.raises(IntegrityError), sql_store._database.write() as connection:
        connection.execute(table.insert(), [row])


def test_a_lost_or_failed_attempt_leaves_no_children(sql_store: SqlStore) -> None:
    sql_store.submit([asked(1), asked(2)])
    lost, broken = sql_store.claim("here", 2, 60)
    setback = Setback(broken, Outcome.ERROR, Failure("It broke"))
    sql_store.reap(lambda _host: True)
    assert sql_store.commit("here", [Completion(lost, HEARD, "x", 1)], [setback]) == set()
    for table in (*CHILDREN, passages):
        assert count(sql_store, table) == 0


def statements(store: SqlStore, act: Callable[[], object]) -> int:
    sent = []

    def note(*arguments: Any) -> None:
        sent.append(arguments[2])

    event.listen(store._database.engine, "before_cursor_execute", note)
    act()
    event.remove(store._database.engine, "before_cursor_execute", note)
    return len(sent)


@pytest.mark.parametrize("result", [HEARD, made("sheet.jpg", "1.png")])
def test_a_hundred_jobs_take_as_many_statements_as_two(sql_store: SqlStore, result: Result) -> None:
    def committing(numbers: range) -> int:
        sql_store.submit([asked(number, f"/media/{number}.mp4") for number in numbers])
        jobs = sql_store.claim("here", 1000, 60)
        done = [Completion(job, result, hash_bytes(b"result"), 12) for job in jobs]
        return statements(sql_store, lambda: sql_store.commit("here", done))

    assert committing(range(100, 200)) == committing(range(2))


def test_running_again_replaces_the_passages(sql_store: SqlStore) -> None:
    complete(sql_store, HEARD)
    complete(sql_store, HEARD)
    assert count(sql_store, passages) == 2, "one range, one sentence; the summary is empty"
