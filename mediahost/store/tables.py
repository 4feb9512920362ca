"""The tables, as SQLModel classes, and the conditions that their partial indexes are made for.

Nothing here creates a schema: migrations do, and a test holds the two equal.
"""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    Uuid,
    event,
    false,
    text,
)
from sqlalchemy.orm import RelationshipProperty, relationship, validates
from sqlalchemy.sql.elements import TextClause
from sqlmodel import Field, Relationship, SQLModel

from mediahost.errors import UnknownName
from mediahost.model.job import JobStatus, new_job_id
from mediahost.model.kinds import MediaKind
from mediahost.store.dialect import BigSerial, Json, Real, Utc, unix_now, utc_now

# Conditions are text with literals, never parameters: a planner takes a partial index only for a
# condition that it can read (measured: 1.7 against 1,635 µs a claim among a million jobs).
# Jobs without an action are another program's, which knows the documented columns only.
#
# Active is pending or processing: exactly the jobs that have no time of completion. Said by that
# column, a claim leaves the index alone; by the status, it would rewrite an entry at a random page
# for each job (60 pages for 64 jobs).
ACTIVE = text("completed_at IS NULL")
# What Postgres knows of a table is some time old. It often knows of no job that is pending or
# processing, and would rather read all of these by their status than look one up: a claim among
# 12,000 pending jobs took 0.16 s. A condition that IS TRUE is answered by no other index than the
# one that has this very condition.
READY = text("(status = 'pending') IS TRUE AND run_after IS NULL AND action IS NOT NULL")
LATER = text("(status = 'pending') IS TRUE AND run_after IS NOT NULL AND action IS NOT NULL")
# Another program's jobs. Nobody here claims them or waits for them.
FOREIGN = text("action IS NULL")
PROCESSING = text("status = 'processing'")
TO_CANCEL = text("status = 'processing' AND cancel_requested")
STILL_PROCESSING = text("(status = 'processing') IS TRUE")


class Record(SQLModel):
    """What all tables share: one MetaData, and names for constraints that migrations can use."""

    # Tables don't validate: what would do it is built for whoever asks, not at each start.
    model_config = {"defer_build": True}

    metadata: ClassVar[MetaData] = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "ix": "idx_%(table_name)s_%(column_0_N_name)s",
        }
    )

    def _loaded(self, column: str) -> Any:
        """A value as far as it is loaded: to show a row must never ask a database."""
        return vars(self).get(column, "?")


def _children(of: str) -> RelationshipProperty[Any]:
    # The database deletes them with the job; loading them first would be needless.
    return relationship(
        of,
        back_populates="job",
        cascade="all, delete-orphan",
        passive_deletes=True,
        order_by=f"{of}.id",
    )


