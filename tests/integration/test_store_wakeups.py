"""Waiting for others to write: other connections, other processes, and nobody."""

import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import pytest

from mediahost.cached import HashedFile
from mediahost.hashing import FileStat, hash_bytes
from mediahost.model.job import JobRequest
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.store import SqlStore, open_store
from mediahost.store.wakeups import SqliteWakeup

TIMEOUT_S = 30
WRITE = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('CREATE TABLE other (a)')"


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    opened = open_store(tmp_path / "store.db")
    opened.remember_hashes([])
    return opened


def write(store: SqlStore) -> None:
    memo = HashedFile(FileStat(1, 2, 3, 4, 5), 6, hash_bytes(b"file"))
    store.remember_hashes([("/media", "a.mp4", memo)])


def test_a_commit_is_noticed_once(store: SqlStore) -> None:
    wakeup = store.wakeup()
    assert not wakeup.wait(0)
    write(store)
    assert wakeup.wait(TIMEOUT_S)
    assert not wakeup.wait(0)
    wakeup.close()
    store.close()


def test_another_process_is_noticed_while_one_waits(store: SqlStore, tmp_path: Path) -> None:
    noticed = Event()
    with SqliteWakeup(tmp_path / "store.db", poll_s=0.01) as wakeup:

        def wait() -> None:
            if wakeup.wait(TIMEOUT_S):
                noticed.set()

        waiting = Thread(target=wait)
        waiting.start()
        subprocess.run([sys.executable, "-c", WRITE, tmp_path / "store.db"], check=True)
        assert noticed.wait(TIMEOUT_S)
        waiting.join(TIMEOUT_S)
    store.close()


def test_who_waits_returns_when_it_is_closed(store: SqlStore, tmp_path: Path) -> None:
    wakeup = SqliteWakeup(tmp_path / "store.db", poll_s=TIMEOUT_S)
    answers: list[bool] = []
    waiting = Thread(target=lambda: answers.append(wakeup.wait(4 * TIMEOUT_S)))
    waiting.start()
    wakeup.close()
    waiting.join(TIMEOUT_S)
    assert answers == [False]
    store.close()


def test_a_writer_that_has_not_committed_keeps_the_next_from_numbering(tmp_path: Path) -> None:
    """On SQLite changes can't be committed in another order than that of their numbers."""
    import sqlite3  # noqa: PLC0415

    store = open_store(tmp_path / "store.db")
    with store._database.write() as connection:
        connection.exec_driver_sql("UPDATE jobs SET status = 'failed'")
        other = sqlite3.connect(tmp_path / "store.db", timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("INSERT INTO job_changes (job_number) VALUES (1)")
        other.close()
    store.close()


def test_postgres_tells_of_jobs_at_once_and_again_after_its_connection_is_lost(
    postgres_url: str,
) -> None:
    store = open_store(postgres_url)
    wakeup = store.wakeup()
    assert not wakeup.wait(0.2)
    media = MediaFile(Path("/media/a.mp4"), MediaKind.VIDEO, hash_bytes(b"film"))
    request = JobRequest("hello.halves", 1, {}, media, hash_bytes(b"config"))
    store.submit([request])
    assert wakeup.wait(TIMEOUT_S)
    store.claim("here", 1, 60)
    assert wakeup.wait(TIMEOUT_S)
    with store.database.write() as connection:
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%'"
        )
    assert wakeup.wait(TIMEOUT_S), "it has connected again"
    wakeup.close()
    assert not wakeup.wait(TIMEOUT_S)
    store.close()


def test_a_watcher_of_postgres_looks_now_and_then_though_it_hears_nothing(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mediahost.store import listening  # noqa: PLC0415 - psycopg is dear to import

    monkeypatch.setattr(listening, "RECONCILE_S", 0.3)
    store = open_store(postgres_url)
    wakeup = store.wakeup()
    assert wakeup.wait(TIMEOUT_S)
    wakeup.close()
    store.close()
