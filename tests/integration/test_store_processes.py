"""Several processes and threads on one SQLite store, and processes that are killed."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread, Timer

import pytest

from mediahost.errors import StoreError
from mediahost.hashing import CacheKey, hash_bytes
from mediahost.model.job import JobRequest, JobStatus
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.store import (
    JobRepository,
    SqlStore,
    close_db,
    get_session,
    open_session,
    open_store,
)

TIMEOUT_S = 60

# What every child begins with: a store, and requests told apart by a name.
PREAMBLE = """
import sys
from pathlib import Path
from mediahost.hashing import hash_bytes
from mediahost.model.job import JobRequest
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.model.result import MediaAnalysisResult
from mediahost.ports import Completion
from mediahost.store import open_store

def asked(name):
    media = MediaFile(Path(f"/media/{name}.mp4"), MediaKind.VIDEO, hash_bytes(name.encode()))
    return JobRequest("hello.halves", 1, {"at": 0.5}, media, hash_bytes(b"config"))

def done(job):
    return Completion(job, MediaAnalysisResult(metadata={"n": 1}), hash_bytes(b"result"), 1)

path, me = sys.argv[1:]
"""

CLAIM_ALL = """
store = open_store(path)
print("ready", flush=True)
sys.stdin.readline()
while jobs := store.claim(me, 10, 3600):
    store.commit(me, [done(job) for job in jobs])
    for job in jobs:
        print(job.token.job_id, flush=True)
"""

WRITE_FROM_EIGHT_THREADS = """
import threading, traceback
store = open_store(path)
print("ready", flush=True)
sys.stdin.readline()
def live(thread):
    try:
        for i in range(5):
            store.submit([asked(f"{me}-{thread}-{i}-{n}") for n in range(3)])
            jobs = store.claim(f"{me}-{thread}", 3, 3600)
            store.renew(f"{me}-{thread}", [job.token for job in jobs], 3600)
            store.report_progress(f"{me}-{thread}", {job.token: (0.5, "half") for job in jobs})
            store.commit(f"{me}-{thread}", [done(job) for job in jobs])
            store.jobs(limit=5)
            store.count_jobs()
    except BaseException:
        print("error", traceback.format_exc().replace(chr(10), " | "), flush=True)