class Job(Record, table=True):
    """One durable request: one action on one media file."""

    __tablename__ = "jobs"
    __table_args__ = (
        {"comment": "Stores all media analysis job requests and their lifecycle status"},
    )

    id: UUID = Field(
        default_factory=new_job_id,
        sa_column=Column("id", Uuid, primary_key=True, default=new_job_id),
    )
    job_type: str = Field(sa_column=Column("job_type", String(50), nullable=False))
    status: str = Field(
        default="pending",
        sa_column=Column("status", String(50), nullable=False, server_default=text("'pending'")),
    )
    media_url: str = Field(sa_column=Column("media_url", Text, nullable=False))
    prompt: str | None = Field(default=None, sa_column=Column("prompt", Text))
    parameters: dict[str, Any] = Field(
        default_factory=dict, sa_column=Column("parameters", Json, server_default=text("'{}'"))
    )
    result: dict[str, Any] | None = Field(default=None, sa_column=Column("result", Json))
    error: str | None = Field(default=None, sa_column=Column("error", Text))
    created_at: datetime | None = Field(
        default=None, sa_column=Column("created_at", Utc, nullable=False, server_default=utc_now())
    )
    updated_at: datetime | None = Field(
        default=None,
        sa_column=Column(
            "updated_at", Utc, nullable=False, server_default=utc_now(), onupdate=utc_now()
        ),
    )
    started_at: datetime | None = Field(default=None, sa_column=Column("started_at", Utc))
    completed_at: datetime | None = Field(default=None, sa_column=Column("completed_at", Utc))
    processing_time_ms: int | None = Field(
        default=None, sa_column=Column("processing_time_ms", Integer)
    )

    number: int | None = Field(
        default=None,
        # See `mediahost.store.numbering`: no job keeps the 0.
        sa_column=Column(
            "number", BigInteger, nullable=False, unique=True, server_default=text("0")
        ),
    )
    action: str | None = Field(default=None, sa_column=Column("action", Text))
    action_version: int | None = Field(default=None, sa_column=Column("action_version", Integer))
    file_hash: str | None = Field(default=None, sa_column=Column("file_hash", Text))
    config_hash: str | None = Field(default=None, sa_column=Column("config_hash", Text))
    pipeline: str | None = Field(default=None, sa_column=Column("pipeline", Text))
    step: str | None = Field(default=None, sa_column=Column("step", Text))
    root_url: str | None = Field(default=None, sa_column=Column("root_url", Text))
    source: str = Field(
        default="user",
        sa_column=Column("source", Text, nullable=False, server_default=text("'user'")),
    )
    priority: int = Field(
        default=0, sa_column=Column("priority", Integer, nullable=False, server_default=text("0"))
    )
    attempt: int = Field(
        default=0, sa_column=Column("attempt", Integer, nullable=False, server_default=text("0"))
    )
    failures: int = Field(
        default=0, sa_column=Column("failures", Integer, nullable=False, server_default=text("0"))
    )
    host: str | None = Field(default=None, sa_column=Column("host", Text))
    lease_until: float | None = Field(
        default=None, sa_column=Column("lease_until", Real, comment="Unix seconds")
    )
    run_after: float | None = Field(
        default=None, sa_column=Column("run_after", Real, comment="Unix seconds; NULL: ready now")
    )
    cancel_requested: bool = Field(
        default=False,
        sa_column=Column("cancel_requested", Boolean, nullable=False, server_default=false()),
    )
    cached: bool = Field(
        default=False, sa_column=Column("cached", Boolean, nullable=False, server_default=false())
    )

    # Their classes are in mediahost.store.children.
    assets: list[Any] = Relationship(sa_relationship=_children("MediaAsset"))
    transcriptions: list[Any] = Relationship(sa_relationship=_children("Transcription"))
    analysis_results: list[Any] = Relationship(sa_relationship=_children("AnalysisResult"))

    @validates("status", "job_type")
    def _is_known(self, column: str, value: str) -> str:
        """Refuse a word that nobody who reads the row would understand."""
        known = list(map(str, JobStatus if column == "status" else MediaKind))
        if value not in known:
            raise UnknownName(column.replace("_", " "), str(value), known)
        return str(value)

    def __repr__(self) -> str:
        number, status, url = map(self._loaded, ("number", "status", "media_url"))
        what = vars(self).get("action") or self._loaded("job_type")
        return f"<Job {number} {status}: {what} {url!r}>"


class JobProgress(Record, table=True):
    """How far an attempt is, apart from its job, so that progress never rewrites that row."""

    __tablename__ = "job_progress"
    __table_args__ = ({"comment": "How far the attempts under way are"},)

    job_id: UUID = Field(
        sa_column=Column(
            "job_id", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True
        )
    )
    attempt: int = Field(sa_column=Column("attempt", Integer, nullable=False))
    fraction: float = Field(sa_column=Column("fraction", Real, nullable=False))
    message: str = Field(
        default="", sa_column=Column("message", Text, nullable=False, server_default=text("''"))
    )


