"""How whole results are: every store keeps it with them, and asks no old row for it."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from mediahost.cached import MISSING, CachedFolder, HashedFile
from mediahost.hashing import CacheKey, FileStat, hash_bytes
from mediahost.model.completeness import COMPLETE, Completeness
from mediahost.model.job import JobRequest
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.model.result import Artifact, MediaAnalysisResult, MediaProcessingResult, Result
from mediahost.plugin.attempt import result_hash
from mediahost.ports import Completion, Store
from mediahost.store import MediaAnalysisStorage, SqlStore, open_store
from mediahost.store.copying import copy_store
from mediahost.store.databases import database_at
from mediahost.store.location import locate
from mediahost.store.upgrade import upgrade

FILM, CONFIG = hash_bytes(b"film"), hash_bytes(b"config")
KEY = CacheKey(FILM, CONFIG)
LACKS = Completeness(missing_s=12.5, missing_pages=(3, 7, 8), note="cut off \0 and \ud800 odd")
STAT = FileStat(5, 10, 20, 30, 40)

Made = Callable[[Completeness], Result]


def analysis(completeness: Completeness) -> Result:
    return MediaAnalysisResult(metadata={"a": 1}, completeness=completeness)


def processing(completeness: Completeness) -> Result:
    made = Artifact(path=Path("/made/a.wav"), asset_type="audio", file_hash=hash_bytes(b"made"))
    return MediaProcessingResult(artifacts=(made,), metadata={"a": 1}, completeness=completeness)


KINDS = pytest.mark.parametrize("made", [analysis, processing])


def complete(store: Store, result: Result) -> None:
    media = MediaFile(Path("/media/film.wav"), MediaKind.AUDIO, FILM)
    store.submit([JobRequest("half.look", 1, {}, media, CONFIG)])
    (job,) = store.claim("here", 1, 60)
    store.commit("here", [Completion(job, result, result_hash(result, store.algorithm), 1)])


@KINDS
def test_what_a_result_lacks_is_kept_with_it(store: Store, made: Made) -> None:
    complete(store, made(LACKS))
    hit = store.find_hits([KEY])[KEY]
    assert hit.missing.startswith("12.5 s and pages 3, 7-8 missing: cut off")
    for stored in (store.load_results([KEY])[KEY], *store.results_of(FILM)):
        assert stored.result == made(LACKS)
        assert stored.hit == hit
    (job,) = store.jobs()
    assert job.error
    assert job.error.startswith("12.5 s and pages 3, 7-8 missing")
    assert job.result
    assert job.result["completeness"]["missing_s"] == 12.5
    assert job.result["metadata"] == {"a": 1}


@KINDS
def test_of_a_complete_result_nothing_is_said(store: Store, made: Made) -> None:
    complete(store, made(COMPLETE))
    assert store.find_hits([KEY])[KEY].missing == ""
    assert store.load_results([KEY])[KEY].result.completeness.complete
    (job,) = store.jobs()
    assert job.error is None
    assert job.result
    assert "completeness" not in job.result


def test_a_complete_result_has_the_hash_that_it_had_before_there_was_the_field() -> None:
    hashed = result_hash(analysis(COMPLETE), "blake3")
    assert hashed == "blake3:31d5f51147a37ec83d80f653467fa6fd9c1e6759a6872457b3fe9ad294c57ea4"
    assert result_hash(analysis(LACKS.model_copy(update={"note": ""})), "blake3") != hashed


def test_an_incomplete_file_is_never_counted_unseen(store: Store) -> None:
    store.remember_hashes([("/media", "film.wav", HashedFile(STAT, 100, FILM))])
    complete(store, analysis(COMPLETE))
    assert store.recall_cached(["/media"], CONFIG)["/media"].keys() == {"film.wav"}
    as_of, _ = store.recall_folders(["/media"], "blake3:recipe")
    whole = CachedFolder("blake3:listing", 1, 1, 1)
    store.remember_folders("blake3:recipe", as_of, {"/media": whole})
    complete(store, analysis(LACKS))
    assert not store.recall_cached(["/media"], CONFIG).get("/media")
    assert store.recall_folders(["/media"], "blake3:recipe").folders == {}
    complete(store, analysis(COMPLETE))
    assert store.recall_cached(["/media"], CONFIG)["/media"].keys() == {"film.wav"}


@KINDS
def test_a_copy_of_the_store_says_the_same(sql_store: SqlStore, tmp_path: Path, made: Made) -> None:
    lacks = LACKS.model_copy(update={"note": "cut off"})
    complete(sql_store, made(lacks))
    copy = tmp_path / "copy.db"
    target = database_at(locate(copy))
    upgrade(target)
    copy_store(sql_store.database, target)
    target.close()
    with closing(open_store(copy)) as copied:
        assert copied.find_hits([KEY])[KEY].missing == lacks.describe()
        assert copied.load_results([KEY])[KEY].result == made(lacks)


def test_other_programs_read_and_write_it_in_the_metadata(sql_store: SqlStore) -> None:
    lacks = Completeness(missing_s=1)
    complete(sql_store, analysis(lacks))
    storage = MediaAnalysisStorage(sql_store)
    row = storage.get_cached("/media/film.wav", CONFIG)
    assert row
    assert row.metadata
    assert row.metadata["a"] == 1
    assert row.metadata[MISSING]["missing_s"] == 1
    other = hash_bytes(b"other")
    storage.save("/media/other.wav", other, CONFIG, metadata={"a": 1, MISSING: {"missing_s": 2}})
    assert sql_store.find_hits([CacheKey(other, CONFIG)]).popitem()[1].missing == "2 s missing"
    storage.save("/media/other.wav", other, CONFIG, metadata={MISSING: {"of later": 2}})
    told = sql_store.find_hits([CacheKey(other, CONFIG)]).popitem()[1].missing
    assert told == "what is missing is not known"
