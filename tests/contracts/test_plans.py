"""Every hot query goes through an index: both databases say so themselves."""

import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import Connection, event

from mediahost.cached import CachedFolder, HashedFile
from mediahost.hashing import CacheKey, FileStat, hash_bytes
from mediahost.model.changes import Mark
from mediahost.model.hosts import Heartbeat, HostStatus
from mediahost.model.job import Failure, JobRequest, JobStatus, Outcome, Token, new_job_id
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.model.result import MediaAnalysisResult
from mediahost.model.search import Search, terms_of
from mediahost.ports import Completion, Setback
from mediahost.store import SqlStore, open_store
from mediahost.store.engine import Fetched
from mediahost.store.sqlite import SqliteDatabase

KEY = CacheKey(hash_bytes(b"file"), hash_bytes(b"config"))
JOB = new_job_id()
TOKEN = Token(JOB, 1)
BEAT = Heartbeat("here", "box", 1, "0", "local", 2, 0, HostStatus.WORKING)
# A snapshot of Postgres; SQLite takes the number before the first colon.
MARK = Mark("7:7:", 7, {})
MEMO = HashedFile(FileStat(1, 2, 3, 4, 5), 6, hash_bytes(b"file"))


def asked() -> JobRequest:
    media = MediaFile(Path("/media/a.mp4"), MediaKind.VIDEO, KEY.file_hash)
    return JobRequest("hello.halves", 1, {}, media, KEY.config_hash)


def live(store: SqlStore) -> None:
    """A job's whole life."""
    store.submit([asked()])
    (job,) = store.claim("here", 64, 60)
    store.renew("here", [job.token], 60)
    store.report_progress("here", {job.token: (0.5, "half")})
    store.commit("here", [], [Setback(job, Outcome.ERROR, Failure("no"), 0)])
    (job,) = store.claim("here", 64, 60, "user")
    result = MediaAnalysisResult()
    store.commit("here", [Completion(job, result, hash_bytes(b"result"), 1)])


def live_twice(store: SqlStore) -> None:
    """Two lives with one key: the second result takes the place of the first."""
    live(store)
    live(store)


# With a limit of one: a look at the first entry.
LEAP = "SCAN jobs USING INDEX idx_jobs_ready"

HOT: dict[str, Callable[[SqlStore], Any]] = {
    "a job's life": live,
    "a result in the place of another": live_twice,
    "release": lambda store: store.release("here", [TOKEN]),
    "cancel": lambda store: store.request_cancel([JOB]),
    "another priority": lambda store: store.change_priority([JOB], 3),
    "a higher priority": lambda store: store.change_priority([JOB], 1, relative=True),
    "cancel requests": lambda store: store.cancel_requests("here"),
    "retry": lambda store: store.retry([JOB]),
    "delete": lambda store: store.delete_jobs([JOB]),
    "adopt": lambda store: store.adopt([JOB], "watch"),
    "reap": lambda store: store.reap(lambda _host: False),
    "find hits": lambda store: store.find_hits([KEY]),
    "load results": lambda store: store.load_results([KEY]),
    "results of a content": lambda store: store.results_of(KEY.file_hash),
    "results at a path": lambda store: store.results_at("/media/a.mp4"),
    "recall": lambda store: store.recall_hashes(["/media"]),
    "recall with results": lambda store: store.recall_cached(["/media"], KEY.config_hash),
    "recall folders": lambda store: store.recall_folders(["/media"], "blake3:recipe"),
    "remember folders": lambda store: store.remember_folders(
        "blake3:recipe", 0, {"/media": CachedFolder("blake3:listing", 1, 1, 1)}
    ),
    "recall one": lambda store: store.recall_hash("/media", "a.mp4"),
    "remember": lambda store: store.remember_hashes([("/media", "a.mp4", MEMO)]),
    "search for words": lambda store: store.search(Search(terms_of("best times"))),
    "search for ranges": lambda store: store.search(Search(label="scene", min_s=2.0)),
    "makings into a content": lambda store: store.makings_into([KEY.file_hash]),
    "makings from a content": lambda store: store.makings_from([KEY.file_hash]),
    "makings at a path": lambda store: store.makings_at("/media/a.mp4"),
    "get jobs": lambda store: store.get_jobs([JOB]),
    "a job by its number": lambda store: store.job_numbered(1),
    "attempts at a job": lambda store: store.attempts_of(JOB),
    "what is ready": lambda store: store.ready(),
    "a claim of some actions": lambda store: store.claim("h", 8, 60, "user", ["a.b", "c.d"]),
    "a heartbeat": lambda store: store.beat(BEAT),
    "how much waits": lambda store: store.count_waiting("user"),
    "whether a source has work": lambda store: store.has_active("user"),
    "jobs of a status": lambda store: store.jobs(statuses=[JobStatus.FAILED]),
    "jobs of a source": lambda store: store.jobs(source="user"),
    "changes": lambda store: store.changes(MARK),
    "count of a source": lambda store: store.count_jobs("user"),
}


