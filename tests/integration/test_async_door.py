"""The async door: sessions and repositories awaited, and the example service on top of them."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from mediahost.errors import StoreError, UsageError
from mediahost.settings import load_settings
from mediahost.store import (
    JobRepository,
    TranscriptionRepository,
    async_session_factory,
    close_db,
    get_session,
    init_db,
    open_store,
)
from mediahost.store import test_connection as is_connected
from mediahost.wiring import make_host

if TYPE_CHECKING:
    from tests.integration.conftest import Home

EXAMPLE = Path(__file__).parents[2] / "examples" / "05_fastapi" / "app.py"
TALK = {"job_type": "audio", "media_url": "/talk.mp3"}


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("mediahost.store.aio._given", [])
    path = tmp_path / "store.db"
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")
    return path


def awaited(act: Callable[[], Awaitable[Any]]) -> Any:
    """Run in an event loop of its own, and leave nothing behind in it."""

    async def run() -> Any:
        try:
            return await act()
        finally:
            await close_db()

    return asyncio.run(run())


def test_a_session_commits_what_its_repositories_did(database: Path) -> None:
    async def act() -> None:
        await init_db()
        async with get_session() as session:
            jobs = JobRepository(session)
            job = await jobs.create(TALK)
            await jobs.start_processing(job.id)
            heard = TranscriptionRepository(session)
            said = await heard.create(
                {"job_id": job.id, "provider": "tiny", "text_content": "Hello"}
            )
            assert job.transcriptions == [said]
            await jobs.update_status(job.id, "completed", result={}, processing_time_ms=0)
        async with get_session() as session:
            found = await JobRepository(session).get_by_id(job.id)
            assert found is not None
            assert (found.status, found.result, found.processing_time_ms) == ("completed", {}, 0)
            assert [said.text_content for said in found.transcriptions] == ["Hello"]
            assert found.created_at is not None
            assert found.created_at.tzinfo is not None
            assert await JobRepository(session).delete(job.id) is True

    awaited(act)
    store = open_store(database)
    assert store.jobs() == []
    store.close()


def test_a_session_rolls_back_what_an_exception_comes_out_of(database: Path) -> None:
    async def break_off() -> None:
        async with get_session() as session:
            await JobRepository(session).create(TALK)
            raise KeyError

    async def act() -> None:
        await init_db()
        with pytest.raises(KeyError):
            await break_off()
        async with get_session() as session:
            assert list(await JobRepository(session).get_all()) == []
            with pytest.raises(UsageError):
                await JobRepository(session).get_all(limit=-1)

    awaited(act)


def test_a_session_can_be_stepped_through_as_a_generator() -> None:
    async def act() -> None:
        await init_db()
        async for session in get_session():
            await JobRepository(session).create(TALK)
        stepped = get_session()
        session = await anext(stepped)
        assert len(await JobRepository(session).get_all()) == 1
        await JobRepository(session).create(TALK)
        with pytest.raises(KeyError):
            await stepped.athrow(KeyError())
        async with get_session() as session:
            assert len(await JobRepository(session).get_all()) == 1

    awaited(act)


def test_the_factory_keeps_what_was_loaded_and_flushes_when_told() -> None:
    assert async_session_factory.kw["expire_on_commit"] is False
    assert async_session_factory.kw["autoflush"] is False


def test_each_event_loop_has_connections_of_its_own() -> None:
    async def add() -> int:
        async with get_session() as session:
            await JobRepository(session).create(TALK)
            return len(await JobRepository(session).get_all())

    awaited(init_db)
    assert [asyncio.run(add()) for _ in range(3)] == [1, 2, 3]
    awaited(close_db)


def test_a_session_goes_to_where_the_environment_says_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def count_and_add() -> int:
        await init_db()
        async with get_session() as session:
            await JobRepository(session).create(TALK)
            return len(await JobRepository(session).get_all())

    async def act() -> None:
        assert [await count_and_add(), await count_and_add()] == [1, 2]
        monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/other.db")
        assert await count_and_add() == 1

    awaited(act)


def test_many_sessions_at_once_all_get_to_write() -> None:
    async def add() -> None:
        async with get_session() as session:
            await JobRepository(session).get_all()
            await JobRepository(session).create(TALK)

    async def act() -> dict[str, int]:
        await init_db()
        await asyncio.gather(*(add() for _ in range(20)))
        async with get_session() as session:
            return await JobRepository(session).count_by_status()

    assert awaited(act)["pending"] == 20


def test_a_connection_is_tested(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert awaited(is_connected) is True, "an empty file is made, for its owner alone"
    awaited(init_db)
    assert awaited(is_connected) is True
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/no/such/folder/store.db")
    assert awaited(is_connected) is False
    monkeypatch.delenv("DATABASE_URL")
    assert awaited(is_connected) is False


def test_it_says_that_nobody_said_where_the_database_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    with pytest.raises(StoreError, match="Nothing says where the database is"):
        awaited(init_db)


# --- the example -------------------------------------------------------------------------------


@pytest.fixture
def service(home: "Home", monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    for name, value in {**home.environ, "MEDIAHOST_EXECUTOR": "inline"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.chdir(home.folder)
    spec = spec_from_file_location("example_service", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    # Pydantic looks up annotations by the module's name.
    monkeypatch.setitem(sys.modules, "example_service", module)
    spec.loader.exec_module(module)
    app: FastAPI = module.app
    return app


@asynccontextmanager
async def client_of(service: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(service)
    async with (
        service.router.lifespan_context(service),
        httpx.AsyncClient(transport=transport, base_url="http://service") as client,
    ):
        yield client


def work() -> None:
    with make_host(load_settings()) as host:
        host.work(forever=False)


def test_a_wish_becomes_a_job_and_its_result_is_served(home: "Home", service: FastAPI) -> None:
    path = home.tone("a.wav")
    tone, size = str(path), path.stat().st_size

    async def act() -> None:
        async with client_of(service) as client:
            assert (await client.get("/health")).json() == {"store": True}
            wish = {"path": tone, "action": "count.cut"}
            asked = await client.post("/jobs", json=wish)
            assert asked.status_code == 202, asked.text
            job_id = asked.json()["job"]
            (pending,) = (await client.get("/jobs", params={"status": "pending"})).json()
            assert (pending["id"], pending["job_type"]) == (job_id, "audio")
            await asyncio.to_thread(work)
            job = (await client.get(f"/jobs/{job_id}")).json()
            assert job["status"] == "completed"
            assert job["result"]["kind"] == "processing"
            original, *made = job["assets"]
            assert (original["asset_type"], original["file_size_bytes"]) == ("original", size)
            assert made
            again = await client.post("/jobs", json=wish)
            assert again.json() == {"job": None}, "it is cached"
            assert (await client.delete(f"/jobs/{job_id}")).status_code == 204
            assert (await client.get("/jobs")).json() == []

    asyncio.run(act())


def test_what_goes_wrong_is_said_in_a_sentence(home: "Home", service: FastAPI) -> None:
    tone = str(home.tone("a.wav"))

    async def act() -> None:
        async with client_of(service) as client:
            unknown = await client.post("/jobs", json={"path": tone, "action": "count.loo"})
            assert unknown.status_code == 422
            assert "did you mean count.look?" in unknown.json()["detail"]
            nameless = await client.post("/jobs", json={"path": tone, "action": ""})
            assert nameless.status_code == 422
            gone = await client.post("/jobs", json={"path": "/none.wav", "action": "count.look"})
            assert gone.status_code == 422
            assert gone.json()["detail"] == "There is no file or folder /none.wav"
            odd = await client.get("/jobs", params={"status": "done"})
            assert odd.status_code == 422
            assert (await client.get("/jobs", params={"limit": -1})).status_code == 422
            assert (await client.get(f"/jobs/{uuid4()}")).status_code == 404
            assert (await client.delete(f"/jobs/{uuid4()}")).status_code == 404

    asyncio.run(act())
