"""Upgrades from earlier schemas, with rows in them."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import insert, select

from mediahost.hashing import CacheKey
from mediahost.model.job import new_job_id
from mediahost.store import open_store
from mediahost.store.children import media_assets, transcriptions
from mediahost.store.derived import made_files, passages
from mediahost.store.schema import MIGRATIONS
from mediahost.store.sqlite import SqliteDatabase
from mediahost.store.tables import analysis_jobs, jobs, meta, processing_jobs

JOB = new_job_id()
SAID = {"provider": "tiny", "text": "Hello there", "language": "en", "confidence": None}
HEARD: dict[str, Any] = {
    "kind": "analysis",
    "ranges": [{"start": 0, "end": 1, "label": "speech", "confidence": None, "payload": {}}],
    "metadata": {},
    "transcription": {**SAID, "words": [], "metadata": {}},
    "analysis": None,
}
ARTIFACT = {
    "path": "/made/1.jpg",
    "asset_type": "frame",
    "mime_type": "image/jpeg",
    "size": 3,
    "file_hash": "blake3:1",
    "metadata": {},
}


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A store at the first schema, with a job, a found and a made result."""
    path = tmp_path / "store.db"
    database = SqliteDatabase(path)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(insert(meta).values(id=1, algorithm="blake3", last_job_number=1))
        job = {"id": JOB, "number": 1, "job_type": "audio", "media_url": "/media/a.wav"}
        key = {"file_hash": "blake3:f", "config_hash": "blake3:c"}
        connection.execute(
            insert(jobs).values(
                **job, **key, status="completed", action="speech.transcribe", result=HEARD
            )
        )
        found = {name: HEARD[name] for name in ("ranges", "metadata", "transcription")}
        connection.execute(
            insert(analysis_jobs).values(
                **found,
                **key,
                file_path="/media/a.wav",
                action="speech.transcribe",
                action_version=1,
                config={},
                result_hash="blake3:r",
                elapsed_ms=1,
            )
        )
        connection.execute(
            insert(processing_jobs).values(
                job_id="gone",
                action="av.frames",
                input_path="/media/a.mp4",
                input_hash="blake3:v",
                output_path="/made/1.jpg",
                output_hash="blake3:1",
                artifacts=[ARTIFACT],
            )
        )
    database.close()
    return path


def test_the_first_schema_keeps_its_rows_and_gets_what_is_derived_from_them(first: Path) -> None:
    store = open_store(first)
    assert [job.job_id for job in store.jobs()] == [JOB]
    assert list(store.find_hits([CacheKey("blake3:f", "blake3:c")])) != []
    with store._database.read() as connection:
        original = connection.execute(select(media_assets)).mappings().one()
        assert (original["job_id"], original["asset_type"]) == (JOB, "original")
        said = connection.execute(select(transcriptions)).mappings().one()
        assert said["text_content"] == "Hello there"
        assert connection.execute(select(made_files.c.file_hash)).scalars().all() == ["blake3:1"]
        words = connection.execute(
            select(passages.c.words, passages.c.tokens).order_by(passages.c.id)
        )
        assert words.all() == [(None, "speech"), ("Hello there", "hello there")]
    store.close()


def test_an_upgraded_schema_is_the_one_that_a_new_store_gets(first: Path, tmp_path: Path) -> None:
    open_store(first).close()
    open_store(tmp_path / "new.db").close()

    def created(path: Path) -> set[str]:
        with sqlite3.connect(path) as connection:
            rows = connection.execute("SELECT sql FROM sqlite_master").fetchall()
        connection.close()
        return {sql for (sql,) in rows}

    assert created(first) == created(tmp_path / "new.db")
