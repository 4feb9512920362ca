"""Every hot query has an index to go through on Postgres: its planner says so itself."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from mediahost.hashing import CacheKey, FileStat, hash_bytes
from mediahost.model.job import Failure, JobRequest, JobStatus, Outcome, Token, new_job_id
from mediahost.model.media import MediaFile, MediaKind
from mediahost.model.result import MediaAnalysisResult
from mediahost.ports import Completion, HashedFile, Setback
from mediahost.store import SqlStore, open_store

KEY = CacheKey(hash_bytes(b"file"), hash_bytes(b"config"))
JOB = new_job_id()
TOKEN = Token(JOB, 1)
MEMO = HashedFile(FileStat(1, 2, 3, 4, 5), 6, hash_bytes(b"file"))
LARGE = "jobs|job_progress|analysis_jobs|processing_jobs|file_hashes|media_assets|passages"


# So many rows that reading them all is dear, and statistics that say so.
FILL = (
    (
        "INSERT INTO jobs (id, number, job_type, status, media_url, action, file_hash, config_hash,"
        " completed_at) SELECT gen_random_uuid(), n, 'video', 'completed', '/media/' || n, 'a.b',"
        " 'blake3:' || n, 'blake3:c', now() FROM generate_series(1000, 6000) AS n"
    ),
    (
        "INSERT INTO analysis_jobs (file_path, file_hash, config_hash, result_hash, elapsed_ms)"
        " SELECT '/media/' || n, 'blake3:' || n, 'blake3:c', 'r', 1 FROM generate_series(1, 5000) n"
    ),
    (
        "INSERT INTO processing_jobs (job_id, action, input_path, input_hash, output_path,"
        " output_hash, config_hash)"
        " SELECT n, 'a.b', '/media/' || n, 'blake3:' || n, 'o', 'h', 'blake3:c'"
        " FROM generate_series(1, 5000) n"
    ),
    (
        "INSERT INTO file_hashes SELECT '/folder/' || n / 100, n, 1, 2, 3, 4, 5, 6, 'blake3:' || n"
        " FROM generate_series(1, 5000) n"
    ),
    "INSERT INTO job_progress (job_id, attempt, fraction) SELECT id, 1, 0.5 FROM jobs",
    "ANALYZE jobs, analysis_jobs, processing_jobs, file_hashes, job_progress",
)


@pytest.fixture
def store(postgres_url: str) -> Iterator[SqlStore]:
    opened = open_store(postgres_url)
    with opened._database.write() as connection:
        for statement in FILL:
            connection.exec_driver_sql(statement)
    yield opened
    opened.close()


def plans_of(
    store: SqlStore, act: Callable[[SqlStore], Any], *, as_if_large: bool = True
) -> list[str]:
    """What the planner would do for each statement that an act sends, were tables large."""
    sent: list[tuple[str, Any]] = []

    def note(
        _connection: Any, _cursor: Any, sql: str, values: Any, _context: Any, many: Any
    ) -> None:
        sent.append((sql, values[0] if many else values))

    engine = store._database.engine
    event.listen(engine, "before_cursor_execute", note)
    act(store)
    event.remove(engine, "before_cursor_execute", note)
    with engine.connect() as connection:
        # Tables as small as these are read whole, whatever indexes they have, if that is allowed.
        for way in ("seqscan", "mergejoin", "hashjoin") if as_if_large else ():
            connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        return [_plan(connection, sql, values) for sql, values in sent]


def _plan(connection: Connection, sql: str, values: Any) -> str:
    return "\n".join(connection.exec_driver_sql(f"EXPLAIN {sql}", values).scalars())


def live(store: SqlStore) -> None:
    """A job's whole life."""
    media = MediaFile(Path("/media/a.mp4"), MediaKind.VIDEO, KEY.file_hash)
    store.submit([JobRequest("hello.halves", 1, {}, media, KEY.config_hash)])
    (job,) = store.claim("here", 64, 60)
    store.renew("here", [job.token], 60)
    store.report_progress("here", {job.token: (0.5, "half")})
    store.commit("here", [], [Setback(job, Outcome.ERROR, Failure("no"), 0)])
    (job,) = store.claim("here", 64, 60, "user")
    result = MediaAnalysisResult()
    store.commit("here", [Completion(job, result, hash_bytes(b"result"), 1)])


