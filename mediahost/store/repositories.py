"""Repositories: jobs and their children, called on a `Session` or awaited on an `AsyncSession`."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeVar, cast
from uuid import UUID

from pydantic import BaseModel, ValidationError
from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased, selectinload
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import col

from mediahost.errors import IllegalTransition, UnknownName, UsageError
from mediahost.model.faults import first_fault
from mediahost.model.job import TRANSITIONS, JobStatus
from mediahost.model.schemas import (
    AnalysisResultCreate,
    JobCreate,
    MediaAssetCreate,
    TranscriptionCreate,
)
from mediahost.store.children import AnalysisResult, MediaAsset, Transcription
from mediahost.store.dialect import plain_text, utc_now
from mediahost.store.doors import Repository, S_co, door
from mediahost.store.given import a_count, a_limit, an_object
from mediahost.store.tables import Job, Record, jobs

CreateT = TypeVar("CreateT", bound=BaseModel)
RowT = TypeVar("RowT", bound=Record)

# Among how many of the newest jobs those of a status are looked for first.
_RECENT = 1000


class JobRepository(Repository[S_co]):
    """Jobs.

    Args:
        session: A `Session`, to call the methods, or an `AsyncSession`, to await them.
    """

    @door
    def create(self, session: Session, job_data: JobCreate | Mapping[str, Any]) -> Job:
        """Keep a job, pending.

        Raises:
            UsageError: It is no job: its type is unknown, a value is missing or wrong.
        """
        asked = _checked(JobCreate, job_data)
        row = Job(**asked.model_dump(mode="json"))
        session.add(row)
        session.flush()
        session.refresh(row)
        return row

    @door
    def get_by_id(self, session: Session, job_id: UUID | str) -> Job | None:
        """The job with its children, or None."""
        # What was changed here and not written yet would be read over.
        session.flush()
        return session.get(Job, _id(job_id), options=_WITH_CHILDREN, populate_existing=True)

    @door
    def get_by_status(
        self, session: Session, status: JobStatus | str, limit: int = 100
    ) -> Sequence[Job]:
        """The newest jobs of a status.

        Raises:
            UsageError: There is no such status, or the limit is negative.
        """
        wanted, most = _status(status).value, a_limit("limit", limit)

        def newest(row: type[Job]) -> Sequence[Job]:
            of_status = select(row).where(col(row.status) == wanted)
            return session.scalars(of_status.order_by(*_newest_first(row)).limit(most)).all()

        # Most often there are enough among these; to sort a million of a status takes 0.7 s.
        recent = select(Job).order_by(*_newest_first(Job)).limit(_RECENT).subquery()
        found = newest(aliased(Job, recent))
        return found if len(found) == most else newest(Job)

    @door
    def get_all(self, session: Session, limit: int = 100, offset: int = 0) -> Sequence[Job]:
        """Jobs, the newest first.

        Raises:
            UsageError: The limit or the offset is negative.
        """
        wanted = (
            select(Job)
            .order_by(*_newest_first(Job))
            .limit(a_limit("limit", limit))
            .offset(a_limit("offset", offset))
        )
        return session.scalars(wanted).all()

    @door
    def update_status(  # noqa: PLR0917 - as it is documented
        self,
        session: Session,
        job_id: UUID | str,
        status: JobStatus | str,
        error: str | None = None,
        result: Mapping[str, Any] | None = None,
        processing_time_ms: int | None = None,
    ) -> Job | None:
        """Make a job be of another status; a final one says when it was reached.

        Args:
            session: Given by the door.
            job_id: The job.
            status: What it becomes.
            error: Why it failed; None: as it was.
            result: What it gave; None: as it was.
            processing_time_ms: How long it took, in milliseconds; None: as it was.

        Returns:
            The job, or None if there is no such job.

        Raises:
            IllegalTransition: It can't become that from what it is.
            UsageError: There is no such status, or a value is wrong.
        """
        wanted = _status(status)
        if processing_time_ms is not None:
            a_count("processing time", processing_time_ms)
        if error is not None and not isinstance(error, str):
            raise UsageError(f"The error must be text, not {error!r}")
        given = {
            # It may quote anything: the output of programs, names of files.
            "error": None if error is None else plain_text(error),
            "result": an_object("result", result),
            "processing_time_ms": processing_time_ms,
        }
        values = {name: value for name, value in given.items() if value is not None}
        return _become(session, _id(job_id), wanted, values)

    @door
    def start_processing(self, session: Session, job_id: UUID | str) -> Job | None:
        """Make a pending job be processed, by whoever calls this first.

        Returns:
            The job, or None if there is no such job.

        Raises:
            IllegalTransition: It isn't pending: somebody else may have started it.
        """
        return _become(session, _id(job_id), JobStatus.PROCESSING, {})

    @door
    def delete(self, session: Session, job_id: UUID | str) -> bool:
        """Delete a job with its children; whether there was one."""
        job = session.get(Job, _id(job_id))
        if job is None:
            return False
        session.delete(job)
        session.flush()
        return True

    @door
    def count_by_status(self, session: Session) -> dict[str, int]:
        """How many jobs there are of each status, none included."""
        rows = session.execute(select(jobs.c.status, func.count()).group_by(jobs.c.status))
        return {**dict.fromkeys(map(str, JobStatus), 0), **{str(name): n for name, n in rows}}


class _Children(Repository[S_co], Generic[S_co, RowT]):
    """What the repositories of the three child tables share."""

    row: ClassVar[type[Record]]
    asked: ClassVar[type[BaseModel]]
    relation: ClassVar[str]

    def _create(self, session: Session, given: BaseModel | Mapping[str, Any]) -> Any:
        values = _checked(self.asked, given).model_dump(mode="python")
        if "metadata" in values:
            values["details"] = values.pop("metadata")
        child = self.row(**values)
        try:
            # Whoever is told that there is no such job can go on.
            with session.begin_nested():
                session.add(child)
        except IntegrityError as error:
            raise UsageError(f"There is no job {values['job_id']}") from error
        session.refresh(child)
        self._keep_in_step(session, child, lambda there: [*there, child])
        return child

    def _keep_in_step(
        self, session: Session, child: Any, change: Callable[[list[Any]], list[Any]]
    ) -> None:
        """Change what the session's job has for its children, if it has loaded them."""
        job = session.identity_map.get(session.identity_key(Job, child.job_id))
        if job is not None and self.relation in vars(job):
            set_committed_value(job, self.relation, change(vars(job)[self.relation]))

    def _find(self, session: Session, *conditions: ColumnElement[bool]) -> Sequence[Any]:
        return session.scalars(select(self.row).where(*conditions).order_by(self._columns.id)).all()

    @property
    def _columns(self) -> Any:
        return Record.metadata.tables[str(self.row.__tablename__)].c

    @door
    def get_by_id(self, session: Session, child_id: UUID | str) -> RowT | None:
        """The row with this id, or None."""
        found: RowT | None = session.get(self.row, _id(child_id))  # type: ignore[assignment]
        return found

    @door
    def get_by_job(self, session: Session, job_id: UUID | str) -> Sequence[RowT]:
        """What belongs to a job, the oldest first."""
        return self._find(session, self._columns.job_id == _id(job_id))

    @door
    def delete(self, session: Session, child_id: UUID | str) -> bool:
        """Delete a row; whether there was one."""
        child = session.get(self.row, _id(child_id))
        if child is None:
            return False
        session.delete(child)
        session.flush()
        self._keep_in_step(
            session, child, lambda there: [each for each in there if each is not child]
        )
        return True


