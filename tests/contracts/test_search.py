"""Search and lineage: what every store promises."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mediahost.hashing import hash_bytes
from mediahost.model.job import JobRequest
from mediahost.model.kinds import MediaKind
from mediahost.model.media import MediaFile
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
from mediahost.model.search import Found, Search, terms_of
from mediahost.ports import Completion, Store


def named(text: str) -> str:
    return hash_bytes(text.encode())


def complete(
    store: Store, path: str, result: Result, *, content: str | None = None, action: str = "a.b"
) -> None:
    media = MediaFile(Path(path), MediaKind.AUDIO, named(content or path))
    store.submit([JobRequest(action, 2, {"at": 1}, media, named(action))])
    (job,) = store.claim("here", 1, 60)
    store.commit("here", [Completion(job, result, named("result"), 5)])


def said(text: str, *, pause_after: str = "") -> MediaAnalysisResult:
    """A second for each word."""
    words, at = [], 0.0
    for word in text.split():
        words.append(Word(text=f" {word}", start=at, end=at + 1))
        at += 10 if word == pause_after else 1
    heard = Transcription(provider="tiny", text=text, words=tuple(words))
    return MediaAnalysisResult(transcription=heard)


def at(start: float, end: float, label: str = "speech", **payload: Any) -> TimeRange:
    return TimeRange(start=start, end=end, label=label, payload=payload)


def ranges(*found: TimeRange) -> MediaAnalysisResult:
    return MediaAnalysisResult(ranges=found)


def look(store: Store, words: str = "", **conditions: Any) -> list[Found]:
    return store.search(Search(terms_of(words), **conditions))


def places(found: Sequence[Found]) -> list[tuple[str, float | None, float | None]]:
    return [(one.media_url, one.start_s, one.end_s) for one in found]


def test_a_sentence_is_found_at_its_time(store: Store) -> None:
    complete(store, "/talk.wav", said("It was the best. It was the worst of times."))
    (found,) = look(store, "worst times")
    assert (found.media_url, found.action, found.kind) == ("/talk.wav", "a.b", "speech")
    assert (found.start_s, found.end_s, found.label) == (4, 10, "speech")
    assert found.file_hash == named("/talk.wav")
    assert found.snippet == "It was the worst of times."
    assert look(store, "best worst") == [], "all words are in one sentence"


def test_a_pause_ends_a_sentence_too(store: Store) -> None:
    complete(store, "/talk.wav", said("hello there general", pause_after="there"))
    assert places(look(store, "general")) == [("/talk.wav", 11, 12)]


def test_a_transcript_without_times_is_found_whole(store: Store) -> None:
    heard = Transcription(provider="tiny", text="Hello there")
    complete(store, "/talk.wav", MediaAnalysisResult(transcription=heard))
    assert places(look(store, "hello")) == [("/talk.wav", None, None)]


def test_summaries_and_pages_are_found(store: Store) -> None:
    summary = Analysis(analysis_type="summary", summary="A cat sleeps.")
    pages = [{"page": 1, "text": "One\nfish"}, {"page": 2, "text": "Two fish"}, {"page": 3}]
    complete(store, "/a.pdf", MediaAnalysisResult(analysis=summary, metadata={"pages": pages}))
    (found,) = look(store, "two")
    assert (found.kind, found.label, found.page) == ("page", "page", 2)
    (found,) = look(store, "CAT")
    assert (found.kind, found.label, found.snippet) == ("summary", "summary", "A cat sleeps.")
    assert len(look(store, "fish", limit=1)) == 1
    assert len(look(store, "fish", label="page")) == 2
    assert look(store, "fish", label="speech") == []


def test_labels_are_found_once_and_payloads_wherever_they_are(store: Store) -> None:
    complete(
        store,
        "/film.mp4",
        ranges(at(0, 1, "chapter", title="Start"), at(1, 2, "chapter", title="End of days")),
    )
    assert places(look(store, "chapter")) == [("/film.mp4", 0, 1)]
    assert places(look(store, "days")) == [("/film.mp4", 1, 2)]


def test_what_ranges_and_transcript_both_say_is_found_once(store: Store) -> None:
    heard = said("It was the best. It was the worst.").transcription
    spoken = (at(0, 4, text="It was the best."), at(4, 8, text=" It was the worst. ", note="loud"))
    complete(store, "/talk.wav", MediaAnalysisResult(ranges=spoken, transcription=heard))
    (found,) = look(store, "best")
    assert (found.kind, found.start_s, found.end_s) == ("range", 0, 4)
    assert len(look(store, "worst")) == 1


def test_a_sentence_that_two_ranges_share_is_found_whole(store: Store) -> None:
    heard = said("It was the best of times.").transcription
    spoken = (at(0, 3, text="It was the"), at(3, 6, text="best of times."))
    complete(store, "/talk.wav", MediaAnalysisResult(ranges=spoken, transcription=heard))
    assert [found.kind for found in look(store, "the best")] == ["speech"]


def test_ranges_say_where_a_transcript_without_times_does_not(store: Store) -> None:
    heard = Transcription(provider="tiny", text="Hello there")
    spoken = (at(3, 4, text="Hello there"),)
    complete(store, "/talk.wav", MediaAnalysisResult(ranges=spoken, transcription=heard))
    assert ("/talk.wav", 3, 4) in places(look(store, "hello"))


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ('"best of"', 1),
        ('"of best"', 0),
        ("tim*", 1),
        ("tim", 0),
        ('"of tim"*', 0),
        ("best -worst", 1),
        ("best -times", 0),
        ("BEST", 1),
        ("it's", 0),
        ("best-of", 1),
        ("best OR nothing", 0),
        ("NEAR(best times)", 0),
        ("words:best", 0),
        ('best "', 1),
        ("best AND", 0),
        ("'; DROP TABLE passages; --", 0),
        ("best\0times", 1),
        ("best & times", 1),
        ("best ^ (", 1),
        ("best\udc80", 1),
    ],
)
def test_what_is_typed_has_no_power(store: Store, words: str, number: int) -> None:
    complete(store, "/talk.wav", said("It was the best of times"))
    assert len(look(store, words)) == number


@pytest.mark.parametrize("words", [" ", '"', '""', "*", "--", "\0", "()", "-", "&|!", "\udc80"])
def test_what_has_no_word_is_refused_in_a_sentence(words: str) -> None:
    with pytest.raises(ValueError, match="There is no word in"):
        terms_of(words)


def test_a_search_for_nothing_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="nothing to look for"):
        look(store)
    with pytest.raises(ValueError, match="only words that must not be there"):
        look(store, "-times")
    with pytest.raises(ValueError, match="limit"):
        look(store, "times", limit=-1)


def test_time_ranges_are_listed_by_label_and_length(store: Store) -> None:
    complete(store, "/b.wav", ranges(at(0, 1), at(5, 9), at(9, 20, "music")))
    complete(store, "/a.wav", ranges(at(3, 5)))
    found = look(store, label="speech", min_s=2)
    assert places(found) == [("/a.wav", 3, 5), ("/b.wav", 5, 9)]
    assert places(look(store, min_s=10)) == [("/b.wav", 9, 20)]
    assert look(store, label="beat") == []


def test_time_ranges_are_found_within_a_stretch(store: Store) -> None:
    complete(store, "/a.wav", ranges(at(0, 1), at(2, 3), at(4, 5)))
    assert places(look(store, label="speech", from_s=1.5, to_s=4)) == [("/a.wav", 2, 3)]
    assert places(look(store, label="speech", from_s=2.5)) == [("/a.wav", 2, 3), ("/a.wav", 4, 5)]


def test_words_are_found_in_long_enough_sentences(store: Store) -> None:
    complete(store, "/a.wav", said("yes. yes it is so."))
    assert places(look(store, "yes", min_s=2)) == [("/a.wav", 1, 5)]


def test_what_a_file_said_before_it_changed_is_not_found(store: Store) -> None:
    complete(store, "/a.wav", said("old words"), content="old")
    complete(store, "/a.wav", said("new words"), content="new")
    assert look(store, "old") == []
    assert len(look(store, "words")) == 1


def test_running_again_replaces_what_is_found(store: Store) -> None:
    complete(store, "/a.wav", said("first"))
    complete(store, "/a.wav", said("second"))
    assert look(store, "first") == []
    assert len(look(store, "second")) == 1


def test_deleting_a_job_forgets_nothing_that_was_said(store: Store) -> None:
    complete(store, "/a.wav", said("hello"))
    store.delete_jobs([job.job_id for job in store.jobs()])
    assert len(look(store, "hello")) == 1


def made(*names: str) -> MediaProcessingResult:
    return MediaProcessingResult(
        artifacts=tuple(
            Artifact(path=Path(name), asset_type="audio", file_hash=named(name)) for name in names
        )
    )


def test_what_was_made_is_known_by_content_in_both_directions(store: Store) -> None:
    complete(store, "/film.mp4", made("/made/1.wav", "/made/2.wav"), action="av.cut")
    (making,) = store.makings_into([named("/made/2.wav"), named("nothing")])
    assert store.makings_from([named("/film.mp4")]) == [making]
    assert (making.action, making.action_version, making.config) == ("av.cut", 2, {"at": 1})
    assert (making.media_url, making.file_hash) == ("/film.mp4", named("/film.mp4"))
    assert making.made == (
        ("/made/1.wav", named("/made/1.wav")),
        ("/made/2.wav", named("/made/2.wav")),
    )
    assert store.makings_at("/film.mp4") == store.makings_at("/made/2.wav") == [making]
    assert store.makings_into([named("/film.mp4")]) == store.makings_at("/none") == []


def test_what_was_made_is_known_without_its_job(store: Store) -> None:
    complete(store, "/film.mp4", made("/made/1.wav"))
    store.delete_jobs([job.job_id for job in store.jobs()])
    assert len(store.makings_into([named("/made/1.wav")])) == 1
