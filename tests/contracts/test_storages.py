"""The caches by themselves, as documented, on each database."""

import math
import os
from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from mediahost.errors import MediahostError, UsageError
from mediahost.hashing import CacheKey, config_hash, hash_bytes, hash_file
from mediahost.model.job import JobRequest
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.model.ranges import TimeRange
from mediahost.model.result import Artifact, MediaAnalysisResult, MediaProcessingResult, Result
from mediahost.model.search import Search
from mediahost.plugin.attempt import result_hash
from mediahost.ports import Completion
from mediahost.store import (
    MediaAnalysisRow,
    MediaAnalysisStorage,
    MediaProcessingRow,
    MediaProcessingStorage,
    SqlStore,
)

FILM, OTHER = hash_bytes(b"film"), hash_bytes(b"other")
CONFIG, TIGHT = config_hash("speech.vad", 1, {"at": 0.5}), config_hash("speech.vad", 1, {"at": 0.9})
SPEECH = {"start": 0.5, "end": 2.0, "label": "speech", "confidence": 0.9, "payload": {"who": "a"}}


@pytest.fixture
def analyses(sql_store: SqlStore) -> MediaAnalysisStorage:
    return MediaAnalysisStorage(sql_store)


@pytest.fixture
def made(sql_store: SqlStore) -> MediaProcessingStorage:
    return MediaProcessingStorage(sql_store)


def finish(store: SqlStore, result: Result, file_hash: str = FILM) -> None:
    media = MediaFile(Path("/media/film.mp4"), MediaKind.VIDEO, file_hash)
    store.submit([JobRequest("speech.vad", 1, {"at": 0.5}, media, CONFIG)])
    (job,) = store.claim("here", 1, 60)
    store.commit("here", [Completion(job, result, hash_bytes(b"result"), 5)])


def test_what_is_saved_is_cached(analyses: MediaAnalysisStorage) -> None:
    analyses.save("talk.wav", FILM, CONFIG, [SPEECH], {"seconds": 3.5})
    row = analyses.get_cached("talk.wav", CONFIG)
    assert row is not None
    assert row.created_at is not None
    assert row == MediaAnalysisRow(
        "talk.wav", FILM, CONFIG, [SPEECH], {"seconds": 3.5}, row.created_at
    )
    assert analyses.get_cached("talk.wav", TIGHT) is None
    assert analyses.get_cached("other.wav", CONFIG) is None


def test_a_range_has_its_defaults_and_may_be_an_object(analyses: MediaAnalysisStorage) -> None:
    analyses.save("a.wav", FILM, CONFIG, [TimeRange(start=1, end=2), {"start": 2, "end": 2}])
    row = analyses.get_cached("a.wav", CONFIG)
    assert row is not None
    assert row.ranges is not None
    assert [(at["label"], at["confidence"], at["payload"]) for at in row.ranges] == [
        ("segment", None, {})
    ] * 2


@pytest.mark.parametrize(("ranges", "metadata"), [([], {}), (None, None), ([], None), (None, {})])
def test_empty_is_not_none(
    analyses: MediaAnalysisStorage,
    ranges: list[TimeRange] | None,
    metadata: dict[str, object] | None,
) -> None:
    analyses.save("a.wav", FILM, CONFIG, ranges, metadata)
    row = analyses.get_cached("a.wav", CONFIG)
    assert row is not None
    assert (row.ranges, row.metadata) == (ranges, metadata)


def test_the_same_file_and_config_replace_the_row(analyses: MediaAnalysisStorage) -> None:
    analyses.save("a.wav", FILM, CONFIG, [])
    analyses.save("a.wav", FILM, CONFIG, [SPEECH])
    analyses.save("a.wav", OTHER, CONFIG, metadata={"third": True})
    (row,) = analyses.list_jobs()
    assert (row.file_hash, row.ranges, row.metadata) == (OTHER, None, {"third": True})
    analyses.save("a.wav", OTHER, TIGHT)
    assert len(analyses.list_jobs()) == 2, "another config is a row of its own"