class MediaAssetRepository(_Children[S_co, MediaAsset]):
    """The files that jobs were about or made."""

    row = MediaAsset
    asked = MediaAssetCreate
    relation = "assets"

    @door
    def create(self, session: Session, asset: MediaAssetCreate | Mapping[str, Any]) -> MediaAsset:
        """Keep a file of a job.

        Raises:
            UsageError: A value is missing or wrong, or there is no such job.
        """
        created: MediaAsset = self._create(session, asset)
        return created

    @door
    def get_by_type(
        self, session: Session, job_id: UUID | str, asset_type: str
    ) -> Sequence[MediaAsset]:
        """A job's files of one type."""
        return self._find(
            session,
            self._columns.job_id == _id(job_id),
            self._columns.asset_type == str(asset_type),
        )


class TranscriptionRepository(_Children[S_co, Transcription]):
    """What was said in jobs' media files."""

    row = Transcription
    asked = TranscriptionCreate
    relation = "transcriptions"

    @door
    def create(
        self, session: Session, transcription: TranscriptionCreate | Mapping[str, Any]
    ) -> Transcription:
        """Keep a transcription of a job.

        Raises:
            UsageError: A value is missing or wrong, or there is no such job.
        """
        created: Transcription = self._create(session, transcription)
        return created