HOT: dict[str, Callable[[SqlStore], Any]] = {
    "a job's life": live,
    "release": lambda store: store.release("here", [TOKEN]),
    "cancel": lambda store: store.request_cancel([JOB]),
    "cancel requests": lambda store: store.cancel_requests("here"),
    "retry": lambda store: store.retry([JOB]),
    "delete": lambda store: store.delete_jobs([JOB]),
    "adopt": lambda store: store.adopt([JOB], "watch"),
    "reap": lambda store: store.reap(lambda _host: False),
    "find hits": lambda store: store.find_hits([KEY]),
    "results of a content": lambda store: store.results_of(KEY.file_hash),
    "results at a path": lambda store: store.results_at("/media/a.mp4"),
    "recall": lambda store: store.recall_hashes(["/media"]),
    "recall one": lambda store: store.recall_hash("/media", "a.mp4"),
    "remember": lambda store: store.remember_hashes([("/media", "a.mp4", MEMO)]),
    "get jobs": lambda store: store.get_jobs([JOB]),
    "a job by its number": lambda store: store.job_numbered(1),
    "jobs of a status": lambda store: store.jobs(statuses=[JobStatus.FAILED]),
    "jobs of a source": lambda store: store.jobs(source="user"),
}


def unguided(plan: str) -> Iterator[str]:
    """Scans of large tables that no condition of an index narrows."""
    nodes = re.split(r"^(?=.*(?:->|^\w))", plan, flags=re.MULTILINE)
    for node in nodes:
        scan = re.search(rf"(Seq|Index|Index Only|Bitmap Heap) Scan.* on ({LARGE})\b", node)
        if scan and not re.search(r"Index Cond|Recheck Cond", node):
            yield scan[0]


@pytest.mark.parametrize("act", HOT)
def test_no_hot_query_needs_to_read_a_whole_table(store: SqlStore, act: str) -> None:
    plans = plans_of(store, HOT[act])
    assert plans
    found = [scan for plan in plans for scan in unguided(plan)]
    # Read in their order, from one end and up to a limit; or only as large as what waits.
    ordered = ("idx_jobs_ready", "idx_jobs_later", "uq_jobs_number")
    # Pairs among many values: of tables as small as these the planner walks the very index.
    pairs = ("_key on", "uq_analysis_jobs_file_path_config_hash")
    known = (*ordered, *pairs)
    assert [scan for scan in found if not any(index in scan for index in known)] == []


# A hundred times more rows, so that the planner needs no telling.
MORE = (
    (
        "INSERT INTO analysis_jobs (file_path, file_hash, config_hash, result_hash, elapsed_ms)"
        " SELECT '/more/' || n, 'blake3:m' || n, 'blake3:c', 'r', 1"
        " FROM generate_series(1, 100000) n"
    ),
    (
        "INSERT INTO processing_jobs (job_id, action, input_path, input_hash, output_path,"
        " output_hash, config_hash)"
        " SELECT 'm' || n, 'a.b', '/more/' || n, 'blake3:m' || n, 'o', 'h', 'blake3:c'"
        " FROM generate_series(1, 100000) n"
    ),
    "ANALYZE analysis_jobs, processing_jobs",
)


def test_pairs_are_looked_up_one_by_one_in_large_tables(store: SqlStore) -> None:
    with store._database.write() as connection:
        for statement in MORE:
            connection.exec_driver_sql(statement)
    hits = plans_of(store, lambda each: each.find_hits([KEY]), as_if_large=False)
    assert [
        re.search(r"Index Scan using (\w+)", plan)[1]  # type: ignore[index]
        for plan in hits
    ] == ["idx_analysis_jobs_key", "idx_processing_jobs_key"]
    assert all(re.search(r"Index Cond: \(\(?(file|input)_hash = ", plan) for plan in hits)
    (place,) = [
        plan
        for plan in plans_of(store, live, as_if_large=False)
        if re.search(r"Scan.* on analysis_jobs", plan) and not plan.startswith("Insert")
    ]
    assert "Index Cond: ((file_path = " in place or "Index Cond: (file_path = " in place


def test_a_query_without_an_index_would_be_noticed(store: SqlStore) -> None:
    def look(looked_at: SqlStore) -> None:
        with looked_at._database.read() as connection:
            connection.exec_driver_sql("SELECT * FROM jobs WHERE error = %s", ("x",))

    (plan,) = plans_of(store, look)
    assert len(list(unguided(plan))) == 1
