"""Every hot query goes through an index: SQLite says so itself."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event

from mediahost.hashing import CacheKey, FileStat, hash_bytes
from mediahost.model.changes import Mark
from mediahost.model.hosts import Heartbeat, HostStatus
from mediahost.model.job import Failure, JobRequest, JobStatus, Outcome, Token, new_job_id
from mediahost.model.media import MediaFile, MediaKind
from mediahost.model.result import MediaAnalysisResult
from mediahost.model.search import Search, terms_of
from mediahost.ports import Completion, HashedFile, Setback
from mediahost.store import SqlStore, open_store

KEY = CacheKey(hash_bytes(b"file"), hash_bytes(b"config"))
JOB = new_job_id()
TOKEN = Token(JOB, 1)
BEAT = Heartbeat("here", "box", 1, "0", "local", 2, 0, HostStatus.WORKING)
MEMO = HashedFile(FileStat(1, 2, 3, 4, 5), 6, hash_bytes(b"file"))


def asked() -> JobRequest:
    media = MediaFile(Path("/media/a.mp4"), MediaKind.VIDEO, KEY.file_hash)
    return JobRequest("hello.halves", 1, {}, media, KEY.config_hash)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    open_store(tmp_path / "store.db").close()
    opened = open_store(tmp_path / "store.db")
    yield opened
    opened.close()


def plans_of(store: SqlStore, act: Callable[[SqlStore], Any]) -> list[str]:
    """What SQLite says it does for each statement that an act sends."""
    sent: list[tuple[str, Any]] = []

    def note(
        _connection: Connection,
        _cursor: Any,
        statement: str,
        parameters: Any,
        _context: Any,
        executemany: bool,
    ) -> None:
        sent.append((statement, parameters[0] if executemany else parameters))

    event.listen(store._database.engine, "before_cursor_execute", note)
    act(store)
    event.remove(store._database.engine, "before_cursor_execute", note)
    with store._database.read() as connection:
        return [
            str(row[3])
            for statement, parameters in sent
            if not statement.startswith("BEGIN")
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        ]


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


# With a limit of one: a look at the first entry.
LEAP = "SCAN jobs USING INDEX idx_jobs_ready"

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
    "load results": lambda store: store.load_results([KEY]),
    "results of a content": lambda store: store.results_of(KEY.file_hash),
    "results at a path": lambda store: store.results_at("/media/a.mp4"),
    "recall": lambda store: store.recall_hashes(["/media"]),
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
    "jobs of a status": lambda store: store.jobs(statuses=[JobStatus.FAILED]),
    "jobs of a source": lambda store: store.jobs(source="user"),
    "changes": lambda store: store.changes(Mark("7", 7, {})),
    "count of a source": lambda store: store.count_jobs("user"),
}


@pytest.mark.parametrize("act", HOT)
def test_no_hot_query_reads_a_whole_table(store: SqlStore, act: str) -> None:
    plans = plans_of(store, HOT[act])
    # The meta table has one row, and few hosts and pauses are there; lists of values come as one
    # parameter; a pair of source and action is one seek; a full text
    # index that looks words up calls it a scan.
    allowed = (
        "SCAN meta",
        "SCAN json_each",
        "SCAN chosen",
        "SCAN pairs",
        "SCAN pauses",
        "SCAN hosts",
        "SCAN CONSTANT ROW",
        LEAP,
        # As many rows as attempts are under way.
        "SCAN job_progress",
        "SCAN passages_words VIRTUAL TABLE INDEX 0:M",
    )
    scans = [plan for plan in plans if plan.startswith("SCAN") and not plan.startswith(allowed)]
    assert scans == []


def test_claiming_reads_the_ready_jobs_in_their_order(store: SqlStore) -> None:
    plans = plans_of(store, lambda each: each.claim("here", 64, 60, "user", ["hello.halves"]))
    seek = "SEARCH jobs USING INDEX idx_jobs_ready (source=? AND action=?)"
    assert seek in plans or seek.replace("INDEX", "COVERING INDEX") in plans
    assert not [plan for plan in plans if "TEMP B-TREE" in plan], "nothing is sorted"


@pytest.mark.parametrize("source", [None, "user"])
def test_each_pair_of_source_and_action_is_one_seek(store: SqlStore, source: str | None) -> None:
    plans = plans_of(store, lambda each: each.ready(source))
    leaps = {plan for plan in plans if "idx_jobs_ready" in plan}
    assert "SEARCH jobs USING INDEX idx_jobs_ready (source=? AND action>?)" in leaps
    assert "SEARCH jobs USING INDEX idx_jobs_ready (source>?)" in leaps or source
    assert not [plan for plan in plans if "TEMP B-TREE" in plan], "nothing is sorted"


@pytest.mark.parametrize("statuses", [[], [JobStatus.FAILED]])
def test_listing_the_newest_jobs_sorts_nothing(store: SqlStore, statuses: list[JobStatus]) -> None:
    plans = plans_of(store, lambda each: each.jobs(statuses=statuses))
    assert not [plan for plan in plans if "TEMP B-TREE" in plan]


def test_a_claim_leaves_the_index_of_active_keys_alone(store: SqlStore) -> None:
    store.submit([asked()])
    with store._database.read() as connection:
        (condition,) = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE name = 'idx_jobs_active_key'"
        ).scalars()
    assert "status" not in condition


def test_any_number_of_values_is_one_statement_each(store: SqlStore) -> None:
    few = plans_of(store, lambda each: each.find_hits([KEY]))
    many = [CacheKey(hash_bytes(b"%d" % i), hash_bytes(b"%d" % -i)) for i in range(1000)]
    assert plans_of(store, lambda each: each.find_hits(many)) == few
