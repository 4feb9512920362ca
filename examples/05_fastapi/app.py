"""A web service on a store: ask for jobs, see how they are, read their results.

    mediahost plugins install 'mediahost[async]' fastapi uvicorn
    uvicorn app:app --app-dir examples/05_fastapi
    mediahost work

The service only asks and looks; `mediahost work`, on the same store, does the jobs.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from mediahost.errors import MediahostError, StoreError
from mediahost.host.host import Host
from mediahost.model.pipeline import Pipeline, Step
from mediahost.settings import load_settings
from mediahost.store import (
    JobRepository,
    JobResponse,
    JobStatus,
    MediaAssetResponse,
    TranscriptionResponse,
    close_db,
    get_session,
    init_db,
    test_connection,
)
from mediahost.wiring import make_host


@asynccontextmanager
async def lifespan(service: FastAPI) -> AsyncGenerator[None]:
    """The store of the settings, open as long as the service runs."""
    settings = load_settings()
    await init_db(settings.store_url)
    with make_host(settings) as host:
        service.state.host = host
        yield
    await close_db()


app = FastAPI(title="mediahost", lifespan=lifespan)

# `function`: the session has committed before the answer goes out.
Session = Annotated[AsyncSession, Depends(get_session, scope="function")]


def the_host(request: Request) -> Host:
    """The host that the service opened."""
    host: Host = request.app.state.host
    return host


class Wish(BaseModel):
    """One action on one media file."""

    path: str
    action: str = Field(min_length=1)
    config: dict[str, Any] = Field(default_factory=dict)


class Answer(BaseModel):
    """The job that will answer a wish; null: it is answered already, the result is cached."""

    job: UUID | None


class JobWithChildren(JobResponse):
    """A job with what it made and heard."""

    assets: list[MediaAssetResponse]
    transcriptions: list[TranscriptionResponse]


@app.exception_handler(MediahostError)
async def in_words(_request: Request, error: MediahostError) -> JSONResponse:
    """What goes wrong is one sentence and a hint here too."""
    status = 503 if isinstance(error, StoreError) else 422
    return JSONResponse({"detail": error.message, "hint": error.hint}, status)


@app.get("/health")
async def health() -> dict[str, bool]:
    """Whether the store answers."""
    return {"store": await test_connection()}


@app.post("/jobs", status_code=202)
def submit(wish: Wish, host: Annotated[Host, Depends(the_host)]) -> Answer:
    """Ask for a result. Hashing the file takes a while, so this runs in a thread."""
    step = Step(action=wish.action, config=wish.config)
    recipe = host.recipe(Pipeline(name=wish.action, steps=(step,)), named=False)
    asked = host.submit([wish.path], recipe)
    if asked.problems:
        raise HTTPException(422, asked.problems[0].message)
    return Answer(job=next(iter(asked.jobs), None))


@app.get("/jobs")
async def jobs(session: Session, status: str | None = None, limit: int = 100) -> list[JobResponse]:
    """The newest jobs, of one status or of any."""
    repository = JobRepository(session)
    if status is None:
        found = await repository.get_all(limit)
    else:
        found = await repository.get_by_status(status, limit)
    return [JobResponse.model_validate(job) for job in found]


@app.get("/jobs/{job_id}")
async def job(job_id: UUID, session: Session) -> JobWithChildren:
    """One job, with its result and its children."""
    found = await JobRepository(session).get_by_id(job_id)
    if found is None:
        raise HTTPException(404, f"There is no job {job_id}")
    return JobWithChildren.model_validate(found)


@app.delete("/jobs/{job_id}", status_code=204)
async def delete(job_id: UUID, session: Session) -> None:
    """Delete a job that nobody works on; its cached result stays."""
    repository = JobRepository(session)
    found = await repository.get_by_id(job_id)
    if found is None:
        raise HTTPException(404, f"There is no job {job_id}")
    if found.status == JobStatus.PROCESSING:
        raise HTTPException(409, "The job is being processed: cancel it first")
    await repository.delete(job_id)