def sent_by(store: SqlStore, act: Callable[[SqlStore], Any]) -> list[tuple[str, Any]]:
    """The statements that an act sends, each with one row of parameters."""
    sent: list[tuple[str, Any]] = []

    def note(
        _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: Any
    ) -> None:
        sent.append((statement, parameters[0] if many else parameters))

    database = store._database

    def fetch(statement: str, parameters: Any) -> Fetched:
        sent.append((statement, parameters))
        return fetch_past_sqlalchemy(statement, parameters)

    fetch_past_sqlalchemy = database.fetch
    event.listen(database.engine, "before_cursor_execute", note)
    # On Postgres it goes through SQLAlchemy, which tells of it.
    lite = isinstance(database, SqliteDatabase)
    with patch.object(database, "fetch", fetch) if lite else nullcontext():
        act(store)
    event.remove(database.engine, "before_cursor_execute", note)
    assert sent
    return sent


# --- SQLite ------------------------------------------------------------------------------------


@pytest.fixture
def sqlite_store(tmp_path: Path) -> Iterator[SqlStore]:
    """One that is opened for the second time."""
    open_store(tmp_path / "store.db").close()
    opened = open_store(tmp_path / "store.db")
    yield opened
    opened.close()


def sqlite_plans(store: SqlStore, act: Callable[[SqlStore], Any]) -> list[str]:
    """What SQLite says it does for each statement that an act sends."""
    sent = sent_by(store, act)
    with store._database.read() as connection:
        return [
            str(row[3])
            for statement, parameters in sent
            if not statement.startswith("BEGIN")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]


@pytest.mark.parametrize("act", HOT)
def test_no_hot_query_reads_a_whole_table(sqlite_store: SqlStore, act: str) -> None:
    plans = sqlite_plans(sqlite_store, HOT[act])
    # The meta table has one row, and few hosts and pauses are there; lists of values come as one
    # parameter; a pair of source and action is one seek; a full text
    # index that looks words up calls it a scan.
    allowed = (
        "SCAN meta",
        "SCAN json_each",
        "SCAN groups VIRTUAL TABLE",
        "SCAN files VIRTUAL TABLE",
        "SCAN folders VIRTUAL TABLE",
        "SCAN chosen",
        "SCAN pairs",
        "SCAN pauses",
        "SCAN hosts",
        "SCAN CONSTANT ROW",
        LEAP,
        # Whether there is an entry at all.
        "SCAN analysis_jobs USING INDEX idx_analysis_jobs_foreign",
        # As many rows as attempts are under way.
        "SCAN job_progress",
        "SCAN passages_words VIRTUAL TABLE INDEX 0:M",
    )
    scans = [plan for plan in plans if plan.startswith("SCAN") and not plan.startswith(allowed)]
    assert scans == []


def test_claiming_reads_the_ready_jobs_in_their_order(sqlite_store: SqlStore) -> None:
    plans = sqlite_plans(
        sqlite_store, lambda each: each.claim("here", 64, 60, "user", ["hello.halves"])
    )
    seek = "SEARCH jobs USING INDEX idx_jobs_ready (source=? AND action=?)"
    assert seek in plans or seek.replace("INDEX", "COVERING INDEX") in plans
    assert not [plan for plan in plans if "TEMP B-TREE" in plan], "nothing is sorted"


