"""Repositories: one implementation, called and awaited, on each database."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from inspect import signature
from pathlib import Path
from threading import Barrier, Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Uuid, bindparam, insert, text
from sqlalchemy.orm import Session

from mediahost.errors import IllegalTransition, MediahostError, UnknownName, UsageError
from mediahost.hashing import hash_bytes
from mediahost.model.job import JobRequest, JobStatus
from mediahost.model.media import MediaFile
from mediahost.store import (
    AnalysisResult,
    AnalysisResultRepository,
    AnalysisResultResponse,
    Job,
    JobCreate,
    JobRepository,
    JobResponse,
    JobType,
    MediaAsset,
    MediaAssetRepository,
    MediaAssetResponse,
    SqlStore,
    Transcription,
    TranscriptionRepository,
    TranscriptionResponse,
    open_session,
)

TALK: dict[str, Any] = {"job_type": "audio", "media_url": "https://example.org/talk.mp3"}
SUMMARY = {
    "analysis_type": "summary",
    "summary": "A talk.",
    "detailed_analysis": {"topics": ["times"]},
    "model_used": "smollm2",
    "input_tokens": 0,
    "output_tokens": 12,
}


@pytest.fixture
def session(sql_store: SqlStore) -> Iterator[Session]:
    with open_session(sql_store) as opened:
        yield opened


@pytest.fixture
def jobs(session: Session) -> JobRepository[Session]:
    return JobRepository(session)


def test_a_new_job_is_pending_and_has_its_defaults(jobs: JobRepository[Session]) -> None:
    job = jobs.create(TALK)
    assert (job.status, job.job_type, job.parameters) == ("pending", "audio", {})
    assert isinstance(job.id, UUID)
    assert job.created_at is not None
    assert job.created_at.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - job.created_at) < timedelta(minutes=5)
    assert (job.started_at, job.completed_at, job.result) == (None, None, None)


def test_a_job_is_created_from_a_schema_too(jobs: JobRepository[Session]) -> None:
    asked = JobCreate(job_type=JobType.DOCUMENT, media_url="/a.pdf", prompt="", parameters={"a": 1})
    job = jobs.get_by_id(jobs.create(asked).id)
    assert job is not None
    assert (job.job_type, job.prompt, job.parameters) == ("document", "", {"a": 1})


@pytest.mark.parametrize(
    "wrong",
    [
        {"job_type": "hologram", "media_url": "/a"},
        {"job_type": "audio"},
        {"job_type": "audio", "media_url": ""},
        {**TALK, "status": "completed"},
        {**TALK, "parameters": {"a": object()}},
        {**TALK, "parameters": {"a": [float("nan")]}},
        {**TALK, "media_url": "/a\0b"},
        {**TALK, "prompt": "\ud800"},
    ],
)
def test_what_is_no_job_is_refused(jobs: JobRepository[Session], wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        jobs.create(wrong)


def test_methods_say_what_they_take(jobs: JobRepository[Session]) -> None:
    taken = signature(JobRepository.get_by_status)
    assert list(taken.parameters) == ["self", "status", "limit"]
    assert taken.parameters["limit"].default == 100
    assert list(signature(jobs.update_status).parameters)[:3] == ["job_id", "status", "error"]
    assert jobs.create.__name__ == "create"
    assert "Keep a job" in str(jobs.create.__doc__)
    assert len(JobRepository.get_all(jobs)) == 0
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        jobs.get_all(most=5)  # type: ignore[call-arg]


def test_a_job_lives_as_documented(jobs: JobRepository[Session]) -> None:
    job_id = jobs.create(TALK).id
    started = jobs.start_processing(job_id)
    assert started is not None
    assert (started.status, started.completed_at) == ("processing", None)
    assert started.started_at is not None
    done = jobs.update_status(job_id, "completed", result={}, processing_time_ms=0)
    assert done is not None
    assert (done.status, done.result, done.processing_time_ms) == ("completed", {}, 0)
    assert done.completed_at is not None
    assert done.completed_at >= started.started_at


def test_a_failure_keeps_its_error_until_the_job_is_pending_again(
    jobs: JobRepository[Session],
) -> None:
    job_id = jobs.create(TALK).id
    jobs.start_processing(str(job_id))
    failed = jobs.update_status(job_id, JobStatus.FAILED, error="It broke")
    assert failed is not None
    assert (failed.error, failed.completed_at is None) == ("It broke", False)
    again = jobs.update_status(job_id, "pending")
    assert again is not None
    assert (again.error, again.completed_at, again.started_at) == (None, None, None)


def test_a_job_that_is_pending_again_may_say_why(jobs: JobRepository[Session]) -> None:
    job_id = jobs.create(TALK).id
    jobs.update_status(job_id, "cancelled")
    again = jobs.update_status(job_id, "pending", error="It was cancelled by mistake")
    assert again is not None
    assert (again.status, again.error) == ("pending", "It was cancelled by mistake")


def test_a_job_stays_failed_while_another_one_does_the_same(jobs: JobRepository[Session]) -> None:
    failed, active = (
        Job(**TALK, action="a.b", file_hash="blake3:a", config_hash="blake3:b") for _ in range(2)
    )
    jobs.session.add(failed)
    jobs.session.flush()
    jobs.update_status(failed.id, "cancelled")
    jobs.session.add(active)
    jobs.session.flush()
    with pytest.raises(IllegalTransition, match="Another job does the same"):
        jobs.update_status(failed.id, "pending")
    found = jobs.get_by_id(failed.id)
    assert found is not None
    assert found.status == "cancelled"
    assert jobs.get_by_id(active.id) is not None, "the session goes on"


@pytest.mark.parametrize("to", ["pending", "processing", "failed", "completed", "cancelled"])
def test_a_completed_job_stays_completed(jobs: JobRepository[Session], to: str) -> None:
    job_id = jobs.create(TALK).id
    jobs.start_processing(job_id)
    jobs.update_status(job_id, "completed")
    with pytest.raises(IllegalTransition, match=f"is completed, so it can't become {to}"):
        jobs.update_status(job_id, to)


def test_what_makes_no_sense_is_a_clear_error(jobs: JobRepository[Session]) -> None:
    job_id = jobs.create(TALK).id
    with pytest.raises(UnknownName, match="did you mean completed"):
        jobs.update_status(job_id, "complete")
    with pytest.raises(UnknownName):
        jobs.get_by_status("done")
    with pytest.raises(UsageError, match="limit can't be negative"):
        jobs.get_all(limit=-1)
    with pytest.raises(UsageError, match="offset can't be negative"):
        jobs.get_all(offset=-1)
    with pytest.raises(UsageError, match="limit can't be negative"):
        jobs.get_by_status("pending", limit=-1)
    with pytest.raises(UsageError, match="processing time"):
        jobs.update_status(job_id, "cancelled", processing_time_ms=-1)
    with pytest.raises(UsageError, match="can't be more than"):
        jobs.update_status(job_id, "cancelled", processing_time_ms=2**31)
    for wrong in ({"a": float("nan")}, {"a": object()}):
        with pytest.raises(UsageError, match="result must be JSON"):
            jobs.update_status(job_id, "cancelled", result=wrong)
    for name in ("42", 42, None):
        with pytest.raises(UsageError, match="is no id"):
            jobs.get_by_id(name)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="must be a whole number"):
        jobs.get_all(limit="5")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="The error must be text, not ValueError"):
        jobs.update_status(job_id, "cancelled", error=ValueError("x"))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"^Input should be"):
        jobs.create(None)  # type: ignore[arg-type]


def test_any_text_may_be_an_error_and_any_number_a_limit(jobs: JobRepository[Session]) -> None:
    job_id = jobs.create(TALK).id
    jobs.start_processing(job_id)
    failed = jobs.update_status(job_id, "failed", error="\0 in \udcff.mp4")
    assert failed is not None
    assert failed.error == "\ufffd in \ufffd\ufffd\ufffd.mp4"
    assert [job.id for job in jobs.get_all(limit=10**20)] == [job_id]
    assert list(jobs.get_all(offset=10**20)) == []


def test_a_job_that_is_not_there_is_none(jobs: JobRepository[Session]) -> None:
    assert jobs.get_by_id(uuid4()) is None
    assert jobs.start_processing(uuid4()) is None
    assert jobs.update_status(uuid4(), "cancelled") is None
    assert jobs.delete(uuid4()) is False


def test_jobs_are_listed_newest_first_in_pages(jobs: JobRepository[Session]) -> None:
    ids = [jobs.create(TALK).id for _ in range(5)]
    assert [job.id for job in jobs.get_all()] == ids[::-1]
    assert [job.id for job in jobs.get_all(limit=2, offset=1)] == [ids[3], ids[2]]
    jobs.start_processing(ids[0])
    assert [job.id for job in jobs.get_by_status("pending", limit=2)] == [ids[4], ids[3]]
    assert jobs.get_all(limit=0) == []


def test_the_newest_job_is_the_one_that_was_made_last(session: Session) -> None:
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    made = [
        Job(job_type="audio", media_url=f"/{hours}.mp3", created_at=noon - timedelta(hours=hours))
        for hours in (1, 3, 0, 2)
    ]
    for job in made:
        session.add(job)
        session.flush()
    jobs = JobRepository(session)
    in_order = ["/0.mp3", "/1.mp3", "/2.mp3", "/3.mp3"]
    assert [job.media_url for job in jobs.get_all()] == in_order
    assert [job.media_url for job in jobs.get_all(limit=2, offset=1)] == in_order[1:3]
    assert [job.media_url for job in jobs.get_by_status("pending")] == in_order
    assert [job.media_url for job in jobs.get_by_status("pending", limit=3)] == in_order[:3]


@pytest.mark.parametrize("limit", [2, 3])
def test_what_few_jobs_are_is_found_behind_a_thousand_newer_ones(
    session: Session, limit: int
) -> None:
    jobs = JobRepository(session)
    few = [jobs.create(TALK).id for _ in range(3)]
    for job_id in few:
        jobs.start_processing(job_id)
    session.add_all([Job(job_type="audio", media_url="/new.mp3") for _ in range(1001)])
    session.flush()
    found = jobs.get_by_status("processing", limit)
    assert [job.id for job in found] == few[::-1][:limit]


def test_jobs_are_counted_by_status(jobs: JobRepository[Session]) -> None:
    jobs.start_processing(jobs.create(TALK).id)
    jobs.create(TALK)
    counted = {"pending": 1, "processing": 1, "completed": 0, "failed": 0, "cancelled": 0}
    assert jobs.count_by_status() == counted


def test_children_belong_to_a_job_and_go_with_it(session: Session) -> None:
    jobs = JobRepository(session)
    job_id = jobs.create(TALK).id
    assets = MediaAssetRepository(session)
    heard = TranscriptionRepository(session)
    thought = AnalysisResultRepository(session)
    frame = {"job_id": job_id, "asset_type": "frame", "file_path": "/1.jpg", "metadata": {"at": 1}}
    asset = assets.create(frame)
    words = [{"word": "Hello", "start": 0.0, "end": 0.5, "probability": 0.9}]
    said = heard.create(
        {"job_id": job_id, "provider": "tiny", "text_content": "Hello", "word_timestamps": words}
    )
    summary = thought.create({"job_id": job_id, **SUMMARY})

    job = jobs.get_by_id(job_id)
    assert job is not None
    assert (job.assets, job.transcriptions, job.analysis_results) == ([asset], [said], [summary])
    assert asset.job is job
    assert [found.id for found in assets.get_by_type(job_id, "frame")] == [asset.id]
    assert list(assets.get_by_type(job_id, "original")) == []
    assert [found.id for found in heard.get_by_job(job_id)] == [said.id]
    assert thought.get_by_id(summary.id) is summary
    assert "frame" in repr(asset)
    assert "tiny" in repr(said)
    assert "summary" in repr(summary)
    assert "pending" in repr(job)

    assert assets.delete(asset.id) is True
    assert assets.delete(asset.id) is False
    session.expire_all()
    assert jobs.delete(job_id) is True
    assert list(heard.get_by_job(job_id)) == []
    assert list(thought.get_by_job(job_id)) == []


def test_a_job_has_the_children_that_were_made_since(session: Session) -> None:
    job = JobRepository(session).create(TALK)
    assert (job.assets, job.transcriptions, job.analysis_results) == ([], [], [])
    assets = MediaAssetRepository(session)
    frame = {"job_id": job.id, "asset_type": "frame", "file_path": "/1.jpg"}
    first, second = assets.create(frame), assets.create(frame)
    assert job.assets == [first, second]
    assert first.job is job
    assets.delete(first.id)
    assert job.assets == [second]
    session.commit()
    session.expire_all()
    assert [asset.id for asset in job.assets] == [second.id]


def test_a_child_without_a_job_is_refused(sql_store: SqlStore) -> None:
    with open_session(sql_store) as session:
        job = JobRepository(session).create(TALK)
        with pytest.raises(UsageError, match="There is no job"):
            AnalysisResultRepository(session).create({"job_id": uuid4(), **SUMMARY})
        AnalysisResultRepository(session).create({"job_id": job.id, **SUMMARY})
    with open_session(sql_store) as session:
        assert len(AnalysisResultRepository(session).get_by_job(job.id)) == 1, "the session goes on"


@pytest.mark.parametrize(
    "wrong",
    [
        {"confidence_score": 2},
        {"input_tokens": -1},
        {"output_tokens": 2**31},
        {"detailed_analysis": {"a": float("inf")}},
        {"summary": "\0"},
        {"more": 1},
    ],
)
def test_a_child_that_can_not_be_is_refused(session: Session, wrong: dict[str, object]) -> None:
    job_id = JobRepository(session).create(TALK).id
    with pytest.raises(UsageError):
        AnalysisResultRepository(session).create({"job_id": job_id, **SUMMARY, **wrong})


def test_responses_carry_everything(session: Session) -> None:
    job = JobRepository(session).create({**TALK, "parameters": {"a": None}})
    answer = JobResponse.model_validate(job).model_dump(mode="json")
    assert len(answer) == 13
    assert answer["parameters"] == {"a": None}
    assert answer["created_at"].endswith("Z")
    asset = MediaAssetRepository(session).create(
        {"job_id": job.id, "asset_type": "frame", "file_path": "/1.jpg", "metadata": {"at": 1}}
    )
    assert MediaAssetResponse.model_validate(asset).metadata == {"at": 1}
    said = TranscriptionRepository(session).create(
        {"job_id": job.id, "provider": "p", "text_content": "", "word_timestamps": {"words": []}}
    )
    heard = TranscriptionResponse.model_validate(said)
    assert (heard.word_timestamps, heard.metadata) == ({"words": []}, {})
    thought = AnalysisResultRepository(session).create({"job_id": job.id, **SUMMARY})
    summary = AnalysisResultResponse.model_validate(thought)
    assert (summary.detailed_analysis, summary.input_tokens) == ({"topics": ["times"]}, 0)


def test_of_many_that_start_one_job_one_does(sql_store: SqlStore) -> None:
    with open_session(sql_store) as session:
        job_id = JobRepository(session).create(TALK).id
    at_once = Barrier(8)
    ended: list[str] = []

    def start() -> None:
        at_once.wait()
        try:
            with open_session(sql_store) as session:
                JobRepository(session).start_processing(job_id)
            ended.append("started")
        except MediahostError as error:
            ended.append(type(error).__name__)

    threads = [Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(ended) == [*["IllegalTransition"] * 7, "started"]


def test_jobs_of_repositories_and_of_the_host_share_their_numbers(sql_store: SqlStore) -> None:
    media = MediaFile(Path("/a.wav"), JobType.AUDIO, hash_bytes(b"a"))
    request = JobRequest("hello.halves", 1, {}, media, hash_bytes(b"c"))
    with open_session(sql_store) as session:
        first = JobRepository(session).create(TALK).number
    sql_store.submit([request])
    with open_session(sql_store) as session:
        third = JobRepository(session).create(TALK)
        seen = JobRepository(session).get_by_id(request.job_id)
        assert seen is not None
        assert (first, seen.number, third.number) == (1, 2, 3)
    claimed = sql_store.claim("here", 9, 60)
    assert [job.token.job_id for job in claimed] == [request.job_id], "the others have no action"


def test_a_job_that_is_added_by_hand_gets_a_number(session: Session) -> None:
    JobRepository(session).create(TALK)
    job = Job(**TALK)
    session.add(job)
    session.flush()
    assert job.number == 2


def test_jobs_of_the_documented_columns_alone_get_numbers_too(sql_store: SqlStore) -> None:
    before = sql_store.changes()
    statement = text("INSERT INTO jobs (id, job_type, media_url) VALUES (:id, 'audio', :url)")
    statement = statement.bindparams(bindparam("id", type_=Uuid()))
    with open_session(sql_store) as session:
        JobRepository(session).create(TALK)
        for url in ("/second.mp3", "/third.mp3"):
            session.execute(statement, {"id": uuid4(), "url": url})
        session.execute(insert(Job), [{**TALK, "media_url": f"/{n}.mp3"} for n in ("4th", "5th")])
        JobRepository(session).create(TALK)
        assert [job.number for job in JobRepository(session).get_all()] == [6, 5, 4, 3, 2, 1]
    media = MediaFile(Path("/a.wav"), JobType.AUDIO, hash_bytes(b"a"))
    sql_store.submit([JobRequest("hello.halves", 1, {}, media, hash_bytes(b"c"))])
    assert [view.number for view in sql_store.jobs()] == [7, 6, 5, 4, 3, 2, 1]
    first = sql_store.jobs()[-1]
    assert (first.status, first.parameters) == ("pending", {})
    seen = sql_store.changes(before.mark)
    assert (seen.added, seen.changed) == ((1, 2, 3, 4, 5, 6, 7), ())
    assert seen.counts[JobStatus.PENDING] == 7


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"status": "complete"}, "No status named 'complete'; did you mean completed"),
        ({"job_type": "hologram"}, "No job type named 'hologram'"),
    ],
)
def test_a_job_that_is_made_by_hand_has_a_known_status_and_type(
    wrong: dict[str, str], words: str
) -> None:
    with pytest.raises(UnknownName, match=words):
        Job(**{**TALK, **wrong})
    job = Job(**{**TALK, "job_type": JobType.AUDIO, "status": JobStatus.FAILED})
    with pytest.raises(UnknownName, match=words):
        vars(Job)[next(iter(wrong))].__set__(job, next(iter(wrong.values())))
    assert (job.status, job.job_type) == ("failed", "audio")


def test_a_child_may_be_given_its_metadata_by_the_columns_name(session: Session) -> None:
    frame: dict[str, Any] = {"asset_type": "frame", "file_path": "/1.jpg"}
    said: dict[str, Any] = {"provider": "tiny", "text_content": "Hello"}
    children: list[Any] = [
        MediaAsset(**frame, metadata={"at": 1}),
        Transcription(**said, metadata={"at": 1}),
    ]
    assert [child.details for child in children] == [{"at": 1}] * 2
    assert MediaAsset(**frame).details == {}
    session.add(Job(**TALK, assets=children[:1]))
    session.flush()
    session.expire_all()
    assert children[0].details == {"at": 1}


def test_what_is_shown_of_a_row_asks_no_database(sql_store: SqlStore) -> None:
    with open_session(sql_store) as session:
        job = JobRepository(session).create(TALK)
        session.add_all(
            children := [
                MediaAsset(job_id=job.id, asset_type="frame", file_path="/1.jpg"),
                Transcription(job_id=job.id, provider="tiny", text_content="Hello"),
                AnalysisResult(job_id=job.id, analysis_type="summary"),
            ]
        )
        session.commit()
        session.expire_all()
    assert "?" in repr(job), "nothing of it is loaded any more"
    assert all(type(child).__name__ in repr(child) for child in children)


def test_a_session_may_commit_and_go_on(sql_store: SqlStore) -> None:
    with open_session(sql_store) as session:
        job = JobRepository(session).create(TALK)
        session.commit()
        assert [view.status for view in sql_store.jobs()] == ["pending"]
        JobRepository(session).start_processing(job.id)
    assert [view.status for view in sql_store.jobs()] == ["processing"]


def test_reading_a_job_again_keeps_what_was_changed_of_it(session: Session) -> None:
    jobs = JobRepository(session)
    job = jobs.create(TALK)
    job.prompt = "Changed"
    assert jobs.get_by_id(job.id) is job
    session.commit()
    session.expire_all()
    assert job.prompt == "Changed"


def test_what_an_exception_comes_out_of_is_rolled_back(sql_store: SqlStore) -> None:
    def break_off() -> None:
        with open_session(sql_store) as session:
            JobRepository(session).create(TALK)
            raise KeyError

    with pytest.raises(KeyError):
        break_off()
    assert sql_store.jobs() == []


def test_a_session_that_has_read_can_write_after_others_have(sql_store: SqlStore) -> None:
    with open_session(sql_store) as session:
        jobs = JobRepository(session)
        assert list(jobs.get_all()) == []
        with open_session(sql_store) as other:
            JobRepository(other).create(TALK)
        jobs.create(TALK)
        assert len(jobs.get_all()) == 2