threads = [threading.Thread(target=live, args=(n,)) for n in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""

OPEN = """
print("ready", flush=True)
sys.stdin.readline()
store = open_store(path)
store.submit([asked(me)])
"""

COMMIT_FOREVER = """
import itertools
store = open_store(path)
print("ready", flush=True)
sys.stdin.readline()
for batch in itertools.count():
    store.submit([asked(f"{me}-{batch}-{n}") for n in range(8)])
    jobs = store.claim(me, 8, 3600)
    store.commit(me, [done(job) for job in jobs])
    # Told only now: from here on it must not be lost.
    print(*(job.token.job_id for job in jobs), flush=True)
"""


@contextmanager
def child_ready(script: str, path: Path, name: str) -> "Iterator[subprocess.Popen[str]]":
    """A process that has opened what it needs and waits to be let go."""
    command = [sys.executable, "-c", PREAMBLE + script, str(path), name]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            yield child
        finally:
            child.kill()


def let_go(child: "subprocess.Popen[str]") -> None:
    assert child.stdin is not None
    child.stdin.write("go\n")
    child.stdin.flush()


def run_at_once(script: str, path: Path, names: list[str]) -> list[list[str]]:
    """The lines that children printed which were let go at one moment."""
    with ExitStack() as stack:
        children = [stack.enter_context(child_ready(script, path, name)) for name in names]
        for child in children:
            let_go(child)
        outputs = [child.communicate(timeout=TIMEOUT_S)[0] for child in children]
        assert [child.returncode for child in children] == [0] * len(children)
    return [output.splitlines() for output in outputs]


def open_files() -> list[Path]:
    # The descriptor that lists them is gone by the time it is looked at.
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return [link.readlink() for link in links]


def asked(name: str) -> JobRequest:
    media = MediaFile(Path(f"/media/{name}.mp4"), MediaKind.VIDEO, hash_bytes(name.encode()))
    return JobRequest("hello.halves", 1, {"at": 0.5}, media, hash_bytes(b"config"))


def test_four_processes_claim_each_of_400_jobs_once(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = open_store(path)
    submitted = store.submit([asked(str(i)) for i in range(400)])
    claimed = run_at_once(CLAIM_ALL, path, ["a", "b", "c", "d"])
    everything = [job_id for lines in claimed for job_id in lines]
    assert len(everything) == 400
    assert set(everything) == {str(job_id) for job_id in submitted}
    assert store.count_jobs()[JobStatus.COMPLETED] == 400
    assert {view.attempt for view in store.jobs(limit=1000)} == {1}
    store.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="there is no /proc to look in")
def test_a_store_closed_while_threads_look_up_holds_no_file(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.db")
    refused: list[StoreError] = []

    def look_up() -> None:
        while not refused:
            try:
                assert store.find_hits([CacheKey("blake3:1", "blake3:2")]) == {}
            except StoreError as error:
                refused.append(error)

    threads = [Thread(target=look_up) for _ in range(8)]
    for thread in threads:
        thread.start()
    store.close()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert {str(error) for error in refused} == {f"The store {tmp_path / 'store.db'} is closed"}
    assert [path for path in open_files() if path.is_relative_to(tmp_path)] == []


def test_two_processes_write_from_eight_threads_each_without_an_error(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    open_store(path).close()
    assert run_at_once(WRITE_FROM_EIGHT_THREADS, path, ["a", "b"]) == [[], []]
    store = open_store(path)
    assert sum(store.count_jobs().values()) == 2 * 8 * 5 * 3
    assert store.count_jobs()[JobStatus.COMPLETED] == 2 * 8 * 5 * 3
    store.close()


def test_a_writer_that_finds_the_lock_taken_tries_again(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    open_store(path).close()
    # SQLite itself waits for nobody here, so among so many the lock is found taken all the time.
    impatient = (
        "from mediahost.store import sqlite\n"
        "sqlite.BUSY_TIMEOUT_S, sqlite.PATIENCE_S = 0.001, 60.0\n"
    )
    assert run_at_once(impatient + WRITE_FROM_EIGHT_THREADS, path, ["a", "b", "c"]) == [[]] * 3
    store = open_store(path)
    assert store.count_jobs()[JobStatus.COMPLETED] == 3 * 8 * 5 * 3
    store.close()


def test_processes_that_open_a_new_store_at_once_all_get_it(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    run_at_once(OPEN, path, ["a", "b", "c", "d"])
    store = open_store(path)
    assert sorted(view.number for view in store.jobs()) == [1, 2, 3, 4]
    store.close()


@pytest.mark.parametrize("acknowledged", [1, 7, 20])
def test_killed_while_committing_nothing_acknowledged_is_lost(
    tmp_path: Path, acknowledged: int
) -> None:
    path = tmp_path / "store.db"
    told: list[str] = []
    with child_ready(COMMIT_FOREVER, path, "a") as child:
        assert child.stdout is not None
        let_go(child)
        # It goes on writing while this reads, so the kill comes anywhere.
        for _ in range(acknowledged):
            told += child.stdout.readline().split()
        child.send_signal(signal.SIGKILL)
        told += child.stdout.read().split()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
    store = open_store(path)
    views = {str(view.job_id): view for view in store.jobs(limit=100_000)}
    completed = {job_id for job_id, v in views.items() if v.status is JobStatus.COMPLETED}
    # The last line may be cut short.
    assert {job_id for job_id in told if len(job_id) == 36} <= completed
    keys = {CacheKey(*key) for each in completed if (key := views[each].key)}
    assert set(store.find_hits(keys)) == keys, "a job and its result are one transaction"
    # What was under way is found again.
    store.reap(lambda _host: True)
    assert store.count_jobs()[JobStatus.PROCESSING] == 0
    store.close()


def test_a_store_does_not_cross_a_fork(tmp_path: Path) -> None:
    code = PREAMBLE + (
        "import os\n"
        "from mediahost.errors import StoreError\n"
        "store = open_store(path)\n"
        "if os.fork() == 0:\n"
        "    try:\n"
        "        store.jobs()\n"
        "    except StoreError:\n"
        "        os._exit(7)\n"
        "    os._exit(1)\n"
        "print(os.waitstatus_to_exitcode(os.wait()[1]))\n"
        "store.jobs()\n"
    )
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(tmp_path / "store.db"), "a"],
        capture_output=True,
        text=True,
        check=True,
        timeout=TIMEOUT_S,
    )
    assert run.stdout == "7\n"


def test_readers_do_not_wait_for_a_writer(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.db")
    store.submit([asked("one")])
    seen: list[int] = []
    with store._database.write():
        reader = Thread(target=lambda: seen.append(len(store.jobs())))
        reader.start()
        reader.join(TIMEOUT_S)
    assert seen == [1]
    store.close()


def test_a_writer_that_is_held_up_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mediahost.store.sqlite.BUSY_TIMEOUT_S", 0.05)
    monkeypatch.setattr("mediahost.store.sqlite.PATIENCE_S", 0.1)
    path = tmp_path / "store.db"
    store: SqlStore = open_store(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="another program holds it") as raised:
        store.submit([asked("one")])
    assert str(path) in raised.value.message
    job = {"job_type": "audio", "media_url": "/a.mp3"}
    with (
        pytest.raises(StoreError, match="another program holds it"),
        open_session(store) as session,
    ):
        JobRepository(session).create(job)
    other.execute("ROLLBACK")
    other.close()
    assert len(store.submit([asked("one")])) == 1
    store.close()


@pytest.mark.parametrize("door", ["called", "awaited"])
def test_a_session_that_finds_the_lock_taken_tries_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    for module in ("sqlite", "async_engines"):
        monkeypatch.setattr(f"mediahost.store.{module}.BUSY_TIMEOUT_S", 0.001)
    monkeypatch.setattr("mediahost.store.aio._given", [])
    path = tmp_path / "store.db"
    store: SqlStore = open_store(path)
    job = {"job_type": "audio", "media_url": "/a.mp3"}

    def call() -> None:
        with open_session(store) as session:
            JobRepository(session).create(job)

    async def wait() -> None:
        async with get_session() as session:
            await JobRepository(session).create(job)
        await close_db()

    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    # Long after the session has found it taken for the first time.
    release = Timer(0.5, other.execute, ["ROLLBACK"])
    release.start()
    if door == "called":
        call()
    else:
        asyncio.run(wait())
    release.join(TIMEOUT_S)
    other.close()
    assert [view.media_url for view in store.jobs()] == ["/a.mp3"]
    store.close()


def test_no_file_of_a_store_is_left_open(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.db")
    store.submit([asked("one")])
    store.close()
    store.close()
    assert [path for path in open_files() if path.is_relative_to(tmp_path)] == []
    with pytest.raises(StoreError, match="closed"):
        store.jobs()
