"""The two documents to the letter: names, parameters, and what their examples do."""

import asyncio
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from mediahost.store import (
    Base,
    JobRepository,
    MediaAnalysisStorage,
    MediaProcessingStorage,
    async_session_factory,
    close_db,
    init_db,
    open_store,
)
from mediahost.store import test_connection as is_connected
from mediahost.store.aio import engine
from mediahost.store.sessions import open_session


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database in which nothing is yet, as DATABASE_URL names it."""
    found = (
        f"sqlite:///{request.getfixturevalue('tmp_path')}/store.db"
        if request.param == "sqlite"
        else str(request.getfixturevalue("bare_postgres_url"))
    )
    monkeypatch.setenv("DATABASE_URL", found)
    return found


def test_the_plans_first_check_connects_before_anything_is_made(url: str) -> None:
    async def check() -> Any:
        connected = await is_connected()
        await init_db()
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
            one = await connection.scalar(text("SELECT count(*) FROM jobs"))
        async with async_session_factory() as session:
            job = await JobRepository(session).create(
                job_data={"job_type": "video", "media_url": "https://example.com/video.mp4"}
            )
            await session.commit()
        await close_db()
        return connected, one, job.status

    assert asyncio.run(check()) == (True, 0, "pending")
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        assert path.stat().st_mode & 0o777 == 0o600


def test_storages_are_made_by_path_and_say_where_they_are(tmp_path: Path) -> None:
    path = str(tmp_path / "store.db")
    with MediaAnalysisStorage(db_path=path) as analyses:
        assert analyses.db_path == path
    with MediaProcessingStorage(db_path=path) as made:
        assert made.db_path == path
    with closing(open_store(path)) as store:
        assert MediaAnalysisStorage(db_path=store).db_path == path


def test_jobs_are_found_by_ids_written_with_hyphens(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "store.db")) as store, open_session(store) as session:
        job = JobRepository(session).create({"job_type": "audio", "media_url": "/a.mp3"})
        assert JobRepository(session).get_by_id(str(job.id)) is job


def test_the_documented_columns_of_a_job_come_first() -> None:
    columns = "id job_type status media_url prompt parameters result error created_at updated_at"
    rest = "started_at completed_at processing_time_ms"
    assert Base.metadata.tables["jobs"].columns.keys()[:13] == f"{columns} {rest}".split()
