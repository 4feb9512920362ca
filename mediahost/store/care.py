"""What the care of a store asks its database: what is kept, what is needed, what may go."""

from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, exists, literal_column, or_, select, text

from mediahost.cached import HashedFile
from mediahost.hashing import FileStat
from mediahost.model.care import KeptFile, KeptResult, Needs, OldJob
from mediahost.model.job import JobStatus, Token
from mediahost.model.paths import url_to_path
from mediahost.store.children import media_assets
from mediahost.store.dialect import among, listed, unix_now
from mediahost.store.engine import Database, lasting
from mediahost.store.tables import ACTIVE, file_hashes, jobs, processing_jobs

# Memos are read in stretches of so many rows.
STRETCH = 10_000

_EPOCH = datetime.fromtimestamp(0, UTC)

_made = processing_jobs.c
_RESULTS = select(
    _made.id,
    _made.job_id,
    _made.input_path,
    _made.input_hash,
    (unix_now() - _made.created_at).label("age_s"),
    _made.artifacts,
).order_by(_made.created_at, _made.id)
_NEEDED = select(
    jobs.c.id,
    jobs.c.attempt,
    jobs.c.action,
    jobs.c.file_hash,
    jobs.c.media_url,
    jobs.c.parameters,
)
_ATTEMPTS = select(jobs.c.id, jobs.c.attempt, jobs.c.status).where(among([jobs.c.id], "job_ids"))
_WANTED_AGAIN = exists(
    select(literal_column("1"))
    .select_from(jobs)
    .where(ACTIVE, jobs.c.file_hash == _made.input_hash)
)
_DROP = (
    delete(processing_jobs)
    .where(among([_made.id], "ids"), ~_WANTED_AGAIN)
    .returning(_made.id, _made.job_id)
)
_ENDED = text("status IN ('completed', 'failed', 'cancelled')")
_MEMOS = select(file_hashes).order_by(file_hashes.c.folder, file_hashes.c.name)
_DELETE_JOBS = delete(jobs).where(among([jobs.c.id], "job_ids"), _ENDED)


class Care:
    """The database, for those who check it and clear it up."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @lasting
    def kept_results(self) -> list[KeptResult]:
        """All cached results that have files, the oldest first."""
        with self._database.read() as connection:
            return [_kept(row) for row in connection.execute(_RESULTS)]

    @lasting
    def needs(self) -> Needs:
        """What pending and processing jobs need."""
        hashes, paths, live = set(), set(), set()
        with self._database.read() as connection:
            for job_id, attempt, action, file_hash, media_url, parameters in connection.execute(
                _NEEDED.where(ACTIVE)
            ):
                hashes.add(file_hash)
                if action is not None:  # else its parameters are another program's
                    hashes.update(key[0] for key in (parameters or {}).get("inputs", {}).values())
                paths.add(url_to_path(media_url))
                live.add(Token(job_id, attempt))
        return Needs(hashes, paths, live)

    @lasting
    def attempts(self, job_ids: Collection[UUID]) -> dict[UUID, tuple[int, JobStatus]]:
        """The latest attempt and the status of those of these jobs that exist."""
        with self._database.read() as connection:
            rows = connection.execute(_ATTEMPTS, {"job_ids": listed(set(job_ids))})
            return {job_id: (attempt, JobStatus.kept(status)) for job_id, attempt, status in rows}

    @lasting
    def old_jobs(self, age_s: float) -> list[OldJob]:
        """Jobs that ended more than `age_s` seconds ago."""
        now = datetime.now(UTC)
        # Nothing is older than what a time can say.
        before = now - timedelta(seconds=age_s) if age_s < now.timestamp() else _EPOCH
        old = (
            select(jobs.c.id, jobs.c.number, jobs.c.status, jobs.c.file_hash)
            .where(_ENDED, jobs.c.completed_at < before)
            .order_by(jobs.c.number)
        )
        with self._database.read() as connection:
            rows = connection.execute(old)
            return [OldJob(row[0], row[1], JobStatus.kept(row[2]), row[3]) for row in rows]

    @lasting
    def drop_results(self, results: Collection[KeptResult]) -> set[int]:
        """Forget these results, unless a job has come meanwhile that needs their input.

        Returns:
            The ids of those that are forgotten: nobody will ask for their files.
        """
        with self._database.write() as connection:
            rows = connection.execute(_DROP, {"ids": listed(one.id for one in results)}).all()
            made_by = [UUID(job_id) for _, job_id in rows if _is_uuid(job_id)]
            connection.execute(
                delete(media_assets).where(
                    among([media_assets.c.job_id], "job_ids"),
                    media_assets.c.asset_type != "original",
                ),
                {"job_ids": listed(made_by)},
            )
        return {number for number, _ in rows}

    @lasting
    def drop_jobs(self, job_ids: Collection[UUID]) -> int:
        """Delete those of these jobs that have ended; returns how many there were."""
        with self._database.write() as connection:
            return connection.execute(_DELETE_JOBS, {"job_ids": listed(job_ids)}).rowcount

    def memos(self) -> Iterator[tuple[str, str, HashedFile]]:
        """All remembered hashes of files, by folder and name, as text."""
        last: tuple[str, str] | None = None
        while True:
            wanted = _MEMOS.limit(STRETCH)
            if last:
                folder, name = file_hashes.c.folder, file_hashes.c.name
                beyond = or_(folder > last[0], (folder == last[0]) & (name > last[1]))
                wanted = wanted.where(folder >= last[0], beyond)
            rows = self._memos(wanted)
            for at, named, size, mtime, ctime, dev, inode, hashed_at, file_hash in rows:
                stat = FileStat(size, mtime, ctime, dev, inode)
                yield at, named, HashedFile(stat, hashed_at, file_hash)
            if len(rows) < STRETCH:
                return
            last = (rows[-1].folder, rows[-1].name)

    @lasting
    def _memos(self, wanted: Select[Any]) -> Sequence[Any]:
        with self._database.read() as connection:
            return connection.execute(wanted).all()

    @lasting
    def faults(self) -> list[str]:
        """What is wrong with the database in itself: nothing, in a sound one.

        On SQLite its own check of every page and index; on both, children without a parent.
        """
        with self._database.read() as connection:
            if connection.dialect.name != "sqlite":
                return []
            found = connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars().all()
            orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        lines = [line for told in found for line in str(told).splitlines()]
        faults = [line for line in lines if line != "ok" and not line.startswith("***")]
        return faults + [f"A row of {row[0]} belongs to no row of {row[2]}" for row in orphans[:20]]


def _kept(row: Sequence[Any]) -> KeptResult:
    number, job_id, input_url, input_hash, age_s, artifacts = row
    files = tuple(
        KeptFile(url_to_path(one["path"]), one["file_hash"], one.get("size"))
        for one in artifacts or ()
    )
    return KeptResult(number, job_id, url_to_path(input_url), input_hash, age_s, files)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
