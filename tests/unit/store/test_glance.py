"""A glance at a store, and the store behind it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mediahost.cached import CachedFolder, HashedFile
from mediahost.errors import StoreError
from mediahost.hashing import CacheKey, FileStat
from mediahost.model.job import JobRequest
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.model.result import Artifact, MediaAnalysisResult, MediaProcessingResult, Result
from mediahost.ports import Completion, Store
from mediahost.store import SqlStore, open_store
from mediahost.store.glance import Glance, GlancedStore, glance_first

MEMO = HashedFile(FileStat(1, 2, 3, 4, 5), 6, "blake3:00")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a store # 100%.db"
    with closing(open_store(path)) as store:
        store.remember_hashes([("/media", "a.wav", MEMO)])
    return path


class Opened:
    """Opens the store, and counts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.times = 0

    def __call__(self) -> Store:
        self.times += 1
        return open_store(self.path)


@pytest.fixture
def opened(path: Path) -> Opened:
    return Opened(path)


@pytest.fixture
def store(path: Path, opened: Opened) -> Iterator[Store]:
    with closing(glance_first(str(path), None, opened)) as store:
        yield store


def test_memos_and_hits_are_seen_without_opening_the_store(store: Store, opened: Opened) -> None:
    assert store.algorithm == "blake3"
    assert store.recall_hashes(["/media", "/other"]) == {"/media": {"a.wav": MEMO}}
    assert store.find_hits([]) == {}
    assert opened.times == 0


def test_anything_else_opens_it_once(store: Store, opened: Opened) -> None:
    store.remember_hashes([("/media", "b.wav", MEMO)])
    assert store.count_jobs() is not None
    assert opened.times == 1
    assert store.recall_hashes(["/media"]) == {"/media": {"a.wav": MEMO, "b.wav": MEMO}}


def test_what_others_commit_is_seen(store: Store, path: Path, opened: Opened) -> None:
    assert set(store.recall_hashes(["/media"])["/media"]) == {"a.wav"}
    with closing(open_store(path)) as other:
        other.remember_hashes([("/media", "b.wav", MEMO)])
    assert set(store.recall_hashes(["/media"])["/media"]) == {"a.wav", "b.wav"}
    assert opened.times == 0


def test_a_glance_that_fails_opens_the_store(path: Path, opened: Opened) -> None:
    glance = Glance.at(str(path), None)
    assert glance
    glance.close()
    with closing(GlancedStore(glance, opened)) as store:
        assert store.recall_hashes(["/media"]) == {"/media": {"a.wav": MEMO}}
        assert store.find_hits([]) == {}
    assert opened.times == 1


def test_a_url_names_the_same_file(path: Path) -> None:
    plain = path.rename(path.with_name("plain.db"))
    glance = Glance.at(f"sqlite:///{plain}", "blake3")
    assert glance
    glance.close()


def test_what_is_no_store_of_this_version_is_opened_at_once(tmp_path: Path, path: Path) -> None:
    for missing in (str(tmp_path / "none.db"), "postgresql://localhost/films", str(tmp_path)):
        assert Glance.at(missing, None) is None
    assert not (tmp_path / "none.db").exists()
    assert Glance.at(str(path), "sha256") is None
    for newer in ("9999", "0001"):
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", [newer])
            connection.commit()
        assert Glance.at(str(path), None) is None


def test_what_is_no_store_at_all_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database, by far" * 100)
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE films (title)")
    for path in (text, other):
        before = path.read_bytes()
        with pytest.raises(StoreError):
            glance_first(str(path), None, Opened(path))
        assert path.read_bytes() == before


def test_an_open_store_needs_no_glance(tmp_path: Path) -> None:
    with closing(glance_first(str(tmp_path / "new.db"), None, Opened(tmp_path / "new.db"))) as new:
        assert isinstance(new, SqlStore)


def test_a_glance_sees_the_results_that_the_store_sees(
    store: Store, path: Path, opened: Opened
) -> None:
    keys = [CacheKey("blake3:00", f"blake3:{number}") for number in range(3)]
    made = Artifact(path=Path("/made.wav"), asset_type="audio", size=1, file_hash="blake3:01")
    results: list[Result] = [MediaAnalysisResult(), MediaProcessingResult(artifacts=(made,))]
    with closing(open_store(path)) as other:
        for key, result in zip(keys, results, strict=False):
            media = MediaFile(Path("/media/a.wav"), MediaKind.AUDIO, key.file_hash)
            other.submit([JobRequest("t.look", 1, {}, media, key.config_hash)])
            (job,) = other.claim("here", 1, 60)
            other.commit("here", [Completion(job, result, "blake3:02", 7)])
        hits = other.find_hits(keys)
        assert list(hits) == keys[:2]
        assert store.find_hits(keys) == hits
        for key in keys:
            told = other.recall_cached(["/media"], key.config_hash)
            assert bool(told) == (key == keys[0])
            assert store.recall_cached(["/media"], key.config_hash) == told
    assert opened.times == 0


WHOLE = CachedFolder("blake3:listing", 1, 1, 1)


def test_folders_are_remembered_without_opening_the_store(store: Store, opened: Opened) -> None:
    as_of, none = store.recall_folders(["/media"], "blake3:recipe")
    assert none == {}
    store.remember_folders("blake3:recipe", as_of, {"/media": WHOLE})
    assert store.recall_folders(["/media"], "blake3:recipe") == (as_of, {"/media": WHOLE})
    assert opened.times == 0


def test_while_others_write_no_folder_is_remembered_and_nobody_waits(
    store: Store, path: Path, opened: Opened
) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        store.remember_folders("blake3:recipe", 0, {"/media": WHOLE})
        other.execute("ROLLBACK")
    assert store.recall_folders(["/media"], "blake3:recipe").folders == {}
    assert opened.times == 0
    store.remember_folders("blake3:recipe", 0, {"/media": WHOLE})
    assert store.recall_folders(["/media"], "blake3:recipe").folders == {"/media": WHOLE}


def test_a_glance_writes_nothing_else(path: Path) -> None:
    glance = Glance.at(str(path), None)
    assert glance
    with closing(glance):
        glance.remember_folders("blake3:recipe", 0, {"/media": WHOLE})
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            glance._connection.execute("DELETE FROM file_hashes")