def test_changed_content_is_no_hit(analyses: MediaAnalysisStorage) -> None:
    analyses.save("a.wav", FILM, CONFIG, [SPEECH])
    assert analyses.get_cached("a.wav", CONFIG, OTHER) is None
    assert analyses.get_cached("a.wav", CONFIG, file_hash=FILM) is not None


def test_the_same_bytes_are_a_hit_under_any_path(analyses: MediaAnalysisStorage) -> None:
    analyses.save("before.wav", FILM, CONFIG, [SPEECH])
    row = analyses.find_by_content(FILM, CONFIG)
    assert row is not None
    assert row.file_path == "before.wav"
    assert analyses.find_by_content(OTHER, CONFIG) is None
    assert analyses.find_by_content(FILM, TIGHT) is None


def test_a_new_version_of_an_action_is_no_hit(analyses: MediaAnalysisStorage) -> None:
    analyses.save("a.wav", FILM, config_hash("speech.vad", 1, {}), [])
    assert analyses.find_by_content(FILM, config_hash("speech.vad", 2, {})) is None
    assert analyses.find_by_content(FILM, config_hash("speech.vad2", 1, {})) is None


def test_rows_are_listed_newest_first(analyses: MediaAnalysisStorage) -> None:
    for number in range(5):
        analyses.save(f"{number}.wav", FILM, CONFIG)
    assert [row.file_path for row in analyses.list_jobs(3)] == ["4.wav", "3.wav", "2.wav"]
    assert analyses.list_jobs(limit=0) == []
    with pytest.raises(UsageError, match="can't be negative"):
        analyses.list_jobs(limit=-1)


def test_a_file_is_verified(analyses: MediaAnalysisStorage, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"sound")
    analyses.save(path, hash_file(path, "sha256")[0], CONFIG)
    assert analyses.verify_file(path, CONFIG) is True
    path.write_bytes(b"noise")
    assert analyses.verify_file(str(path), CONFIG) is False
    path.unlink()
    assert analyses.verify_file(path, CONFIG) is False
    assert analyses.verify_file(path, TIGHT) is None
    path.mkdir()
    assert analyses.verify_file(path, CONFIG) is False, "a folder by now"
    path.rmdir()
    os.mkfifo(path)
    assert analyses.verify_file(path, CONFIG) is False, "a pipe by now"
    path.unlink()
    path.write_bytes(b"sound")
    analyses.save(path, "d41d8cd9", CONFIG)
    with pytest.raises(UsageError, match="not a hash"):
        analyses.verify_file(path, CONFIG)


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": 2, "end": 1},
        {"start": -1, "end": 1},
        {"start": 0, "end": 1, "confidence": 1.5},
        {"start": 0, "end": math.inf},
        {"start": 0, "end": 1, "label": ""},
        {"end": 1},
    ],
)
def test_a_range_that_can_not_be_is_refused(
    analyses: MediaAnalysisStorage, wrong: dict[str, float]
) -> None:
    with pytest.raises(UsageError, match="Time range 0"):
        analyses.save("a.wav", FILM, CONFIG, [wrong])


def test_a_payload_that_is_no_json_is_refused(analyses: MediaAnalysisStorage) -> None:
    ranges: list[dict[str, Any]] = [
        {"start": 0, "end": 1},
        {"start": 0, "end": 1, "payload": {"a": math.nan}},
    ]
    with pytest.raises(UsageError, match="The payload of time range 1 must be JSON"):
        analyses.save("a.wav", FILM, CONFIG, ranges)


@pytest.mark.parametrize("wrong", [{1: "x"}, {"a": math.nan}, {"a": object()}, {"a": {2: 1}}])
def test_metadata_that_is_no_json_is_refused(
    analyses: MediaAnalysisStorage, wrong: dict[str, object]
) -> None:
    with pytest.raises(UsageError, match="The metadata must be JSON"):
        analyses.save("a.wav", FILM, CONFIG, [], wrong)
    assert analyses.list_jobs() == []