class JobAttempt(Record, table=True):
    """An attempt that gave no result: why, and when the next one was to be."""

    __tablename__ = "job_attempts"
    __table_args__ = ({"comment": "Attempts that gave no result"},)

    job_id: UUID = Field(
        sa_column=Column(
            "job_id", Uuid, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True
        )
    )
    attempt: int = Field(
        sa_column=Column("attempt", Integer, primary_key=True, autoincrement=False)
    )
    outcome: str = Field(sa_column=Column("outcome", String(50), nullable=False))
    host: str = Field(sa_column=Column("host", Text, nullable=False))
    error: str = Field(sa_column=Column("error", Text, nullable=False))
    traceback: str = Field(
        default="", sa_column=Column("traceback", Text, nullable=False, server_default=text("''"))
    )
    ended_at: datetime | None = Field(
        default=None, sa_column=Column("ended_at", Utc, nullable=False, server_default=utc_now())
    )
    elapsed_ms: int = Field(
        default=0, sa_column=Column("elapsed_ms", Integer, nullable=False, server_default=text("0"))
    )
    retry_in_s: float | None = Field(default=None, sa_column=Column("retry_in_s", Real))


class HostRow(Record, table=True):
    """A host that was heard of and has not left."""

    __tablename__ = "hosts"
    __table_args__ = ({"comment": "Hosts that share this store, by their heartbeats"},)

    host: str = Field(sa_column=Column("host", Text, primary_key=True))
    machine: str = Field(sa_column=Column("machine", Text, nullable=False))
    pid: int = Field(sa_column=Column("pid", Integer, nullable=False))
    version: str = Field(sa_column=Column("version", Text, nullable=False))
    executor: str = Field(sa_column=Column("executor", Text, nullable=False))
    slots: int = Field(sa_column=Column("slots", Integer, nullable=False))
    running: int = Field(sa_column=Column("running", Integer, nullable=False))
    status: str = Field(sa_column=Column("status", String(50), nullable=False))
    started_at: datetime | None = Field(
        default=None, sa_column=Column("started_at", Utc, nullable=False, server_default=utc_now())
    )
    seen_at: float | None = Field(
        default=None, sa_column=Column("seen_at", Real, nullable=False, comment="Unix seconds")
    )


class PauseRow(Record, table=True):
    """What no host claims until it is resumed."""

    __tablename__ = "pauses"
    __table_args__ = ({"comment": "Jobs that no host claims: all, of a source, of an action"},)

    kind: str = Field(sa_column=Column("kind", String(50), primary_key=True))
    name: str = Field(sa_column=Column("name", Text, primary_key=True))
    created_at: datetime | None = Field(
        default=None, sa_column=Column("created_at", Utc, nullable=False, server_default=utc_now())
    )


class JobChange(Record, table=True):
    """One change of a job's state, or its end: what watchers read. Triggers write it."""

    __tablename__ = "job_changes"
    __table_args__ = ({"comment": "The last changes of jobs' states, for those who watch"},)

    number: int | None = Field(
        default=None, sa_column=Column("number", BigSerial, primary_key=True)
    )
    job_number: int = Field(sa_column=Column("job_number", BigInteger, nullable=False))
    was: str | None = Field(
        default=None,
        sa_column=Column("was", String(50), comment="Status before; NULL: there was no job"),
    )
    became: str | None = Field(
        default=None, sa_column=Column("became", String(50), comment="Status after; NULL: deleted")
    )
    by_transaction: int | None = Field(
        default=None,
        sa_column=Column("by_transaction", BigInteger, comment="Its number, on Postgres"),
    )


