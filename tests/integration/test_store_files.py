"""Opening a store: new, old, newer, foreign and damaged files."""

import errno
import hashlib
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mediahost.errors import StoreError
from mediahost.hashing import hash_bytes
from mediahost.model.job import JobRequest
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.ports import Store
from mediahost.store import open_store
from mediahost.store.about import describe, upgrade_at
from mediahost.store.backup import back_up
from mediahost.store.care import Care
from mediahost.store.copying import copy_to
from mediahost.store.glance import glance_first
from mediahost.store.schema import HEAD


def asked(name: str) -> JobRequest:
    media = MediaFile(Path(f"/media/{name}.mp4"), MediaKind.VIDEO, hash_bytes(name.encode()))
    return JobRequest("hello.halves", 1, {"at": 0.5}, media, hash_bytes(b"config"))


def files_in(folder: Path) -> dict[str, tuple[str, int]]:
    """Content and time of change of each file."""
    return {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in folder.iterdir()
    }


def assert_refused(path: Path, words: str) -> None:
    before = files_in(path.parent)
    with pytest.raises(StoreError, match=words) as raised:
        open_store(path)
    assert str(path) in raised.value.message
    assert "\n" not in raised.value.message
    assert raised.value.hint
    assert files_in(path.parent) == before, "untouched"


def test_a_store_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "store.db"
    store = open_store(path)
    store.submit([asked("one")])
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    store.close()