def test_what_the_host_found_is_cached_here(
    sql_store: SqlStore, analyses: MediaAnalysisStorage
) -> None:
    finish(sql_store, MediaAnalysisResult(ranges=(TimeRange(start=0, end=1),), metadata={"a": 1}))
    row = analyses.get_cached("/media/film.mp4", CONFIG, FILM)
    assert row is not None
    assert row.metadata == {"a": 1}


def test_what_is_saved_here_is_a_hit_for_the_host(
    sql_store: SqlStore, analyses: MediaAnalysisStorage
) -> None:
    analyses.save("/media/film.mp4", FILM, CONFIG, [SPEECH], {"a": 1})
    key = CacheKey(FILM, CONFIG)
    found = MediaAnalysisResult(ranges=(TimeRange.model_validate(SPEECH),), metadata={"a": 1})
    assert sql_store.load_results([key])[key].result == found
    assert sql_store.find_hits([key])[key].result_hash == result_hash(found, sql_store.algorithm)
    assert sql_store.results_of(FILM) == [], "nobody knows of which action it is"


CUT = ("job-1", "convert", "in.mp4", FILM, "out.mp3", OTHER, {"format": "mp3"}, {"seconds": 2})


def test_what_was_made_is_kept_by_its_job(made: MediaProcessingStorage) -> None:
    made.save(*CUT)
    row = made.get_by_job_id("job-1")
    assert row is not None
    assert row.created_at is not None
    assert row == MediaProcessingRow(*CUT, created_at=row.created_at)
    assert made.get_by_job_id("job-2") is None


def test_saving_a_job_again_changes_nothing(made: MediaProcessingStorage) -> None:
    made.save(*CUT)
    before = made.list_jobs()
    made.save(*CUT)
    assert made.list_jobs() == before


def test_history_is_not_rewritten(made: MediaProcessingStorage) -> None:
    made.save(*CUT)
    with pytest.raises(UsageError, match="job-1 was saved with another output_hash and parameters"):
        made.save(*CUT[:5], FILM, None, CUT[7])
    row = made.get_by_job_id("job-1")
    assert row is not None
    assert row.output_hash == OTHER