class AnalysisJob(Record, table=True):
    """What an analyzer found, under the path and the content it was found in."""

    __tablename__ = "analysis_jobs"
    __table_args__ = (
        UniqueConstraint("file_path", "config_hash"),
        {
            "comment": "Cached results of analyzers, by content and config",
            "sqlite_autoincrement": True,
        },
    )

    id: int | None = Field(default=None, sa_column=Column("id", Integer, primary_key=True))
    file_path: str = Field(sa_column=Column("file_path", Text, nullable=False))
    file_hash: str = Field(sa_column=Column("file_hash", Text, nullable=False))
    config_hash: str = Field(sa_column=Column("config_hash", Text, nullable=False))
    ranges: list[Any] | None = Field(default=None, sa_column=Column("ranges", Json))
    details: dict[str, Any] | None = Field(default=None, sa_column=Column("metadata", Json))
    created_at: float | None = Field(
        default=None,
        sa_column=Column("created_at", Real, nullable=False, server_default=unix_now()),
    )
    action: str | None = Field(default=None, sa_column=Column("action", Text))
    action_version: int | None = Field(default=None, sa_column=Column("action_version", Integer))
    config: dict[str, Any] | None = Field(default=None, sa_column=Column("config", Json))
    result_hash: str | None = Field(default=None, sa_column=Column("result_hash", Text))
    elapsed_ms: int | None = Field(default=None, sa_column=Column("elapsed_ms", Integer))
    transcription: dict[str, Any] | None = Field(
        default=None, sa_column=Column("transcription", Json)
    )
    analysis: dict[str, Any] | None = Field(default=None, sa_column=Column("analysis", Json))


class ProcessingJob(Record, table=True):
    """What a processor made: every completed job of one, as history and as cache."""

    __tablename__ = "processing_jobs"
    __table_args__ = (
        {
            "comment": "Cached results of processors, by content and config",
            "sqlite_autoincrement": True,
        },
    )

    id: int | None = Field(default=None, sa_column=Column("id", Integer, primary_key=True))
    job_id: str = Field(sa_column=Column("job_id", Text, nullable=False, unique=True))
    action: str = Field(sa_column=Column("action", Text, nullable=False))
    input_path: str = Field(sa_column=Column("input_path", Text, nullable=False))
    input_hash: str = Field(sa_column=Column("input_hash", Text, nullable=False))
    output_path: str = Field(sa_column=Column("output_path", Text, nullable=False))
    output_hash: str = Field(sa_column=Column("output_hash", Text, nullable=False))
    parameters: dict[str, Any] | None = Field(default=None, sa_column=Column("parameters", Json))
    details: dict[str, Any] | None = Field(default=None, sa_column=Column("metadata", Json))
    created_at: float | None = Field(
        default=None,
        sa_column=Column("created_at", Real, nullable=False, server_default=unix_now()),
    )
    config_hash: str | None = Field(default=None, sa_column=Column("config_hash", Text))
    action_version: int | None = Field(default=None, sa_column=Column("action_version", Integer))
    result_hash: str | None = Field(default=None, sa_column=Column("result_hash", Text))
    elapsed_ms: int | None = Field(default=None, sa_column=Column("elapsed_ms", Integer))
    artifacts: list[Any] | None = Field(default=None, sa_column=Column("artifacts", Json))


class FileHash(Record, table=True):
    """The memo: the hash that a file had, the stat that it had then, and when that was."""

    __tablename__ = "file_hashes"
    __table_args__ = (
        {
            "comment": "Hashes of files, remembered with the stat that vouches for them",
            # Clustered by folder: a folder's files are read in one stretch.
            "sqlite_with_rowid": False,
        },
    )

    folder: str = Field(sa_column=Column("folder", Text, primary_key=True))
    name: str = Field(sa_column=Column("name", Text, primary_key=True))
    size: int = Field(sa_column=Column("size", BigInteger, nullable=False))
    mtime_ns: int = Field(sa_column=Column("mtime_ns", BigInteger, nullable=False))
    ctime_ns: int = Field(sa_column=Column("ctime_ns", BigInteger, nullable=False))
    dev: int = Field(sa_column=Column("dev", BigInteger, nullable=False))
    inode: int = Field(sa_column=Column("inode", BigInteger, nullable=False))
    hashed_at_ns: int = Field(sa_column=Column("hashed_at_ns", BigInteger, nullable=False))
    file_hash: str = Field(sa_column=Column("file_hash", Text, nullable=False))