@pytest.mark.parametrize("source", [None, "user"])
def test_each_pair_of_source_and_action_is_one_seek(
    sqlite_store: SqlStore, source: str | None
) -> None:
    plans = sqlite_plans(sqlite_store, lambda each: each.ready(source))
    leaps = {plan for plan in plans if "idx_jobs_ready" in plan}
    assert "SEARCH jobs USING INDEX idx_jobs_ready (source=? AND action>?)" in leaps
    assert "SEARCH jobs USING INDEX idx_jobs_ready (source>?)" in leaps or source
    assert not [plan for plan in plans if "TEMP B-TREE" in plan], "nothing is sorted"


def test_whether_a_source_has_work_is_two_seeks(sqlite_store: SqlStore) -> None:
    plans = sqlite_plans(sqlite_store, lambda each: each.has_active("user"))
    seek = "SEARCH jobs USING INDEX idx_jobs_source (source=? AND status=?)"
    assert plans.count(seek) == 2


@pytest.mark.parametrize("statuses", [[], [JobStatus.FAILED]])
def test_listing_the_newest_jobs_sorts_nothing(
    sqlite_store: SqlStore, statuses: list[JobStatus]
) -> None:
    plans = sqlite_plans(sqlite_store, lambda each: each.jobs(statuses=statuses))
    assert not [plan for plan in plans if "TEMP B-TREE" in plan]


def test_a_claim_leaves_the_index_of_active_keys_alone(sqlite_store: SqlStore) -> None:
    sqlite_store.submit([asked()])
    with sqlite_store._database.read() as connection:
        (condition,) = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE name = 'idx_jobs_active_key'"
        ).scalars()
    assert "status" not in condition


def test_any_number_of_values_is_one_statement_each(sqlite_store: SqlStore) -> None:
    few = sqlite_plans(sqlite_store, lambda each: each.find_hits([KEY]))
    many = [CacheKey(hash_bytes(b"%d" % i), hash_bytes(b"%d" % -i)) for i in range(1000)]
    assert sqlite_plans(sqlite_store, lambda each: each.find_hits(many)) == few


# --- Postgres ----------------------------------------------------------------------------------

LARGE = "jobs|analysis_jobs|processing_jobs|file_hashes|media_assets|passages"