def at_once(act: Callable[[int], None]) -> list[str]:
    """What eight threads met that did this at once, each with its number."""
    ready = Barrier(8)
    met: list[str] = []

    def one(number: int) -> None:
        ready.wait()
        try:
            act(number)
        except MediahostError as error:
            met.append(type(error).__name__)
        except Exception as error:  # noqa: BLE001 - a thread's own would be lost
            met.append(f"{type(error).__name__}: {error}")

    threads = [Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return met


def test_a_job_that_many_save_at_once_is_there_once(made: MediaProcessingStorage) -> None:
    for job in range(5):
        assert at_once(lambda _, job=job: made.save(f"same-{job}", *CUT[1:])) == []  # type: ignore[misc]
    assert len(made.list_jobs()) == 5
    for job in range(5):
        other = at_once(lambda by, job=job: made.save(f"other-{job}", f"{by}", *CUT[2:]))  # type: ignore[misc]
        assert other == ["UsageError"] * 7


def test_what_many_find_in_changed_copies_of_one_file_at_once_is_all_kept(
    analyses: MediaAnalysisStorage,
) -> None:
    for number in range(8):
        analyses.save(f"copy-{number}.wav", FILM, CONFIG)

    def save(number: int) -> None:
        analyses.save(f"copy-{number}.wav", hash_bytes(bytes([number])), CONFIG)

    assert at_once(save) == []
    found = [analyses.find_by_content(hash_bytes(bytes([number])), CONFIG) for number in range(8)]
    assert [row and row.file_path for row in found] == [f"copy-{number}.wav" for number in range(8)]
    assert analyses.find_by_content(FILM, CONFIG) is not None, "another copy may lie elsewhere"


def test_of_what_many_find_at_one_path_at_once_nothing_is_lost(
    analyses: MediaAnalysisStorage, sql_store: SqlStore
) -> None:
    analyses.save("a.wav", FILM, CONFIG)

    def save(number: int) -> None:
        words = {**SPEECH, "label": f"speaker{number}"}
        analyses.save("a.wav", hash_bytes(bytes([number])), CONFIG, [words])

    assert at_once(save) == []
    (row,) = analyses.list_jobs()
    for number in range(8):
        file_hash = hash_bytes(bytes([number]))
        assert analyses.find_by_content(file_hash, CONFIG) is not None
        # What other content has taken the place of is not said any more.
        found = sql_store.search(Search(label=f"speaker{number}"))
        assert len(found) == (row.file_hash == file_hash)


def test_what_was_made_is_listed_newest_first(made: MediaProcessingStorage) -> None:
    for number, action in enumerate(("get_info", "convert", "extract_segment")):
        made.save(f"job-{number}", action, "in", FILM, "out", OTHER)
    actions = [row.action for row in made.list_jobs()]
    assert actions == ["extract_segment", "convert", "get_info"]
    assert [row.job_id for row in made.list_jobs(1)] == ["job-2"]
    with pytest.raises(UsageError):
        made.list_jobs(-1)


def test_input_and_output_are_verified(made: MediaProcessingStorage, tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(b"in")
    target.write_bytes(b"out")
    made.save("j", "convert", source, hash_file(source)[0], target, hash_file(target, "sha256")[0])
    assert (made.verify_input("j"), made.verify_output("j")) == (True, True)
    source.write_bytes(b"other")
    target.unlink()
    assert (made.verify_input("j"), made.verify_output("j")) == (False, False)
    assert (made.verify_input("k"), made.verify_output("k")) == (None, None)


def test_what_the_host_made_is_in_the_history(
    sql_store: SqlStore, made: MediaProcessingStorage
) -> None:
    artifact = Artifact(path=Path("/made/a.mp3"), asset_type="audio", file_hash=OTHER)
    finish(sql_store, MediaProcessingResult(artifacts=(artifact,)))
    (row,) = made.list_jobs()
    assert (row.action, row.input_hash, row.output_path) == ("speech.vad", FILM, "/made/a.mp3")


def test_what_is_kept_here_alone_does_not_trouble_the_host(
    sql_store: SqlStore, made: MediaProcessingStorage
) -> None:
    made.save(*CUT)
    assert sql_store.results_of(FILM) == sql_store.results_at("in.mp4") == []


def test_a_path_or_a_url_will_do_and_all_is_one_database(tmp_path: Path) -> None:
    path = tmp_path / "media.db"
    with MediaAnalysisStorage(str(path)) as analyses, MediaProcessingStorage(path) as made:
        analyses.save("a.wav", FILM, CONFIG, [])
        made.save(*CUT)
    with MediaAnalysisStorage(f"sqlite:///{path}") as again:
        assert len(again.list_jobs()) == 1
        assert MediaProcessingStorage(again._store).get_by_job_id("job-1") is not None


@pytest.mark.parametrize("wrong", ["a\0b", None])
def test_what_no_database_keeps_is_refused_before_it_is_asked(
    analyses: MediaAnalysisStorage, made: MediaProcessingStorage, wrong: Any
) -> None:
    acts: list[Callable[[], object]] = [
        lambda: analyses.save("/a.mp4", wrong, "c"),
        lambda: analyses.save("/a.mp4", FILM, wrong),
        lambda: analyses.get_cached("/a.mp4", wrong),
        lambda: analyses.find_by_content(wrong, "c"),
        lambda: made.save("job", "convert", "/a", wrong, "/b", FILM),
    ]
    for act in acts:
        with pytest.raises(UsageError, match=r"must be text|no database keeps"):
            act()
    for path in (None, 5, b"/a.mp4"):
        with pytest.raises(UsageError, match="The path must be a path, not "):
            analyses.get_cached(path, "c")  # type: ignore[arg-type]
    for act in (
        lambda: analyses.save("/a\0.mp4", FILM, "c"),
        lambda: made.save("a\0", "convert", "/a", FILM, "/b", FILM),
        lambda: made.get_by_job_id("a\0"),
    ):
        with pytest.raises(UsageError, match="no database keeps"):
            act()
    assert analyses.list_jobs(10**20) == []
    assert made.list_jobs(10**20) == []