class Meta(Record, table=True):
    """The one row that says what this store was made with."""

    __tablename__ = "meta"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        {"comment": "One row: what this store was made with"},
    )

    id: int = Field(
        default=1, sa_column=Column("id", Integer, primary_key=True, autoincrement=False)
    )
    algorithm: str = Field(sa_column=Column("algorithm", String(50), nullable=False))
    last_job_number: int = Field(
        default=0,
        sa_column=Column("last_job_number", BigInteger, nullable=False, server_default=text("0")),
    )
    created_at: datetime | None = Field(
        default=None, sa_column=Column("created_at", Utc, nullable=False, server_default=utc_now())
    )
    changes_trimmed: int = Field(
        default=0,
        sa_column=Column(
            "changes_trimmed",
            BigInteger,
            nullable=False,
            server_default=text("0"),
            comment="The last of job_changes that was removed",
        ),
    )
    results_lost: int = Field(
        default=0,
        sa_column=Column(
            "results_lost",
            BigInteger,
            nullable=False,
            server_default=text("0"),
            comment="How often a cached result, or what was known of a file, proved no longer true",
        ),
    )


jobs = Record.metadata.tables["jobs"]
job_changes = Record.metadata.tables["job_changes"]
job_progress = Record.metadata.tables["job_progress"]
job_attempts = Record.metadata.tables["job_attempts"]
hosts = Record.metadata.tables["hosts"]
pauses = Record.metadata.tables["pauses"]
analysis_jobs = Record.metadata.tables["analysis_jobs"]
processing_jobs = Record.metadata.tables["processing_jobs"]
file_hashes = Record.metadata.tables["file_hashes"]
meta = Record.metadata.tables["meta"]


def _partial(
    name: str, *columns: ColumnElement[Any], where: TextClause, unique: bool = False
) -> None:
    Index(name, *columns, unique=unique, sqlite_where=where)


@event.listens_for(Record.metadata, "before_create")
def _partial_on_postgres_too(metadata: MetaData, connection: Connection, **_: Any) -> None:
    # Not where it is made: naming one option of Postgres loads all that SQLAlchemy has for it.
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        for index in table.indexes:
            where = index.dialect_options["sqlite"]["where"]
            index.dialect_kwargs["postgresql_where"] = where


_job = jobs.c
# With the number behind it, one status is listed newest first without sorting.
Index("idx_jobs_status", _job.status, _job.number)
Index("idx_jobs_created_at", _job.created_at.desc())
Index("idx_jobs_job_type", _job.job_type)
Index("idx_jobs_source", _job.source, _job.status, _job.number)
_partial("idx_jobs_active_key", _job.file_hash, _job.config_hash, where=ACTIVE, unique=True)
# By source and action first: whatever waits for a full pool is stepped over in one seek.
_partial("idx_jobs_ready", _job.source, _job.action, _job.priority.desc(), _job.number, where=READY)
_partial("idx_jobs_later", _job.run_after, where=LATER)
_partial("idx_jobs_foreign", _job.status, where=FOREIGN)
_partial("idx_jobs_to_cancel", _job.host, where=TO_CANCEL)

# On SQLite, which reads the log by its numbers, it stays empty.
_partial(
    "idx_job_changes_by_transaction",
    job_changes.c.by_transaction,
    where=text("by_transaction IS NOT NULL"),
)

_analysis = analysis_jobs.c
Index("idx_analysis_jobs_key", _analysis.file_hash, _analysis.config_hash)
Index("idx_analysis_jobs_created_at", _analysis.created_at.desc(), _analysis.id.desc())
# Rows of other programs: see `mediahost.store.folder_tables`.
_partial("idx_analysis_jobs_foreign", _analysis.id, where=text("result_hash IS NULL"))

_processing = processing_jobs.c
Index("idx_processing_jobs_key", _processing.input_hash, _processing.config_hash)
Index("idx_processing_jobs_input_path", _processing.input_path)
Index("idx_processing_jobs_created_at", _processing.created_at.desc(), _processing.id.desc())
