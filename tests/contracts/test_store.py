"""What every store promises: one body, run on each adapter."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Barrier, Thread
from typing import Any
from uuid import UUID

import pytest

from mediahost.cached import HashedFile
from mediahost.errors import IllegalTransition
from mediahost.hashing import CacheKey, FileStat, hash_bytes
from mediahost.model.job import (
    ClaimedJob,
    Failure,
    JobRequest,
    JobStatus,
    JobView,
    Outcome,
    Token,
    new_job_id,
)
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
from mediahost.model.paths import path_to_url
from mediahost.model.ranges import TimeRange
from mediahost.model.result import (
    Analysis,
    Artifact,
    MediaAnalysisResult,
    MediaProcessingResult,
    Result,
    Transcription,
    Word,
)
from mediahost.ports import Completion, Setback, Store

HOUR = 3600.0
ODD_NAME = Path(os.fsdecode(b"/media/caf\xe9 \n'1'.mp4"))


def named(text: str) -> str:
    """A hash to tell by its text."""
    return hash_bytes(text.encode())


def asked(
    content: str = "film",
    config: str = "default",
    *,
    path: str | Path = "/media/film.mp4",
    source: str = "user",
    priority: int = 0,
    values: Mapping[str, Any] | None = None,
) -> JobRequest:
    return JobRequest(
        action="hello.halves",
        action_version=3,
        config={"at": 0.5} if values is None else values,
        media=MediaFile(Path(path), MediaKind.VIDEO, named(content)),
        config_hash=named(config),
        source=source,
        priority=priority,
    )


def key(content: str = "film", config: str = "default") -> CacheKey:
    return CacheKey(named(content), named(config))


def found(*labels: str) -> MediaAnalysisResult:
    ranges = tuple(TimeRange(start=i, end=i + 1, label=label) for i, label in enumerate(labels))
    return MediaAnalysisResult(ranges=ranges)


def made(*paths: str | Path) -> MediaProcessingResult:
    return MediaProcessingResult(
        artifacts=tuple(
            Artifact(
                path=Path(path),
                asset_type="audio",
                mime_type="audio/flac",
                size=7,
                file_hash=named(f"bytes of {path}"),
                metadata={"track": 1},
            )
            for path in paths
        ),
        metadata={"codec": "flac"},
    )


def done(
    job: ClaimedJob, result: Result | None = None, follow_ups: Sequence[JobRequest] = ()
) -> Completion:
    return Completion(job, result or found("half"), named("result"), 12, follow_ups)


def failed(
    job: ClaimedJob, outcome: Outcome = Outcome.ERROR, retry_in_s: float | None = None
) -> Setback:
    return Setback(job, outcome, Failure("It broke", "Mend it."), retry_in_s, 9)


def claim_one(store: Store, host: str = "here", lease_s: float = HOUR) -> ClaimedJob:
    (job,) = store.claim(host, 1, lease_s)
    return job


def look(store: Store, job_id: UUID) -> JobView:
    return store.get_jobs([job_id])[job_id]


def complete(store: Store, request: JobRequest, result: Result | None = None) -> Token:
    store.submit([request])
    job = claim_one(store)
    assert store.commit("here", [done(job, result)]) == {job.token}
    return job.token


# --- file hashes -------------------------------------------------------------------------------


def memo(content: str, hashed_at_ns: int = 100) -> HashedFile:
    # A signed 64-bit number at either end, as FileStat gives them.
    return HashedFile(FileStat(5, 10, 20, -(1 << 63), (1 << 63) - 1), hashed_at_ns, named(content))


def test_the_hash_of_one_file_is_recalled(store: Store) -> None:
    store.remember_hashes([("/a", "x", memo("x")), ("/a", "y", memo("y"))])
    assert store.recall_hash("/a", "y") == memo("y")
    assert store.recall_hash("/a", "none") is None
    assert store.recall_hash("/none", "x") is None


def test_hashes_are_recalled_by_folder_and_name(store: Store) -> None:
    store.remember_hashes([("/a", "x", memo("x")), ("/a", "y", memo("y")), ("/b", "x", memo("z"))])
    assert store.recall_hashes(["/a"]) == {"/a": {"x": memo("x"), "y": memo("y")}}
    assert store.recall_hashes(["/a", "/b", "/none"])["/b"] == {"x": memo("z")}


def test_a_folder_below_is_not_the_folder(store: Store) -> None:
    store.remember_hashes([("/a/b", "x", memo("x"))])
    assert store.recall_hashes(["/a"]) == {}
    assert store.recall_hashes([]) == {}


def test_the_newest_hash_of_a_file_wins(store: Store) -> None:
    store.remember_hashes([("/a", "x", memo("new", 200))])
    store.remember_hashes([("/a", "x", memo("old", 100))])
    assert store.recall_hashes(["/a"])["/a"]["x"] == memo("new", 200)
    store.remember_hashes([("/a", "x", memo("newer", 300)), ("/a", "x", memo("newest", 301))])
    assert store.recall_hashes(["/a"])["/a"]["x"] == memo("newest", 301)


def test_any_name_can_be_remembered(store: Store) -> None:
    names = ["line\nbreak", "quote'\"", "zürich", "a,b", path_to_url(ODD_NAME.name), "😀", "\t"]
    store.remember_hashes([("/odd\nfolder", name, memo(name)) for name in names])
    recalled = store.recall_hashes(["/odd\nfolder"])["/odd\nfolder"]
    assert recalled == {name: memo(name) for name in names}


def test_nothing_to_remember_is_fine(store: Store) -> None:
    store.remember_hashes([])
    assert store.recall_hashes(["/a"]) == {}


# --- results -----------------------------------------------------------------------------------


def test_a_completed_job_is_a_hit(store: Store) -> None:
    complete(store, asked())
    hit = store.find_hits([key()])[key()]
    assert (hit.key, hit.result_hash, hit.elapsed_ms) == (key(), named("result"), 12)
    assert hit.artifacts == ()


def test_files_are_recalled_that_have_a_result_under_a_config(store: Store) -> None:
    complete(store, asked("a", "1"))
    complete(store, asked("b", "2"))
    memos = [("/f", "a", memo("a")), ("/f", "twin", memo("a")), ("/f", "b", memo("b"))]
    store.remember_hashes([*memos, ("/g", "a", memo("a")), ("/h", "a", memo("a"))])
    told = (*memo("a").stat, 100, 12)
    first = named("1")
    assert store.recall_cached(["/f", "/g"], first) == {
        "/f": {"a": told, "twin": told},
        "/g": {"a": told},
    }
    assert store.recall_cached(["/f"], named("2")) == {"/f": {"b": (*memo("b").stat, 100, 12)}}
    assert store.recall_cached(["/f"], named("3")) == {}
    assert store.recall_cached([], first) == {}


def test_of_a_content_with_two_results_the_newest_says_how_long_it_took(store: Store) -> None:
    for path, elapsed_ms in (("/media/one.mp4", 5), ("/media/two.mp4", 7)):
        request = asked(path=path)
        store.submit([request])
        job = claim_one(store)
        store.commit("here", [replace(done(job), elapsed_ms=elapsed_ms)])
    store.remember_hashes([("/f", "a", memo("film"))])
    (told,) = store.recall_cached(["/f"], key().config_hash)["/f"].values()
    assert told[-1] == store.find_hits([key()])[key()].elapsed_ms == 7


def test_a_renamed_or_copied_file_is_a_hit(store: Store) -> None:
    complete(store, asked(path="/media/before.mp4"))
    assert key() in store.find_hits([key()]), "the key holds no path"


def test_another_content_or_config_is_no_hit(store: Store) -> None:
    complete(store, asked())
    assert store.find_hits([key("other"), key(config="other"), key("default", "film")]) == {}
    assert store.find_hits([]) == {}
    assert store.load_results([]) == {}


def test_only_the_pairs_asked_for_are_hits(store: Store) -> None:
    complete(store, asked("a", "1"))
    complete(store, asked("b", "2"))
    assert store.find_hits([key("a", "2"), key("b", "1")]) == {}
    assert set(store.find_hits([key("a", "1"), key("b", "2")])) == {key("a", "1"), key("b", "2")}


def test_ten_thousand_keys_are_looked_up_at_once(store: Store) -> None:
    complete(store, asked("7"))
    assert list(store.find_hits([key(str(i)) for i in range(10_000)])) == [key("7")]


def test_a_changed_file_does_not_take_the_result_of_its_old_content_along(store: Store) -> None:
    complete(store, asked("old", path="/media/a.mp4"), found("old"))
    # A copy of the old content lies elsewhere; this was its only cached result.
    complete(store, asked("new", path="/media/a.mp4"), found("new"))
    results = store.load_results([key("old"), key("new")])
    assert results[key("old")].result == found("old")
    assert results[key("new")].result == found("new")


def test_old_contents_of_one_path_are_all_kept(store: Store) -> None:
    for content in ("one", "two", "one", "three", "two", "four"):
        complete(store, asked(content, path="/media/a.mp4"), found(content))
    for content in ("one", "two", "three", "four"):
        assert store.load_results([key(content)])[key(content)].result == found(content)
        assert len(store.results_of(named(content))) == 1


def test_of_two_results_kept_for_an_old_content_the_newer_one_stays(store: Store) -> None:
    complete(store, asked("old", path="/media/a.mp4"), found("first"))
    complete(store, asked("new", path="/media/a.mp4"))
    complete(store, asked("old", path="/media/a.mp4"), found("second"))
    complete(store, asked("newer", path="/media/a.mp4"))
    assert store.load_results([key("old")])[key("old")].result == found("second")


def test_an_older_result_does_not_take_the_place_of_a_kept_one(store: Store) -> None:
    complete(store, asked("old", path="/media/a.mp4"), found("first"))
    complete(store, asked("old", path="/media/b.mp4"), found("second"))
    complete(store, asked("new", path="/media/b.mp4"))
    complete(store, asked("newer", path="/media/a.mp4"))
    assert store.load_results([key("old")])[key("old")].result == found("second")


def test_two_contents_of_one_path_can_be_committed_at_once(store: Store) -> None:
    store.submit([asked("one"), asked("two")])
    jobs = store.claim("here", 2, HOUR)
    store.commit("here", [done(job, found(job.request.media.file_hash or "")) for job in jobs])
    results = store.load_results([key("one"), key("two")])
    assert results[key("one")].result == found(named("one"))
    assert results[key("two")].result == found(named("two"))


def test_the_newest_result_of_a_key_is_the_one_that_is_found(store: Store) -> None:
    complete(store, asked(path="/media/a.mp4"), found("first"))
    complete(store, asked(path="/media/b.mp4"), found("second"))
    complete(store, asked(path="/media/a.mp4"), found("third"))
    assert store.load_results([key()])[key()].result == found("third")
    assert [each.result for each in store.results_of(named("film"))] == [found("third")]


def test_results_come_back_whole(store: Store) -> None:
    result = MediaAnalysisResult(
        ranges=(TimeRange(start=0.1, end=2, label="speech", confidence=0.5, payload={"a": [1]}),),
        metadata={"n": None, "text": "zürich\n😀", "deep": {"x": [1.5, True]}},
        transcription=Transcription(
            provider="tiny", text="hello", words=(Word(text="hello", start=0, end=1),)
        ),
        analysis=Analysis(analysis_type="summary", summary="", detailed={}, input_tokens=0),
    )
    request = asked(values={"at": 0.25, "names": ["a"], "none": None})
    complete(store, request, result)
    stored = store.load_results([key()])[key()]
    assert stored.result == result
    assert (stored.action, stored.action_version) == ("hello.halves", 3)
    assert stored.config == request.config
    assert stored.media_url == "/media/film.mp4"
    assert stored.hit == store.find_hits([key()])[key()]
    assert abs(datetime.now(UTC).timestamp() - stored.created_at) < HOUR


def test_a_result_may_hold_any_text(store: Store) -> None:
    odd = "\0 ü😀\x1a"
    result = MediaAnalysisResult(
        ranges=(TimeRange(start=0, end=1, label=odd, payload={odd: odd}),),
        metadata={odd: odd},
        transcription=Transcription(provider=odd, text=odd, language=odd),
        analysis=Analysis(analysis_type=odd, summary=odd, model=odd, prompt=odd),
    )
    complete(store, asked(), result)
    assert store.load_results([key()])[key()].result == result


def test_an_empty_result_comes_back_as_it_was(store: Store) -> None:
    token = complete(store, asked(), MediaAnalysisResult())
    assert store.load_results([key()])[key()].result == MediaAnalysisResult()
    view = look(store, token.job_id)
    assert view.result is not None
    assert (view.result["ranges"], view.result["metadata"]) == ([], {})


def test_artifacts_come_back_in_order_with_all_that_is_known(store: Store) -> None:
    result = made("/out/1.flac", "/out/2.flac")
    complete(store, asked(), result)
    stored = store.load_results([key()])[key()]
    assert stored.result == result
    hit = store.find_hits([key()])[key()]
    assert hit == stored.hit
    assert hit.artifacts == (
        ("/out/1.flac", named("bytes of /out/1.flac")),
        ("/out/2.flac", named("bytes of /out/2.flac")),
    )


def test_a_processor_that_ran_again_is_found_with_its_new_artifacts(store: Store) -> None:
    complete(store, asked(), made("/out/lost.flac"))
    complete(store, asked(), made("/out/again.flac"))
    assert store.find_hits([key()])[key()].artifacts[0][0] == "/out/again.flac"
    assert len(store.results_of(named("film"))) == 1


def test_results_are_found_by_the_path_they_were_computed_from(store: Store) -> None:
    complete(store, asked("old", config="1", path="/media/a.mp4"), found("old"))
    complete(store, asked("new", config="2", path="/media/a.mp4"), made("/out/new.flac"))
    complete(store, asked("old", config="3", path="/media/b.mp4"), found("no"))
    here = store.results_at("/media/a.mp4")
    assert [each.hit.key for each in here] == [key("new", "2"), key("old", "1")]
    assert store.results_at("/media/none.mp4") == []


def test_paths_that_are_not_utf8_survive(store: Store) -> None:
    artifact = Path(os.fsdecode(b"/out/\xff.flac"))
    token = complete(
        store,
        asked(path=ODD_NAME),
        MediaProcessingResult(
            artifacts=(Artifact(path=artifact, asset_type="audio", file_hash=named("x")),)
        ),
    )
    assert look(store, token.job_id).media_url == path_to_url(ODD_NAME)
    assert store.find_hits([key()])[key()].artifacts == ((str(artifact), named("x")),)
    stored = store.load_results([key()])[key()]
    assert isinstance(stored.result, MediaProcessingResult)
    assert stored.result.artifacts[0].path == artifact


def test_all_results_of_a_content_are_listed_newest_first(store: Store) -> None:
    complete(store, asked(config="1"), found("one"))
    complete(store, asked(config="2"), made("/out/2.flac"))
    complete(store, asked(config="3"), found("three"))
    complete(store, asked("other"), found("no"))
    hashes = [each.hit.key.config_hash for each in store.results_of(named("film"))]
    assert hashes == [named("3"), named("2"), named("1")]
    assert store.results_of(named("unknown")) == []


def test_results_are_found_by_the_path_they_came_from(store: Store) -> None:
    complete(store, asked(path="/media/a.mp4", config="1"), found("one"))
    complete(store, asked(path="/media/a.mp4", config="2"), made("/out/2.flac"))
    complete(store, asked(path="/media/a.mp4", config="2"), made("/out/2b.flac"))
    complete(store, asked(path="/media/b.mp4", config="3"), found("elsewhere"))
    here = store.results_at("/media/a.mp4")
    assert [each.result for each in here] == [made("/out/2b.flac"), found("one")]
    assert store.results_at("/media/c.mp4") == []


# --- submitting --------------------------------------------------------------------------------


def test_a_submitted_job_is_pending_with_all_that_was_asked(store: Store) -> None:
    request = asked(values={"at": 0.5, "deep": {"x": [1, None]}}, priority=4, source="watch")
    assert store.submit([request]) == [request.job_id]
    view = look(store, request.job_id)
    assert view.status is JobStatus.PENDING
    assert (view.action, view.media_url) == ("hello.halves", "/media/film.mp4")
    assert (view.file_hash, view.config_hash) == key()
    assert view.parameters == {"config": {"at": 0.5, "deep": {"x": [1, None]}}, "inputs": {}}
    assert (view.source, view.priority, view.attempt, view.failures) == ("watch", 4, 0, 0)
    assert (view.result, view.error, view.host, view.progress) == (None, None, None, None)
    assert not view.cancel_requested
    assert not view.cached


def test_times_say_that_they_are_utc(store: Store) -> None:
    token = complete(store, asked())
    view = look(store, token.job_id)
    for moment in (view.created_at, view.updated_at, view.started_at, view.completed_at):
        assert moment is not None
        assert moment.utcoffset() == timedelta(0)
        assert abs(datetime.now(UTC) - moment) < timedelta(hours=1)


def test_jobs_are_numbered_from_one_and_numbers_are_not_used_again(store: Store) -> None:
    ids = store.submit([asked("a"), asked("b")])
    assert [look(store, job_id).number for job_id in ids] == [1, 2]
    store.delete_jobs([ids[1]])
    (third,) = store.submit([asked("c")])
    assert look(store, third).number == 3
    by_number = store.job_numbered(3)
    assert by_number is not None
    assert by_number.job_id == third
    assert store.job_numbered(2) is None


def test_a_key_that_has_an_active_job_gets_no_second_one(store: Store) -> None:
    first, again, other = asked("a"), asked("a", path="/copy.mp4"), asked("b")
    ids = store.submit([first, other, again])
    assert ids == [first.job_id, other.job_id, first.job_id]
    assert store.submit([asked("a")]) == [first.job_id]
    store.claim("here", 5, HOUR)
    assert store.submit([asked("b"), asked("a")]) == [other.job_id, first.job_id]
    assert len(store.jobs()) == 2


def test_a_key_whose_job_is_over_gets_a_new_one(store: Store) -> None:
    first = complete(store, asked())
    (second,) = store.submit([asked()])
    assert second != first.job_id
    assert look(store, second).status is JobStatus.PENDING


def test_a_config_may_hold_any_text(store: Store) -> None:
    request = asked(values={"name": os.fsdecode(b"caf\xe9"), "big": 2**70, "zürich": "😀\0"})
    store.submit([request])
    job = claim_one(store)
    assert job.request.config == request.config
    store.commit("here", [done(job)])
    assert store.load_results([key()])[key()].config == request.config


def test_no_request_makes_no_job(store: Store) -> None:
    assert store.submit([]) == []


def test_a_file_that_nobody_hashed_cannot_be_submitted(store: Store) -> None:
    media = MediaFile(Path("/media/x.mp4"), MediaKind.VIDEO)
    request = JobRequest("hello.halves", 1, {}, media, named("config"))
    with pytest.raises(ValueError, match="hash"):
        store.submit([request])


def test_threads_that_submit_one_key_get_one_job(store: Store) -> None:
    answers: list[UUID] = []
    barrier = Barrier(8)

    def submit() -> None:
        barrier.wait(10)
        answers.extend(store.submit([asked()]))

    threads = [Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(answers) == 8
    assert len(set(answers)) == 1


def test_pending_jobs_can_be_adopted(store: Store) -> None:
    taken, pending = asked("a", source="one"), asked("b", source="one")
    store.submit([taken, pending])
    claim_one(store)
    store.adopt([taken.job_id, pending.job_id, new_job_id()], "two")
    assert look(store, taken.job_id).source == "one"
    assert look(store, pending.job_id).source == "two"
    assert [job.request.source for job in store.claim("here", 9, HOUR, "two")] == ["two"]


# --- claiming ----------------------------------------------------------------------------------


def test_a_claim_hands_the_request_over_whole(store: Store) -> None:
    request = JobRequest(
        "hello.halves",
        3,
        {"at": 0.5, "list": [1, "a", None]},
        MediaFile(ODD_NAME, MediaKind.AUDIO, named("film")),
        named("default"),
        inputs={"probe": (named("film"), named("probed"))},
        pipeline="talks",
        step="cut",
        root_url="/media/root.mp4",
        source="watch",
        priority=-2,
    )
    store.submit([request])
    job = claim_one(store)
    assert job.request == request
    assert job.token == Token(request.job_id, 1)
    assert job.failures == 0
    view = look(store, request.job_id)
    assert (view.status, view.host, view.attempt) == (JobStatus.PROCESSING, "here", 1)
    assert view.started_at is not None


def test_the_highest_priority_goes_first_then_the_oldest(store: Store) -> None:
    order = {"a": 0, "b": 5, "c": 0, "d": 5, "e": -1}
    store.submit([asked(name, path=f"/{name}.mp4", priority=p) for name, p in order.items()])
    claimed = store.claim("here", 4, HOUR) + store.claim("here", 4, HOUR)
    assert [job.request.media.path.stem for job in claimed] == ["b", "d", "a", "c", "e"]


def test_a_claim_takes_no_more_than_its_limit_and_nothing_twice(store: Store) -> None:
    store.submit([asked(str(i)) for i in range(5)])
    first, second = store.claim("one", 3, HOUR), store.claim("two", 3, HOUR)
    assert (len(first), len(second)) == (3, 2)
    assert len({job.token.job_id for job in first + second}) == 5
    assert store.claim("one", 3, HOUR) == []


def test_one_source_can_be_claimed_alone(store: Store) -> None:
    store.submit([asked("a", source="one", priority=9), asked("b", source="two")])
    (job,) = store.claim("here", 5, HOUR, "two")
    assert job.request.source == "two"
    assert store.claim("here", 5, HOUR, "none") == []


# --- the fence ---------------------------------------------------------------------------------


def test_a_late_commit_writes_nothing(store: Store) -> None:
    store.submit([asked()])
    late = claim_one(store, "slow", lease_s=-1)
    store.reap(lambda _host: False)
    current = claim_one(store, "quick")
    follow_up = asked("follow-up")
    assert store.commit("slow", [done(late, found("late"), [follow_up])]) == set()
    assert store.find_hits([key()]) == {}
    assert store.get_jobs([follow_up.job_id]) == {}
    assert look(store, late.token.job_id).status is JobStatus.PROCESSING
    assert store.commit("quick", [done(current, found("current"))]) == {current.token}
    assert store.load_results([key()])[key()].result == found("current")


def test_a_late_commit_of_the_same_host_writes_nothing(store: Store) -> None:
    store.submit([asked()])
    late = claim_one(store, lease_s=-1)
    store.reap(lambda _host: False)
    current = claim_one(store)
    assert store.commit("here", [done(late)], [failed(late)]) == set()
    assert store.renew("here", [late.token], HOUR) == set()
    assert look(store, late.token.job_id).attempt == current.token.attempt == 2


def test_another_host_cannot_commit_renew_release_or_report(store: Store) -> None:
    store.submit([asked()])
    job = claim_one(store)
    assert store.commit("there", [done(job)]) == set()
    assert store.commit("there", [], [failed(job)]) == set()
    assert store.renew("there", [job.token], HOUR) == set()
    store.release("there", [job.token])
    store.report_progress("there", {job.token: (0.5, "stolen")})
    view = look(store, job.token.job_id)
    assert (view.status, view.progress, view.host) == (JobStatus.PROCESSING, None, "here")


def test_in_a_batch_only_what_is_held_is_written(store: Store) -> None:
    store.submit([asked("a"), asked("b"), asked("c")])
    kept, lost, broken = store.claim("here", 3, HOUR)
    store.release("here", [lost.token])
    follow_ups = [asked("after a"), asked("after b")]
    written = store.commit(
        "here",
        [done(kept, follow_ups=follow_ups[:1]), done(lost, follow_ups=follow_ups[1:])],
        [failed(broken)],
    )
    assert written == {kept.token, broken.token}
    assert set(store.find_hits([key("a"), key("b")])) == {key("a")}
    assert set(store.get_jobs([each.job_id for each in follow_ups])) == {follow_ups[0].job_id}
    assert look(store, lost.token.job_id).status is JobStatus.PENDING


def test_an_attempt_is_committed_once(store: Store) -> None:
    store.submit([asked()])
    job = claim_one(store)
    assert store.commit("here", [done(job, made("/a")), done(job, made("/b"))]) == {job.token}
    assert store.commit("here", [done(job)]) == set()
    assert store.commit("here", [], [failed(job)]) == set()
    assert store.find_hits([key()])[key()].artifacts[0][0] == "/a"
    assert look(store, job.token.job_id).status is JobStatus.COMPLETED


def test_a_completed_job_says_what_came_of_it(store: Store) -> None:
    store.submit([asked()])
    job = claim_one(store)
    store.report_progress("here", {job.token: (0.9, "nearly")})
    store.commit("here", [done(job, found("half"))])
    view = look(store, job.token.job_id)
    assert view.status is JobStatus.COMPLETED
    assert view.result is not None
    assert view.result["ranges"][0]["label"] == "half"
    assert view.processing_time_ms == 12
    assert view.completed_at is not None
    assert (view.progress, view.error, view.cancel_requested) == (None, None, False)


def test_a_result_that_took_no_time_says_zero(store: Store) -> None:
    store.submit([asked()])
    job = claim_one(store)
    store.commit("here", [Completion(job, found(), named("result"), 0)])
    assert look(store, job.token.job_id).processing_time_ms == 0
    assert store.find_hits([key()])[key()].elapsed_ms == 0


def test_follow_ups_are_submitted_with_the_result(store: Store) -> None:
    store.submit([asked("a"), asked("b")])
    jobs = store.claim("here", 2, HOUR)
    follow_up, same = asked("next"), asked("next")
    store.commit("here", [done(jobs[0], follow_ups=[follow_up]), done(jobs[1], follow_ups=[same])])
    assert look(store, follow_up.job_id).status is JobStatus.PENDING
    assert store.get_jobs([same.job_id]) == {}, "one key, one job"


def test_nothing_to_commit_is_fine(store: Store) -> None:
    assert store.commit("here", []) == set()
    assert store.renew("here", [], HOUR) == set()
    store.release("here", [])
    store.report_progress("here", {})


# --- setbacks ----------------------------------------------------------------------------------


def test_a_last_failure_says_why_and_what_to_do(store: Store) -> None:
    store.submit([asked()])
    job = claim_one(store)
    assert store.commit("here", [], [failed(job)]) == {job.token}
    view = look(store, job.token.job_id)
    assert (view.status, view.error) == (JobStatus.FAILED, "It broke\nMend it.")
    assert (view.failures, view.processing_time_ms) == (1, 9)
    assert view.completed_at is not None
    assert view.host is None
    assert store.find_hits([key()]) == {}


def test_a_failure_worth_another_attempt_is_tried_again(store: Store) -> None:
    store.submit([asked()])
    job = claim_one(store)
    store.commit("here", [], [failed(job, retry_in_s=0)])
    assert look(store, job.token.job_id).status is JobStatus.PENDING
    again = claim_one(store)
    assert (again.token, again.failures) == (Token(job.token.job_id, 2), 1)


def test_a_later_attempt_waits_for_its_time(store: Store) -> None:
    store.submit([asked()])
    job = claim_one(store)
    store.commit("here", [], [failed(job, retry_in_s=HOUR)])
    assert store.claim("here", 5, HOUR) == []
    assert store.claim("here", 5, HOUR, "user") == []
    assert look(store, job.token.job_id).status is JobStatus.PENDING
    assert store.submit([asked()]) == [job.token.job_id], "it still answers its key"


def test_a_lost_or_cancelled_attempt_is_no_failure(store: Store) -> None:
    store.submit([asked()])
    store.commit("here", [], [failed(claim_one(store), Outcome.LOST, 0)])
    job = claim_one(store)
    assert (job.failures, job.token.attempt) == (0, 2)
    store.commit("here", [], [failed(job, Outcome.CANCELLED)])
    view = look(store, job.token.job_id)
    assert (view.status, view.failures) == (JobStatus.CANCELLED, 0)


@pytest.mark.parametrize(
    "outcome", [Outcome.ERROR, Outcome.CRASHED, Outcome.OOM, Outcome.TIMEOUT, Outcome.CHANGED]
)
def test_failures_are_counted(store: Store, outcome: Outcome) -> None:
    store.submit([asked()])
    store.commit("here", [], [failed(claim_one(store), outcome, 0)])
    assert claim_one(store).failures == 1


def test_a_failure_without_a_hint_is_one_line(store: Store) -> None:
    store.submit([asked()])
    job = claim_one(store)
    store.commit("here", [], [Setback(job, Outcome.ERROR, Failure("It broke"))])
    assert look(store, job.token.job_id).error == "It broke"


def test_an_error_may_hold_any_text(store: Store) -> None:
    store.submit([asked()])
    job = claim_one(store)
    words = f"It broke: {os.fsdecode(bytes([0xE9]))} \0 zürich 😀"
    store.report_progress("here", {job.token: (0.5, words)})
    assert "zürich 😀" in look(store, job.token.job_id).progress_message
    store.commit("here", [], [Setback(job, Outcome.ERROR, Failure(words))])
    error = look(store, job.token.job_id).error
    assert error is not None
    assert error.startswith("It broke: ")
    assert error.endswith(" zürich 😀")


def test_success_after_a_failure_leaves_no_error(store: Store) -> None:
    store.submit([asked()])
    store.commit("here", [], [failed(claim_one(store), retry_in_s=0)])
    job = claim_one(store)
    store.commit("here", [done(job)])
    assert look(store, job.token.job_id).error is None


# --- leases ------------------------------------------------------------------------------------


def test_a_lease_that_is_over_is_reaped(store: Store) -> None:
    store.submit([asked("a"), asked("b")])
    over, held = claim_one(store, lease_s=-1), claim_one(store)
    assert store.reap(lambda _host: False) == [over.token.job_id]
    view = look(store, over.token.job_id)
    assert (view.status, view.host, view.started_at) == (JobStatus.PENDING, None, None)
    assert look(store, held.token.job_id).status is JobStatus.PROCESSING
    again = claim_one(store, "there")
    assert (again.token.attempt, again.failures) == (2, 0), "a lost host burns no failures"


def test_a_host_that_is_gone_is_reaped_at_once(store: Store) -> None:
    store.submit([asked("a"), asked("b")])
    dead, alive = claim_one(store, "dead"), claim_one(store, "alive")
    asked_about: set[str] = set()

    def is_gone(host: str) -> bool:
        asked_about.add(host)
        return host == "dead"

    assert store.reap(is_gone) == [dead.token.job_id]
    assert asked_about == {"dead", "alive"}
    assert look(store, alive.token.job_id).status is JobStatus.PROCESSING
    assert store.reap(lambda _host: False) == []


def test_a_renewed_lease_holds(store: Store) -> None:
    store.submit([asked("a"), asked("b")])
    renewed, other = claim_one(store, lease_s=-1), claim_one(store, lease_s=-1)
    assert store.renew("here", [renewed.token], HOUR) == {renewed.token}
    assert store.reap(lambda _host: False) == [other.token.job_id]
    assert store.renew("here", [renewed.token, other.token], HOUR) == {renewed.token}


def test_a_released_job_is_pending_with_nothing_counted(store: Store) -> None:
    store.submit([asked()])
    job = claim_one(store)
    store.report_progress("here", {job.token: (0.5, "half")})
    store.release("here", [job.token])
    view = look(store, job.token.job_id)
    assert (view.status, view.failures, view.progress) == (JobStatus.PENDING, 0, None)
    again = claim_one(store)
    assert again.token != job.token, "a token is never valid again"
    assert again.failures == 0


# --- progress ----------------------------------------------------------------------------------


def test_progress_is_shown_until_the_attempt_ends(store: Store) -> None:
    store.submit([asked()])
    job = claim_one(store)
    store.report_progress("here", {job.token: (0.25, "quarter")})
    store.report_progress("here", {job.token: (0.5, "half\nway")})
    view = look(store, job.token.job_id)
    assert (view.progress, view.progress_message) == (0.5, "half\nway")
    store.commit("here", [], [failed(job, retry_in_s=0)])
    claim_one(store)
    view = look(store, job.token.job_id)
    assert (view.progress, view.progress_message) == (None, "")


# --- cancelling --------------------------------------------------------------------------------


def test_a_pending_job_is_cancelled_at_once(store: Store) -> None:
    (job_id,) = store.submit([asked()])
    assert store.request_cancel([job_id]) == {job_id: JobStatus.CANCELLED}
    assert store.claim("here", 5, HOUR) == []
    view = look(store, job_id)
    assert view.completed_at is not None
    (other,) = store.submit([asked()])
    assert other != job_id, "a cancelled job answers nothing"


def test_a_waiting_job_is_cancelled_at_once(store: Store) -> None:
    store.submit([asked()])
    job = claim_one(store)
    store.commit("here", [], [failed(job, retry_in_s=HOUR)])
    cancelled = store.request_cancel([job.token.job_id])
    assert cancelled == {job.token.job_id: JobStatus.CANCELLED}
    store.retry([job.token.job_id])
    assert claim_one(store).token.attempt == 2, "a person's retry does not wait"


def test_a_processing_job_is_cancelled_by_its_host(store: Store) -> None:
    store.submit([asked("a"), asked("b")])
    job, other = claim_one(store), claim_one(store, "there")
    assert store.request_cancel([job.token.job_id]) == {job.token.job_id: JobStatus.PROCESSING}
    assert store.cancel_requests("here") == {job.token}
    assert store.cancel_requests("there") == set()
    assert look(store, job.token.job_id).cancel_requested
    store.commit("here", [], [failed(job, Outcome.CANCELLED)])
    view = look(store, job.token.job_id)
    assert (view.status, view.cancel_requested) == (JobStatus.CANCELLED, False)
    assert store.cancel_requests("here") == set()
    assert look(store, other.token.job_id).status is JobStatus.PROCESSING


def test_jobs_that_are_over_stay_as_they_are(store: Store) -> None:
    token = complete(store, asked())
    unknown = new_job_id()
    assert store.request_cancel([token.job_id, unknown]) == {token.job_id: JobStatus.COMPLETED}
    assert store.request_cancel([]) == {}


def test_a_job_that_completed_first_is_completed(store: Store) -> None:
    store.submit([asked()])
    job = claim_one(store)
    store.request_cancel([job.token.job_id])
    store.commit("here", [done(job)])
    assert look(store, job.token.job_id).status is JobStatus.COMPLETED


@pytest.mark.parametrize("ending", ["reap", "release", "retry"])
def test_a_job_to_be_cancelled_is_not_tried_again(store: Store, ending: str) -> None:
    store.submit([asked()])
    job = claim_one(store)
    store.request_cancel([job.token.job_id])
    if ending == "reap":
        assert store.reap(lambda _host: True) == [job.token.job_id]
    elif ending == "release":
        store.release("here", [job.token])
    else:
        store.commit("here", [], [failed(job, Outcome.LOST, retry_in_s=0)])
    view = look(store, job.token.job_id)
    assert (view.status, view.cancel_requested) == (JobStatus.CANCELLED, False)
    assert view.completed_at is not None
    assert store.claim("here", 5, HOUR) == []


# --- turns -------------------------------------------------------------------------------------


def priorities(store: Store, *job_ids: UUID) -> list[int]:
    return [look(store, job_id).priority for job_id in job_ids]


def test_a_pending_job_is_given_another_turn(store: Store) -> None:
    a, b, c = store.submit([asked("a"), asked("b", priority=1), asked("c")])
    assert store.change_priority([c, new_job_id()], 2) == {c: 2}
    assert priorities(store, a, b, c) == [0, 1, 2]
    jobs = [claim_one(store), claim_one(store)]
    assert [job.token.job_id for job in jobs] == [c, b]
    assert [job.request.priority for job in jobs] == [2, 1]
    assert store.change_priority([], 5) == {}


def test_turns_are_moved_by_steps_within_the_limits_of_a_priority(store: Store) -> None:
    a, b, c = store.submit([asked("a"), asked("b", priority=999), asked("c", priority=-998)])
    assert store.change_priority([a, b, c], 5, relative=True) == {a: 5, b: 1000, c: -993}
    assert store.change_priority([a, b, c], -10, relative=True) == {a: -5, b: 990, c: -1000}
    assert priorities(store, a, b, c) == [-5, 990, -1000]
    assert store.change_priority([a], 5000) == {a: 1000}


@pytest.mark.parametrize("relative", [True, False])
def test_what_runs_or_has_ended_keeps_its_turn(store: Store, relative: bool) -> None:
    ended = complete(store, asked("a")).job_id
    store.submit([asked("b")])
    running = claim_one(store).token.job_id
    later = _to_be_tried_later(store)
    changed = store.change_priority([ended, running, later], 3, relative=relative)
    assert changed == {later: 3}, "what waits for its next attempt is pending"
    assert priorities(store, ended, running, later) == [0, 0, 3]


def _to_be_tried_later(store: Store) -> UUID:
    store.submit([asked("c")])
    job = claim_one(store)
    store.commit("here", [], [failed(job, retry_in_s=HOUR)])
    return job.token.job_id


def test_another_turn_is_a_change_of_the_job(store: Store) -> None:
    (job_id,) = store.submit([asked()])
    before = look(store, job_id).updated_at

    def changed() -> bool:
        store.change_priority([job_id], 1)
        return look(store, job_id).updated_at > before

    assert any(changed() for _ in range(1000)), "clocks are coarse, but not so coarse"


def test_ten_thousand_turns_are_changed_at_once(store: Store) -> None:
    ids = store.submit([asked(str(i)) for i in range(10_000)])
    assert store.change_priority(ids, 1, relative=True) == dict.fromkeys(ids, 1)


# --- trying again, deleting --------------------------------------------------------------------


def test_failed_and_cancelled_jobs_can_be_tried_again(store: Store) -> None:
    store.submit([asked("a"), asked("b")])
    broken = claim_one(store)
    store.commit("here", [], [failed(broken)])
    other = claim_one(store)
    store.commit("here", [], [failed(other, Outcome.CANCELLED)])
    ids = [other.token.job_id, broken.token.job_id]
    assert store.retry([*ids, new_job_id()]) == ids
    view = look(store, broken.token.job_id)
    assert (view.status, view.failures, view.error) == (JobStatus.PENDING, 0, None)
    assert (view.completed_at, view.processing_time_ms) == (None, None)
    assert {job.token.attempt for job in store.claim("here", 5, HOUR)} == {2}


def test_a_retry_that_another_job_answers_is_not_made(store: Store) -> None:
    store.submit([asked("a")])
    store.commit("here", [], [failed(claim_one(store))])
    store.submit([asked("a")])
    store.commit("here", [], [failed(claim_one(store))])
    newer, older = (view.job_id for view in store.jobs())
    assert store.retry([older, newer]) == [older], "one key, one active job"
    assert store.retry([newer]) == []
    assert look(store, newer).status is JobStatus.FAILED


def test_a_completed_job_cannot_be_tried_again(store: Store) -> None:
    store.submit([asked("a")])
    broken = claim_one(store)
    store.commit("here", [], [failed(broken)])
    token = complete(store, asked("b"))
    with pytest.raises(IllegalTransition, match="Job 2 is completed") as raised:
        store.retry([broken.token.job_id, token.job_id])
    assert raised.value.hint
    assert look(store, broken.token.job_id).status is JobStatus.FAILED, "all or nothing"


def test_an_active_job_cannot_be_tried_again(store: Store) -> None:
    (job_id,) = store.submit([asked()])
    with pytest.raises(IllegalTransition, match="pending"):
        store.retry([job_id])


def test_deleting_a_job_leaves_its_result(store: Store) -> None:
    token = complete(store, asked())
    assert store.delete_jobs([token.job_id, new_job_id()]) == 1
    assert store.get_jobs([token.job_id]) == {}
    assert key() in store.find_hits([key()])
    assert store.delete_jobs([token.job_id]) == 0


def test_a_processing_job_cannot_be_deleted(store: Store) -> None:
    pending, processing = asked("a"), asked("b", priority=1)
    store.submit([pending, processing])
    job = claim_one(store)
    with pytest.raises(IllegalTransition, match="Job 2 is processing") as raised:
        store.delete_jobs([pending.job_id, job.token.job_id])
    assert raised.value.hint
    assert len(store.jobs()) == 2, "all or nothing"
    assert store.delete_jobs([pending.job_id]) == 1


# --- looking -----------------------------------------------------------------------------------


def test_jobs_are_listed_newest_first_by_status_and_source(store: Store) -> None:
    store.submit([asked(str(i), source="odd" if i % 2 else "even") for i in range(6)])
    claim_one(store)
    numbers = [view.number for view in store.jobs()]
    assert numbers == [6, 5, 4, 3, 2, 1]
    assert [view.number for view in store.jobs(limit=2, offset=1)] == [5, 4]
    assert [view.number for view in store.jobs(source="odd")] == [6, 4, 2]
    assert [view.number for view in store.jobs(statuses=[JobStatus.PROCESSING])] == [1]
    both = store.jobs(statuses=[JobStatus.PROCESSING, JobStatus.PENDING], source="even")
    assert [view.number for view in both] == [5, 3, 1]
    assert store.jobs(statuses=[JobStatus.FAILED]) == []


def test_jobs_are_counted_by_status(store: Store) -> None:
    assert set(store.count_jobs().values()) == {0}
    store.submit([asked("a", source="one"), asked("b", source="one"), asked("c", source="two")])
    claim_one(store)
    counts = store.count_jobs()
    assert counts == {**dict.fromkeys(JobStatus, 0), JobStatus.PENDING: 2, JobStatus.PROCESSING: 1}
    assert store.count_jobs("two")[JobStatus.PENDING] == 1
    assert store.count_jobs("two")[JobStatus.PROCESSING] == 0


def test_unknown_jobs_are_not_there(store: Store) -> None:
    assert store.get_jobs([new_job_id()]) == {}
    assert store.get_jobs([]) == {}
    assert store.job_numbered(1) is None
