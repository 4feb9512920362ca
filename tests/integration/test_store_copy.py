"""Copies of whole stores: equal row by row, and gone on with after a kill."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from mediahost.hashing import hash_bytes
from mediahost.model.job import JobRequest
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.store import copying, open_store
from mediahost.store.sqlite_file import files_of
from mediahost.store.tables import Record, meta

BOTH = ("--action", "count.cut", "--action", "count.look")

# Dies as by a power cut once so many batches were written.
KILLED = """
import os, signal, sys
from mediahost.store import copying
copying.BATCH = 2
def die(table, done, total):
    if table == sys.argv[3] and done >= 2:
        os.kill(os.getpid(), signal.SIGKILL)
copying.copy_to(sys.argv[1], sys.argv[2], die)
"""


def rows(path: Path) -> dict[str, list[Any]]:
    """All rows of all tables, but for what is a database's own."""
    with closing(sqlite3.connect(path)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE '%VIRTUAL%'"
        ).fetchall()
        own = ("sqlite_", "job_changes", "cached_folders", "passages_words")
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)  # noqa: S608
            for (name,) in names
            if not name.startswith(own)
        }


def asked(name: str) -> JobRequest:
    media = MediaFile(Path("/media", name), MediaKind.VIDEO, hash_bytes(name.encode()))
    return JobRequest("hello.halves", 1, {}, media, hash_bytes(b"config"))


def copied(home: Any, target: str = "copy.db") -> dict[str, tuple[int, int]]:
    answer = home.call("store", "copy", home.data / "store.db", target, "--json")
    assert answer.code == 0, answer.err
    return {one["name"]: (one["rows"], one["written"]) for one in answer.json["tables"]}


def test_a_copy_has_every_row_and_works(home: Any) -> None:
    home.tones(3)
    home.run(*BOTH)
    tables = copied(home)
    assert tables["jobs"] == (6, 6)
    assert rows(home.folder / "copy.db") == rows(home.data / "store.db")
    used = {"MEDIAHOST_DATABASE_URL": str(home.folder / "copy.db")}
    assert home.run(*BOTH, environ=used).counts == {"cached": 6}
    home.tone("new.wav", 999)
    assert home.run(*BOTH, environ=used).counts == {"cached": 6, "done": 2}


def test_a_killed_copy_is_no_store_and_is_gone_on_with(home: Any) -> None:
    home.tones(4)
    home.run(*BOTH)
    arguments = [str(home.data / "store.db"), str(home.folder / "copy.db"), "jobs"]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False, timeout=60)
    assert killed.returncode == -9
    refused = home.call("jobs", "list", environ={"MEDIAHOST_DATABASE_URL": arguments[1]})
    assert refused.code == 3
    assert "a copy that is not finished" in refused.err

    # Meanwhile the store changes under rows that are copied already.
    home.tone("000.wav", 777)
    home.run(*BOTH)
    numbers = [str(number) for (number,) in home.query("SELECT number FROM jobs LIMIT 1")]
    assert home.call("jobs", "delete", *numbers).code == 0

    tables = copied(home)
    total, written = tables["jobs"]
    assert total == 9
    assert written < total, "what was there stays"
    assert rows(home.folder / "copy.db") == rows(home.data / "store.db")


def test_a_copy_on_a_full_disk_says_what_is_left_of_it_and_is_gone_on_with(
    home: Any, small_disk: Path
) -> None:
    store = open_store(home.data / "store.db")
    store.submit([asked(f"{number}.mp4") for number in range(600)])
    store.close()
    target = small_disk / "copy.db"
    space = os.statvfs(small_disk)
    # Room for the tables, and for some of the rows.
    room = space.f_bavail * space.f_frsize - 800_000
    (small_disk / "others").write_bytes(bytes(room))
    answer = home.call("store", "copy", home.data / "store.db", target)
    assert answer.code == 3
    left = [path.name for path in files_of(target)]
    assert answer.err.splitlines() == [
        f"mediahost: The store {target} can't be used: the disk is full",
        "  Free some space and try again.",
        "  The same command goes on where this one stopped.",
        f"  To give the copy up, delete what there is of it: {', '.join(left)}.",
    ]
    assert {path.name for path in small_disk.iterdir()} == {"others", *left}
    (small_disk / "others").unlink()
    copied(home, str(target))
    assert rows(target) == rows(home.data / "store.db")


