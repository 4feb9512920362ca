"""Folders that had all their results: what stores remember of them, and what makes it void."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from mediahost.cached import CachedFolder, HashedFile
from mediahost.hashing import FileStat, hash_bytes
from mediahost.model.job import JobRequest
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.model.result import MediaAnalysisResult
from mediahost.ports import Completion, Store
from mediahost.store import SqlStore, open_store

FILM, OTHER, CONFIG = hash_bytes(b"film"), hash_bytes(b"other film"), hash_bytes(b"config")
PATH = "/media/film.mp4"
WHOLE = CachedFolder("blake3:listing", 3, 6, 1 << 40)
STAT = FileStat(5, 10, 20, 30, 40)


def complete(store: Store, content: str = FILM, path: str = PATH) -> None:
    media = MediaFile(Path(path), MediaKind.VIDEO, content)
    store.submit([JobRequest("hello.halves", 1, {}, media, CONFIG)])
    (job,) = store.claim("here", 1, 60)
    store.commit("here", [Completion(job, MediaAnalysisResult(), hash_bytes(b"result"), 1)])


def remember(store: Store, folder: str = "/media", recipe: str = "blake3:recipe") -> None:
    as_of, _ = store.recall_folders([folder], recipe)
    store.remember_folders(recipe, as_of, {folder: WHOLE})


def recall(store: Store, folder: str = "/media", recipe: str = "blake3:recipe") -> object:
    return store.recall_folders([folder, "/none"], recipe).folders


def test_folders_are_recalled_by_path_and_recipe(store: Store) -> None:
    assert recall(store) == {}
    remember(store)
    remember(store, "/odd\n'folder' zürich")
    assert recall(store) == {"/media": WHOLE}
    assert recall(store, "/odd\n'folder' zürich") == {"/odd\n'folder' zürich": WHOLE}
    assert recall(store, recipe="blake3:other") == {}
    assert recall(store, "/media/below") == {}


def test_what_is_remembered_last_counts(store: Store) -> None:
    remember(store)
    as_of, _ = store.recall_folders([], "blake3:recipe")
    changed = WHOLE._replace(listing_hash="blake3:changed")
    store.remember_folders("blake3:recipe", as_of, {"/media": changed})
    store.remember_folders("blake3:recipe", as_of, {})
    assert recall(store) == {"/media": changed}


def test_results_that_come_or_move_make_nothing_void(store: Store) -> None:
    complete(store)
    remember(store)
    complete(store, OTHER)  # the file was changed: what its content gave before is kept
    complete(store)  # and changed back
    complete(store, path="/media/copy.mp4")
    assert recall(store) == {"/media": WHOLE}


def test_a_file_that_changed_makes_nothing_void_but_one_that_rotted_does(store: Store) -> None:
    store.remember_hashes([("/media", "film.mp4", HashedFile(STAT, 100, FILM))])
    remember(store)
    store.remember_hashes([("/media", "film.mp4", HashedFile(STAT, 101, FILM))])
    touched = STAT._replace(ctime_ns=21)
    store.remember_hashes([("/media", "film.mp4", HashedFile(touched, 102, OTHER))])
    assert recall(store) == {"/media": WHOLE}
    store.remember_hashes([("/media", "film.mp4", HashedFile(touched, 103, FILM))])
    assert recall(store) == {}, "the same stat, and other bytes"


LOSSES: dict[str, str] = {
    "deleted": "DELETE FROM analysis_jobs",
    "taken over": "UPDATE analysis_jobs SET file_hash = 'blake3:00'",
    "another config's": "UPDATE analysis_jobs SET config_hash = 'blake3:00'",
    "without its hash": "UPDATE analysis_jobs SET result_hash = NULL",
}


def sent(statement: str) -> Callable[[SqlStore], None]:
    def send(store: SqlStore) -> None:
        with store.database.write() as connection:
            connection.execute(text(statement))

    return send


@pytest.mark.parametrize("how", LOSSES)
def test_a_result_that_is_lost_by_whatever_program_makes_all_void(
    sql_store: SqlStore, how: str
) -> None:
    complete(sql_store)
    remember(sql_store)
    sent(LOSSES[how])(sql_store)
    assert recall(sql_store) == {}
    remember(sql_store)
    # A row without the hash of a result is another program's, which may replace it unnoticed.
    assert recall(sql_store) == ({} if "result_hash" in LOSSES[how] else {"/media": WHOLE})


def test_a_result_that_another_program_replaces_makes_all_void_for_good(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "store.db")) as store:
        complete(store)
        remember(store)
        # SQLite calls no trigger for the row that goes.
        sent(
            "INSERT OR REPLACE INTO analysis_jobs (file_path, file_hash, config_hash)"
            " SELECT file_path, 'blake3:00', config_hash FROM analysis_jobs"
        )(store)
        assert recall(store) == {}, "there is a row of another program"
        sent("DELETE FROM analysis_jobs")(store)
        assert recall(store) == {}, "the row is gone, and the result too"
        remember(store)
        assert recall(store) == {"/media": WHOLE}


def test_a_result_lost_between_the_look_and_the_note_makes_the_note_void(
    sql_store: SqlStore,
) -> None:
    complete(sql_store)
    as_of, _ = sql_store.recall_folders(["/media"], "blake3:recipe")
    sent(LOSSES["deleted"])(sql_store)
    sql_store.remember_folders("blake3:recipe", as_of, {"/media": WHOLE})
    assert recall(sql_store) == {}


def test_what_is_void_goes_when_its_folder_is_looked_at(sql_store: SqlStore) -> None:
    complete(sql_store)
    remember(sql_store, recipe="blake3:former")
    remember(sql_store, "/elsewhere", "blake3:former")
    sent(LOSSES["deleted"])(sql_store)
    remember(sql_store)
    kept = text("SELECT folder, recipe_hash FROM cached_folders ORDER BY folder")
    with sql_store.database.read() as connection:
        rows = [tuple(row) for row in connection.execute(kept)]
    assert rows == [("/elsewhere", "blake3:former"), ("/media", "blake3:recipe")]


def test_what_no_recipe_asked_about_for_long_goes_too(sql_store: SqlStore) -> None:
    remember(sql_store, recipe="blake3:former")
    sent("UPDATE cached_folders SET created_at = created_at - 91 * 86400")(sql_store)
    remember(sql_store)
    assert recall(sql_store, recipe="blake3:former") == {}
    assert recall(sql_store) == {"/media": WHOLE}