# So many rows that reading them all is dear, and statistics that say so.
FILL = (
    (
        "INSERT INTO jobs (id, number, job_type, status, media_url, action, file_hash, config_hash,"
        " source, completed_at) SELECT gen_random_uuid(), n, 'video', 'completed', '/media/' || n,"
        " 'a.b', 'blake3:' || n, 'blake3:c', 'watch ' || mod(n, 50), now()"
        " FROM generate_series(1000, 6000) AS n"
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
    # As many as a host may have under way.
    "INSERT INTO job_progress (job_id, attempt, fraction) SELECT id, 1, 0.5 FROM jobs LIMIT 64",
    (
        "INSERT INTO passages (analysis_id, kind, label, start_s, end_s, words)"
        " SELECT id, 'speech', 'speech', id, id + 1, 'word' || id FROM analysis_jobs"
    ),
    "ANALYZE passages, jobs, analysis_jobs, processing_jobs, file_hashes, job_progress",
)


@pytest.fixture
def postgres_store(postgres_url: str) -> Iterator[SqlStore]:
    """One with some thousands of rows."""
    opened = open_store(postgres_url)
    with opened._database.write() as connection:
        for statement in FILL:
            connection.exec_driver_sql(statement)
    yield opened
    opened.close()


def postgres_plans(
    store: SqlStore, act: Callable[[SqlStore], Any], *, as_if_large: bool = True
) -> list[str]:
    """What the planner would do for each statement that an act sends, were tables large."""
    sent = sent_by(store, act)
    with store._database.engine.connect() as connection:
        # Tables as small as these are read whole, whatever indexes they have, if that is allowed.
        for way in ("seqscan", "mergejoin", "hashjoin") if as_if_large else ():
            connection.exec_driver_sql(f"SET LOCAL enable_{way} = off")
        return [_plan(connection, sql, values) for sql, values in sent]


def _plan(connection: Connection, sql: str, values: Any) -> str:
    return "\n".join(connection.exec_driver_sql(f"EXPLAIN {sql}", values).scalars())


def unguided(plan: str) -> Iterator[str]:
    """Scans of large tables that no condition of an index narrows."""
    nodes = re.split(r"^(?=.*(?:->|^\w))", plan, flags=re.MULTILINE)
    for node in nodes:
        scan = re.search(rf"(Seq|Index|Index Only|Bitmap Heap) Scan.* on ({LARGE})\b", node)
        if scan and not re.search(r"Index Cond|Recheck Cond", node):
            yield scan[0]


@pytest.mark.parametrize("act", HOT)
def test_no_hot_query_needs_to_read_a_whole_table(postgres_store: SqlStore, act: str) -> None:
    plans = postgres_plans(postgres_store, HOT[act])
    assert plans
    found = [scan for plan in plans for scan in unguided(plan)]
    # Read in their order, from one end and up to a limit; or only as large as what waits.
    ordered = ("idx_jobs_ready", "idx_jobs_later", "uq_jobs_number", "idx_analysis_jobs_foreign")
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


def test_pairs_are_looked_up_one_by_one_in_large_tables(postgres_store: SqlStore) -> None:
    with postgres_store._database.write() as connection:
        for statement in MORE:
            connection.exec_driver_sql(statement)
    (hits,) = postgres_plans(postgres_store, lambda each: each.find_hits([KEY]), as_if_large=False)
    assert re.findall(r"(\w+ \w*[sS]can) (?:using (\w+) )?on (?!wanted)(\w+_jobs)", hits) == [
        ("Index Scan", "idx_analysis_jobs_key", "analysis_jobs"),
        ("Index Scan", "idx_processing_jobs_key", "processing_jobs"),
    ]
    assert len(re.findall(r"Index Cond: \(\(?(?:file|input)_hash = ", hits)) == 2
    (place,) = [
        plan
        for plan in postgres_plans(postgres_store, live_twice, as_if_large=False)
        if re.search(r"Scan.* on analysis_jobs", plan) and not plan.startswith("Insert")
    ]
    assert "Index Cond: ((file_path = " in place or "Index Cond: (file_path = " in place


# The planner does not know of them: the server counts again after a minute, if a tenth is new.
BACKLOG = (
    "INSERT INTO jobs (id, number, job_type, media_url, action, file_hash, config_hash,"
    " parameters) SELECT gen_random_uuid(), n, 'video', '/media/' || n, 'hello.halves',"
    " 'blake3:' || n, 'blake3:c', '{\"config\": {}, \"inputs\": {}}'"
    " FROM generate_series(10000, 10400) AS n"
)


def claim_and_complete(store: SqlStore) -> None:
    store.ready()
    (job,) = store.claim("here", 1, 60)
    store.commit("here", [Completion(job, MediaAnalysisResult(), hash_bytes(b"result"), 1)])


def test_a_claim_does_not_read_a_backlog_that_postgres_has_not_counted(
    postgres_store: SqlStore,
) -> None:
    with postgres_store._database.write() as connection:
        connection.exec_driver_sql(BACKLOG)
    plans = postgres_plans(postgres_store, claim_and_complete, as_if_large=False)
    assert [plan for plan in plans if "idx_jobs_status" in plan] == []
    promoted, claimed, completed = (plan for plan in plans if plan.startswith("Update on jobs"))
    assert "Index Scan using idx_jobs_later" in promoted
    assert "Index Cond: (number = chosen.number)" in claimed, claimed
    assert re.search(r"Index Cond: \(id = ", completed), completed


def test_whether_a_source_has_work_is_a_look_at_an_index(postgres_store: SqlStore) -> None:
    (plan,) = postgres_plans(postgres_store, lambda each: each.has_active("user"))
    conditions = re.findall(r"Index Cond: (.*)", plan)
    assert conditions
    assert all("status" in condition for condition in conditions), plan


def test_a_query_without_an_index_would_be_noticed(postgres_store: SqlStore) -> None:
    def look(looked_at: SqlStore) -> None:
        with looked_at._database.read() as connection:
            connection.exec_driver_sql("SELECT * FROM jobs WHERE error = %s", ("x",))

    (plan,) = postgres_plans(postgres_store, look)
    assert len(list(unguided(plan))) == 1