def test_a_copy_goes_onto_no_store(home: Any) -> None:
    home.tones(1)
    home.run(*BOTH)
    copied(home)
    before = rows(home.folder / "copy.db")
    store = str(home.data / "store.db")
    for target, words in (("copy.db", "a store already"), (store, "onto itself")):
        answer = home.call("store", "copy", store, target)
        assert answer.code == 2
        assert words in answer.err
    assert rows(home.folder / "copy.db") == before
    (home.folder / "notes.txt").write_text("mine")
    assert home.call("store", "copy", store, "notes.txt").code == 3
    assert (home.folder / "notes.txt").read_text() == "mine"
    assert home.call("store", "copy", "nowhere.db", "other.db").code == 2


def test_a_store_goes_to_postgres_and_back_and_every_row_is_the_same(
    home: Any, bare_postgres_url: str
) -> None:
    home.tones(2)
    home.run(*BOTH)
    home.call("jobs", "cancel", "1")
    there = home.call("store", "copy", home.data / "store.db", bare_postgres_url, "--json")
    assert there.code == 0, there.err
    used = {"MEDIAHOST_DATABASE_URL": bare_postgres_url}
    back = home.call("store", "copy", bare_postgres_url, "back.db", "--json")
    assert back.code == 0, back.err
    assert said(home.folder / "back.db") == said(home.data / "store.db")
    backup = home.call("store", "backup", "backup.db", environ=used)
    assert backup.code == 0, backup.err
    assert said(home.folder / "backup.db") == said(home.data / "store.db")
    # New rows are numbered behind those that came with their numbers.
    home.tone("new.wav", 999)
    assert home.run(*BOTH, environ=used).counts == {"cached": 4, "done": 2}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_no_other_copy_comes_between_the_comparing_and_the_end(
    tmp_path: Path, bare_postgres_url: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        with closing(open_store(tmp_path / f"{name}.db")) as store:
            store.submit([asked(f"{name}-{n}.mp4") for n in range(3)])
    target = bare_postgres_url if kind == "postgresql" else tmp_path / "copy.db"
    told: list[BaseException] = []
    removed = Event()

    def copy_too() -> None:
        try:
            copying.copy_to(tmp_path / "two.db", target)
        except BaseException as error:  # noqa: BLE001 - told below, in the test's own thread
            told.append(error)

    other = Thread(target=copy_too)
    compare, remove = copying._compare, copying._remove_unequal

    def compare_first(*given: Any) -> None:
        compare(*given)
        if not other.ident:
            other.start()
            # It must not happen, so there is nothing to wait for but time.
            removed.wait(2)

    def remove_and_tell(*given: Any) -> None:
        remove(*given)
        removed.set()

    monkeypatch.setattr(copying, "_compare", compare_first)
    monkeypatch.setattr(copying, "_remove_unequal", remove_and_tell)
    copying.copy_to(tmp_path / "one.db", target)
    other.join(60)
    assert [str(error) for error in told] == ["There is a store already where the copy should go"]
    with closing(open_store(target)) as copy:
        found = {Path(view.media_url).name for view in copy.jobs()}
    assert found == {f"one-{n}.mp4" for n in range(3)}


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_who_watches_a_copy_learns_of_each_change_not_to_read_all_again(
    tmp_path: Path, bare_postgres_url: str, kind: str
) -> None:
    source = open_store(tmp_path / "store.db")
    with source.database.write() as connection:
        connection.execute(meta.update().values(changes_trimmed=5_000_000))
    source.close()
    target = bare_postgres_url if kind == "postgresql" else tmp_path / "copy.db"
    copying.copy_to(tmp_path / "store.db", target)
    copy = open_store(target)
    mark = copy.changes().mark
    copy.submit([asked("a.mp4")])
    news = copy.changes(mark)
    copy.close()
    assert not news.resync
    assert news.added == (1,)


def said(path: Path) -> dict[str, Any]:
    """What each row says, whatever wrote it: JSON may be spelled in several ways."""
    store = open_store(path)
    with store.database.read() as connection:
        tables = {
            table.name: sorted(
                copying.row_hash(row) for row in connection.execute(table.select()).mappings()
            )
            for table in Record.metadata.sorted_tables
            if table.name not in ("job_changes", "cached_folders")
        }
    store.close()
    return tables