class AnalysisResultRepository(_Children[S_co, AnalysisResult]):
    """What models made of jobs' media files."""

    row = AnalysisResult
    asked = AnalysisResultCreate
    relation = "analysis_results"

    @door
    def create(
        self, session: Session, result: AnalysisResultCreate | Mapping[str, Any]
    ) -> AnalysisResult:
        """Keep what a model made of a job's media file.

        Raises:
            UsageError: A value is missing or wrong, or there is no such job.
        """
        created: AnalysisResult = self._create(session, result)
        return created


_WITH_CHILDREN = [
    selectinload(cast("InstrumentedAttribute[Any]", relation))
    for relation in (Job.assets, Job.transcriptions, Job.analysis_results)
]


def _become(
    session: Session, job_id: UUID, status: JobStatus, values: Mapping[str, Any]
) -> Job | None:
    """One statement: it holds only for a status that may become the wanted one."""
    may = [str(each) for each in JobStatus if status in TRANSITIONS[each]]
    change = (
        update(Job)
        .where(jobs.c.id == job_id, jobs.c.status.in_(may))
        .values({**_marks_of(status), **values})
        .returning(jobs.c.id)
        .execution_options(synchronize_session=False)
    )
    try:
        with session.begin_nested():
            changed = session.execute(change).one_or_none()
    except IntegrityError as error:
        raise IllegalTransition(
            f"Another job does the same as job {job_id} already, so it can't become {status}",
            "Wait for that one, or cancel it.",
        ) from error
    job = session.get(Job, job_id, options=_WITH_CHILDREN, populate_existing=True)
    if changed is None and job is not None:
        raise IllegalTransition(
            f"Job {job.number} is {job.status}, so it can't become {status}",
            f"It can from: {', '.join(may)}." if may else None,
        )
    return job


def _marks_of(status: JobStatus) -> dict[str, Any]:
    """What else a job of a status has, and has not."""
    nobody = {"host": None, "lease_until": None, "cancel_requested": False}
    if status is JobStatus.PROCESSING:
        return {"status": status.value, "started_at": utc_now(), "attempt": jobs.c.attempt + 1}
    if status is JobStatus.PENDING:
        again = {"started_at": None, "completed_at": None, "error": None, "run_after": None}
        return {"status": status.value, **again, **nobody}
    return {"status": status.value, "completed_at": utc_now(), **nobody}


def _newest_first(row: type[Job]) -> tuple[ColumnElement[Any], ...]:
    return col(row.created_at).desc(), col(row.number).desc()


def _status(name: JobStatus | str) -> JobStatus:
    try:
        return JobStatus(name)
    except ValueError:
        raise UnknownName("status", str(name), map(str, JobStatus)) from None


def _id(value: UUID | str) -> UUID:
    try:
        return value if isinstance(value, UUID) else UUID(value)
    except (ValueError, AttributeError, TypeError):
        raise UsageError(f"{value!r} is no id; an id is a UUID") from None


def _checked(schema: type[CreateT], given: BaseModel | Mapping[str, Any]) -> CreateT:
    if isinstance(given, schema):
        return given
    try:
        return schema.model_validate(given)
    except ValidationError as error:
        raise UsageError(first_fault(error)) from None
