"""Rows for the store's benchmark: what a store holds that has done a million jobs.

Nothing is made compact after it was filled: pages that random keys went into are full by two
thirds, as those of a store that has grown are, and take a new key without being split.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import Insert, Select, Table, func, insert, literal, literal_column, select

from mediahost.hashing import CacheKey, hash_bytes
from mediahost.model.job import JobRequest
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.model.result import MediaAnalysisResult
from mediahost.ports import Completion
from mediahost.store import SqlStore
from mediahost.store.sqlite import SqliteDatabase
from mediahost.store.tables import analysis_jobs, jobs

CONFIG = hash_bytes(b"config")
RESULT = hash_bytes(b"result")
FOLDER_FILES = 100

# Above the numbers that the first jobs get.
COPIES_FROM = 100_000_000

# As long, and as much by chance, as real ones.
_LITE_HASH = "'blake3:' || lower(hex(randomblob(32)))"
_POSTGRES_HASH = "'blake3:' || md5(CAST(n AS TEXT)) || md5(CAST(-n AS TEXT))"


def asked(number: int) -> JobRequest:
    """A job for a file of its own."""
    path = Path(f"/media/{number // FOLDER_FILES}/{number}.wav")
    media = MediaFile(path, MediaKind.AUDIO, hash_bytes(b"%d" % number))
    return JobRequest("bench.noop", 1, {"at": 0.5}, media, CONFIG)


def fill(store: SqlStore, first: int, last: int) -> None:
    """Completed jobs with results, numbered from `first` to `last`, copied within the database."""
    if first == 0:
        store.submit([asked(0)])
        taken = store.claim("bench", 1, 60)
        store.commit("bench", [Completion(job, MediaAnalysisResult(), RESULT, 1) for job in taken])
    at = COPIES_FROM if first else 0
    copies = [_copies(table, first + at + 1, last + at, store) for table in (jobs, analysis_jobs)]
    # A million rows by the front door take minutes.
    database = store._database  # noqa: SLF001 - the same
    if isinstance(database, SqliteDatabase):
        with database.raw() as lite:
            # In memory until they are complete: else each page is written again and again.
            lite.execute(f"PRAGMA cache_size = -{2 << 20}")
            lite.execute("BEGIN IMMEDIATE")
            for copied in copies:
                lite.execute(copied)
            lite.execute("COMMIT")
            lite.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return
    engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for copied in copies:
            connection.exec_driver_sql(copied)
        connection.exec_driver_sql(
            "SELECT setval(pg_get_serial_sequence('analysis_jobs', 'id'), max(id))"
            " FROM analysis_jobs"
        )
        # What the server would do by itself, in the middle of what is measured.
        connection.exec_driver_sql("VACUUM ANALYZE")
        connection.exec_driver_sql("CHECKPOINT")


def cached_keys(store: SqlStore, count: int) -> list[CacheKey]:
    """Keys of so many cached results, from all over the table."""
    chosen = select(analysis_jobs.c.file_hash, analysis_jobs.c.config_hash)
    chosen = chosen.order_by(func.random()).limit(count)
    with store._database.read() as connection:  # noqa: SLF001 - by no door one gets just any
        return [CacheKey(*row) for row in connection.execute(chosen)]


def _copies(table: Table, first: int, last: int, store: SqlStore) -> str:
    """A statement that adds the table's oldest row, as often as is asked, under other names."""
    dialect = store._database.engine.dialect  # noqa: SLF001 - as in `fill`
    copied = _copied(table, first, last, lite=dialect.name == "sqlite")
    return str(copied.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))


def _copied(table: Table, first: int, last: int, *, lite: bool) -> Insert:
    if lite:
        series = select(literal(first + 1).label("n")).cte("series", recursive=True)
        series = series.union_all(select(series.c.n + 1).where(series.c.n < last))
    else:
        series = select(func.generate_series(first + 1, last).label("n")).cte("series")
    n = series.c.n
    changed = {
        "number": n,
        "id": n
        if table is analysis_jobs
        else literal_column("lower(hex(randomblob(16)))" if lite else "gen_random_uuid()"),
        "file_hash": literal_column(_LITE_HASH if lite else _POSTGRES_HASH),
        "file_path": literal_column("'/media/copies/' || CAST(n AS TEXT)"),
        "media_url": literal_column("'/media/copies/' || CAST(n AS TEXT)"),
    }
    number = table.c.number if table is jobs else table.c.id
    oldest = select(table).order_by(number).limit(1).subquery("oldest")
    rows: Select[Any] = select(
        *(changed.get(c.name, oldest.c[c.name]).label(c.name) for c in table.c)
    ).select_from(oldest.join(series, literal_column("1 = 1")))
    return insert(table).from_select([c.name for c in table.c], rows)