def test_connections_are_set_to_lose_nothing(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.db")
    wanted = {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 10_000,
        "mmap_size": 0x7FFF0000,
    }
    with store._database.read() as connection:
        for pragma, value in wanted.items():
            assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value, pragma
    store.close()


def opened_and_closed_elsewhere(path: Path) -> None:
    """Another process reads the file and leaves; the last to leave deletes the log."""
    code = (
        "import sqlite3, sys; connection = sqlite3.connect(sys.argv[1]);"
        " connection.execute('SELECT * FROM jobs').fetchall(); connection.close()"
    )
    subprocess.run([sys.executable, "-c", code, path], check=True)


def glanced_at(path: str) -> Store:
    return glance_first(path, None, lambda: open_store(path))


@pytest.mark.parametrize("opens_again", [open_store, glanced_at])
def test_a_store_that_is_open_twice_in_a_process_keeps_its_locks(
    tmp_path: Path, opens_again: Callable[[str], Store]
) -> None:
    path = tmp_path / "store.db"
    log = tmp_path / "store.db-wal"
    with closing(open_store(path)) as first:
        first.submit([asked("a")])
        with closing(opens_again(str(path))):
            opened_and_closed_elsewhere(path)
            assert log.exists(), "this process still writes to it"
        opened_and_closed_elsewhere(path)
        assert log.exists()
    opened_and_closed_elsewhere(path)
    assert not log.exists()


def test_a_glance_keeps_its_locks_while_the_store_is_opened_behind_it(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    open_store(path).close()
    with closing(glanced_at(str(path))) as store:
        store.submit([asked("a")])
        opened_and_closed_elsewhere(path)
        assert (tmp_path / "store.db-wal").exists()


def test_a_store_that_is_opened_again_has_all_that_it_had(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.db")
    (job_id,) = store.submit([asked("one")])
    store.close()
    again = open_store(f"sqlite:///{tmp_path}/store.db")
    assert set(again.get_jobs([job_id])) == {job_id}
    again.close()


def test_opening_an_existing_store_does_not_load_alembic(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    open_store(path).close()
    code = (
        "import sys; from mediahost.store import open_store; open_store(sys.argv[1]).close(); "
        "print('alembic' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(path)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout == "False\n"


def test_a_store_keeps_the_algorithm_it_was_made_with(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    made = open_store(path, "sha256")
    assert made.algorithm == "sha256"
    made.close()
    opened = open_store(path)
    assert opened.algorithm == "sha256"
    opened.close()
    with pytest.raises(StoreError, match="made with sha256, not blake3"):
        open_store(path, "blake3")


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "holiday.mp4"
    path.write_bytes(b"\0\0\0\x20ftypisom" + bytes(5000))
    assert_refused(path, "no database")


@pytest.mark.parametrize("content", [b"milk", b"1", bytes(1), bytes(5000)])
def test_a_few_bytes_are_no_database(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "note.txt"
    path.write_bytes(content)
    assert_refused(path, "no database")


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "photos.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE photos (id INTEGER)")
    connection.close()
    assert_refused(path, "another program's database")


@pytest.mark.parametrize("number", ["user_version", "application_id"])
def test_another_programs_database_is_refused_though_nothing_is_in_it(
    tmp_path: Path, number: str
) -> None:
    path = tmp_path / "photos.db"
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA {number} = 7")
    connection.close()
    assert_refused(path, "another program's database")
    before = path.read_bytes()
    for use in (upgrade_at, describe):
        with pytest.raises(StoreError, match="another program's database"):
            use(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("version", ["ae1027a6acf", "0003", HEAD, None])
@pytest.mark.parametrize("table", ["songs (id INTEGER)", "meta (id INTEGER, key TEXT)"])
def test_another_programs_migrated_database_is_refused(
    tmp_path: Path, version: str | None, table: str
) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE {table}")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        if version:
            connection.execute("INSERT INTO alembic_version VALUES (?)", [version])
    connection.close()
    assert_refused(path, "another program's database")


def test_another_programs_database_is_not_touched_by_an_upgrade_either(tmp_path: Path) -> None:
    path = tmp_path / "photos.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE photos (id INTEGER)")
    connection.close()
    open_store(tmp_path / "store.db").close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program's database"):
        upgrade_at(path)
    with pytest.raises(StoreError, match="another program's database"):
        copy_to(tmp_path / "store.db", path)
    assert path.read_bytes() == before
    assert files_in(tmp_path).keys() == {"photos.db", "store.db"}


def test_a_store_of_a_newer_mediahost_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    open_store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    assert_refused(path, "has schema 9999, and this mediahost knows")


def test_a_damaged_store_says_so(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = open_store(path)
    store.submit([asked(str(i)) for i in range(200)])
    store.close()
    content = bytearray(path.read_bytes())
    # All but the header is overwritten.
    content[100:] = b"\xaa" * (len(content) - 100)
    path.write_bytes(content)
    assert_refused(path, "it is damaged")


def test_a_missing_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="can't be opened"):
        open_store(tmp_path / "file" / "store.db")


def test_a_folder_is_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="can't be opened: Is a directory"):
        open_store(tmp_path)


def test_a_pipe_is_no_store_and_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "store.db")
    for use in (open_store, upgrade_at, describe):
        with pytest.raises(StoreError, match="is no file, so it can't be the store") as raised:
            use(tmp_path / "store.db")
        assert raised.value.hint
    with pytest.raises(StoreError, match="is no file"):
        open_store(os.devnull)
    assert [path.name for path in tmp_path.iterdir()] == ["store.db"]


def test_a_full_disk_says_so(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.db")
    with store._database.write() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        # SQLite reports its own limit as it reports a full disk.
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="the disk is full"):
        store.submit([asked(str(i)) for i in range(500)])
    assert store.jobs() == [], "all or nothing"
    store.close()


def test_a_disk_that_fills_up_leaves_what_was_acknowledged(small_disk: Path) -> None:
    path = small_disk / "store.db"
    store = open_store(path)
    kept = []

    def fill() -> None:
        for batch in range(1000):
            kept.extend(store.submit([asked(f"{batch}-{n}") for n in range(50)]))

    with pytest.raises(StoreError, match="the disk is full") as raised:
        fill()
    assert raised.value.hint == "Free some space and try again."
    assert kept
    assert set(store.get_jobs(kept)) == set(kept)
    assert len(store.jobs(limit=100_000)) == len(kept), "all or nothing"
    store.close()
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    connection.close()


def test_a_backup_that_finds_its_disk_full_names_that_and_leaves_nothing(
    tmp_path: Path, small_disk: Path, postgres_url: str
) -> None:
    for place in (tmp_path / "store.db", postgres_url):
        store = open_store(place)
        store.submit([asked(f"{n}{'x' * 900}") for n in range(1500)])
        with pytest.raises(StoreError) as raised:
            back_up(store.database, small_disk / "copy.db")
        store.close()
        assert raised.value.message == (
            f"The backup {small_disk / 'copy.db'} can't be written: the disk is full"
        )
        assert raised.value.hint
        assert list(small_disk.iterdir()) == []


def test_a_backup_may_go_where_no_file_can_have_two_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", link)
    store = open_store(tmp_path / "store.db")
    store.submit([asked("one")])
    back_up(store.database, tmp_path / "copy.db")
    store.close()
    assert files_in(tmp_path).keys() == {"copy.db", "store.db"}
    copy = open_store(tmp_path / "copy.db")
    assert len(copy.jobs()) == 1
    copy.close()


def test_a_damaged_store_is_not_backed_up(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    store = open_store(path)
    store.submit([asked(str(n)) for n in range(500)])
    store.close()
    content = bytearray(path.read_bytes())
    content[-20 * 4096 :] = b"\xaa" * (20 * 4096)
    path.write_bytes(content)
    store = open_store(path)
    faults = Care(store.database).faults()
    assert faults
    assert not any("\n" in fault or "***" in fault for fault in faults)
    with pytest.raises(StoreError, match="damaged") as raised:
        back_up(store.database, tmp_path / "copy.db")
    store.close()
    assert "\n" not in raised.value.message
    assert files_in(tmp_path).keys() == {"store.db"}


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    store = open_store(tmp_path / "store.db")
    with store._database.write() as connection:
        # Root may write anything, so SQLite is told to refuse; it says so in the same way.
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(StoreError, match="it can't be written") as raised:
        store.submit([asked("one")])
    assert raised.value.hint
    store.close()


@pytest.mark.parametrize(
    "url",
    [
        "mysql://me:secret@db/media",
        "postgresql://me:secret@db:port/x",
        "sqlite://",
        "sqlite:///:memory:",
        "http://x/y",
        "://",
    ],
)
def test_a_url_of_no_store_is_refused_without_repeating_its_password(url: str) -> None:
    with pytest.raises(StoreError, match="names neither") as raised:
        open_store(url)
    assert "secret" not in f"{raised.value.message}{raised.value.hint}"
